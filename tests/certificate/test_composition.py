"""Certificates carry over to the network where nothing stands in the way, and each obstacle is named."""

import copy
import itertools
import operator
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from qvm_verify.certificate import Certificate, compose
from qvm_verify.certificate.composition import settings
from qvm_verify.networks import digits_cnn
from qvm_verify.snn import IFNeuron, IFSettings, QuantizedActivation, Quantizer, convert
from qvm_verify.verdict import Verdict
from tests.certificate.sites import decide, next_up, pair, site_certificates

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


def test_the_digits_network_is_bit_exact_for_every_image() -> None:
    ann, snn, certificates = converted_digits()
    composition = compose(ann, snn, certificates)
    assert composition.evidence.verdict is Verdict.EXHAUSTED
    assert composition.obstacles == ()
    assert composition.sites == 5
    assert composition.operations == 19  # 6 convolutions and batch-norms, 2 additions, 2 pools, ...
    assert str(composition.evidence).startswith("EXHAUSTED over every image in float32 that brings no NaN")
    with torch.no_grad():
        for image in images():
            assert torch.equal(ann(image).view(torch.int32), snn(image).view(torch.int32))


def test_round_is_unknown_and_names_every_failing_site() -> None:
    ann, snn, certificates = converted_digits("round")
    found = obstacles(ann, snn, certificates)
    assert [sentence.split(":")[0] for sentence in found] == list(certificates)
    for sentence, certificate in zip(found, certificates.values(), strict=True):
        assert f"N differs from M on {certificate.mismatches} float32 inputs" in sentence
        assert certificate.intervals[0].first in sentence


def test_an_image_that_brings_a_nan_to_a_site_is_outside_the_domain() -> None:
    ann, snn, certificates = converted_digits()
    evidence = compose(ann, snn, certificates).evidence
    image = torch.full((1, 1, 8, 8), torch.nan)
    assert "brings no NaN to a site" in str(evidence.domain)
    assert bool(ann(image).isnan().all())
    assert not bool(snn(image).isnan().any())


def edit(path: str, change: Callable[[Any], object]) -> Callable[[nn.Module], None]:
    """Return a mutation of the module or tensor at `path`."""

    def mutate(network: nn.Module) -> None:
        with torch.no_grad():
            change(operator.attrgetter(path)(network) if path else network)

    return mutate


def one_ulp(tensor: Tensor) -> None:
    tensor.view(-1)[:1] = next_up(tensor.view(-1)[:1])


def put(name: str, value: Any) -> Callable[[Any], object]:
    return lambda module: setattr(module, name, value)


MUTANTS = {
    "a weight, one ulp": (edit("stem.0.weight", one_ulp), "stem.0: its weight differs in 1 of 144 values"),
    "a running mean, one ulp": (edit("stem.1.running_mean", one_ulp), "stem.1: its running_mean differs"),
    "a zero's sign": (
        edit("stem.1.bias", lambda bias: bias.view(-1)[:1].fill_(-0.0)),
        "stem.1: its bias differs in 1 of 16 values",
    ),
    "other strides": (edit("stem.0", put("stride", (2, 2))), "stem.0: has another stride in the SNN: (2, 2)"),
    "other eps": (edit("stem.1", put("eps", 2e-5)), "stem.1: has another eps"),
    "pooling kernel": (edit("pool", put("kernel_size", 4)), "pool: has another kernel_size"),
    "max for average": (
        edit("", put("pool", nn.MaxPool2d(2))),
        "pool: is AvgPool2d in the ANN and MaxPool2d in the SNN",
    ),
    "a bias gone": (edit("head.2", put("bias", None)), "head.2: has a bias in one network only"),
    "memory order": (
        edit("block1.conv1.0", lambda conv: conv.to(memory_format=torch.channels_last)),
        "block1.conv1.0: its weight lies in another order in memory",
    ),
    "training": (edit("stem.1", lambda norm: norm.train()), "stem.1: is in training mode in the SNN"),
    "no statistics": (
        edit("stem.1", put("running_mean", None)),
        "stem.1: normalizes by the batch in the SNN",
    ),
    "ReLU left": (edit("", put("act", nn.ReLU())), "act: pairs QuantizedActivation with ReLU"),
    "activation left": (
        edit("", put("act", QuantizedActivation(8, "floor", 0.5))),
        "act: pairs QuantizedActivation with QuantizedActivation",
    ),
    "threshold, one ulp": (
        edit("act.threshold", one_ulp),
        "act: its threshold differs in 1 of 1 values",
    ),
    "V0, above 0": (edit("act.v_init", lambda v: v.fill_(1e-3)), "act: its certificate is of another"),
    "strict firing": (
        edit("act", lambda n: setattr(n, "settings", n.settings._replace(firing=">"))),
        "act: its certificate cannot be tied to it: boundary cannot decide this",
    ),
    "float64": (
        edit("", lambda network: network.double()),
        "(settings): parameters lie in more than one dtype",
    ),
    "float64 in one layer": (
        edit("stem.0", lambda conv: conv.double()),
        "stem.0: its weight has another dtype",
    ),
    "another device": (
        edit("head.2", put("bias", nn.Parameter(torch.empty(10, device="meta")))),
        "(settings): parameters lie in more than one device: cpu, meta",
    ),
    "a hook": (
        edit("stem.0", lambda conv: conv.register_forward_hook(lambda *_: None)),
        "SNN stem.0: has a forward hook",
    ),
    "a method replaced": (
        edit("act", put("step", lambda current, v: (current > 0, v))),
        "SNN act: had its method step replaced",
    ),
    "a compiled layer": (
        edit("stem.0", put("_compiled_call_impl", lambda x: x)),
        "SNN stem.0: is compiled",
    ),
    "vector threshold": (
        edit("act", lambda n: setattr(n, "threshold", n.threshold.reshape(1))),
        "act: its threshold has another shape",
    ),
    "sparse weight": (
        edit("head.2", lambda m: setattr(m, "weight", nn.Parameter(m.weight.to_sparse()))),
        "head.2: its weight is no plain tensor",
    ),
}


