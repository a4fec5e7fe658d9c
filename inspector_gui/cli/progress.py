"""Progress of a command: bars on stderr, JSON lines on stdout, or nothing."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import typer
from rich import progress as rich_progress
from rich.console import Console

from inspector_gui.cli.options import ProgressStyle
from inspector_gui.core.types import Progress

_LINES_EVERY = 0.1  # seconds

Report = Callable[[Progress], None]


@contextmanager
def reporting(style: ProgressStyle) -> Iterator[Report]:
    """Show the progress of what runs inside; yields the function to report it with.

    JSON: one object a line with `what`, `done` and `total`, ten a second at most, the last always.
    """
    if style is ProgressStyle.BAR:
        with _bars() as report:
            yield report
    elif style is ProgressStyle.JSON:
        yield JsonLines()
    else:
        yield lambda _: None


def naming(report: Report, name: str) -> Report:
    """Return a function that reports like `report` and says what the work belongs to."""
    return lambda progress: report(replace(progress, what=f"{name}: {progress.what}"))


@contextmanager
def _bars() -> Iterator[Report]:
    columns = (
        rich_progress.SpinnerColumn(),
        rich_progress.TextColumn("{task.description}"),
        rich_progress.BarColumn(),
        rich_progress.MofNCompleteColumn(),
        rich_progress.TimeRemainingColumn(),
    )
    tasks: dict[str, rich_progress.TaskID] = {}
    with rich_progress.Progress(*columns, console=Console(stderr=True)) as bars:

        def report(progress: Progress) -> None:
            if progress.what not in tasks:
                tasks[progress.what] = bars.add_task(progress.what, total=progress.total or None)
            bars.update(tasks[progress.what], completed=progress.done, total=progress.total or None)

        yield report


class JsonLines:
    """Writes progress to stdout, one JSON object a line."""

    def __init__(self) -> None:
        self._last_at = -_LINES_EVERY

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.done < progress.total and now - self._last_at < _LINES_EVERY:
            return
        self._last_at = now
        line = {"what": progress.what, "done": progress.done, "total": progress.total}
        typer.echo(json.dumps(line))
