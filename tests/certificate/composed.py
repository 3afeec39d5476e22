"""Networks, and their conversions with certificates, for the tests of the composition."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from qvm_verify.certificate import Certificate, compose
from qvm_verify.networks import digits_cnn
from qvm_verify.snn import QuantizedActivation, Quantizer, convert
from qvm_verify.verdict import Verdict
from tests.certificate.sites import site_certificates

Certificates = dict[str, Certificate]


def digits(quantizer: Quantizer = "floor") -> nn.Module:
    """Return a digits network with weights and statistics that are no round numbers."""
    torch.manual_seed(0)
    ann = digits_cnn(levels=8, quantizer=quantizer)
    with torch.no_grad():
        for _ in range(3):
            ann(torch.randn(16, 1, 8, 8))
        for threshold, module in zip(
            (0.5, 1.0, 2.0, 4.0, 0.25),
            (m for m in ann.modules() if isinstance(m, QuantizedActivation)),
            strict=True,
        ):
            module.threshold.fill_(threshold)
    return ann.eval()


class Around(nn.Module):
    """A linear layer, a site, and whatever a test wants after them."""

    def __init__(self, after: Any) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 4)
        self.act = QuantizedActivation(8, "floor", 2.0)
        self.after = after

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.after(self.act(self.linear(x)))
        return out


def converted(ann: nn.Module) -> tuple[nn.Module, nn.Module, Certificates]:
    ann = ann.eval()
    snn = convert(ann)
    return ann, snn, site_certificates(ann, snn)


@cache
def digits_certificates(quantizer: Quantizer) -> Certificates:
    return converted(digits(quantizer))[2]


def converted_digits(quantizer: Quantizer = "floor") -> tuple[nn.Module, nn.Module, Certificates]:
    ann = digits(quantizer)
    return ann, convert(ann), dict(digits_certificates(quantizer))


def obstacles(ann: nn.Module, snn: nn.Module, certificates: Certificates) -> list[str]:
    """Return the obstacles as sentences, having checked that the verdict heeds them."""
    composition = compose(ann, snn, certificates)
    sentences = [str(obstacle) for obstacle in composition.obstacles]
    assert composition.evidence.verdict is (Verdict.UNKNOWN if sentences else Verdict.EXHAUSTED)
    if sentences:
        assert composition.evidence.detail.startswith(sentences[0])
        assert composition.evidence.domain is None
    return sentences


def images() -> Iterator[Tensor]:
    """Yield images, small, large and infinite."""
    generator = torch.Generator().manual_seed(1)
    for scale in (0.0, 1e-42, 1e-3, 1.0, 30.0, 1e30):
        yield scale * torch.randn(8, 1, 8, 8, generator=generator)


def put(name: str, value: Any) -> Callable[[Any], object]:
    return lambda module: setattr(module, name, value)