@pytest.mark.parametrize(("mutate", "expected"), MUTANTS.values(), ids=MUTANTS)
def test_a_mutant_of_the_spiking_network_is_named(mutate: Callable[[nn.Module], None], expected: str) -> None:
    ann, snn, certificates = converted_digits()
    mutate(snn)
    found = obstacles(ann, snn, certificates)
    assert any(sentence.startswith(expected) for sentence in found), found


@pytest.mark.parametrize(
    "name",
    ["a weight, one ulp", "other strides", "training", "threshold, one ulp", "ReLU left", "V0, above 0"],
)
def test_a_mutant_with_one_fault_has_obstacles_at_one_place(name: str) -> None:
    ann, snn, certificates = converted_digits()
    mutate, expected = MUTANTS[name]
    mutate(snn)
    places = {sentence.split(":")[0] for sentence in obstacles(ann, snn, certificates)}
    assert places == {expected.split(":")[0]}


def test_training_mode_of_the_ann_is_named() -> None:
    ann, snn, certificates = converted_digits()
    found = obstacles(ann.train(), snn, certificates)
    assert "stem.1: is in training mode in the ANN" in found


def test_streaming_currents_are_an_obstacle() -> None:
    ann, _, certificates = converted_digits()
    found = obstacles(ann, convert(ann, currents="streaming"), certificates)
    assert any("runs on streaming currents" in sentence for sentence in found)


def test_fewer_time_steps_than_levels_are_an_obstacle() -> None:
    ann, _, certificates = converted_digits()
    found = obstacles(ann, convert(ann, time_steps=4), certificates)
    assert "act: runs T = 4 time-steps for L = 8 levels" in found


def test_a_missing_certificate_is_an_obstacle() -> None:
    ann, snn, certificates = converted_digits()
    del certificates["block1.act2"]
    assert obstacles(ann, snn, certificates) == ["block1.act2: has no certificate"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"dtype": "float16"}, "has dtype = float16, not float32"),
        ({"threshold": (3.0).hex()}, "has threshold = 0x1.8"),
        ({"levels": 4}, "has levels = 4, not 8"),
        ({"time_steps": 4}, "has time_steps = 4, not 8"),
        ({"inputs_checked": 1000}, "has inputs_checked = 1000, not 4278190082"),
        ({"count_steps": ()}, "is of another activation or neuron"),
    ],
)
def test_a_certificate_of_something_else_is_an_obstacle(change: dict[str, Any], expected: str) -> None:
    ann, snn, certificates = converted_digits()
    certificates["act"] = replace(certificates["act"], **change)
    (found,) = obstacles(ann, snn, certificates)
    assert found.startswith(f"act: its certificate {expected}")


