import pytest

from tests.running.survival import Bench


@pytest.fixture(scope="session")
def bench(tmp_path_factory):
    """What each command does when nothing befalls it, found out once."""
    return Bench(tmp_path_factory.mktemp("running"))
