import errno
import os
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from sqlalchemy import update

from inspector_gui.core.errors import KnownError
from inspector_gui.core.types import Purpose, ReferenceImage, ReferenceSet, Scoring
from inspector_gui.store.database import Workspace
from inspector_gui.store.references import References
from inspector_gui.store.schema import ImageRecord

from .samples import LIMITS, picture, picture_file, sha


def add(references: References, set_id: int, *seeds: int) -> list[ReferenceImage]:
    found = [
        references.add_image(set_id, picture_file(s), picture(s), f"good{s}.png") for s in seeds
    ]
    return [image for image in found if image is not None]


def test_reopening_finds_sets_by_name_with_images_in_order_of_adding(tmp_path: Path) -> None:
    with Workspace.open(tmp_path) as workspace:
        references = References(workspace)
        washers = references.create_set("washers", Scoring(method="dn2", k=2))
        bolts = references.create_set(" Bolts ", Scoring())
        images = add(references, washers.id, 3, 1, 2)
        assert bolts.name == "Bolts"
    with Workspace.open(tmp_path) as workspace:
        found = References(workspace).load_sets()
    assert [s.name for s in found] == ["Bolts", "washers"]
    assert found[1].scoring == Scoring(method="dn2", k=2)
    assert found[1].images == tuple(images)
    assert [i.name for i in images] == ["good3.png", "good1.png", "good2.png"]


def test_a_picture_is_remembered_with_its_purpose_origin_size_and_pixels(
    references: References, screws: ReferenceSet
) -> None:
    one = references.add_image(
        screws.id, picture_file(1), picture(1), "a.png", purpose=Purpose.BAD, origin="test/bent"
    )
    assert one is not None
    (two,) = add(references, screws.id, 2)
    assert references.load_sets()[0].images == (one, two)
    height, width = picture(1).shape[:2]
    assert (one.purpose, one.origin, one.width, one.height) == (
        Purpose.BAD,
        "test/bent",
        width,
        height,
    )
    assert len({one.pixels, two.pixels, ""}) == 3
    assert references.load_sets()[0].included == (two,)
    references.set_purpose([one.id, two.id], Purpose.VALIDATION)
    now = references.load_sets()[0]
    assert [i.purpose for i in now.images] == [Purpose.VALIDATION] * 2
    assert now.included == ()
    assert now.of(Purpose.VALIDATION) == tuple(sorted(now.images, key=lambda i: i.sha256))


def test_more_pictures_than_one_statement_can_name_are_changed_together(
    references: References, screws: ReferenceSet
) -> None:
    (one,) = add(references, screws.id, 1)
    many = [*range(1000, 1000 + 70_000), one.id]
    references.set_included(many, False, "why")
    references.set_purpose(many, Purpose.VALIDATION)
    assert references.load_sets()[0].images[0].reason == "why"
    references.remove_images(many)
    assert references.load_sets()[0].images == ()


def test_the_very_same_picture_is_added_once(references: References, screws: ReferenceSet) -> None:
    assert len(add(references, screws.id, 1, 1, 2)) == 2
    assert references.add_image(screws.id, picture_file(1), picture(1), "renamed.png") is None
    assert len(references.load_sets()[0].images) == 2


def test_a_picture_that_cannot_be_kept_is_not_in_the_set(
    references: References, screws: ReferenceSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    add(references, screws.id, 1)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        with pytest.raises(KnownError, match="is full"):
            add(references, screws.id, 2)
    assert len(references.load_sets()[0].images) == 1
    assert len(add(references, screws.id, 2)) == 1


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "needs a name"),
        (" \t", "needs a name"),
        ("x" * 81, "80 characters"),
        (" sCREWS ", "There is already a set called Screws"),
    ],
)
def test_a_useless_name_is_refused_wherever_one_is_given(
    references: References, screws: ReferenceSet, name: str, sentence: str
) -> None:
    other = references.create_set("Other", Scoring())
    with pytest.raises(KnownError, match=sentence):
        references.create_set(name, Scoring())
    with pytest.raises(KnownError, match=sentence):
        references.rename_set(other.id, name)
    with pytest.raises(KnownError, match=sentence):
        references.duplicate_set(screws.id, name)
    assert {s.name for s in references.load_sets()} == {"Screws", "Other"}


def test_a_set_may_change_the_case_of_its_own_name(
    references: References, screws: ReferenceSet
) -> None:
    references.rename_set(screws.id, "SCREWS")
    assert references.load_sets()[0].name == "SCREWS"


def test_excluding_keeps_the_picture_and_can_be_undone(
    references: References, screws: ReferenceSet
) -> None:
    one, two, three = add(references, screws.id, 1, 2, 3)
    before = references.load_sets()[0]
    references.set_included([one.id, three.id], False, "scratched")
    now = references.load_sets()[0]
    assert [i.reason for i in now.images] == ["scratched", "", "scratched"]
    assert now.included == (two,)
    assert now.fingerprint != before.fingerprint
    references.set_included([one.id, three.id], True)
    assert references.load_sets()[0] == before


def test_a_removed_picture_can_be_added_again_from_its_kept_file(
    workspace: Workspace, references: References, screws: ReferenceSet
) -> None:
    one, two = add(references, screws.id, 1, 2)
    references.remove_images([one.id])
    assert references.load_sets()[0].images == (two,)
    data = workspace.images.read(one.sha256)
    assert references.add_image(screws.id, data, picture(1), one.name) is not None