def test_a_clean_certificate_of_another_quantizer_does_not_pass() -> None:
    _, _, clean = converted_digits("floor")
    ann, snn, _ = converted_digits("ceil")
    assert all(certificate.mismatches == 0 for certificate in clean.values())
    found = obstacles(ann, snn, clean)
    assert len(found) == 5
    assert all("is of another activation or neuron" in sentence for sentence in found)


def branching(x: Tensor) -> Tensor:
    return x + 1 if bool(x.sum() > 0) else x


def twice(x: Tensor) -> Tensor:
    return torch.cat([x, x], 1)


def pooled(x: Tensor) -> Tensor:
    grid = x.view(x.size(0), 1, 2, 2)
    return torch.flatten(nn.functional.max_pool2d(grid, 2) + grid.mean([2, 3], keepdim=True), 1)


def in_place(x: Tensor) -> Tensor:
    y = x + 1
    y += x
    return y.reshape(x.shape[0], 2, -1)


@pytest.mark.parametrize(
    "after",
    [
        twice,
        pooled,
        in_place,
        lambda x: x[:, 1:],
        lambda x: x + torch.tensor([1.0, 2.0, 3.0, 4.0]),
        nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(), nn.Identity(), nn.Flatten(0)),
    ],
    ids=["cat", "functions and methods", "in place", "slice", "constant", "modules"],
)
def test_known_operations_are_no_obstacle(after: Any) -> None:
    ann, snn, certificates = converted(Around(after))
    assert obstacles(ann, snn, certificates) == []
    with torch.no_grad():
        x = torch.randn(8, 4)
        assert torch.equal(ann(x).view(torch.int32), snn(x).view(torch.int32))


def test_max_pool_is_the_same_operation_on_the_same_bits() -> None:
    ann = digits()
    ann.pool = nn.MaxPool2d(2)
    ann, snn, certificates = converted(ann)
    assert obstacles(ann, snn, certificates) == []
    with torch.no_grad():
        for image in images():
            assert torch.equal(ann(image).view(torch.int32), snn(image).view(torch.int32))


def under_autocast(x: Tensor) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        return x + 1


def writes_into_an_alias(x: Tensor) -> Tensor:
    y = x.view(-1)
    y += 1
    return x


def multiplies_in_place(x: Tensor) -> Tensor:
    x *= 2
    return x


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param(nn.ReLU(), "after: ReLU is not an operation that this check knows", id="ReLU module"),
        pytest.param(torch.relu, "relu: relu is not an operation that this check knows", id="relu function"),
        pytest.param(lambda x: x.sigmoid(), "sigmoid: sigmoid is not an operation", id="unknown method"),
        pytest.param(lambda x: x.T, "getattr_1: getattr is not an operation", id="unknown attribute"),
        pytest.param(lambda x: torch.add(x, x, out=x), "add: add is not an operation", id="a given output"),
        pytest.param(lambda x: x.mean(1, dtype=torch.float64), "mean: mean takes other", id="a dtype"),
        pytest.param(
            lambda x: x + torch.ones(4, dtype=torch.float64),
            "_tensor_constant0: is a constant of dtype torch.float64",
            id="a constant of another dtype",
        ),
        pytest.param(branching, "ANN: cannot be traced by torch.fx: symbolically traced", id="control flow"),
        pytest.param(under_autocast, "ANN: runs under autocast", id="autocast inside"),
        pytest.param(writes_into_an_alias, "iadd: iadd writes into memory", id="an alias written"),
        pytest.param(multiplies_in_place, "imul: imul is not an operation", id="another in-place operator"),
        pytest.param(
            nn.BatchNorm1d(4, track_running_stats=False),
            "after: normalizes by the batch",
            id="batch statistics",
        ),
    ],
)
def test_what_is_not_known_is_an_obstacle_although_both_networks_do_it(after: Any, expected: str) -> None:
    found = obstacles(*converted(Around(after)))
    assert any(sentence.startswith(expected) for sentence in found), found


