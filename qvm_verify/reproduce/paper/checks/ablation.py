"""6.2, 6.3 and A.7: Table 4, whose lines Figure 4 draws."""

from __future__ import annotations

from decimal import Decimal

from qvm_verify.reproduce.paper.agreement import Finding, best_at, decided, higher, setting, unchecked, value
from qvm_verify.reproduce.paper.consistency import falls
from qvm_verify.reproduce.paper.tables import MATCHED, Row, row, rows

LEVELS = 8  # of Table 4, by its text
NO_WEIGHT = "How much latency weighs against accuracy is not stated."
NO_FIGURE_5 = "The numbers of Figure 5 are printed nowhere but for ResNet-18 with L = 8 in Table 4."


def findings() -> dict[str, list[Finding]]:
    """Return the findings by the ids of the sentences."""
    return _section_6_2() | _section_6_3() | _section_a7()


def _section_6_2() -> dict[str, list[Finding]]:
    return {
        "ablation-settings": [setting("L of the ablation", 8, LEVELS, "A.7")],
        "figure4-settings": [_grid()],
        "floor-matched": [
            *_peak("floor", "78.62", 8),
            highest("floor"),
            unchecked(f"'Slight' has no number; after T = L the accuracy is {_after('floor')}."),
        ],
        "floor-unmatched": _floor_unmatched(),
        "round-matched": [
            value("79.56", _matched("round").at(LEVELS)),
            unchecked(NO_WEIGHT),
        ],
        "round-unmatched": [
            _better_later(_matched("round")),
            _better_later(_row("round", "θ")),
            unchecked(
                f"{NO_WEIGHT} By accuracy alone T = 16 is the best, {_matched('round').accuracy[16]} against "
                f"{_matched('round').accuracy[LEVELS]} at T = L."
            ),
        ],
        "ceil-matched": [*_peak("ceil", "78.45", 8), highest("ceil")],
        "ceil-unmatched": _ceil_unmatched(),
        "matched-balance": [unchecked(NO_WEIGHT)],
        "matched-degrades": [
            *(best_at(_matched(quantizer), LEVELS) for quantizer in MATCHED),
            setting("The best T for round", LEVELS, 16, "A.7 (79.81% at T = 16)"),
        ],
    }


def _section_6_3() -> dict[str, list[Finding]]:
    others = {one.network: one.best for one in rows("table2") if one.matched}
    listed = ", ".join(f"{name} at T = {best[0]}" for name, best in others.items())
    return {
        "figure5-best": [
            best_at(_matched("floor"), LEVELS),
            unchecked(
                f"{NO_FIGURE_5} Table 2 has the same three networks with L = 8 and names no quantizer; there "
                f"the best printed T is not 8 but {listed}."
            ),
        ],
        "figure5-error": [
            _nearest("floor"),
            unchecked(NO_FIGURE_5),
        ],
        "figure5-floor": [setting("V0 for floor", MATCHED["floor"], _matched("floor").v_init, "Eq. 8")],
    }


def _section_a7() -> dict[str, list[Finding]]:
    return {
        "table4-settings": [setting("L of the ablation", 8, LEVELS, "6.2")],
        "table4-grid": [_grid()],
        "table4-peaks": [
            *_peak("floor", "78.62", 8),
            *_peak("round", "79.81", 16),
            *_peak("ceil", "78.45", 8),
            *(highest(quantizer) for quantizer in MATCHED),
        ],
        "table4-baselines": [_against_ann(_matched(quantizer)) for quantizer in MATCHED],
        "table4-beyond": [
            value("71.59", _matched("floor").at(32)),
            *(_beyond(_matched(quantizer)) for quantizer in MATCHED),
        ],
    }


def _row(quantizer: str, v_init: str) -> Row:
    return row("table4", quantizer=quantizer, v_init=v_init)


def _matched(quantizer: str) -> Row:
    return _row(quantizer, MATCHED[quantizer])


def _peak(quantizer: str, claimed: str, time_steps: int) -> list[Finding]:
    own = _matched(quantizer)
    return [value(claimed, own.at(time_steps)), best_at(own, time_steps)]


def highest(quantizer: str) -> Finding:
    """Check that of the three V0 the matched one has the highest accuracy at some T."""
    tops = {v: max(_row(quantizer, v).accuracy.values()) for v in MATCHED.values()}
    listed = ", ".join(f"{top} with V0 = {v}" for v, top in tops.items())
    return decided(
        max(tops, key=tops.__getitem__) == MATCHED[quantizer],
        f"The highest accuracies for {quantizer} are {listed}.",
    )


