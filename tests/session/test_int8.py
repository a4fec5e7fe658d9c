import importlib.util
import sys
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from inspector_gui.core import quantising
from inspector_gui.core.types import Scoring
from inspector_gui.session.session import Readiness
from inspector_gui.workers.engine_state import Phase
from tests.drawn import write_parts
from tests.session.desk import Desk

DN2 = Scoring(method="dn2", k=2, size=96)
needs_nncf = pytest.mark.skipif(
    importlib.util.find_spec("nncf") is None, reason='int8 needs pip install "inspector-gui[int8]"'
)


def networks(desk: Desk) -> list[Path]:
    return sorted((desk.folder / "networks").glob("*"))


@pytest.mark.slow
@needs_nncf
def test_a_set_is_judged_by_an_int8_network_of_its_own_until_somebody_chooses_another(
    desk: Desk, tmp_path: Path
) -> None:
    desk.make_ready(8)
    references = desk.session.references
    references.set_scoring(DN2)
    desk.until(lambda: desk.current.scoring == DN2)
    desk.until_ready()
    limits = desk.session.limits.saved

    references.set_scoring(replace(DN2, precision="int8"))
    desk.until(lambda: desk.current.scoring.precision == "int8")
    phases: list[Phase] = []
    desk.session.engine_changed.connect(lambda: phases.append(desk.session.engine_state.phase))
    desk.until_ready()
    assert Phase.CONVERTING in phases
    scoring = desk.current.scoring
    assert [path.suffix for path in networks(desk)] == [".bin", ".xml"]
    assert scoring.calibration in networks(desk)[0].name
    assert desk.session.engine_state.device == "CPU (OpenVINO int8)"
    assert desk.session.limits.saved != limits
    assert "nncf" not in sys.modules

    desk.import_files(write_parts(tmp_path / "more", range(20, 24)))
    desk.until_ready()
    assert desk.current.scoring == scoring
    assert len(networks(desk)) == 2

    references.set_scoring(replace(scoring, size=128))
    desk.until(lambda: desk.current.scoring.size == 128)
    desk.until_ready()
    assert desk.current.scoring.calibration != scoring.calibration
    assert len(networks(desk)) == 4

    for path in networks(desk):
        path.unlink()
    references.set_included([desk.current.included[0].id], False, "test")
    desk.settle()
    assert desk.is_now(Readiness.READY)  # it is loaded
    desk.restart()
    desk.until(lambda: desk.is_now(Readiness.FAILED))
    assert "have changed. Choose int8 again" in desk.session.engine_state.reason
    assert networks(desk) == []

    references = desk.session.references  # of the program that was started again
    references.set_scoring(references.calibrated(desk.current.scoring, anew=True))
    desk.until(lambda: len(networks(desk)) == 2)
    desk.until_ready()
    assert desk.current.scoring.calibration in networks(desk)[0].name


def test_int8_without_its_addition_is_a_notice_and_changes_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(quantising, "version", missing)
    desk.open()
    desk.session.references.create("Washers")
    desk.until(lambda: desk.session.references.current)
    before = desk.current.scoring
    desk.session.references.set_scoring(replace(before, precision="int8"))
    desk.settle()
    assert desk.current.scoring == before
    assert any('pip install "inspector-gui[int8]"' in notice for notice in desk.notices)
