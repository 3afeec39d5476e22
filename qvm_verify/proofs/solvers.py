"""Asks solvers: z3, cvc5 and bitwuzla, each from the same SMT-LIB 2 text through its own Python API.

This is the only module that runs a solver. Each question is asked in a process of its own that is killed when
its time is over, so neither a hang nor a crash reaches the caller. An answer is never a boolean: "unknown",
"error" and "unavailable" each carry their reason and stand for no answer at all.
"""

from __future__ import annotations

import importlib
import math
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from importlib.util import find_spec
from typing import Any, Literal, NamedTuple, get_args

from qvm_verify.claims.claim import Arithmetic
from qvm_verify.proofs.obligation import Obligation
from qvm_verify.proofs.pool import call_all

SolverName = Literal["z3", "cvc5", "bitwuzla"]
Status = Literal["sat", "unsat", "unknown", "error", "unavailable"]
Value = Fraction | int | float | bool
SOLVERS: tuple[SolverName, ...] = get_args(SolverName)

GRACE = 2.0  # seconds that a solver may run over its own limit, to start and to stop, before it is killed
WORKERS = 2


@dataclass(frozen=True)
class Answer:
    """What one solver said to one question.

    `model` has the exact value of every declared constant: `Fraction` (Real), int (Int), bool (Bool), or the
    Python float that equals the float16/bfloat16/float32/float64 value bit for bit (-0.0, infinities and NaN
    included). It is empty unless the status is "sat"; a "sat" with an irrational value has no model either,
    and says so in `reason`.
    """

    solver: str
    status: Status
    model: Mapping[str, Value] = field(default_factory=dict)
    seconds: float = 0.0
    reason: str = ""


class IrrationalError(Exception):
    """A model holds a number that no `Fraction` can state."""


class Job(NamedTuple):
    """One question to one solver."""

    question: Obligation | str  # an obligation, or SMT-LIB 2 text
    solver: str

    @property
    def text(self) -> str:
        """The SMT-LIB 2 text."""
        return self.question if isinstance(self.question, str) else self.question.smtlib


Ask = Callable[[str, str, float], Answer]
"""Puts SMT-LIB 2 text to a named solver, with a limit in seconds."""


def available_solvers() -> tuple[SolverName, ...]:
    """Return the solvers that are installed."""
    return tuple(name for name in SOLVERS if find_spec(name) is not None)


def can_ask(solver: str, arithmetic: Arithmetic) -> bool:
    """Tell whether a solver takes questions in an arithmetic: bitwuzla has neither reals nor bfloat16."""
    return solver != "bitwuzla" or arithmetic in ("float16", "float32", "float64")


def discharge(question: Obligation | str, solver: str, time_limit: float) -> Answer:
    """Ask `solver` one question, for at most `time_limit` seconds. Raises ValueError on an unknown solver."""
    ((_, answer),) = discharge_all([Job(question, solver)], time_limit=time_limit, workers=1)
    return answer


def discharge_all(
    jobs: Iterable[Job], *, time_limit: float, workers: int = WORKERS, ask: Ask | None = None
) -> Iterator[tuple[Job, Answer]]:
    """Ask every job's question, `workers` at a time, and yield each job with its answer as it comes in.

    The same text for the same solver is asked once. A job whose solver is not installed is answered
    "unavailable" at once. `ask` takes the place of the real solvers; it must be importable by name. Raises
    ValueError on an unknown solver, unless `ask` is given.
    """
    asked: dict[tuple[str, str], list[Job]] = {}
    for job in jobs:
        if ask is None and job.solver not in SOLVERS:
            raise ValueError(f"unknown solver {job.solver!r}; one of {', '.join(SOLVERS)}")
        if ask is None and find_spec(job.solver) is None:
            yield job, Answer(job.solver, "unavailable", reason=f"{job.solver} is not installed")
        else:
            asked.setdefault((job.text, job.solver), []).append(job)
    calls = [(text, solver, time_limit) for text, solver in asked]
    for index, outcome in call_all(ask or ask_solver, calls, time_limit=time_limit + GRACE, workers=workers):
        text, solver, _ = calls[index]
        if outcome.failure is None:
            answer = outcome.value
        else:
            status: Status = "unknown" if outcome.overdue else "error"
            reason = " ".join(outcome.failure.split())
            answer = Answer(solver, status, seconds=outcome.seconds, reason=reason)
        for job in asked[text, solver]:
            yield job, answer


def ask_solver(text: str, solver: str, time_limit: float) -> Answer:
    """Ask in this process; only the solver's own limit holds. `discharge` is the safe way."""
    module = importlib.import_module(solver)  # its seconds are not the question's
    started = time.monotonic()
    answer = _ASK[solver](module, text, time_limit)
    return replace(answer, seconds=time.monotonic() - started)


def _ask_z3(z3: Any, text: str, time_limit: float) -> Answer:
    logic = re.search(r"\(set-logic (\S+)\)", text)
    solver = z3.SolverFor(logic[1]) if logic else z3.Solver()
    solver.set("timeout", math.ceil(time_limit * 1000))
    solver.from_string(text)
    result = solver.check()
    if result == z3.unsat:
        return Answer("z3", "unsat")
    if result != z3.sat:
        return Answer("z3", "unknown", reason=solver.reason_unknown())
    model = solver.model()
    # z3 drops the declarations of constants that no assertion names; `x = x` names them again.
    named = "".join(f"(assert (= {name} {name}))" for name in _declared(text))
    constants = z3.parse_smt2_string(_declarations(text) + named)
    values = ((str(c.arg(0)), model.eval(c.arg(0), model_completion=True)) for c in constants)
    return _sat("z3", values, partial(_z3_value, z3))


