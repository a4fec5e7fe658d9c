import dataclasses
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sqlalchemy import text

from inspector_gui.core.errors import KnownError
from inspector_gui.core.types import (
    Floats,
    Frame,
    InspectionRow,
    Outcome,
    ReferenceSet,
    Scoring,
    Source,
    UnreadableFrame,
    Verdict,
)
from inspector_gui.store.database import Workspace
from inspector_gui.store.inspections import Inspections, pack_patches, unpack_patches
from inspector_gui.store.references import References

from .samples import LIMITS, folder_frame, inspection, picture, picture_file, sha


def kept_pictures(workspace: Workspace) -> list[bytes]:
    return [p.read_bytes() for p in (workspace.folder / "images").rglob("*") if p.is_file()]


def fields_of(row: InspectionRow) -> dict[str, object]:
    return {f.name: getattr(row, f.name) for f in dataclasses.fields(row) if f.name != "thumbnail"}


def test_reopening_finds_the_whole_inspection(tmp_path: Path) -> None:
    with Workspace.open(tmp_path / "w") as workspace:
        references = References(workspace)
        screws = references.create_set("Screws", Scoring(k=4))
        limits = references.save_limits(screws.id, LIMITS)
        frame = folder_frame(tmp_path, 1)
        judged = inspection(frame, screws.id, scoring=Scoring(k=4), limits=limits)
        row = Inspections(workspace).add(judged)
    with Workspace.open(tmp_path / "w") as workspace:
        (found,) = Inspections(workspace).rows()
        part = Inspections(workspace).part(row.id)
    assert fields_of(found) == fields_of(row) == fields_of(part.row)
    assert (found.score, found.multiple, found.outcome) == (2.5, 0.75, Outcome.FAIL)
    assert (found.captured_at, found.judged_at, found.path) == (10.0, 20.0, frame.path)
    assert found.scoring_key == Scoring(k=4).key
    assert found.thumbnail is not None
    assert found.thumbnail.shape == (29, 96, 3)
    assert part.image is not None
    assert part.patches is not None
    np.testing.assert_array_equal(part.image, frame.image)
    np.testing.assert_array_equal(part.patches, judged.scores.patches)
    assert part.scoring == Scoring(k=4)
    assert part.nearest == (sha(1), sha(0))
    assert part.timings == {"extract": 0.25}


@pytest.mark.parametrize("outcome", [Outcome.UNSURE, Outcome.FAIL])
def test_the_very_file_of_a_flagged_part_is_kept(
    workspace: Workspace,
    inspections: Inspections,
    screws: ReferenceSet,
    tmp_path: Path,
    outcome: Outcome,
) -> None:
    frame = folder_frame(tmp_path, 1)
    row = inspections.add(inspection(frame, screws.id, outcome=outcome))
    assert kept_pictures(workspace) == [frame.data]
    assert frame.path is not None
    frame.path.unlink()
    assert inspections.part(row.id).image is not None


def test_of_a_passed_part_of_a_folder_only_its_path_is_kept(
    workspace: Workspace, inspections: Inspections, screws: ReferenceSet, tmp_path: Path
) -> None:
    frame = folder_frame(tmp_path, 1)
    row = inspections.add(inspection(frame, screws.id, outcome=Outcome.PASS))
    assert kept_pictures(workspace) == []
    image = inspections.part(row.id).image
    assert image is not None
    np.testing.assert_array_equal(image, frame.image)


@pytest.mark.parametrize("now", ["gone", "another picture", "garbage"])
def test_a_passed_part_whose_file_has_changed_has_no_picture(
    inspections: Inspections, screws: ReferenceSet, tmp_path: Path, now: str
) -> None:
    frame = folder_frame(tmp_path, 1)
    row = inspections.add(inspection(frame, screws.id, outcome=Outcome.PASS))
    assert frame.path is not None
    match now:
        case "gone":
            frame.path.unlink()
        case "another picture":
            frame.path.write_bytes(picture_file(2))
        case "garbage":
            frame.path.write_bytes(b"garbage")
    part = inspections.part(row.id)
    assert part.image is None
    assert part.row.thumbnail is not None


