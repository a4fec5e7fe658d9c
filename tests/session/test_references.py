import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from inspector_gui.core.errors import KnownError
from inspector_gui.core.images import encode_png, read_image
from inspector_gui.core.types import KEEP, Progress, Purpose, Scoring
from inspector_gui.session.session import Readiness
from inspector_gui.store.references import References
from tests.drawn import png, write_parts
from tests.session.desk import Desk


def test_pictures_and_folders_become_a_set_named_after_what_was_dropped(
    desk: Desk, tmp_path: Path
) -> None:
    write_parts(tmp_path / "Washers" / "deep", range(3))
    write_parts(tmp_path / "Washers", range(3, 5))
    seen: list[Progress | None] = []
    desk.session.references.import_progressed.connect(seen.append)
    desk.import_files([tmp_path / "Washers"])
    assert desk.current.name == "Washers"
    assert len(desk.current.images) == 5
    assert {i.name for i in desk.current.images} == {f"good-{n:03d}.png" for n in range(5)}
    steps = [p for p in seen if p is not None and p.total]
    assert [p.done for p in steps] == list(range(6))
    assert seen[-1] is None
    (kept,) = desk.stored(lambda store: store.references.load_sets())
    assert kept == desk.current


def test_the_same_picture_is_added_once_and_that_is_said(desk: Desk, tmp_path: Path) -> None:
    paths = write_parts(tmp_path / "a", range(3))
    (tmp_path / "a" / "copy.png").write_bytes(png(1))
    desk.import_files([tmp_path / "a"])
    assert len(desk.current.images) == 3
    assert desk.notices == ["3 pictures were added. 1 of them were in the set already."]
    desk.import_files(paths)
    assert len(desk.current.images) == 3


def test_a_broken_file_is_named_and_the_others_are_added(desk: Desk, tmp_path: Path) -> None:
    paths = write_parts(tmp_path, range(2))
    (tmp_path / "broken.png").write_bytes(b"nothing")
    desk.import_files([*paths, tmp_path / "broken.png", tmp_path / "gone.png"])
    assert len(desk.current.images) == 2
    (notice,) = desk.notices
    assert "broken.png is not a picture" in notice
    assert "gone.png cannot be read" in notice


