"""What the tests of the commands share."""

import json


def read(path):
    """Return the content of a report."""
    return json.loads(path.read_text(encoding="utf-8"))


def refused(outcome, *reasons):
    """Assert exit code 2 and one sentence on stderr that gives the reasons."""
    code, _, err = outcome
    assert code == 2
    assert err.startswith("qvm-verify: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    for reason in reasons:
        assert str(reason) in err