@pytest.mark.parametrize("source", [Source.CAMERA, Source.AD_HOC, Source.DEMO])
@pytest.mark.parametrize("has_file", [True, False])
def test_a_passed_part_that_is_in_no_folder_is_kept(
    inspections: Inspections, screws: ReferenceSet, source: Source, has_file: bool
) -> None:
    data = picture_file(1) if has_file else None
    frame = Frame("Frame 12", picture(1), source, 10.0, data=data, truth=True)
    row = inspections.add(inspection(frame, screws.id, outcome=Outcome.PASS))
    part = inspections.part(row.id)
    assert part.image is not None
    np.testing.assert_array_equal(part.image, picture(1))
    assert part.row.truth is True


def test_the_same_flagged_picture_twice_is_two_rows_and_one_file(
    workspace: Workspace, inspections: Inspections, screws: ReferenceSet, tmp_path: Path
) -> None:
    frame = folder_frame(tmp_path, 1)
    inspections.add(inspection(frame, screws.id))
    inspections.add(inspection(frame, screws.id))
    assert len(inspections.rows()) == 2
    assert len(kept_pictures(workspace)) == 1


def test_a_file_that_is_no_picture_is_a_row_with_its_reason(
    inspections: Inspections, screws: ReferenceSet
) -> None:
    path = Path("/parts/broken.png")
    frame = UnreadableFrame("broken.png", "broken.png is empty.", Source.FOLDER, 5.0, path)
    row = inspections.add_unreadable(frame, screws.id)
    (found,) = inspections.rows(screws.id)
    assert fields_of(found) == fields_of(row)
    assert (found.outcome, found.reason) == (Outcome.ERROR, "broken.png is empty.")
    assert (found.score, found.thumbnail, found.path) == (None, None, path)
    part = inspections.part(row.id)
    assert (part.image, part.patches, part.scoring) == (None, None, Scoring())


def test_rows_come_newest_first_and_page_by_page(
    references: References, inspections: Inspections, screws: ReferenceSet, tmp_path: Path
) -> None:
    other = references.create_set("Other", Scoring())
    frame = folder_frame(tmp_path, 1)
    ids = [inspections.add(inspection(frame, screws.id)).id for _ in range(5)]
    elsewhere = inspections.add(inspection(frame, other.id)).id
    first = inspections.rows(screws.id, limit=3)
    rest = inspections.rows(screws.id, limit=3, before_id=first[-1].id)
    assert [r.id for r in first + rest] == ids[::-1]
    assert [r.id for r in inspections.rows(limit=1)] == [elsewhere]


def test_a_verdict_is_superseded_not_overwritten(
    workspace: Workspace, inspections: Inspections, screws: ReferenceSet, tmp_path: Path
) -> None:
    row = inspections.add(inspection(folder_frame(tmp_path, 1), screws.id))
    assert inspections.rows()[0].verdict is Verdict.NONE
    inspections.add_verdict(row.id, Verdict.REJECT, person="Ada", note="burr")
    inspections.add_verdict(row.id, Verdict.ACCEPT, person="Bob")
    assert inspections.rows()[0].verdict is Verdict.ACCEPT
    assert inspections.part(row.id).row.verdict is Verdict.ACCEPT
    assert inspections.rows()[0].outcome is Outcome.FAIL
    columns = "verdict, person, note, supersedes_id"
    with workspace.session() as session:
        found = session.execute(text(f"SELECT {columns} FROM verdicts ORDER BY id")).all()
    assert [tuple(r) for r in found] == [
        ("reject", "Ada", "burr", None),
        ("accept", "Bob", "", 1),
    ]


