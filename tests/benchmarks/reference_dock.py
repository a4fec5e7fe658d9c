"""How the dock bears 10,000 references: opening, scrolling, excluding, moving, filtering.

Starts the program on a workspace of 10,000 drawn pictures, kept in the cache folder between runs.
Their features are missing at every start, so the engine computes them in the background meanwhile:
the gaps are those of a window at work. A gap is the time between two ticks of a 4 ms timer on the
UI thread. Opening ends when the pictures in view have their thumbnails and a click selects one.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

REFERENCES = 10_000
DRAWN = 100
SIDE = 128
SET_NAME = "Ten thousand washers"
_SETTLE_MS = 600
_LATEST_MS = 240_000


def main() -> None:
    """Build the workspace where it is missing, run the window once, print the figures."""
    from table import options, show

    from inspector_gui import paths

    given = options(__doc__ or "")
    folder = paths.cache_folder() / "benchmarks" / f"references-{REFERENCES}-{SIDE}px"
    if not (folder / "built").exists():
        build(folder)
    shutil.rmtree(folder / "features", ignore_errors=True)
    rows = measure(folder)
    show(f"The dock with {REFERENCES} references (gaps of the UI thread, ms)", rows, given.json)


def build(folder: Path) -> None:
    """Write a workspace with pictures of few drawn parts, each moved and lit a little."""
    import numpy as np

    from inspector_gui.core.images import encode_png
    from inspector_gui.core.types import Purpose, Scoring
    from inspector_gui.demo.parts import draw_part
    from inspector_gui.store.database import Workspace
    from inspector_gui.store.references import References

    shutil.rmtree(folder, ignore_errors=True)
    drawn = [draw_part("washer", seed=seed, size=SIDE).image for seed in range(DRAWN)]
    workspace = Workspace.open(folder)
    references = References(workspace)
    set_id = references.create_set(SET_NAME, Scoring(method="dn2", k=2)).id
    for number in range(REFERENCES):
        shift, light = divmod(number // DRAWN, 10)
        image = np.roll(drawn[number % DRAWN], shift - 5, axis=1)
        image = np.clip(image.astype(np.int16) + 2 * (light - 5), 0, 255).astype(np.uint8)
        purpose = Purpose.VALIDATION if number % 50 == 49 else Purpose.REFERENCE
        name = f"washer{number:05d}.png"
        references.add_image(set_id, encode_png(image), image, name, purpose=purpose)
    workspace.close()
    (folder / "built").touch()


class Gaps:
    """The gaps of the UI thread, cut into named pieces of work.

    `busy` is the longest time that the UI thread itself computed between two ticks: what is left
    of the longest gap on a computer where nothing else runs.
    """

    def __init__(self) -> None:
        from PySide6.QtCore import Qt, QTimer

        from inspector_gui.heartbeat import Heartbeat

        self._make: Callable[[], Heartbeat] = Heartbeat
        self._beat = Heartbeat()
        self._began = self._computed = self._busy = 0.0
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(4)
        self._timer.timeout.connect(self._on_tick)
        self.rows: list[dict[str, object]] = []

    def begin(self) -> None:
        """Start a piece."""
        self._beat = self._make()
        self._beat.mark_ready()
        self._began = time.perf_counter()
        self._busy, self._computed = 0.0, time.thread_time()
        self._beat.start()
        self._timer.start()

    def end(self, name: str) -> None:
        """Keep the gaps since `begin` under a name."""
        took = (time.perf_counter() - self._began) * 1000
        self._on_tick()
        self._timer.stop()
        self._beat.stop()
        busy = round(self._busy * 1000, 1)
        self.rows.append({"work": name, "took": round(took), **self._beat.working(), "busy": busy})

    def _on_tick(self) -> None:
        now = time.thread_time()
        self._busy, self._computed = max(self._busy, now - self._computed), now


def measure(folder: Path) -> list[dict[str, object]]:
    """Run the program on the workspace and do with its dock what a person would."""
    from inspector_gui.app import App, set_up_process
    from inspector_gui.settings import Settings

    set_up_process()
    with tempfile.TemporaryDirectory() as place:
        app = App(Settings(Path(place) / "window.ini"))
        app.window.resize(1366, 768)
        shown: list[bool] = []
        app.show(lambda: shown.append(True))
        _until(lambda: shown)
        _wait(_SETTLE_MS)
        gaps = Gaps()
        try:
            _open(app, folder, gaps, "first workspace after the start")
            _open_another(app, Path(place) / "empty")
            _open(app, folder, gaps, "in place of another one")
            _watch(app, gaps)
            _scroll(app.window.references, gaps)
            _change(app, gaps)
        finally:
            app.window.close()
    return gaps.rows


def _open(app: object, folder: Path, gaps: Gaps, name: str) -> None:
    """From the request until thumbnails are seen and a click selects a picture."""
    from PySide6.QtCore import QPoint, Qt
    from PySide6.QtTest import QTest

    panel, session = app.window.references, app.session  # type: ignore[attr-defined]
    gaps.begin()
    session.open_workspace(folder)
    _until(lambda: panel.model.rowCount() == REFERENCES)
    _until(lambda: _are_painted(panel))
    point: QPoint = panel.grid.visualRect(panel.model.index(1)).center()
    QTest.mouseClick(panel.grid.viewport(), Qt.MouseButton.LeftButton, pos=point)
    _until(lambda: len(panel.selected) == 1)
    gaps.end(f"open, {name}")


def _open_another(app: object, folder: Path) -> None:
    app.session.open_workspace(folder)  # type: ignore[attr-defined]
    _until(lambda: app.window.references.model.rowCount() == 0)  # type: ignore[attr-defined]
    _wait(3000)  # the engine ends its work on the other set


def _watch(app: object, gaps: Gaps) -> None:
    gaps.begin()
    _wait(5000)
    state = app.session.engine_state  # type: ignore[attr-defined]
    gaps.end(f"5 s of {state.phase.name.lower()}, {state.done} of {state.total}")


def _scroll(panel: object, gaps: Gaps) -> None:
    from PySide6.QtCore import QPoint, QPointF, Qt
    from PySide6.QtGui import QWheelEvent
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QApplication

    grid = panel.grid  # type: ignore[attr-defined]
    bar = grid.verticalScrollBar()

    def wheel() -> None:
        at = QPointF(grid.viewport().rect().center())
        no = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
        event = QWheelEvent(
            at, grid.viewport().mapToGlobal(at), QPoint(), QPoint(0, -120), *no,
            Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(grid.viewport(), event)

    grid.scrollToTop()
    gaps.begin()
    for _ in range(150):
        wheel()
        _wait(16)
    gaps.end("150 wheel steps")
    gaps.begin()
    for _ in range(60):
        QTest.keyClick(grid, Qt.Key.Key_PageDown)
        _wait(30)
    gaps.end("60 times page down")
    gaps.begin()
    for step in range(201):
        bar.setValue(bar.maximum() * step // 200)
        _wait(16)
    gaps.end("bar from top to end")
    gaps.begin()
    _until(lambda: _are_painted(panel))
    gaps.end("until the last page is seen")


def _change(app: object, gaps: Gaps) -> None:
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest

    from inspector_gui.core.types import Purpose
    from inspector_gui.ui.reference_model import Group

    window = app.window  # type: ignore[attr-defined]
    panel = window.references
    grid, model = panel.grid, panel.model

    def piece(name: str, do: Callable[[], object], holds: Callable[[], object]) -> None:
        gaps.begin()
        do()
        _until(holds)
        _wait(_SETTLE_MS)
        gaps.end(name)

    grid.scrollToTop()
    grid.setCurrentIndex(model.index(3))
    grid.setFocus()
    piece(
        "exclude one",
        lambda: QTest.keyClick(grid, Qt.Key.Key_Delete),
        lambda: not model.images[3].included,
    )
    grid.setCurrentIndex(model.index(4))
    piece(
        "known bad by key",
        lambda: QTest.keyClick(grid, Qt.Key.Key_3),
        lambda: model.images[4].purpose is Purpose.BAD,
    )
    validation = panel.chips.chips[Group.VALIDATION]
    left = Qt.MouseButton.LeftButton
    piece(
        "filter on",
        lambda: QTest.mouseClick(validation, left),
        lambda: model.rowCount() < REFERENCES // 2,
    )
    piece(
        "filter off",
        lambda: QTest.mouseClick(validation, left),
        lambda: model.rowCount() == REFERENCES,
    )
    piece("select all", grid.selectAll, lambda: len(panel.selected) == REFERENCES)
    piece(
        "exclude all",
        lambda: QTest.keyClick(grid, Qt.Key.Key_Delete),
        lambda: not any(i.included for i in model.images),
    )
    for _ in range(3):  # all, one known bad, one excluded
        piece("undo", window.undo_stack.undo, _when_changed(panel))
    assert all(image.included for image in model.images)


def _when_changed(panel: object) -> Callable[[], bool]:
    before = panel.model.images  # type: ignore[attr-defined]
    return lambda: panel.model.images is not before  # type: ignore[attr-defined]


def _are_painted(panel: object) -> bool:
    """Return whether every picture in view has its thumbnail."""
    from PySide6.QtCore import QPoint, Qt

    grid, model = panel.grid, panel.model  # type: ignore[attr-defined]
    area = grid.viewport().rect()
    first = grid.indexAt(QPoint(4, 4)).row()
    if first < 0:
        return False
    rows = range(first, model.rowCount())
    for row in rows:
        index = model.index(row)
        if not grid.visualRect(index).intersects(area):
            return True
        if index.data(int(Qt.ItemDataRole.DecorationRole)) is None:
            return False
    return True


def _wait(milliseconds: int) -> None:
    """Let the window run; `QTest.qWait` sleeps 10 ms at a time, which would count as gaps."""
    from PySide6.QtCore import QEventLoop, QTimer

    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)  # precise where it is short
    loop.exec()


def _until(holds: Callable[[], object]) -> None:
    latest = time.perf_counter() + _LATEST_MS / 1000
    while not holds():
        assert time.perf_counter() < latest, "it took too long"
        _wait(2)


if __name__ == "__main__":
    main()