@pytest.mark.parametrize(
    ("ann_after", "snn_after", "expected"),
    [
        # a + b and b + a are the same sum; this check asks for the same wiring and says UNKNOWN.
        pytest.param(
            lambda x: operator.add(x, twice(x)[:, :4]),
            lambda x: operator.add(*reversed((x, twice(x)[:, :4]))),
            "add: add takes other arguments in the SNN",
            id="swapped operands",
        ),
        pytest.param(lambda x: x + 0.0, lambda x: x + -0.0, "add: add takes other arguments", id="-0.0"),
        pytest.param(lambda x: x + 1, lambda x: x + 1.0, "add: add takes other arguments", id="1 and 1.0"),
        pytest.param(lambda x: x[:, 1:], lambda x: x[:, :3], "getitem: getitem takes other", id="slice"),
        pytest.param(lambda x: x.mean(1), lambda x: x.mean(dim=1), "mean: mean takes other", id="keyword"),
        pytest.param(
            lambda x: x + 1, lambda x: torch.add(x, 1), "add: the graphs part here", id="other function"
        ),
        pytest.param(
            lambda x: x + torch.tensor([1.0]),
            lambda x: x + next_up(torch.tensor([1.0])),
            "_tensor_constant0: it differs in 1 of 1 values",
            id="constant, one ulp",
        ),
        pytest.param(lambda x: x, lambda x: x + 1, "output: the graphs part here", id="one more operation"),
        pytest.param(lambda x: x + 1, in_place, "iadd", id="in place in one only"),
        pytest.param(twice, branching, "SNN: cannot be traced by torch.fx: symbolically", id="control flow"),
        pytest.param(twice, lambda x: x.nonsense.__nope__, "", id="a forward that fails"),
    ],
)
def test_a_graph_that_differs_is_an_obstacle(
    ann_after: Callable[[Tensor], Tensor], snn_after: Callable[[Tensor], Tensor], expected: str
) -> None:
    ann, snn, certificates = converted(Around(ann_after))
    put("after", snn_after)(snn)
    found = obstacles(ann, snn, certificates)
    assert found
    assert any(expected in sentence for sentence in found), found


def test_in_place_operators_are_told_from_the_others() -> None:
    def out_of_place(x: Tensor) -> Tensor:
        y = x + 1
        y = y + x
        return y.reshape(x.shape[0], 2, -1)

    ann, snn, certificates = converted(Around(in_place))
    put("after", out_of_place)(snn)
    assert "iadd: the graphs part here: the ANN runs iadd, the SNN add" in obstacles(ann, snn, certificates)


