from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from shiboken6 import isValid

from inspector_gui.core import quantising
from inspector_gui.core.sets.switching import Measured, Scored, Switch, switch
from inspector_gui.core.types import Limits, ReferenceImage
from inspector_gui.ui.precision_dialog import PrecisionDialog
from tests.drawn import write_parts
from tests.ui.workplace import Workplace


@pytest.fixture
def dialog(place: Workplace, tmp_path: Path) -> Iterator[PrecisionDialog]:
    place.create_set()
    place.add_references(write_parts(tmp_path / "good", range(6)))
    place.until(lambda: place.session.limits.saved)
    made = PrecisionDialog(place.session, place.current)
    made.show()
    yield made
    if isValid(made):  # a closed one is gone
        made.close()


def choose(dialog: PrecisionDialog, precision: str, runtime: str = "openvino") -> None:
    dialog.runtime.setCurrentIndex(dialog.runtime.findData(runtime))
    dialog.precision.setCurrentIndex(dialog.precision.findData(precision))


def test_what_a_choice_does_is_shown_before_it_is_applied(
    place: Workplace, dialog: PrecisionDialog
) -> None:
    before = place.current.scoring
    assert not dialog.compare_button.isEnabled()
    assert not dialog.apply_button.isEnabled()
    choose(dialog, "bf16")
    dialog.compare_button.click()
    place.until(lambda: not dialog.study.is_running, 60)
    assert dialog.study.failure.text() == ""
    assert dialog.found.isVisible()
    devices = ("CPU (OpenVINO f32)", "CPU (OpenVINO bf16)")
    assert dialog.found.table.rows["Runs on"] == devices
    assert all("ms" in time for time in dialog.found.table.rows["Time to judge a part"])
    assert "6 references scored against 6 references" in dialog.found.scores.text()
    assert "of 6 decisions would change" in dialog.found.decisions.text()
    assert place.current.scoring == before
    dialog.apply_button.click()
    place.until(lambda: place.current.scoring.precision == "bf16")
    place.until(lambda: place.session.engine_state.device == "CPU (OpenVINO bf16)")


def test_cancelling_ends_the_comparison_and_changes_nothing(
    place: Workplace, dialog: PrecisionDialog
) -> None:
    before = place.current
    choose(dialog, "bf16")
    dialog.compare()
    study = dialog.study.study
    assert study is not None
    assert not dialog.compare_button.isEnabled()
    dialog.study.cancel_button.click()
    folder = study.folder
    place.until(lambda: not folder.exists())
    assert dialog.compare_button.isEnabled()
    assert not dialog.found.isVisible()
    dialog.compare()
    again = dialog.study.study
    assert again is not None
    dialog.close()
    place.until(lambda: not again.folder.exists())
    assert place.current == before


def test_a_choice_that_cannot_be_says_why(dialog: PrecisionDialog) -> None:
    choose(dialog, "int8", "torch")
    assert "int8 runs on OpenVINO alone" in dialog.reason.text()
    assert not dialog.compare_button.isEnabled()
    assert not dialog.apply_button.isEnabled()
    choose(dialog, "bf16", "torch")
    assert dialog.reason.text() == ""
    assert dialog.apply_button.isEnabled()


def test_a_result_is_gone_once_the_choice_or_the_set_is_another(
    place: Workplace, dialog: PrecisionDialog
) -> None:
    choose(dialog, "bf16")
    dialog.found.show_switch(found(place.current.images[0]))
    dialog.found.show()
    choose(dialog, "f16")
    assert not dialog.found.isVisible()
    dialog.found.show()
    place.session.references.set_included([place.current.images[0].id], False, "test")
    place.until(lambda: not dialog.found.isVisible())
    assert dialog.apply_button.isEnabled()
    place.session.references.create("Another")
    place.until(lambda: place.current.name == "Another")
    assert "open this again" in dialog.reason.text()
    assert not dialog.apply_button.isEnabled()


def test_a_picture_that_would_be_decided_otherwise_is_named_and_shown_on_a_click(
    place: Workplace, dialog: PrecisionDialog
) -> None:
    image = place.current.images[0]
    shown: list[tuple[ReferenceImage, ...]] = []
    dialog.pictures_requested.connect(shown.append)
    dialog.found.show_switch(found(image))
    assert "1 of 2 decisions would change, by the limit set by hand" in (
        dialog.found.decisions.text()
    )
    assert "by 25 % at most" in dialog.found.scores.text()
    item = dialog.found.changed.item(0)
    assert item.text() == f"{image.name}: pass 0.80 × becomes fail 1.00 ×"
    dialog.found.changed.itemClicked.emit(item)
    assert shown == [(image,)]


def test_int8_is_calibrated_anew_only_where_somebody_says_so(
    place: Workplace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quantising, "version", lambda _: "1.0")  # the choice alone needs no NNCF
    place.create_set()
    place.add_references(write_parts(tmp_path / "good", range(6)))
    references = place.session.references
    references.set_scoring(replace(place.current.scoring, precision="int8"))
    place.until(lambda: place.current.scoring.calibration)
    dialog = PrecisionDialog(place.session, place.current)
    dialog.show()
    assert dialog.anew.isVisible()
    dialog.anew.setChecked(True)
    assert not dialog.apply_button.isEnabled()  # the references are those it was calibrated on
    first = place.current.scoring.calibration
    references.set_included([place.current.images[0].id], False, "test")
    place.until(dialog.apply_button.isEnabled)
    dialog.anew.setChecked(False)
    assert not dialog.apply_button.isEnabled()
    choose(dialog, "bf16")
    assert not dialog.anew.isEnabled()
    choose(dialog, "int8")
    dialog.anew.setChecked(True)
    dialog.apply()
    place.until(lambda: place.current.scoring.calibration != first)
    assert place.current.scoring.precision == "int8"


def found(image: ReferenceImage) -> Switch:
    """Return a comparison in which one picture is decided otherwise."""
    return switch(
        [
            Scored(image.sha256, image.name, "reference", 0.8, 1.0),
            Scored("other", "other", "reference", 0.1, 0.1),
        ],
        among=2,
        before=Measured(0.02, "CPU"),
        after=Measured(0.01, "CPU"),
        by_hand=Limits(0.0, 1.0, 1.0, 0.5, "set by hand", ""),
    )
