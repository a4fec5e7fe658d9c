"""The demonstration: builds a workspace of drawn parts, judges a stream, reports how it went."""

import hashlib
import json
import shutil
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Slot

from inspector_gui import paths
from inspector_gui.core.errors import KnownError
from inspector_gui.core.types import InspectionRow, Outcome
from inspector_gui.heartbeat import Heartbeat
from inspector_gui.session.session import Readiness, default_scoring
from inspector_gui.workers.feed_worker import FeedState
from inspector_gui.workers.recorder import Store

if TYPE_CHECKING:
    from inspector_gui.app import App

REFERENCES = 28
PARTS = 72
_SETTLE_MS = 700  # until the last picture and its neighbour are on screen


class DemoRun(QObject):
    """Drives the session as a person would, and measures."""

    def __init__(
        self,
        app: "App",
        workspace: Path,
        *,
        part: str,
        seed: int,
        size: int,
        screenshot: Path | None,
        report: Path | None,
        close: bool,
    ) -> None:
        super().__init__()
        self.status = 0
        self._app = app
        self._session = app.session
        self._workspace = workspace
        self._part, self._seed, self._size = part, seed, size
        self._screenshot, self._report, self._close = screenshot, report, close
        self._first_window_ms = 0.0
        self._first_inspection_ms = 0.0
        self._ready_ms = 0.0
        self._dropped = 0
        self._kept = Path()
        self._rows: list[InspectionRow] = []
        self._has_started = False
        self._heartbeat = Heartbeat()
        self._session.workspace_opened.connect(self._on_opened)
        self._session.workspace_refused.connect(self._on_refused)
        self._session.readiness_changed.connect(self._on_readiness)
        self._session.history.added.connect(self._on_added)
        self._session.feeds.state_changed.connect(self._on_feed)

    @Slot()
    def begin(self) -> None:
        """Start; called when the window has been painted."""
        from inspector_gui.app import seconds_since_start

        self._first_window_ms = seconds_since_start() * 1000
        self._heartbeat.start()
        self._kept = _kept_workspace(self._part, self._seed, self._size)
        if self._kept.is_dir():
            with suppress(OSError):
                shutil.copytree(self._kept, self._workspace)
        self._session.open_workspace(self._workspace)

    @Slot()
    def _on_opened(self) -> None:
        from inspector_gui.demo.parts import defects_for

        if (self._workspace / "images").is_dir() and any((self._workspace / "images").iterdir()):
            return  # drawn by an earlier demo
        defects_for(self._part)
        numbers = range(REFERENCES)
        loads = [partial(_draw, self._part, self._seed, n, self._size) for n in numbers]
        name = self._part.replace("_", " ").capitalize()
        self._session.references.add_loaded(loads, name=f"{name} (demo)")

    @Slot(str)
    def _on_refused(self, _sentence: str) -> None:
        shutil.rmtree(self._kept, ignore_errors=True)  # perhaps it is damaged: draw it again
        self.status = 1
        if self._close:
            self._app.window.close()

    @Slot()
    def _on_readiness(self) -> None:
        if self._has_started:
            return
        if self._session.readiness is Readiness.FAILED:
            self._on_refused("")
        if self._session.readiness is not Readiness.READY:
            return
        from inspector_gui.app import seconds_since_start
        from inspector_gui.demo.source import DemoSource

        self._has_started = True
        self._ready_ms = seconds_since_start() * 1000
        self._heartbeat.mark_ready()
        if not self._kept.is_dir():
            self._session.ask(partial(_keep, self._kept))
        source = DemoSource(self._part, count=PARTS, seed=self._seed, size=self._size)
        self._session.start_feed(source)

    @Slot(object)
    def _on_added(self, row: InspectionRow) -> None:
        if row.truth is None and row.outcome is not Outcome.ERROR:
            return  # somebody tries a picture of their own
        if not self._rows:
            from inspector_gui.app import seconds_since_start

            self._first_inspection_ms = seconds_since_start() * 1000
        self._rows.append(row)
        if len(self._rows) == PARTS:
            self._end_of_stream()

    @Slot()
    def _on_feed(self) -> None:
        self._dropped = self._session.feeds.figures.dropped
        if self._session.feeds.state is FeedState.FAILED and self._close:
            self.status = 1
            self._finish()

    def _end_of_stream(self) -> None:
        history = self._session.history
        history.follow(False)
        flagged = [row for row in self._rows if history.is_flagged(row)]
        if flagged:
            history.open(max(flagged, key=lambda row: row.multiple or 0).id)
        QTimer.singleShot(_SETTLE_MS, self._finish)

    @Slot()
    def _finish(self) -> None:
        self._heartbeat.stop()
        if self._screenshot is not None:
            partial_file = self._screenshot.with_name(f".{self._screenshot.name}.part")
            if self._app.window.grab().save(str(partial_file), "PNG"):
                partial_file.replace(self._screenshot)
            else:
                self.status = 1
        if self._report is not None:
            partial_file = self._report.with_name(f".{self._report.name}.part")
            partial_file.write_text(json.dumps(self.figures(), indent=2) + "\n", encoding="utf-8")
            partial_file.replace(self._report)
        if self._close:
            self._app.window.close()

    def figures(self) -> dict[str, object]:
        """Return the report: counts of the stream, and times in milliseconds."""
        rows = self._rows
        flagged = [row for row in rows if row.outcome in (Outcome.FAIL, Outcome.UNSURE)]
        passed = [row for row in rows if row.outcome is Outcome.PASS]
        return {
            "inspected": len(rows),
            "flagged": len(flagged),
            "escapes": sum(row.truth is True for row in passed),
            "false_alarms": sum(row.truth is False for row in flagged),
            "errors": sum(row.outcome is Outcome.ERROR for row in rows),
            "dropped": self._dropped,
            "defective": sum(row.truth is True for row in rows),
            "first_window_ms": round(self._first_window_ms),
            "first_inspection_ms": round(self._first_inspection_ms),
            "ready_ms": round(self._ready_ms),
            "ui_gap_ms": self._heartbeat.working(),
            "startup_gap_max_ms": self._heartbeat.startup_max(),
            "part": self._part,
            "seed": self._seed,
            "device": self._session.engine_state.device,
        }


def _kept_workspace(kind: str, seed: int, size: int) -> Path:
    """Return where the drawn references of a demo, their features and limits are kept.

    The name changes with everything these depend on.
    """
    package = Path(__file__).parent
    digest = hashlib.sha256(f"{REFERENCES} {default_scoring().key}".encode())
    for file in sorted([*package.glob("core/**/*.py"), *package.glob("demo/*.py")]):
        digest.update(file.read_bytes())
    return paths.cache_folder() / "demo" / f"{kind}-{seed}-{size}-{digest.hexdigest()[:12]}"


def _keep(folder: Path, store: Store) -> None:
    """Keep the workspace for the next demo, in place of an outdated one."""
    prefix = folder.name.rpartition("-")[0]
    for outdated in folder.parent.glob(f"{prefix}-*"):
        shutil.rmtree(outdated, ignore_errors=True)
    with suppress(KnownError):  # a full disk: the next demo draws again
        store.workspace.copy_to(folder)


def _draw(kind: str, seed: int, number: int, size: int) -> tuple[str, bytes]:
    """Draw one reference; runs in the recorder's thread."""
    from inspector_gui.core.images import encode_png
    from inspector_gui.demo.stream import demo_reference

    return f"{kind}-{number:03d}.png", encode_png(
        demo_reference(kind, number, seed=seed, size=size).image
    )
