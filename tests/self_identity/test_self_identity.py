"""Every implementation beside itself is lossless, and a comparison that could not fail would say nothing."""

import pytest
import torch

from tests.self_identity.implementations import IDENTITIES, LEVELS, THRESHOLD, _by_audit, _by_certificate


@pytest.mark.parametrize("name", IDENTITIES)
def test_an_implementation_is_lossless_beside_itself(name):
    compared = IDENTITIES[name]()
    assert compared.inputs > 0
    assert compared.lossless


def test_what_differs_from_call_to_call_is_not_lossless_beside_itself():
    calls = []

    def unlike(x):
        calls.append(x)
        return torch.full_like(x, THRESHOLD / LEVELS * (len(calls) % 2))

    assert not _by_audit(unlike, "floor").lossless
    assert not _by_certificate(lambda x: unlike(x) > 0, "exhaustive", torch.float16).lossless