def _after(quantizer: str) -> str:
    own = _matched(quantizer)
    later = [f"{value} at T = {t}" for t, value in own.accuracy.items() if t > LEVELS]
    return f"{' and '.join(later)}, against {own.accuracy[LEVELS]}"


def _better_later(one: Row) -> Finding:
    """Check that every T > L has a higher accuracy than T = L."""
    later = {t: accuracy for t, accuracy in one.accuracy.items() if t > LEVELS}
    listed = " and ".join(f"{accuracy} at T = {t}" for t, accuracy in later.items())
    return decided(
        min(later.values()) > one.accuracy[LEVELS],
        f"{one.where} has {listed}, against {one.accuracy[LEVELS]} at T = L.",
    )


def _never_falls(one: Row) -> Finding:
    fallen = [f"from {a.value} to {b.value} ({b.where.rsplit(', ')[-1]})" for a, b in falls(one)]
    said = f"but falls {', '.join(fallen)}" if fallen else "and never falls"
    return decided(not fallen, f"{one.where} rises from {one.accuracy[1]} at T = 1, {said}.")


def _floor_unmatched() -> list[Finding]:
    own = _matched("floor")
    others = [_row("floor", v) for v in ("θ/2", "θ")]
    above = [
        (one.at(t), own.at(t)) for one in others for t in own.accuracy if one.accuracy[t] >= own.accuracy[t]
    ]
    listed = ", ".join(
        f"{a.value} against {b.value} ({a.where.removeprefix('Table 4, floor, ')})" for a, b in above
    )
    return [
        highest("floor"),
        *(_never_falls(one) for one in others),
        decided(
            not above,
            f"At the same T another V0 is above V0 = 0 in {len(above)} of {2 * len(own.accuracy)} cells, "
            f"though not at its peak: {listed}.",
        ),
    ]


def _ceil_unmatched() -> list[Finding]:
    half, zero, own = _row("ceil", "θ/2"), _row("ceil", "0"), _matched("ceil")
    lowest = min(half.accuracy.values())
    return [
        decided(
            max(half.accuracy.values()) - lowest < Decimal(10),
            f"{half.where} goes from {half.accuracy[1]} at T = 1 over {half.accuracy[2]} at T = 2 to "
            f"{half.accuracy[32]} at T = 32, {half.accuracy[32] - half.accuracy[1]} points (from T = 2 on "
            f"{half.accuracy[32] - half.accuracy[2]}); 'little' is taken to be under 10.",
        ),
        *(higher(own.at(t), zero.at(t)) for t in own.accuracy),
    ]


def _nearest(quantizer: str) -> Finding:
    own = _matched(quantizer)
    assert own.ann is not None
    gaps = {t: abs(value - own.ann) for t, value in own.accuracy.items()}
    listed = ", ".join(f"{gap} at T = {t}" for t, gap in gaps.items())
    return decided(
        min(gaps, key=gaps.__getitem__) == LEVELS,
        f"{own.where}: the distance to the ANN's accuracy is {listed}.",
    )


def _against_ann(own: Row) -> Finding:
    assert own.ann is not None
    gap = own.accuracy[LEVELS] - own.ann
    return decided(
        gap > Decimal(-1),
        f"{own.where}: {own.accuracy[LEVELS]} at T = 8, {gap:+} from the ANN's {own.ann}; 'approach' is "
        "taken to be within 1.",
    )


def _beyond(own: Row) -> Finding:
    return decided(
        any(a.value > b.value for a, b in falls(own)),
        f"{own.where}: beyond T = 8 the accuracy is {_after(own.quantizer)} at T = L.",
    )


def _grid() -> Finding:
    v_inits = {(one.quantizer, one.v_init) for one in rows("table4")}
    steps = {tuple(one.accuracy) for one in rows("table4")}
    every = {(quantizer, v) for quantizer in MATCHED for v in MATCHED.values()}
    return decided(
        v_inits == every and steps == {(1, 2, 4, 8, 16, 32)},
        "Table 4 has floor, round and ceil, each with V0 = 0, θ/2 and θ, at T = 1, 2, 4, 8, 16, 32.",
    )
