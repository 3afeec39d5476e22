"""What an audit found, as plain data.

The classes mirror `report.json` (schema `qvm-verify/report/1`) field by field.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from qvm_verify.exits import Exit, exit_for
from qvm_verify.verdict import Counterexample, Evidence, FloatClass, Interval, Verdict, merge

SCHEMA = "qvm-verify/report/1"

Mode = Literal["shadow", "end-to-end"]
MODES: tuple[Mode, ...] = get_args(Mode)


@dataclass(frozen=True, kw_only=True)
class ErrorStatistics:
    """Mean and maximum over all neurons and images, in the units of the activation."""

    mean: float
    max: float


@dataclass(frozen=True, kw_only=True)
class Preconditions:
    """How many currents break an assumption of the paper's theorems."""

    negative_current: int  # q < 0 (Theorems 1 and 2)
    over_threshold: int  # q > θ (Theorems 1 and 2)
    integer_z: int  # z = x L / γ an integer in [0, L]: where Theorem 3 fails for ceil
    non_finite: int  # NaN or infinite


@dataclass(frozen=True, kw_only=True)
class Propagation:
    """The errors that earlier sites send into this one, against the paper's bound (Eq. 14)."""

    bound: int  # the largest ⌊|δ_z|⌋ + 1
    observed: int  # the largest |N - M|
    exceeded: int  # neurons whose own |N - M| is above their own bound


@dataclass(frozen=True, kw_only=True)
class LayerResult:
    """One site in one mode."""

    site: str
    mode: Mode
    levels: int  # L
    time_steps: int  # T
    neurons: int  # per image
    samples: int  # images
    spike_count_mismatches: int  # neurons and images with N / T != M / L, compared as integers
    max_abs_difference: float  # the largest |N - M T / L|, in spikes
    level_spike_counts: tuple[tuple[int, int, int], ...]  # (M, N, how often), where it happened at all
    conversion_error: ErrorStatistics  # |a - φ|
    unevenness_error: ErrorStatistics | None  # the same where T = L and θ = γ (Eq. 5), else None
    preconditions: Preconditions
    margin_ulps: int | None  # fewest representable numbers between a current and a decision boundary
    margin_histogram: tuple[int, ...]  # currents at 0, 1-2, 3-6, 7-14, ... ulp: ⌊log2(ulp + 1)⌋ = 0, 1, ...
    current_differences: int | None  # end to end: currents whose bits differ from the ANN's
    propagation: Propagation | None  # end to end


@dataclass(frozen=True, kw_only=True)
class OutputResult:
    """The scores of both networks; equal means bit for bit, under streaming currents the same class."""

    samples: int
    mismatches: int  # images
    max_abs_difference: float
    labelled: int  # images that have a label
    ann_correct: int | None  # None where the data has no labels
    snn_correct: int | None


@dataclass(frozen=True, kw_only=True)
class ReferenceAgreement:
    """PyTorch's values against the NumPy reference, on a random sample."""

    neurons_checked: int  # activations and neurons, compared bit for bit
    neuron_mismatches: int
    sums_checked: int  # outputs of convolutions and linear layers, compared with the exact sum
    sums_outside_bound: int
    worst_share_of_bound: float  # the largest |error| / bound; the bound is γ_n Σ |w x|
    unchecked: tuple[str, ...]  # layers that the reference does not model, by name


@dataclass(frozen=True, kw_only=True)
class CertificateResult:
    """What is decided of one site for every number of the dtype, whatever the data were.

    `verdict` is EXHAUSTED (no number fails), REFUTED (some do), or UNKNOWN with the reason in `detail`.
    """

    site: str
    verdict: str
    detail: str
    method: str | None = None
    rests_on: str | None = None  # the theorem, or how the sweep was evaluated
    dtype: str | None = None
    threshold: str | None = None
    inputs_checked: int | None = None
    mismatching_inputs: int | None = None
    mismatches: tuple[Interval, ...] = ()  # maximal intervals
    share_of_range: float | None = None  # of [0, θ], by length
    level_steps: tuple[str, ...] = ()
    count_steps: tuple[str, ...] = ()
    monotone: bool | None = None
    classes: dict[str, FloatClass] = field(default_factory=dict)
    reached: int | None = None  # inputs of the data that fail
    nearest_ulps: int | None = None  # how near the other inputs came to failing
    repair: dict[str, Any] | None = None  # the smallest change of the neuron that mends it, if one was found


@dataclass(frozen=True, kw_only=True)
class CompositionResult:
    """Whether the certificates add up to the whole network: bit-exact for every image there is."""

    verdict: str  # EXHAUSTED or UNKNOWN
    detail: str
    obstacles: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that forbids the verdict `lossless`, in one sentence."""

    kind: str
    site: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Latency:
    """How long the spiking network takes.

    Under the constant current of Eq. 9 a layer needs the whole spike count of the one before, so layers
    run one after another and the latency is sites x T; streaming layers overlap and take T.
    """

    sites: int
    time_steps: int | None
    total_steps: int | None


@dataclass(frozen=True, kw_only=True)
class SiteComparison:
    """The unevenness error of one site under each kind of currents (Eq. 5)."""

    site: str
    constant: ErrorStatistics
    streaming: ErrorStatistics


@dataclass(frozen=True, kw_only=True)
class CurrentsComparison:
    """What the constant current of Eq. 9 is good for: the same ANN, converted by Algorithm 1 both ways."""

    images: int  # the first of the data
    sites: tuple[SiteComparison, ...]


def verdict_word(worst: Verdict) -> str:
    """Return what an audit says whose worst claim has this verdict."""
    if worst is Verdict.REFUTED:
        return "not-lossless"
    return "inconclusive" if worst in (Verdict.ERROR, Verdict.UNKNOWN) else "lossless"


@dataclass(frozen=True, kw_only=True)
class Report:
    """The outcome of one audit."""

    model: dict[str, Any]
    environment: dict[str, Any]
    currents: str
    latency: Latency
    first_divergence: dict[Mode, str | None]
    layers: tuple[LayerResult, ...]
    output: OutputResult
    reference: ReferenceAgreement
    findings: tuple[Finding, ...]
    claims: tuple[Evidence, ...]
    counterexamples: tuple[Counterexample, ...]
    certificate: tuple[CertificateResult, ...]
    composition: CompositionResult
    currents_comparison: CurrentsComparison | None = None  # None where nobody asked or it cannot be

    @property
    def worst(self) -> Verdict:
        """The worst verdict among the claims."""
        return merge(self.claims)

    @property
    def verdict(self) -> str:
        """`lossless` (on what was looked at), `not-lossless`, or `inconclusive`."""
        return verdict_word(self.worst)

    @property
    def exit_code(self) -> Exit:
        """The exit code that a command ends with."""
        return exit_for(self.worst)

    def to_json(self) -> dict[str, Any]:
        """Return the content of `report.json`."""
        content = asdict(self)
        for claim in content["claims"]:
            claim["verdict"] = claim["verdict"].name
        return {"schema": SCHEMA, "verdict": self.verdict, "exit_code": int(self.exit_code), **content}
