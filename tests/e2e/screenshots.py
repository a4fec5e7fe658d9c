"""Makes the README's pictures: `python tests/e2e/screenshots.py FOLDER [PART]`.

Runs the real program on the demo at several sizes and looks, and grabs its window.
"""

import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QSize, QTimer

from inspector_gui.app import App, set_up_process
from inspector_gui.demo_run import DemoRun
from inspector_gui.settings import Settings

_SETTLE_MS = 900
SHOTS = (
    ("demo-dark", QSize(1920, 1080), True),
    ("flagged-dark", QSize(1920, 1080), True),
    ("demo-light", QSize(1920, 1080), False),
    ("demo-1366", QSize(1366, 768), True),
    ("demo-1366-light", QSize(1366, 768), False),
    ("demo-2560", QSize(2560, 1440), True),
)


class Photographer(DemoRun):
    """The demo's run, with a series of pictures at its end."""

    folder = Path()

    def _finish(self) -> None:
        self._heartbeat.stop()
        self._left = list(SHOTS)
        self._next()

    def _next(self) -> None:
        if not self._left:
            self._app.window.close()
            return
        name, size, is_dark = self._left[0]
        self._app.theme.apply(is_dark=is_dark)
        self._app.window.resize(size)
        if name == "flagged-dark":
            rows = [r for r in self._rows if self._session.history.is_flagged(r)]
            ranked = sorted(rows, key=lambda r: r.multiple or 0)
            self._session.history.open(ranked[len(ranked) // 2].id)
        QTimer.singleShot(_SETTLE_MS, self._grab)

    def _grab(self) -> None:
        name, _, _ = self._left.pop(0)
        self._app.window.grab().save(str(self.folder / f"{name}.png"))
        self._next()


def main(folder: Path, part: str) -> None:
    """Write the pictures into `folder`."""
    set_up_process()
    with tempfile.TemporaryDirectory() as place:
        settings = Settings(Path(place) / "window.ini")
        settings.look = "dark"
        app = App(settings)
        run = Photographer(
            app,
            Path(place) / "Demo",
            part=part,
            seed=0,
            size=512,
            screenshot=None,
            report=None,
            close=True,
        )
        run.folder = folder
        app.window.resize(SHOTS[0][1])

        def empty() -> None:
            app.window.grab().save(str(folder / "empty-dark.png"))
            app.session.workspace_opened.disconnect(grab_empty)
            app.session.workspace_opened.connect(run._on_opened)
            run.begin()

        def grab_empty() -> None:
            QTimer.singleShot(_SETTLE_MS, empty)

        app.session.workspace_opened.disconnect(run._on_opened)
        app.session.workspace_opened.connect(grab_empty)
        app.show(lambda: app.session.open_workspace(Path(place) / "line 3"))
        app.run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "washer")
