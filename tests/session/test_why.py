from pathlib import Path

import pytest

from inspector_gui.core.types import Scoring
from inspector_gui.session.why import Why
from inspector_gui.workers.explaining import Answer
from tests.drawn import SIDE, sha, write_parts
from tests.session.desk import Desk

POINT = (SIDE / 2, SIDE / 3)


@pytest.fixture
def spade_desk(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A session whose sets are judged by maps, with one stained part open."""
    monkeypatch.setattr("inspector_gui.session.session.default_scoring", lambda: Scoring(size=96))
    desk.session.references._default_scoring = lambda: Scoring(size=96)
    desk.make_ready()
    return desk


def open_stained(desk: Desk, folder: Path) -> None:
    desk.session.check(write_parts(folder / "parts", range(70, 71), defect="stain"))
    desk.until(lambda: desk.rows)
    desk.session.history.open(desk.rows[0].id)
    desk.until(lambda: desk.session.history.part)


def answered(desk: Desk) -> Why:
    desk.until(lambda: (w := desk.session.why.why) and (w.answer or w.sentence))
    assert desk.session.why.why is not None
    return desk.session.why.why


def test_a_place_of_the_open_part_is_explained_and_closing_forgets_it(
    spade_desk: Desk, tmp_path: Path
) -> None:
    open_stained(spade_desk, tmp_path)
    why = spade_desk.session.why
    why.ask(POINT)
    assert why.why is not None
    assert why.why.answer is None
    answer = answered(spade_desk).answer
    assert answer is not None
    assert answer.explanation is not None
    assert answer.explanation.place == (8, 12)
    assert set(answer.hashes) <= {image.sha256 for image in spade_desk.current.included}
    assert not spade_desk.session.history.follows
    why.close()
    assert why.why is None


def test_without_a_part_nothing_is_asked(spade_desk: Desk) -> None:
    spade_desk.session.why.ask(POINT)
    assert spade_desk.session.why.why is None


def test_another_part_closes_it_and_a_late_answer_is_dropped(
    spade_desk: Desk, tmp_path: Path
) -> None:
    spade_desk.session.check(write_parts(tmp_path / "two", range(30, 32)))
    spade_desk.until(lambda: len(spade_desk.rows) == 2)
    history, why = spade_desk.session.history, spade_desk.session.why
    history.open(spade_desk.rows[0].id)
    why.ask(POINT)
    number = why._number
    history.open(spade_desk.rows[1].id)
    assert why.why is None
    spade_desk.session._engine.explained.emit(Answer(number, sentence="late"))
    spade_desk.settle()
    assert why.why is None


def test_a_gallery_that_changes_meanwhile_is_asked_anew(spade_desk: Desk, tmp_path: Path) -> None:
    open_stained(spade_desk, tmp_path)
    why = spade_desk.session.why
    why.ask(POINT)
    closest = answered(spade_desk).answer
    assert closest is not None
    first = next(i for i in spade_desk.current.images if i.sha256 == closest.hashes[0])
    stale = why._number
    spade_desk.session.references.set_included([first.id], False, "worn")
    spade_desk.until(lambda: why._number != stale)
    spade_desk.session._engine.explained.emit(Answer(stale, sentence="stale"))
    again = answered(spade_desk).answer
    assert again is not None
    assert again.explanation is not None
    assert again.gone == 1
    assert first.sha256 not in again.hashes
    assert again.explanation.distance >= closest.explanation.distance  # type: ignore[union-attr]


def test_another_workspace_or_set_closes_it(spade_desk: Desk, tmp_path: Path) -> None:
    open_stained(spade_desk, tmp_path)
    spade_desk.session.why.ask(POINT)
    seen: list[object] = []
    spade_desk.session.why.changed.connect(seen.append)
    spade_desk.open(tmp_path / "elsewhere")
    spade_desk.settle()
    assert spade_desk.session.why.why is None
    assert seen[-1] is None


def test_a_part_that_was_scored_in_another_way_is_not_explained(
    spade_desk: Desk, tmp_path: Path
) -> None:
    open_stained(spade_desk, tmp_path)
    spade_desk.session.why.ask(POINT)
    spade_desk.session.references.set_scoring(Scoring(size=96, k=3))
    spade_desk.until(lambda: (w := spade_desk.session.why.why) and "another way" in w.sentence)


def test_a_part_without_its_picture_is_answered_in_words(desk: Desk, tmp_path: Path) -> None:
    desk.make_ready()
    (path,) = write_parts(tmp_path / "parts", range(40, 41))
    desk.session.check([path, tmp_path / "never.png"])
    desk.until(lambda: len(desk.rows) == 2)
    by_name = {row.name: row for row in desk.rows}
    desk.session.history.open(by_name["never.png"].id)
    desk.until(lambda: desk.session.history.part)
    desk.session.why.ask(None)
    assert "could not be read" in answered(desk).sentence


def test_whole_pictures_are_explained_by_dn2(desk: Desk, tmp_path: Path) -> None:
    desk.make_ready()
    open_stained(desk, tmp_path)
    desk.session.why.ask(None)
    answer = answered(desk).answer
    assert answer is not None
    part = desk.session.history.part
    assert part is not None
    assert answer.hashes[:2] == part.nearest
    assert sha((tmp_path / "parts" / "stain-070.png").read_bytes()) not in answer.hashes


def test_the_scale_of_a_set_is_kept_and_copied(desk: Desk) -> None:
    desk.make_ready()
    set_id = desk.current.id
    desk.session.references.set_scale(set_id, 0.05)
    desk.until(lambda: desk.current.mm_per_pixel == 0.05)
    desk.session.references.set_scale(set_id, -1.0)
    desk.until(lambda: any("length above 0" in notice for notice in desk.notices))
    desk.session.references.duplicate(set_id, "Copy")
    desk.until(lambda: desk.current.name == "Copy")
    assert desk.current.mm_per_pixel == 0.05
    desk.restart()
    assert {s.name: s.mm_per_pixel for s in desk.session.references.sets} == {
        "Copy": 0.05,
        next(s.name for s in desk.session.references.sets if s.id == set_id): 0.05,
    }