def test_a_folder_without_pictures_is_said_and_the_next_import_works(
    desk: Desk, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    desk.import_files([tmp_path / "empty"])
    assert desk.notices == ["There are no pictures in what was dropped or chosen."]
    desk.import_files(write_parts(tmp_path / "a", range(1)))
    assert len(desk.current.images) == 1


def test_a_folder_that_cannot_be_looked_through_does_not_block_later_imports(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_: list[Path]) -> list[Path]:
        raise PermissionError("locked")

    with monkeypatch.context() as patched:
        patched.setattr("inspector_gui.core.layout.list_images", refuse)
        desk.import_files([tmp_path])
    assert "locked" in desk.notices[0]
    assert "PermissionError" in caplog.text
    assert not desk.session.references.is_importing
    desk.import_files(write_parts(tmp_path / "a", range(1)))
    assert len(desk.current.images) == 1


class Slowly:
    """Loads that wait in the recorder's thread until they may go on."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.may_go_on = threading.Event()

    def load(self, seed: int, waits: bool) -> tuple[str, bytes]:
        if waits:
            self.reached.set()
            self.may_go_on.wait(20)
        return f"{seed}.png", png(seed)


def test_cancelling_takes_everything_back_also_what_is_being_added(
    desk: Desk, tmp_path: Path
) -> None:
    desk.import_files(write_parts(tmp_path / "a", range(2)))
    before = desk.current
    slowly = Slowly()
    loads = [partial(slowly.load, seed, seed == 5) for seed in range(2, 9)]
    desk.session.references.add_loaded(loads, name="more")
    desk.until(slowly.reached.is_set)
    desk.session.references.cancel_import()
    assert not desk.session.references.is_importing
    slowly.may_go_on.set()
    desk.settle()
    assert desk.current == before
    assert desk.stored(lambda store: store.references.load_sets()) == (before,)
    assert "cancelled" in desk.notices[-1]


def test_an_import_begun_right_after_a_cancelled_one_is_whole(desk: Desk, tmp_path: Path) -> None:
    desk.import_files(write_parts(tmp_path / "a", range(1)))
    slowly = Slowly()
    desk.session.references.add_loaded([partial(slowly.load, 1, True)] * 3, name="slow")
    desk.until(slowly.reached.is_set)
    desk.session.references.cancel_import()
    desk.session.references.add(write_parts(tmp_path / "b", range(2, 6)))
    slowly.may_go_on.set()
    desk.until(lambda: not desk.session.references.is_importing)
    desk.settle()
    assert {i.name for i in desk.current.images} == {f"good-{n:03d}.png" for n in (0, 2, 3, 4, 5)}
    assert desk.stored(lambda store: store.references.load_sets()) == (desk.current,)


def test_a_second_import_at_the_same_time_is_refused_in_words(desk: Desk, tmp_path: Path) -> None:
    paths = write_parts(tmp_path / "a", range(2))
    desk.import_files(paths[:1])
    slowly = Slowly()
    desk.session.references.add_loaded([partial(slowly.load, 1, True)], name="slow")
    desk.session.references.add(paths)
    assert "being added already" in desk.notices[-1]
    slowly.may_go_on.set()
    desk.until(lambda: not desk.session.references.is_importing)


def test_a_full_disk_ends_the_import_in_words_and_takes_it_back(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.import_files(write_parts(tmp_path / "a", range(1)))
    real, calls = References.add_image, iter(range(100))

    def add_image(self: References, *arguments: object, **named: object) -> object:
        if next(calls) == 2:
            raise KnownError("The disk is full. Free some space and try again.")
        return real(self, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(References, "add_image", add_image)
    desk.import_files(write_parts(tmp_path / "b", range(1, 6)))
    desk.settle()
    assert desk.notices[0] == "The disk is full. Free some space and try again."
    assert len(desk.current.images) == 1
    assert desk.stored(lambda store: store.references.load_sets()) == (desk.current,)


def test_sets_are_created_renamed_duplicated_deleted_and_brought_back(
    desk: Desk, tmp_path: Path
) -> None:
    references = desk.session.references
    references.create("Screws")
    desk.settle()
    assert desk.current.name == "Screws"
    desk.import_files(write_parts(tmp_path / "a", range(2)))
    references.rename(desk.current.id, "  Bolts ")
    desk.settle()
    assert desk.current.name == "Bolts"
    original = desk.current
    references.set_included([original.images[0].id], False, "scratched")
    references.duplicate(original.id, references.free_name("Bolts"))
    desk.settle()
    copy = desk.current
    assert (copy.name, copy.id != original.id) == ("Bolts 2", True)
    assert [(i.sha256, i.included) for i in copy.images] == [
        (original.images[0].sha256, False),
        (original.images[1].sha256, True),
    ]
    references.delete(copy.id)
    desk.settle()
    assert [s.name for s in references.sets] == ["Bolts"]
    assert desk.current.id == original.id
    references.restore(copy.id)
    desk.settle()
    assert desk.current == copy


def test_a_taken_name_is_a_sentence_and_changes_nothing(desk: Desk) -> None:
    desk.session.references.create("Screws")
    desk.settle()
    desk.session.references.create("screws")
    desk.settle()
    assert "already a set called Screws" in desk.notices[0]
    assert len(desk.session.references.sets) == 1


def test_taking_pictures_out_and_in_again_is_exact(desk: Desk, tmp_path: Path) -> None:
    desk.import_files(write_parts(tmp_path / "a", range(3)))
    before = desk.current
    ids = [before.images[1].id]
    desk.session.references.set_included(ids, False, "stain")
    desk.settle()
    assert [i.included for i in desk.current.images] == [True, False, True]
    assert desk.current.images[1].reason == "stain"
    assert desk.current.fingerprint != before.fingerprint
    desk.session.references.set_included(ids, True)
    desk.settle()
    assert desk.current == before


def test_without_a_set_or_with_too_few_references_nothing_is_judged_and_that_is_said(
    desk: Desk, tmp_path: Path
) -> None:
    assert desk.is_now(Readiness.NO_SET)
    assert not desk.session.can_judge()
    desk.import_files(write_parts(tmp_path / "a", range(4)))
    assert desk.is_now(Readiness.TOO_FEW)
    assert not desk.session.can_judge()
    assert "at least 5" in desk.notices[-1]


def test_before_a_workspace_is_open_a_drop_is_answered_in_words(
    closed_desk: Desk, tmp_path: Path
) -> None:
    session = closed_desk.session
    assert session.readiness is Readiness.NO_WORKSPACE
    session.references.add(write_parts(tmp_path / "a", range(1)))
    assert closed_desk.notices == ["No workspace is open; open one first."]


def test_renaming_right_after_excluding_still_tells_the_engine(desk: Desk) -> None:
    current = desk.make_ready(8)
    desk.session.references.set_included([current.images[0].id], False)
    desk.session.references.rename(current.id, "Renamed")
    desk.until(lambda: len(desk.session.limits.reference_scores) == 7)
    assert desk.current.name == "Renamed"


def test_another_scoring_computes_features_of_its_own(desk: Desk) -> None:
    before = desk.make_ready(6)
    scores = dict(desk.session.limits.reference_scores)
    desk.session.references.set_scoring(Scoring(method="dn2", k=2, size=64))
    desk.until(lambda: desk.current.fingerprint != before.fingerprint)
    desk.until_ready()
    assert set(desk.session.limits.reference_scores) == set(scores)
    assert desk.session.limits.reference_scores != scores


def test_a_reference_that_was_deleted_on_the_disk_is_named_and_judging_goes_on(
    desk: Desk, tmp_path: Path
) -> None:
    current = desk.make_ready(7)
    gone = current.images[3].sha256
    (path,) = (desk.folder / "images").rglob(f"{gone}.*")
    path.unlink()
    desk.session.references.set_scoring(Scoring(method="dn2", k=2, size=64))
    desk.until(lambda: len(desk.session.limits.reference_scores) == 6)
    desk.until_ready()
    assert any(gone[:12] in notice and "left out" in notice for notice in desk.notices)
    desk.session.check(write_parts(tmp_path / "parts", range(50, 51)))
    desk.until(lambda: desk.rows)
    assert desk.rows[0].score is not None


def test_a_data_set_is_sorted_by_its_folders_and_that_is_said(desk: Desk, tmp_path: Path) -> None:
    for place, seeds in (
        ("train/good", range(3)),
        ("test/good", range(3, 5)),
        ("ground_truth/scratch", range(5, 6)),
    ):
        write_parts(tmp_path / "washers" / place, seeds)
    write_parts(tmp_path / "washers" / "test" / "scratch", range(6, 7), defect="scratch")
    desk.import_files([tmp_path / "washers"])
    desk.settle()
    assert desk.current.name == "washers"
    assert [len(desk.current.of(purpose)) for purpose in Purpose] == [3, 2, 1]
    (bad,) = desk.current.of(Purpose.BAD)
    assert bad.origin == str(tmp_path / "washers" / "test" / "scratch")
    for words in ("3 reference good", "2 validation good", "1 known bad"):
        assert words in desk.notices[-1]
    assert desk.stored(lambda store: store.references.load_sets()) == (desk.current,)


def test_another_purpose_takes_a_picture_out_of_the_gallery(desk: Desk, tmp_path: Path) -> None:
    desk.import_files(write_parts(tmp_path / "a", range(3)))
    before = desk.current
    moved = before.images[1]
    desk.session.references.set_purpose([moved.id], Purpose.BAD)
    desk.settle()
    assert moved.sha256 not in {i.sha256 for i in desk.current.included}
    assert desk.current.fingerprint != before.fingerprint
    desk.session.references.set_purpose([moved.id], Purpose.REFERENCE)
    desk.settle()
    assert desk.current == before


def wide_parts(folder: Path, count: int) -> list[Path]:
    """Write drawn parts of 96 x 48 pixels."""
    paths = write_parts(folder, range(count))
    for path in paths:
        path.write_bytes(encode_png(np.ascontiguousarray(read_image(path)[24:72])))
    return paths


def test_the_first_references_of_a_set_choose_its_input_and_later_ones_leave_it(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk.session.references, "_default_scoring", lambda: Scoring(method="dn2"))
    changes: list[Scoring] = []
    desk.session.references.images_changed.connect(lambda: changes.append(desk.current.scoring))
    desk.import_files(wide_parts(tmp_path / "wide", 3))
    chosen = desk.current.scoring
    assert (chosen.size, chosen.height, chosen.fit, chosen.method) == (320, 160, KEEP, "dn2")
    assert changes == [chosen]  # at once with the pictures: nothing is computed twice
    desk.import_files(write_parts(tmp_path / "square", range(5, 9)))
    assert desk.current.scoring == chosen
    (kept,) = desk.stored(lambda store: store.references.load_sets())
    assert kept == desk.current


def test_an_input_that_a_person_chose_stays(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk.session.references, "_default_scoring", lambda: Scoring(method="dn2"))
    desk.session.references.create("Mine")
    desk.until(lambda: desk.session.references.current)
    desk.session.references.set_scoring(Scoring(method="dn2", size=64))
    desk.until(lambda: desk.current.scoring.size == 64)
    desk.import_files(wide_parts(tmp_path / "wide", 3))
    assert desk.current.scoring == Scoring(method="dn2", size=64)


def test_pictures_for_other_purposes_choose_nothing(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk.session.references, "_default_scoring", lambda: Scoring(method="dn2"))
    ended: list[object] = []
    desk.session.references.import_progressed.connect(ended.append)
    desk.session.references.add(wide_parts(tmp_path / "bad", 2), Purpose.BAD)
    desk.until(lambda: ended and ended[-1] is None)
    assert desk.current.scoring == Scoring(method="dn2")
    desk.import_files(
        wide_parts(tmp_path / "good", 1) + write_parts(tmp_path / "more", range(4, 5))
    )
    assert desk.current.scoring.fit == KEEP


def test_where_the_disk_refuses_the_chosen_input_the_set_scores_as_before(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk.session.references, "_default_scoring", lambda: Scoring(method="dn2"))

    def full(self: References, set_id: int, scoring: Scoring) -> None:
        raise KnownError("The disk is full.")

    monkeypatch.setattr(References, "set_scoring", full)
    desk.import_files(wide_parts(tmp_path / "wide", 3))
    desk.settle()
    assert "The disk is full." in desk.notices
    assert desk.current.scoring == Scoring(method="dn2")
    assert len(desk.current.images) == 3
