"""What every test shares: an offscreen window system, private folders, and detectors of leaks."""

import gc
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from inspector_gui.core.types import RGB

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

PHOTOGRAPHS = Path(
    os.environ.get("INSPECTOR_TEST_DATA") or Path(__file__).parents[2] / "shared" / "data"
)


def pytest_configure(config: pytest.Config) -> None:
    # Qt must not take its plugins from OpenCV's wheel; imported here as the program does.
    import inspector_gui.core.opencv  # noqa: F401


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the user's workspace and settings out of every test; share the network cache."""
    monkeypatch.setenv("INSPECTOR_DATA", str(tmp_path / "inspector data"))


@pytest.fixture(autouse=True, scope="module")
def _what_is_loaded_stays() -> None:
    """Spare the collections after every test the objects of all imported modules."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _leaves_nothing_behind() -> Iterator[None]:
    """Fail a test that leaves threads, windows or ticking timers."""
    threads = set(threading.enumerate())
    yield
    left = [t for t in threading.enumerate() if t not in threads and not t.daemon]
    for thread in left:
        thread.join(2)
    assert not [t.name for t in left if t.is_alive()], "threads were left running"
    _assert_no_widgets()


def _assert_no_widgets() -> None:
    try:
        from PySide6.QtCore import QCoreApplication, QEvent, QTimer
        from PySide6.QtWidgets import QApplication
    except ImportError:
        return
    if not isinstance(QApplication.instance(), QApplication):
        return
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    shown = [w for w in QApplication.topLevelWidgets() if w.isVisible()]
    assert not shown, f"windows were left open: {shown}"
    gc.collect()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    ticking = [
        timer
        for widget in QApplication.topLevelWidgets()
        for timer in widget.findChildren(QTimer)
        if timer.isActive() and not timer.isSingleShot()
    ]
    assert not ticking, f"timers were left ticking: {ticking}"


@pytest.fixture
def photographs() -> Path:
    """Return the folder of real data sets; skips where it is missing."""
    if not (PHOTOGRAPHS / "hazelnut_toy" / "train" / "good").is_dir():
        pytest.skip(f"real photographs are not at {PHOTOGRAPHS} (set INSPECTOR_TEST_DATA)")
    return PHOTOGRAPHS


@pytest.fixture
def extracted(monkeypatch: pytest.MonkeyPatch) -> list[RGB]:
    """The pictures that features are computed of."""
    from inspector_gui.core.features import Extractor, Features

    seen: list[RGB] = []
    real = Extractor.extract

    def extract(self: Extractor, image: RGB) -> Features:
        seen.append(image)
        return real(self, image)

    monkeypatch.setattr(Extractor, "extract", extract)
    return seen