def test_writing_into_the_image_is_an_obstacle() -> None:
    class Writes(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.act = QuantizedActivation(8, "floor", 2.0)

        def forward(self, x: Tensor) -> Tensor:
            x += 1
            out: Tensor = self.act(x)
            return out

    (found,) = obstacles(*converted(Writes()))
    assert found == "iadd: iadd writes into memory that may be the image or a parameter"


def test_a_shared_site_is_an_obstacle() -> None:
    class Shares(Around):
        def forward(self, x: Tensor) -> Tensor:
            out: Tensor = self.act(self.linear(self.act(self.linear(x))))
            return out

    (found,) = obstacles(*converted(Shares(None)))
    assert found == "act: is a shared site: its module runs more than once"


def test_dropout_in_training_is_an_obstacle() -> None:
    ann, snn, certificates = converted(Around(nn.Dropout()))
    snn.train()
    assert obstacles(ann, snn, certificates) == ["after: is in training mode in the SNN"]


def test_networks_without_a_site_are_not_called_bit_exact() -> None:
    ann, snn, certificates = converted(nn.Sequential(nn.Linear(4, 4)))
    (found,) = obstacles(ann, snn, certificates)
    assert found.startswith("(network): no activation of the ANN meets a neuron")


def test_a_network_that_is_one_activation_is_composed() -> None:
    activation, neuron = pair(8, "floor", 2.0)
    certificates = {"(network)": decide(activation, neuron, activation, "boundary")}
    assert obstacles(activation, neuron, certificates) == []
    assert obstacles(activation, neuron, {}) == ["(network): has no certificate"]


def test_swapped_certificates_are_an_obstacle_at_both_sites() -> None:
    ann, snn, certificates = converted_digits()
    certificates["act"], certificates["block1.act1"] = certificates["block1.act1"], certificates["act"]
    assert [sentence.split(":")[0] for sentence in obstacles(ann, snn, certificates)] == [
        "act",
        "block1.act1",
    ]


def test_a_neuron_beyond_the_theorem_is_decided_again_by_its_sweep() -> None:
    activation, _ = pair(1, "floor", 2.0, torch.float16)
    v_init = torch.zeros((), dtype=torch.float16)
    neuron = IFNeuron(activation.threshold, v_init, IFSettings(1, reset="reset_to_zero"))
    certificate = decide(activation, neuron, activation, "exhaustive")
    assert certificate.mismatches == 0
    assert obstacles(activation, neuron, {"(network)": certificate}) == []
    other = IFNeuron(activation.threshold, v_init + 1, IFSettings(1, reset="reset_to_zero"))
    (found,) = obstacles(activation, other, {"(network)": certificate})
    assert "is of another activation or neuron" in found


def test_meta_networks_hold_no_bits_to_compare() -> None:
    ann, snn, certificates = converted_digits()
    found = obstacles(ann.to("meta"), snn.to("meta"), certificates)
    assert found == ["(settings): nothing is known of the kernels of a meta device"]


def test_composing_leaves_both_networks_as_they_are() -> None:
    ann, snn, certificates = converted(Around(lambda x: x + torch.ones(4)))
    before = [(set(vars(m)), copy.deepcopy(m.state_dict())) for m in (*ann.modules(), *snn.modules())]
    compose(ann, snn, certificates)
    for module, (names, tensors) in zip((*ann.modules(), *snn.modules()), before, strict=True):
        assert set(vars(module)) == names
        for name, tensor in module.state_dict().items():
            assert torch.equal(tensor, tensors[name])


def test_autocast_around_is_an_obstacle() -> None:
    ann, snn, certificates = converted_digits()
    with torch.autocast("cpu", torch.bfloat16):
        found = obstacles(ann, snn, certificates)
    assert [sentence.split(":")[0] for sentence in found if "autocast" in sentence] == ["ANN", "SNN"]


def test_a_hook_of_all_modules_is_an_obstacle() -> None:
    ann, snn, certificates = converted_digits()
    handle = nn.modules.module.register_module_forward_hook(lambda *_: None)
    try:
        found = obstacles(ann, snn, certificates)
    finally:
        handle.remove()
    assert found == [f"{label}: a hook of all modules runs, which no graph shows" for label in ("ANN", "SNN")]


SWITCHES = {
    "TF32 may round": (torch.backends.cuda.matmul, "allow_tf32"),
    "TF32 may round the inputs of": (torch.backends.cudnn, "allow_tf32"),
    "cudnn.benchmark": (torch.backends.cudnn, "benchmark"),
}


@pytest.fixture
def strict_cuda() -> Iterator[None]:
    """Set everything on CUDA as the theorem needs it."""
    before = [getattr(*switch) for switch in SWITCHES.values()]
    deterministic = torch.are_deterministic_algorithms_enabled()
    for owner, name in SWITCHES.values():
        setattr(owner, name, False)
    torch.use_deterministic_algorithms(True)
    yield
    for (owner, name), value in zip(SWITCHES.values(), before, strict=True):
        setattr(owner, name, value)
    torch.use_deterministic_algorithms(deterministic)


@pytest.mark.usefixtures("strict_cuda")
def test_strict_settings_are_no_obstacle() -> None:
    assert list(settings("cuda")) == list(settings("cpu")) == []


@pytest.mark.usefixtures("strict_cuda")
@pytest.mark.parametrize(("expected", "switch"), SWITCHES.items())
def test_each_loose_switch_on_cuda_is_an_obstacle(expected: str, switch: tuple[Any, str]) -> None:
    setattr(*switch, True)
    (found,) = settings("cuda")
    assert found.sentence.startswith(expected)
    assert list(settings("cpu")) == []


@pytest.mark.usefixtures("strict_cuda")
def test_nondeterministic_kernels_on_cuda_are_an_obstacle() -> None:
    torch.use_deterministic_algorithms(False)
    (found,) = settings("cuda")
    assert found.sentence.startswith("nondeterministic kernels are allowed")
    assert list(settings("cpu")) == []


def test_flushed_subnormals_are_an_obstacle() -> None:
    if not torch.set_flush_denormal(True):
        pytest.skip("this processor cannot flush subnormal numbers")
    try:
        (found,) = settings("cpu")
    finally:
        torch.set_flush_denormal(False)
    assert "flushed to zero" in found.sentence


def layouts() -> Iterator[Tensor]:
    """Yield one image in every order of its axes, dense, with gaps and repeated."""
    image = torch.randn(2, 3, 4, 6)
    for axes in itertools.permutations(range(4)):
        turned = image.permute(axes)
        yield from (turned, turned[:, :, ::2], turned[:1], turned[..., :1], turned[:, :1].expand_as(turned))


def test_activation_and_neuron_return_the_same_layout() -> None:
    activation, neuron = pair(8, "floor", 2.0)
    for x in layouts():
        mine, theirs = activation(x), neuron(x)
        assert mine.stride() == theirs.stride()
        assert torch.equal(mine, theirs)
        assert not bool((mine.signbit() | theirs.signbit()).any())  # N = M = 0 is +0.0 on both sides
