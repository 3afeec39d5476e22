"""A single neuron cut out of a network: its inputs, their weights and its bias, enough to run it alone.

Between the sites a network is linear, so a neuron's current is Σ w x + b over the outputs x of earlier sites
and the pixels. The weights are the current's gradient, whatever layers lie between; the bias is the current
when all inputs are 0. Neither is believed: the exact sum is held against the current that was recorded, in
both networks, and where more than rounding lies between them there is no slice. A max-pool is linear as long
as it picks the same input.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

import torch
from torch import Tensor, nn

from qvm_verify.audit.setting import NUMPY_DTYPES, Setting
from qvm_verify.audit.sites import Call, Pair, find_sites, is_activation, is_neuron, working_copy
from qvm_verify.counterexamples.fewest_inputs import Term, fewest_terms, rounding_ulps
from qvm_verify.exits import mishap
from qvm_verify.verdict import Counterexample, NeuronSlice, Synapse

MOST_SYNAPSES = 1024
"""A neuron with more inputs that are not 0 is not saved: the report says so instead."""
PIXELS = "(input)"


class _Run(NamedTuple):
    currents: dict[Call, Tensor]  # what each site received
    sources: dict[str, Tensor]  # what each site, by the name of its pair, and the image sent on


class Slicer:
    """Cuts counterexamples out of copies of both networks."""

    def __init__(self, ann: nn.Module, snn: nn.Module, pairs: dict[str, Pair]) -> None:
        self._ann, self._snn, self._pairs = ann, snn, pairs
        self._image: int | None = None  # the number of the image that `_runs` saw
        self._runs: list[_Run] = []  # of the ANN, of the ANN without input, of the spiking network
        self._ann_names = {pair.ann: name for name, pair in pairs.items()}
        self._snn_names = {pair.snn: name for name, pair in pairs.items()}

    def cut(self, counterexample: Counterexample, image: Tensor, setting: Setting) -> Counterexample:
        """Return the counterexample with its slice, or with the reason why there is none.

        `image` is its image, [1, ...].
        """
        try:
            found = self._slice(counterexample, image, setting)
        except (RuntimeError, ValueError, ArithmeticError) as error:
            if mishap(error):
                raise  # at another time there is a slice, and the report would be another
            found = f"no slice: {str(error).splitlines()[0]}"
        if isinstance(found, str):
            return replace(counterexample, slice_detail=found)
        return replace(counterexample, slice=found)

    def _slice(self, c: Counterexample, image: Tensor, setting: Setting) -> NeuronSlice | str:
        pair = self._pairs[c.site]
        run, at_zero, spiking = self._runs_on(c.input, image)
        linked = list(run.sources)
        with torch.enable_grad():
            current = run.currents[pair.ann][(0, *c.neuron)]
            sources = [run.sources[name] for name in linked]
            rows = torch.autograd.grad(current, sources, allow_unused=True, retain_graph=True)
        bias = float(at_zero.currents[pair.ann][(0, *c.neuron)])
        streaming = c.mode == "end-to-end" and setting.streaming
        arriving = spiking.sources if c.mode == "end-to-end" else run.sources
        terms = []
        for name, row in zip(linked, rows, strict=True):
            if row is not None:
                terms += _terms(name, row[0], run.sources[name][0], arriving.get(name), setting)
        if len(terms) > MOST_SYNAPSES:
            return f"no slice: {len(terms)} inputs are not 0, and at most {MOST_SYNAPSES} are saved"
        return _checked(c, terms, Fraction(bias), streaming)

    def _runs_on(self, number: int, image: Tensor) -> list[_Run]:
        """Return the runs on an image, remembered because most sites first fail on the same one."""
        if self._image != number:
            nothing = torch.zeros_like(image)
            self._runs = [
                _linked_run(self._ann, is_activation, self._ann_names, image),
                _linked_run(self._ann, is_activation, self._ann_names, nothing, zero=True),
                _linked_run(self._snn, is_neuron, self._snn_names, image),
            ]
            self._image = number
        return self._runs


def _linked_run(
    network: nn.Module,
    wanted: object,
    names: dict[Call, str],
    image: Tensor,
    *,
    zero: bool = False,
) -> _Run:
    """Run a copy of `network` whose sites send on leaves of the gradient, all 0 where `zero` says so."""
    trial = working_copy(network)
    pixels = image.clone().requires_grad_()
    run = _Run({}, {PIXELS: pixels})
    calls: dict[str, int] = {}

    def observe(name: str, x: Tensor, output: Tensor) -> Tensor:
        call = Call(name, calls.get(name, 0))
        calls[name] = call.index + 1
        run.currents[call] = x
        leaf = (torch.zeros_like(output) if zero else output.detach().clone()).requires_grad_()
        run.sources[names.get(call, str(call))] = leaf
        return leaf

    for name, module in find_sites(trial, wanted).items():  # type: ignore[arg-type]
        module.register_forward_hook(lambda _, inputs, out, name=name: observe(name, inputs[0], out))
    with torch.enable_grad():
        trial(pixels)
    return run


def _terms(
    name: str, row: Tensor, sent: Tensor, arriving: Tensor | None, setting: Setting
) -> list[tuple[str, tuple[int, ...], Term]]:
    """Return the inputs from one source that have a weight and are not 0 everywhere."""
    if arriving is None:
        raise ValueError(f"{name} has no counterpart in the spiking network")
    steps = arriving.detach() if len(arriving) == setting.time_steps else arriving.detach()[:1]
    found = []
    for place in row.nonzero().tolist():
        index = tuple(place)
        inputs = tuple(Fraction(float(step[index])) for step in steps)
        own = Fraction(float(sent[index]))
        if own or any(inputs):
            found.append((name, index, Term(Fraction(float(row[index])), own, inputs)))
    return found


def _checked(
    c: Counterexample, terms: list[tuple[str, tuple[int, ...], Term]], bias: Fraction, streaming: bool
) -> NeuronSlice | str:
    """Return the slice, if its exact sums are the recorded currents but for rounding."""
    plain = [term for _, _, term in terms]
    recorded = list(map(float.fromhex, c.currents if streaming else c.currents[:1]))
    own = float.fromhex(c.activation_current)
    dtype = {name: torch_dtype for torch_dtype, name in NUMPY_DTYPES.items()}[c.dtype]
    unit = Fraction(torch.finfo(dtype).eps) * (len(plain) + 32)
    roundings = []
    for value, inputs in (
        (own, [term.own for term in plain]),
        *((value, [term.at(t) for term in plain]) for t, value in enumerate(recorded)),
    ):
        products = [term.weight * x for term, x in zip(plain, inputs, strict=True)]
        rounding = Fraction(value) - sum(products) - bias
        if abs(rounding) > unit * (sum(map(abs, products)) + abs(bias)):
            return (
                "no slice: its current is not the sum of its inputs by the ANN's weights, so something is "
                "not linear before it (a max-pool, where it picks another input in the other network)"
            )
        roundings.append(rounding)
    first, *others = (float(rounding) for rounding in roundings)
    return NeuronSlice(
        synapses=tuple(
            Synapse(
                source=name,
                index=index,
                weight=float(term.weight).hex(),
                activation_input=float(term.own).hex(),
                inputs=tuple(float(x).hex() for x in term.inputs),
            )
            for name, index, term in terms
        ),
        bias=float(bias).hex(),
        activation_rounding=first.hex(),
        rounding=tuple(value.hex() for value in others),
        rounding_ulps=max(
            rounding_ulps(value, rounding, c.dtype)
            for value, rounding in zip([own, *recorded], roundings, strict=True)
        ),
        fewest=fewest_terms(c, plain, bias),
    )
