"""Makes the README's pictures of the windows of a set: `screenshots_care.py FOLDER [STORY…]`.

Run from the project's folder. The real program, on drawn parts among which some do not belong.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Generator
from functools import partial
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import pytest
from PySide6.QtWidgets import QWidget

from inspector_gui.app import application
from inspector_gui.core.images import encode_png, read_image
from inspector_gui.demo.parts import draw_part
from inspector_gui.demo.stream import write_mvtec
from inspector_gui.session.session import Readiness
from inspector_gui.session.training_values import TrainingState
from inspector_gui.ui.health_window import HealthWindow
from inspector_gui.ui.lot_window import LotWindow
from inspector_gui.ui.main_window import MainWindow
from inspector_gui.ui.side_by_side_window import SideBySideWindow
from inspector_gui.ui.training_window import TrainingWindow
from tests.e2e import driver
from tests.e2e.driver import Step, drop, run_program

SIDE = 320
driver._SECONDS = 300.0
KINDS = ("washer", "gear", "gasket", "connector")
SIZES = ((1180, 760), (1600, 1000))


def write_washers(folder: Path) -> Path:
    """Write a data set with two defective parts, a stranger and doubles among its references."""
    write_mvtec(folder, "washer", n_train=36, n_test_good=10, n_test_bad=10, seed=3, size=SIDE)
    good = folder / "train" / "good"
    some = sorted(good.iterdir())
    (good / "again.png").write_bytes(encode_png(read_image(some[4])) + b"\0")
    for seed, defect in ((71, "stain"), (72, "crack")):
        image = draw_part("washer", seed=seed, size=SIDE, defect=defect).image
        (good / f"from-line-2-{seed}.png").write_bytes(encode_png(image))
    gear = draw_part("gear", seed=1, size=SIDE).image
    (good / "wrong-part.png").write_bytes(encode_png(gear))
    validation = sorted((folder / "test" / "good").iterdir())[0]
    (good / "same-as-validation.png").write_bytes(encode_png(read_image(validation)) + b"\0")
    return folder


def write_faint(folder: Path) -> Path:
    """Write a data set of connectors whose defects are faded to a third."""
    defects = ("bent_pin", "missing_piece", "crack", "contamination", "scratch")
    for name, seeds in {"train/good": range(30), "test/good": range(40, 56)}.items():
        (folder / name).mkdir(parents=True)
        for seed in seeds:
            image = draw_part("connector", seed=seed, size=SIDE).image
            (folder / name / f"{seed:03}.png").write_bytes(encode_png(image))
    for defect in defects:
        (folder / "test" / defect).mkdir()
        for seed in range(60, 66):
            good = draw_part("connector", seed=seed, size=SIDE).image.astype(np.float32)
            bad = draw_part("connector", seed=seed, size=SIDE, defect=defect).image
            faint = np.rint(good + (bad - good) / 3).astype(np.uint8)
            (folder / "test" / defect / f"{defect}-{seed}.png").write_bytes(encode_png(faint))
    return folder


def write_kinds(folder: Path) -> Path:
    """Write a folder for each kind of part."""
    for kind in KINDS:
        (folder / kind).mkdir(parents=True)
        for seed in range(10):
            image = draw_part(kind, seed=seed, size=SIDE).image
            (folder / kind / f"{kind}-{seed}.png").write_bytes(encode_png(image))
    return folder


def health(window: MainWindow, *, data: Path, folder: Path) -> Generator[Step, None, None]:
    """Show every tab of the health window in both looks and two sizes."""
    session = window._session
    yield lambda: session.workspace is not None
    drop(window.references, [data])
    yield lambda: session.readiness is Readiness.READY
    yield lambda: session.health.is_current
    window.actions_by_name["health"].trigger()
    (shown,) = window.findChildren(HealthWindow)
    for number, name in enumerate(("findings", "map", "cleaning", "slimming", "learning")):
        tab = getattr(shown, name)
        shown.tab_buttons[number].click()
        if name == "map":
            tab.draw_button.click()
            yield lambda tab=tab: tab.drawn is not None  # type: ignore[misc]
        if name == "slimming":
            tab.measure_button.click()
            yield lambda tab=tab: tab.slimming is not None  # type: ignore[misc]
        if name == "learning":
            tab.measure_button.click()
            yield lambda tab=tab: tab.curve is not None  # type: ignore[misc]
        yield from shots(window, shown, folder, f"health-{name}")
    shown.close()


def lots(window: MainWindow, *, data: Path, folder: Path) -> Generator[Step, None, None]:
    """Show the lot check with a usual lot and an odd one."""
    session = window._session
    yield lambda: session.workspace is not None
    drop(window.references, [data])
    yield lambda: session.readiness is Readiness.READY
    window.actions_by_name["lots"].trigger()
    (shown,) = window.findChildren(LotWindow)
    yield from shots(window, shown, folder, "lots-empty")
    session.lots.usual.build()
    yield lambda: session.lots.usual.model is not None
    for count, kinds in enumerate((KINDS, ("washer", "washer", "gear", "gasket")), start=1):
        lot = folder / f"lot {count}"
        lot.mkdir()
        for number, kind in enumerate(kinds):
            image = draw_part(kind, seed=50 + number, size=SIDE).image
            (lot / f"part {number + 1}.png").write_bytes(encode_png(image))
        drop(shown, [lot])
        yield partial(_is_judged, session.lots, count)
        shutil.rmtree(lot)
    yield from shots(window, shown, folder, "lots")
    shown.close()


def side_by_side(window: MainWindow, *, data: Path, folder: Path) -> Generator[Step, None, None]:
    """Show several methods on the same parts, and a part on which they disagree."""
    session = window._session
    yield lambda: session.workspace is not None
    drop(window.references, [data])
    yield lambda: session.readiness is Readiness.READY
    window.actions_by_name["side_by_side"].trigger()
    (shown,) = window.findChildren(SideBySideWindow)
    yield from shots(window, shown, folder, "side-by-side-empty")
    for box in shown.methods.boxes.values():
        box.setChecked(True)
    shown.compare()
    yield lambda: shown.found is not None
    found = shown.found
    assert found is not None
    shown.view.up.setCurrentIndex(2)
    shown.view.up.activated.emit(2)
    pairs = [(part.candidate.key, found.agreement(part, 0, 2)) for part in found.parts]
    shown.view.choose(next(key for key, what in pairs if what and not what.is_agreed))
    yield from shots(window, shown, folder, "side-by-side")
    shown.close()


def training(window: MainWindow, *, data: Path, folder: Path) -> Generator[Step, None, None]:
    """Show SimpleNet while it is trained, and two models of it side by side."""
    session = window._session
    yield lambda: session.workspace is not None
    drop(window.references, [data])
    yield lambda: session.readiness is Readiness.READY
    window.actions_by_name["training"].trigger()
    (shown,) = window.findChildren(TrainingWindow)
    yield from shots(window, shown, folder, "training-idle")
    shown.head.start_button.click()
    yield lambda: len(session.training.epochs) >= 9
    session.training.pause()
    yield lambda: session.training.state is TrainingState.PAUSED
    session.training.resume()
    yield lambda: session.training.seconds_left is not None
    yield from shots(window, shown, folder, "training")
    yield lambda: session.training.state is TrainingState.DONE
    for name, text in (("noise", "0.5"), ("epochs", "8")):
        shown.train.form.rows[name].field.setText(text)  # type: ignore[union-attr]
    shown.head.start_button.click()
    yield lambda: session.training.state is TrainingState.RUNNING
    yield lambda: session.training.state is TrainingState.DONE
    shown.tab_buttons[1].click()
    yield lambda: shown.models.table.rowCount() == 2
    yield from shots(window, shown, folder, "models")
    shown.models.table.selectAll()
    yield from shots(window, shown, folder, "models-compared")
    shown.close()


def _is_judged(desk: object, count: int) -> bool:
    found = desk.lots  # type: ignore[attr-defined]
    return len(found) == count and found[0].result is not None


def shots(
    window: MainWindow, shown: QWidget, folder: Path, name: str
) -> Generator[Step, None, None]:
    """Grab a window in both looks and two sizes."""
    for number, (size, is_dark) in enumerate(
        (size, is_dark) for size in SIZES for is_dark in (True, False)
    ):
        shown.resize(*size)
        window._theme.apply(is_dark=is_dark)
        for _ in range(30):
            yield lambda: True
        ending = ("", "-light", "-large", "-large-light")[number]
        shown.grab().save(str(folder / f"{name}{ending}.png"))


_STORIES = (
    (health, write_washers),
    (lots, write_kinds),
    (side_by_side, write_faint),
    (training, write_washers),
)


def main(folder: Path, *names: str) -> None:
    """Write the pictures into `folder`: all, or those of the stories that are named."""
    app = application()
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        patch.setenv("INSPECTOR_DATA", place)
        for number, (story, write) in enumerate(_STORIES):
            if names and story.__name__ not in names:
                continue
            data = write(Path(place) / f"data {number}" / "washers")
            workspace = str(Path(place) / f"workspace {number}")
            run_program(["gui", workspace], partial(story, data=data, folder=folder), patch)
    del app


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
