"""A line per stage on the terminal: done, rate, time to go; then rows, seconds and what its checks say."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from forge_app.output import printable
from forge_assets import progress


class Rate(TextColumn):
    """Items per second since the stage began to report."""

    def __init__(self) -> None:
        super().__init__("{task.fields[rate]}")


class Bars:
    """Context manager: while it is open, stages of this process report here."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description:<20}"), BarColumn(24), MofNCompleteColumn(), Rate(), TimeElapsedColumn(), TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"), console=self._console, disable=not self._console.is_terminal,
        )  # fmt: skip
        self._tasks: dict[str, TaskID] = {}
        self._began: dict[str, float] = {}

    def __enter__(self) -> Bars:
        self._progress.start()
        progress.show_on(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        progress.show_on(None)
        self._progress.stop()

    def start(self, assets: list[str]) -> None:
        for asset in assets:
            if asset not in self._tasks:
                self._tasks[asset] = self._progress.add_task(asset, total=None, start=False, rate="", note="")

    def advance(self, asset: str, done: int, total: int | None) -> None:
        task = self._tasks[asset]
        if asset not in self._began:
            for earlier in self._began:  # stages of one process run one after the other
                self._close(earlier)
            self._began[asset] = time.monotonic()
            self._progress.start_task(task)
        self._progress.update(task, advance=done, total=total)
        seconds = time.monotonic() - self._began[asset]
        completed = self._progress.tasks[self._progress.task_ids.index(task)].completed
        if seconds > 0.5:
            self._progress.update(task, rate=f"{completed / seconds:,.0f}/s")

    def finish(self, made: dict[str, dict[str, Any]], checks: list[Any]) -> None:
        """Closes the bars of a run (without a terminal: prints a line per stage), then the checks that did not pass."""
        for asset, metadata in made.items():
            if asset == "nightly_report":  # its seconds are the whole run's, which the summary tells
                self._close(asset, "")
                continue
            rows = metadata.get("dagster/row_count")
            note = f"{rows:,} {'row' if rows == 1 else 'rows'}" if isinstance(rows, int) else ""
            if self._progress.disable:
                self._console.print(f"{asset:<20} {note:>14}  {metadata.get('seconds', 0):7.1f} s")
            self._close(asset, note)
        if "nightly_report" in made:
            self._console.print(made["nightly_report"]["summary"], highlight=False)
        for event in checks:
            evaluation = event.asset_check_evaluation_data
            if not evaluation.passed:
                name = f"{evaluation.asset_key.to_user_string()}: {evaluation.check_name}"
                told = escape(printable(f"{name}: {evaluation.description or 'does not hold'}"))
                self._console.print(f"[yellow]{evaluation.severity.value.lower()}[/] {told}")

    def _close(self, asset: str, note: str = "") -> None:
        task = self._progress.tasks[self._progress.task_ids.index(self._tasks[asset])]
        self._progress.update(task.id, total=task.completed or 1, completed=task.completed or 1, note=note)