def _z3_value(z3: Any, value: Any) -> Value:
    if z3.is_fp(value):
        value = z3.simplify(value)
        if value.isNaN():
            return math.nan
        bits = z3.simplify(z3.fpToIEEEBV(value)).as_long()
        return float_from_bits(bits, value.ebits(), value.sbits())
    if z3.is_bool(value):
        return bool(z3.is_true(value))
    if z3.is_int_value(value):
        return int(value.as_long())
    if z3.is_rational_value(value):
        return Fraction(value.numerator_as_long(), value.denominator_as_long())
    raise IrrationalError(str(value))


def _ask_cvc5(cvc5: Any, text: str, time_limit: float) -> Answer:
    solver = cvc5.Solver()
    solver.setOption("produce-models", "true")
    solver.setOption("tlimit-per", str(math.ceil(time_limit * 1000)))
    solver.setOption("fp-exp", "true")  # bfloat16 is not among the formats that cvc5 takes by default
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "question")
    symbols = parser.getSymbolManager()
    while not (command := parser.nextCommand()).isNull():
        if command.getCommandName() != "check-sat":
            complaint = command.invoke(solver, symbols)
            if complaint.startswith("(error"):
                return Answer("cvc5", "error", reason=complaint.strip())
    result = solver.checkSat()
    if result.isUnsat():
        return Answer("cvc5", "unsat")
    if not result.isSat():
        return Answer("cvc5", "unknown", reason=str(result.getUnknownExplanation()))
    terms = symbols.getDeclaredTerms()
    return _sat("cvc5", ((term.getSymbol(), solver.getValue(term)) for term in terms), _cvc5_value)


def _cvc5_value(value: Any) -> Value:
    if value.isFloatingPointValue():
        exponent, significand, bits = value.getFloatingPointValue()
        return float_from_bits(int(bits.getBitVectorValue(2), 2), exponent, significand)
    if value.isBooleanValue():
        return bool(value.getBooleanValue())
    if value.isIntegerValue() and value.getSort().isInteger():
        return int(value.getIntegerValue())
    if value.isRealValue():
        return Fraction(value.getRealValue())
    raise IrrationalError(str(value))


def _ask_bitwuzla(bitwuzla: Any, text: str, time_limit: float) -> Answer:
    options = bitwuzla.Options()
    options.set(bitwuzla.Option.PRODUCE_MODELS, True)
    options.set(bitwuzla.Option.TIME_LIMIT_PER, math.ceil(time_limit * 1000))
    parser = bitwuzla.Parser(bitwuzla.TermManager(), options)
    parser.parse(text, True, False)  # parse only, from a string
    solver = parser.bitwuzla()
    result = solver.check_sat()
    if result == bitwuzla.Result.UNSAT:
        return Answer("bitwuzla", "unsat")
    if result != bitwuzla.Result.SAT:
        return Answer("bitwuzla", "unknown", reason=f"no answer within {time_limit:g} s")
    terms = parser.get_declared_funs()
    return _sat("bitwuzla", ((term.symbol(), solver.get_value(term)) for term in terms), _bitwuzla_value)


def _bitwuzla_value(value: Any) -> Value:
    sort = value.sort()
    if sort.is_bool():
        return bool(value.value())
    if not sort.is_fp():
        raise TypeError(f"no value for {value} of sort {sort}")
    return float_from_bits(int(value.value(2, False), 2), sort.fp_exp_size(), sort.fp_sig_size())


_ASK: Mapping[str, Callable[[Any, str, float], Answer]] = {
    "z3": _ask_z3,
    "cvc5": _ask_cvc5,
    "bitwuzla": _ask_bitwuzla,
}


def _sat(solver: str, values: Iterable[tuple[str, Any]], convert: Callable[[Any], Value]) -> Answer:
    try:
        return Answer(solver, "sat", {name: convert(value) for name, value in values})
    except IrrationalError as number:
        return Answer(solver, "sat", reason=f"no exact model: it holds the irrational number {number}")


def float_from_bits(bits: int, exponent_bits: int, significand_bits: int) -> float:
    """Return the value of an IEEE 754 bit pattern; `significand_bits` counts the hidden bit.

    Exact for every format that fits float64. NaN's sign and payload are dropped.
    """
    stored = significand_bits - 1
    sign = -1.0 if bits >> (exponent_bits + stored) else 1.0
    exponent = (bits >> stored) & ((1 << exponent_bits) - 1)
    fraction = bits & ((1 << stored) - 1)
    bias = (1 << (exponent_bits - 1)) - 1
    if exponent == (1 << exponent_bits) - 1:
        return math.nan if fraction else sign * math.inf
    if exponent == 0:
        return sign * math.ldexp(fraction, 1 - bias - stored)
    return sign * math.ldexp(fraction + (1 << stored), exponent - bias - stored)


def _declared(text: str) -> list[str]:
    return re.findall(r"^\(declare-(?:const|fun) (\S+)", text, re.MULTILINE)


def _declarations(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if line.startswith("(declare-"))
