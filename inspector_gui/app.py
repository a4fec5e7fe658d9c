"""Puts the program together: application, session and window; starts and stops them."""

import gc
import logging
import logging.handlers
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QProcess, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QApplication

from inspector_gui import paths
from inspector_gui.core.errors import KnownError
from inspector_gui.session import Session
from inspector_gui.settings import Settings
from inspector_gui.ui.main_window import MainWindow
from inspector_gui.ui.theme import Theme

log = logging.getLogger(__name__)

_COLLECT_MS = 1000
_SCREENSHOT_SIZE = (1366, 768)
_FULL_EVERY = 60  # cheap: what the start left is frozen
_STARTING_MS = 15_000  # until all modules are imported
_SWITCH_SECONDS = 0.001


class App(QObject):
    """One window with its session, from start to end. Create it once, in the main thread."""

    _crashed = Signal(str)

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.application = application()
        self.settings = settings
        self.theme = Theme(self.application)
        look = settings.look
        if look == "system":
            self.theme.follow_system()
        else:
            self.theme.apply(is_dark=look == "dark")
        self.session = Session()
        self.window = MainWindow(self.session, self.theme, settings)
        self.window.closed.connect(self._on_closed)
        self.window.demo_requested.connect(self._start_demo)
        self.session.workspace_opened.connect(self._on_opened)
        self.ended_cleanly = True
        self._collector = QTimer(self)
        self._collector.setInterval(_COLLECT_MS)
        self._collector.timeout.connect(self._collect)
        self._collections = 0
        self._starting = QTimer(self)
        self._starting.setSingleShot(True)
        self._starting.setInterval(_STARTING_MS)
        self._starting.timeout.connect(self._start_collecting)
        self._crashed.connect(self.session.notice)
        self._previous_hook = sys.excepthook
        self._previous_handlers: dict[signal.Signals, Any] = {}
        self.was_interrupted = False

    def show(self, when_shown: Callable[[], None]) -> None:
        """Show the window; once it is painted, start the workers and call `when_shown`."""
        sys.excepthook = self._on_exception
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous_handlers[number] = signal.signal(number, self._on_signal)
        self.window.painted.connect(self.session.start)
        self.window.painted.connect(self._pin_collector)
        self.window.painted.connect(when_shown)
        self.window.show()

    def run(self) -> int:
        """Run until the window is closed; returns the exit status."""
        self.application.exec()
        if not self.ended_cleanly:
            # A driver that never answers holds a thread; the process ends all the same.
            logging.shutdown()
            os._exit(0)
        self.window.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        return 130 if self.was_interrupted else 0

    @Slot()
    def _pin_collector(self) -> None:
        """Collect cycles in this thread only: a worker must not destroy widgets.

        What the start leaves in memory stays: looking through all of it would stall the window.
        """
        gc.freeze()
        gc.disable()
        self._starting.start()

    @Slot()
    def _start_collecting(self) -> None:
        gc.freeze()
        self._collector.start()

    @Slot()
    def _collect(self) -> None:
        self._collections += 1
        gc.collect(2 if self._collections % _FULL_EVERY == 0 else 1)

    @Slot()
    def _on_opened(self) -> None:
        if self.session.workspace is not None:
            self.settings.workspace = self.session.workspace

    @Slot()
    def _on_closed(self) -> None:
        self._starting.stop()
        self._collector.stop()
        gc.enable()
        self.ended_cleanly = self.session.stop()
        sys.excepthook = self._previous_hook
        for number, handler in self._previous_handlers.items():
            signal.signal(number, handler)
        self.application.exit(0)

    @Slot()
    def _start_demo(self) -> None:
        """Open the demo in a window of its own: this workspace stays as it is."""
        started, _ = QProcess.startDetached(sys.executable, ["-m", "inspector_gui", "demo"])
        if not started:
            self.session.notice("The demo could not be started.")

    def _on_signal(self, *_: object) -> None:
        """End as if the window was closed: Ctrl+C in the terminal, or a polite kill."""
        self.was_interrupted = True
        self.window.close()

    def _on_exception(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        log.critical("unexpected error", exc_info=(kind, error, trace))
        self._crashed.emit(f"Something went wrong; the log has more. ({kind.__name__}: {error})")


def has_screen() -> bool:
    """Return whether a window could be shown; Qt ends the process where it cannot."""
    named = ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY")
    return sys.platform != "linux" or any(os.environ.get(name) for name in named)


def application() -> QApplication:
    """Return the application, made where there is none; raises `KnownError` without a screen."""
    existing = QApplication.instance()
    if isinstance(existing, QApplication):
        made = existing
    else:
        if not has_screen():
            raise KnownError(
                "There is no screen to show the window on (DISPLAY is not set). Start it from a "
                "desktop, or use the commands that need no window: score, evaluate, doctor."
            )
        QApplication.setHighDpiScaleFactorRoundingPolicy(
            Qt.HighDpiScaleFactorRoundingPolicy.PassThrough
        )
        made = QApplication([sys.argv[0]])
    made.setApplicationName("Inspector")
    made.setQuitOnLastWindowClosed(False)  # the threads are stopped first
    return made


def set_up_process() -> None:
    """Log to a file, and let the UI thread have the interpreter at short notice."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    file = paths.log_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(file, maxBytes=1 << 20, backupCount=2)
    except OSError:
        return
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    logging.getLogger("inspector_gui").setLevel(logging.INFO)


def run_gui(workspace: Path | None) -> int:
    """Show the window on a workspace: the given one, the last one, or the user's own."""
    set_up_process()
    settings = Settings()
    folder = workspace or settings.workspace or paths.default_workspace()
    app = App(settings)
    app.show(lambda: app.window.open_workspace(str(folder)))
    return app.run()


def run_demo(
    *,
    part: str,
    seed: int,
    size: int,
    screenshot: Path | None,
    report: Path | None,
    close: bool,
) -> int:
    """Show the window on a workspace of drawn parts and judge a stream of them to its end."""
    from inspector_gui.demo_run import DemoRun

    set_up_process()
    if close and not has_screen():
        os.environ["QT_QPA_PLATFORM"] = "offscreen"  # nobody is there to look at it
    for file in (screenshot, report):
        if file is not None and not file.parent.is_dir():
            raise KnownError(f"The folder {file.parent} does not exist.")
    with tempfile.TemporaryDirectory(prefix="inspector-demo-") as folder:
        app = App(Settings(Path(folder) / "window.ini"))
        run = DemoRun(
            app,
            Path(folder) / "Demo",
            part=part,
            seed=seed,
            size=size,
            screenshot=screenshot,
            report=report,
            close=close,
        )
        if screenshot is not None and close:
            app.window.resize(*_SCREENSHOT_SIZE)  # whatever screen there is, or none
        app.show(run.begin)
        status = app.run()
        return run.status or status


def seconds_since_start() -> float:
    """Return the seconds since this process was started, interpreter included."""
    status = Path("/proc/self/stat")
    if status.exists():  # Linux: in clock ticks since the computer was started
        fields = status.read_text().rpartition(")")[2].split()
        started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return time.clock_gettime(time.CLOCK_BOOTTIME) - started
    import psutil

    return time.time() - float(psutil.Process().create_time())
