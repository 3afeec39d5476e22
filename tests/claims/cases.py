"""Cases of claims, written as short as they are read."""

from typing import Any


def run(theta: Any, v_init: Any, *currents: Any, **more: Any) -> dict[str, Any]:
    return {"threshold": theta, "v_init": v_init, "time_steps": len(currents), "current": currents} | more


def streamed(theta: Any, *currents: Any) -> dict[str, Any]:
    return {"threshold": theta, "time_steps": len(currents), "current": currents}


def constant(theta: Any, q: Any, time_steps: int, **more: Any) -> dict[str, Any]:
    return {"threshold": theta, "current": q, "time_steps": time_steps} | more


def shifted(z: Any, time_steps: int, weight: tuple[Any, ...], error: tuple[int, ...]) -> dict[str, Any]:
    return {"z": z, "time_steps": time_steps, "weight": weight, "count_error": error}