def test_a_verdict_can_be_taken_back(
    inspections: Inspections, screws: ReferenceSet, tmp_path: Path
) -> None:
    frame = folder_frame(tmp_path, 1)
    judged = [inspections.add(inspection(frame, screws.id)).id for _ in range(2)]
    inspections.add_verdict(judged[0], Verdict.REJECT)
    inspections.add_verdict(judged[1], Verdict.UNSURE)
    inspections.add_verdict(judged[0], Verdict.NONE)
    assert [r.verdict for r in inspections.rows()] == [Verdict.UNSURE, Verdict.NONE]


def test_an_unknown_inspection_is_told_in_words(inspections: Inspections) -> None:
    with pytest.raises(KnownError, match="not in the history"):
        inspections.part(99)
    with pytest.raises(KnownError, match="not in the history"):
        inspections.add_verdict(99, Verdict.ACCEPT)


def test_scores_are_those_of_one_scoring(
    inspections: Inspections, screws: ReferenceSet, tmp_path: Path
) -> None:
    frame = folder_frame(tmp_path, 1)
    for score, k in ((1.5, 50), (9.5, 3), (0.5, 50)):
        inspections.add(inspection(frame, screws.id, score=score, scoring=Scoring(k=k)))
    inspections.add_unreadable(UnreadableFrame("x", "empty", Source.FOLDER, 1.0), screws.id)
    inspections.add_verdict(1, Verdict.ACCEPT)
    past = inspections.scores(screws.id, Scoring().key)
    assert past.scores.tolist() == [1.5, 0.5]
    assert past.verdicts == (Verdict.ACCEPT, Verdict.NONE)
    assert past.outcomes == (Outcome.FAIL, Outcome.FAIL)


def test_an_inspection_under_an_unknown_scoring_does_not_change_the_set(
    references: References, inspections: Inspections, screws: ReferenceSet, tmp_path: Path
) -> None:
    what_if = Scoring(k=3)
    row = inspections.add(inspection(folder_frame(tmp_path, 1), screws.id, scoring=what_if))
    assert inspections.part(row.id).scoring == what_if
    assert references.load_sets()[0].scoring == Scoring()


def test_outcomes_are_counted_per_set_or_in_all(
    references: References, inspections: Inspections, screws: ReferenceSet, tmp_path: Path
) -> None:
    other = references.create_set("Other", Scoring())
    frame = folder_frame(tmp_path, 1)
    for set_id, outcome in (
        (screws.id, Outcome.PASS),
        (screws.id, Outcome.PASS),
        (other.id, Outcome.FAIL),
    ):
        inspections.add(inspection(frame, set_id, outcome=outcome))
    nothing = dict.fromkeys(Outcome, 0)
    assert inspections.counts(screws.id) == nothing | {Outcome.PASS: 2}
    assert inspections.counts() == nothing | {Outcome.PASS: 2, Outcome.FAIL: 1}


@given(
    arrays.arrays(
        np.float32,
        arrays.array_shapes(min_dims=2, max_dims=2, max_side=9),
        elements=st.floats(width=32),
    )
)
def test_packing_patches_is_lossless(patches: Floats) -> None:
    unpacked = unpack_patches(pack_patches(patches))
    assert unpacked is not None
    np.testing.assert_array_equal(unpacked, patches)
    assert unpacked.dtype == np.float32


@pytest.mark.skipif(sys.platform != "linux", reason="file names are text here")
def test_of_a_file_whose_path_is_no_utf_8_the_picture_is_kept_and_not_the_path(
    inspections: Inspections, screws: ReferenceSet, tmp_path: Path
) -> None:
    path = tmp_path / os.fsdecode(b"b\xff\xfe.png")
    frame = dataclasses.replace(folder_frame(tmp_path, 1), name="b\ufffd\ufffd.png", path=path)
    row = inspections.add(inspection(frame, screws.id, outcome=Outcome.PASS))
    torn = UnreadableFrame("torn", "is damaged", Source.FOLDER, captured_at=1.0, path=path)
    inspections.add_unreadable(torn, screws.id)
    assert [found.path for found in inspections.rows()] == [None, None]
    image = inspections.part(row.id).image
    assert image is not None
    np.testing.assert_array_equal(image, frame.image)