def test_a_duplicate_shares_files_and_then_lives_on_its_own(
    workspace: Workspace, references: References, screws: ReferenceSet
) -> None:
    one, _ = add(references, screws.id, 1, 2)
    references.set_included([one.id], False, "scratched")
    references.set_scoring(screws.id, Scoring(k=3))
    references.save_limits(screws.id, LIMITS)
    latest = references.save_limits(screws.id, LIMITS)
    original = references.load_sets()[0]
    references.save_leave_one_out(screws.id, original.fingerprint, {sha(1): 0.5})
    files = sorted((workspace.folder / "images").rglob("*"))

    copy = references.duplicate_set(screws.id, "Copy")

    assert sorted((workspace.folder / "images").rglob("*")) == files
    assert references.load_sets() == (copy, original)
    assert copy.fingerprint == original.fingerprint
    assert [(i.sha256, i.name, i.included, i.reason) for i in copy.images] == [
        (i.sha256, i.name, i.included, i.reason) for i in original.images
    ]
    copied = references.latest_limits(copy.id)
    assert copied is not None
    assert copied.id != latest.id
    assert len(references.limits_history(copy.id)) == 1
    assert references.leave_one_out(copy.id, copy.fingerprint) == {sha(1): 0.5}
    references.set_included([i.id for i in copy.images], True)
    assert references.load_sets()[1] == original


def test_a_deleted_set_comes_back_whole(references: References, screws: ReferenceSet) -> None:
    add(references, screws.id, 1)
    before = references.load_sets()
    references.delete_set(screws.id)
    assert references.load_sets() == ()
    with pytest.raises(KnownError, match="no longer there"):
        add(references, screws.id, 2)
    assert references.restore_set(screws.id) == before[0]
    assert references.load_sets() == before


def test_a_deleted_set_frees_its_name_and_gets_a_number_when_that_is_taken(
    references: References, screws: ReferenceSet
) -> None:
    references.delete_set(screws.id)
    newer = references.create_set("Screws", Scoring())
    assert references.restore_set(screws.id).name == "Screws 2"
    assert [s.name for s in references.load_sets()] == ["Screws", "Screws 2"]
    references.delete_set(screws.id)
    references.rename_set(newer.id, "Screws 2")
    assert references.restore_set(screws.id).name == "Screws 2 2"


def test_adding_a_picture_again_fills_in_what_an_earlier_program_did_not_note(
    references: References, screws: ReferenceSet, workspace: Workspace
) -> None:
    (one,) = add(references, screws.id, 1)
    with workspace.session() as session:
        session.execute(update(ImageRecord).values(pixels=None))
    assert references.load_sets()[0].images[0].pixels == ""
    again = references.add_image(screws.id, picture_file(1), picture(1), "good1.png", origin="here")
    assert again is None
    (now,) = references.load_sets()[0].images
    assert now == replace(one, origin="here")


def test_the_scoring_chosen_last_counts(references: References, screws: ReferenceSet) -> None:
    references.set_scoring(screws.id, Scoring(k=3))
    references.set_scoring(screws.id, Scoring())
    assert references.load_sets()[0].scoring == Scoring()
    references.set_scoring(screws.id, Scoring(preset="fast"))
    assert references.load_sets()[0].scoring.preset == "fast"


def test_limits_are_versions_that_stay(references: References, screws: ReferenceSet) -> None:
    assert references.latest_limits(screws.id) is None
    one = references.save_limits(screws.id, LIMITS)
    two = references.save_limits(screws.id, one)
    assert one.id is not None
    assert two.id != one.id
    assert references.latest_limits(screws.id) == two
    assert [limits for _, limits in references.limits_history(screws.id)] == [two, one]


def test_limits_computed_in_float32_come_back_as_numbers(
    references: References, screws: ReferenceSet
) -> None:
    computed = replace(LIMITS, fail_from=cast("float", np.float32(1.5)), pixel=np.float64(0.25))
    references.save_limits(screws.id, computed)
    found = references.latest_limits(screws.id)
    assert found is not None
    assert (found.fail_from, found.pixel) == (1.5, 0.25)


def test_leave_one_out_scores_belong_to_one_gallery(
    references: References, screws: ReferenceSet
) -> None:
    references.save_leave_one_out(screws.id, "before", {sha(1): 1.5, sha(2): 2.5})
    references.save_leave_one_out(screws.id, "after", {sha(1): 9.0})
    references.save_leave_one_out(screws.id, "before", {sha(2): 3.5})
    assert references.leave_one_out(screws.id, "before") == {sha(1): 1.5, sha(2): 3.5}
    assert references.leave_one_out(screws.id, "after") == {sha(1): 9.0}
    assert references.leave_one_out(screws.id, "never") == {}


@pytest.mark.parametrize("verb", ["rename_set", "duplicate_set", "delete_set", "restore_set"])
def test_a_set_that_does_not_exist_is_told_in_words(references: References, verb: str) -> None:
    arguments = ("name",) if verb in {"rename_set", "duplicate_set"} else ()
    with pytest.raises(KnownError, match="no longer there"):
        getattr(references, verb)(99, *arguments)


def test_the_scale_of_a_set_is_kept_copied_and_checked(
    references: References, screws: ReferenceSet
) -> None:
    assert screws.mm_per_pixel is None
    references.set_scale(screws.id, 0.08)
    assert references.duplicate_set(screws.id, "Copy").mm_per_pixel == 0.08
    references.delete_set(screws.id)
    assert references.restore_set(screws.id).mm_per_pixel == 0.08
    for wrong in (0.0, -1.0, float("inf"), float("nan")):
        with pytest.raises(KnownError, match="above 0"):
            references.set_scale(screws.id, wrong)
    references.set_scale(screws.id, None)
    assert {s.mm_per_pixel for s in references.load_sets()} == {0.08, None}
