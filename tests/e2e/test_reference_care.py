"""Caring for a reference set in the real program: a data set by drop, its health, and a lot."""

import shutil
from collections.abc import Generator
from functools import partial
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from inspector_gui.core.images import encode_png, read_image
from inspector_gui.core.types import Outcome, Purpose
from inspector_gui.demo.parts import draw_part
from inspector_gui.demo.stream import write_mvtec
from inspector_gui.session.lots import LotDesk
from inspector_gui.session.session import Readiness
from inspector_gui.ui.health_window import HealthWindow
from inspector_gui.ui.lot_window import LotWindow
from inspector_gui.ui.main_window import MainWindow
from tests.e2e.driver import Step, drop, run_program

KINDS = ("washer", "gear", "gasket")


@pytest.mark.slow
def test_a_set_is_sorted_assessed_cleaned_and_found_again(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "washers"
    write_mvtec(data, "washer", n_train=14, n_test_good=4, n_test_bad=4, seed=3, size=160)
    good = data / "train" / "good"
    first = sorted(good.iterdir())[0]
    (good / "again.png").write_bytes(encode_png(read_image(first)) + b"\0")  # other bytes
    gear = draw_part("gear", seed=1, size=160).image
    (good / "stranger.png").write_bytes(encode_png(gear))

    def day(window: MainWindow) -> Generator[Step, None, None]:
        session = window._session
        yield lambda: session.workspace is not None
        drop(window.references, [data])
        yield lambda: session.readiness is Readiness.READY
        current = session.references.current
        assert current is not None
        assert [len(current.of(purpose)) for purpose in Purpose] == [16, 4, 4]
        yield lambda: session.health.is_current
        report = session.health.report
        assert report is not None
        names = {image.sha256: image.name for image in current.images}
        assert names[report.suspects[0].sha256] == "stranger.png"
        (twins,) = [d for d in report.duplicates if d.is_exact]
        assert {names[sha] for sha in twins.hashes} == {"again.png", first.name}
        yield lambda: len(session.health.scores_of(Purpose.BAD)) == 4
        window.actions_by_name["health"].trigger()
        (health,) = window.findChildren(HealthWindow)
        yield lambda: health.lines.isVisible()
        health.cleaning.take_proposed()
        health.cleaning.apply_button.click()
        yield lambda: "stranger.png" not in _included(window)
        dropped = 16 - len(_included(window))
        assert dropped == 4  # the least that is proposed: a fifth, rounded up
        window.undo_stack.undo()
        yield lambda: len(_included(window)) == 16
        window.undo_stack.redo()
        yield lambda: len(_included(window)) == 12
        yield lambda: session.health.is_current and session.readiness is Readiness.READY
        health.close()

    def next_day(window: MainWindow) -> Generator[Step, None, None]:
        session = window._session
        yield lambda: session.readiness is Readiness.READY
        current = session.references.current
        assert current is not None
        assert len(current.included) == 12
        excluded = [image for image in current.images if not image.included]
        assert all("clean" in image.reason for image in excluded)

    workspace = str(tmp_path / "workspace")
    run_program(["gui", workspace], day, monkeypatch)
    run_program(["gui", workspace], next_day, monkeypatch)


def _is_judged(desk: LotDesk, count: int) -> bool:
    return len(desk.lots) == count and desk.lots[0].result is not None


def _included(window: MainWindow) -> set[str]:
    current = window._session.references.current
    return set() if current is None else {image.name for image in current.included}


@pytest.mark.slow
def test_a_lot_fails_where_every_part_passes(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in KINDS:
        folder = tmp_path / "parts" / kind
        folder.mkdir(parents=True)
        for seed in range(8):
            image = draw_part(kind, seed=seed, size=160).image
            (folder / f"{kind}-{seed}.png").write_bytes(encode_png(image))
    usual, odd = tmp_path / "usual", tmp_path / "odd"
    for folder, kinds in ((usual, KINDS), (odd, ("washer", "washer", "gear"))):
        folder.mkdir()
        for number, kind in enumerate(kinds):
            seen = tmp_path / "parts" / kind / f"{kind}-{number}.png"
            shutil.copy(seen, folder / f"{number}.png")

    def day(window: MainWindow) -> Generator[Step, None, None]:
        session = window._session
        yield lambda: session.workspace is not None
        drop(window.references, [tmp_path / "parts"])
        yield lambda: session.readiness is Readiness.READY
        window.actions_by_name["lots"].trigger()
        (lots,) = window.findChildren(LotWindow)
        session.lots.usual.build()
        yield lambda: session.lots.usual.model is not None
        outcomes = []
        for count, folder in enumerate((usual, odd), start=1):
            drop(lots, [folder])
            yield partial(_is_judged, session.lots, count)
            newest = session.lots.lots[0]
            assert all(row.outcome is Outcome.PASS for row in newest.rows)
            assert newest.result is not None
            outcomes.append(newest.result.outcome)
            if folder is odd:
                assert "gasket" in newest.result.reason
        assert outcomes == [Outcome.PASS, Outcome.FAIL]
        lots.close()

    run_program(["gui", str(tmp_path / "workspace")], day, monkeypatch)
