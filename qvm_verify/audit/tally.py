"""Everything an audit has seen so far, of one batch or of many; tallies merge in any order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Self, TypeVar

from qvm_verify.audit.certification import Reach
from qvm_verify.audit.counterexamples import PER_SITE, Found, first_of
from qvm_verify.audit.mergeable import Mergeable, Names
from qvm_verify.audit.output import OutputStatistics
from qvm_verify.audit.reference_check import ReferenceStatistics
from qvm_verify.audit.statistics import SiteStatistics
from qvm_verify.report.model import Mode
from qvm_verify.report.reading import counterexample_of

Part = TypeVar("Part", bound=Mergeable)


def _merged(a: dict[str, Part], b: dict[str, Part]) -> dict[str, Part]:
    for name, part in b.items():
        if name in a:
            a[name].merge(part)
        else:
            a[name] = part
    return a


def _one(a: Part, b: Part) -> Part:
    a.merge(b)
    return a


def _first(a: tuple[Found, ...], b: tuple[Found, ...]) -> tuple[Found, ...]:
    return first_of((*a, *b))


@dataclass
class Tally(Mergeable):
    """What one process has seen, or all of them together."""

    shadow: Annotated[dict[str, SiteStatistics], _merged] = field(default_factory=dict)
    end_to_end: Annotated[dict[str, SiteStatistics], _merged] = field(default_factory=dict)
    reach: Annotated[dict[str, Reach], _merged] = field(default_factory=dict)
    output: Annotated[OutputStatistics, _one] = field(default_factory=OutputStatistics)
    reference: Annotated[ReferenceStatistics, _one] = field(default_factory=ReferenceStatistics)
    found: Annotated[tuple[Found, ...], _first] = ()
    off_grid: Names = ()  # (site, "activation" or "neuron")
    irregular: Names = ()  # (site, "ANN" or "SNN"): called for other images than the first, or not

    def sites(self, mode: Mode) -> dict[str, SiteStatistics]:
        """Return the statistics of all sites in one mode."""
        return self.shadow if mode == "shadow" else self.end_to_end

    def room(self, site: str, mode: Mode, before: int) -> int:
        """Return how many more counterexamples of a site can be among the first, given images < `before`."""
        earlier = [one.counterexample for one in self.found if one.counterexample.input < before]
        return PER_SITE - sum((c.site, c.mode) == (site, mode) for c in earlier)

    def known(self, before: int) -> set[tuple[str, str]]:
        """Return the sites and modes that have a counterexample among the images < `before`."""
        earlier = [one.counterexample for one in self.found if one.counterexample.input < before]
        return {(c.site, c.mode) for c in earlier}

    def to_json(self) -> dict[str, Any]:
        """Return the tally as JSON can hold it."""
        found = [one._asdict() | {"counterexample": asdict(one.counterexample)} for one in self.found]
        return {**super().to_json(), "found": found}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Return what `to_json` wrote."""

        def parts(name: str, kind: type[Part]) -> dict[str, Part]:
            return {site: kind.from_json(part) for site, part in content[name].items()}

        return cls(
            shadow=parts("shadow", SiteStatistics),
            end_to_end=parts("end_to_end", SiteStatistics),
            reach=parts("reach", Reach),
            output=OutputStatistics.from_json(content["output"]),
            reference=ReferenceStatistics.from_json(content["reference"]),
            found=tuple(
                Found(**(one | {"counterexample": counterexample_of(one["counterexample"])}))
                for one in content["found"]
            ),
            off_grid=tuple((site, which) for site, which in content["off_grid"]),
            irregular=tuple((site, which) for site, which in content["irregular"]),
        )
