"""Training as it is seen in the terminal: a bar for the steps, a line for every epoch."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import TimeRemainingColumn

from qvm_verify.progress_bars import progress_on
from qvm_verify.training import Progress


class Shown:
    """A context in which a run is shown; its methods are what `training.train` calls."""

    def __init__(self, console: Console, epochs: int) -> None:
        self._console = console
        self._epochs = epochs
        self._last: Progress | None = None
        self._bar = progress_on(console, TimeRemainingColumn())
        self._task = self._bar.add_task("training", total=None)

    def __enter__(self) -> Shown:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def on_step(self, now: Progress) -> None:
        """Show a step."""
        self._last = now
        self._bar.update(
            self._task,
            description=f"epoch {now.epoch}/{self._epochs}, loss {now.loss:.4f}, accuracy {now.accuracy:.1%}",
            completed=(now.epoch - 1) * now.steps + now.step,
            total=self._epochs * now.steps,
        )

    def on_epoch(self, epoch: int, loss: float) -> None:
        """Print the line of an epoch; its accuracy is that of the images as they were trained on."""
        right = f", accuracy {self._last.accuracy:.2%} in training" if self._last else ""
        self._console.print(f"epoch {epoch}/{self._epochs}: loss {loss:.4f}{right}", highlight=False)
