import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from inspector_gui.core.images import encode_png
from inspector_gui.core.lots.groups import NamePattern
from inspector_gui.core.types import InspectionRow, Outcome
from inspector_gui.demo.parts import draw_part
from inspector_gui.feed.folder import FolderSource
from inspector_gui.session.lot_forming import FeedLots, Forming, Group
from inspector_gui.session.lot_values import KindsFrom, Lot, LotSettings, UsualFrom
from inspector_gui.session.lots import LotDesk
from inspector_gui.session.usual_lots import ModelState
from inspector_gui.workers.feed_worker import FeedState
from tests.session.desk import Desk
from tests.ui.parts import row

KINDS = ("gear", "gasket", "connector")
REFERENCES = 8


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """References in a folder a kind, and lots to feed: the second has one kind twice."""
    folder = tmp_path_factory.mktemp("drawn")
    for kind in KINDS:
        (folder / "good" / kind).mkdir(parents=True)
        for seed in range(REFERENCES):
            _write(folder / "good" / kind / f"{kind}-{seed:02}.png", kind, seed)
    lots = {"4711": KINDS, "4712": ("gear", "gear", "gasket"), "4713": KINDS, "4714": KINDS[:2]}
    (folder / "lots").mkdir()
    seed = 100
    for name, kinds in lots.items():
        for place, kind in enumerate(kinds):
            _write(folder / "lots" / f"{name}_{place}.png", kind, seed)
            seed += 1
    return folder


def _write(path: Path, kind: str, seed: int) -> None:
    path.write_bytes(encode_png(draw_part(kind, seed=seed, size=96).image))


@pytest.fixture
def ready(desk: Desk, drawn: Path) -> Iterator[tuple[Desk, LotDesk]]:
    """A session with references of three kinds whose network has seen them all."""
    session = desk.session
    lots = LotDesk(
        session.ask,
        session.references,
        session.history,
        session.feeds,
        session.studies,
        can_judge=session.can_judge,
    )
    desk.import_files([drawn / "good"])
    desk.until_ready()
    yield desk, lots
    lots.usual.cancel()


def build(desk: Desk, lots: LotDesk) -> None:
    lots.usual.build()
    assert lots.usual.state is ModelState.BUILDING
    desk.until(lambda: lots.usual.state is not ModelState.BUILDING, seconds=60)
    assert lots.usual.remark == ""


def feed(desk: Desk, folder: Path) -> None:
    before, count = len(desk.rows), len(list(folder.iterdir()))
    desk.session.start_feed(FolderSource(folder))
    desk.until(lambda: len(desk.rows) == before + count, seconds=60)
    desk.session.feeds.stop()
    desk.until(lambda: desk.session.feeds.state is FeedState.STOPPED)
    desk.settle()


def outcome(lot: Lot) -> Outcome | None:
    return None if lot.result is None else lot.result.outcome


def test_lots_form_by_name_while_the_feed_runs_and_are_judged_as_lots(
    ready: tuple[Desk, LotDesk], drawn: Path
) -> None:
    desk, lots = ready
    assert [(kind.name, kind.references) for kind in lots.usual.kinds] == [
        ("connector", 8),
        ("gasket", 8),
        ("gear", 8),
    ]
    lots.usual.apply(LotSettings(forming=Forming.NAMES))
    build(desk, lots)
    assert lots.usual.size == 3
    feed(desk, drawn / "lots")

    assert [lot.name for lot in lots.lots] == ["4714", "4713", "4712", "4711"]
    last, usual, doubled, first = lots.lots
    assert (outcome(first), outcome(usual)) == (Outcome.PASS, Outcome.PASS)
    assert outcome(doubled) is Outcome.FAIL
    assert doubled.all_parts_pass
    assert doubled.sentence == (
        "2 × gear, expected 1; connector is missing. "
        "Every part passes by itself: it is the lot that is odd."
    )
    assert (last.is_complete, last.result) == (False, None)
    assert last.sentence == "Incomplete: 2 of 3 parts so far."

    lots.usual.apply(replace(lots.usual.settings, forming=Forming.EVERY, every=2))
    desk.settle()
    assert [len(lot.rows) for lot in lots.lots] == [1, 2, 2, 2, 2, 2]
    assert outcome(lots.lots[0]) is None
    assert all(outcome(lot) in (Outcome.FAIL, Outcome.UNSURE) for lot in lots.lots[1:])
    assert lots.lots[-1].sentence.startswith("2 parts, where a usual lot has 3")


def test_a_dropped_group_is_one_lot_and_stays_one(
    ready: tuple[Desk, LotDesk], drawn: Path, tmp_path: Path
) -> None:
    desk, lots = ready
    dropped = tmp_path / "box 7"
    dropped.mkdir()
    for name in ("4712_0.png", "4712_1.png", "4712_2.png"):
        shutil.copy(drawn / "lots" / name, dropped / name)
    lots.check([dropped])
    desk.until(lambda: lots.lots and lots.lots[0].is_complete, seconds=60)
    desk.settle()
    assert lots.lots[0].name == "box 7"
    assert lots.lots[0].sentence == "Not judged: build what usual lots look like first."

    build(desk, lots)
    desk.settle()
    assert outcome(lots.lots[0]) is Outcome.FAIL
    lots.usual.apply(replace(lots.usual.settings, forming=Forming.NAMES))
    assert [lot.name for lot in lots.lots] == ["box 7"]

    empty = tmp_path / "empty"
    empty.mkdir()
    said: list[str] = []
    lots.noticed.connect(said.append)
    lots.check([empty])
    desk.until(lambda: said)
    assert said == ["There is no picture in what was dropped."]


def test_building_can_be_cancelled_and_what_was_built_comes_back_after_a_restart(
    ready: tuple[Desk, LotDesk],
) -> None:
    desk, lots = ready
    lots.usual.build()
    lots.usual.cancel()
    assert lots.usual.state is ModelState.NONE
    lots.usual.apply(LotSettings(counts=(("gear", 2),)))
    build(desk, lots)
    assert lots.usual.size == 4
    desk.settle()
    built = lots.usual.settings

    desk.session.references.select(None)
    assert lots.usual.state is ModelState.NONE
    desk.session.references.select(desk.session.references.sets[0].id)
    desk.until(lambda: lots.usual.state is ModelState.READY)
    assert lots.usual.settings == built
    assert lots.usual.size == 4

    desk.session.workspace_opened.connect(lots.usual.start_over)
    desk.open()
    assert lots.usual.model is None
    desk.until(lambda: lots.usual.state is ModelState.READY)
    assert lots.usual.settings == built


def test_other_references_or_settings_make_it_stale_and_it_goes_on_judging(
    ready: tuple[Desk, LotDesk],
) -> None:
    desk, lots = ready
    build(desk, lots)
    before = lots.usual.settings
    lots.usual.apply(replace(before, counts=(("gear", 3),)))
    assert (lots.usual.state, lots.usual.has_other_settings) == (ModelState.STALE, True)
    lots.usual.apply(before)
    assert lots.usual.state is ModelState.READY
    desk.session.references.set_included([desk.current.included[0].id], False, "blurred")
    desk.until(lambda: lots.usual.state is ModelState.STALE)
    assert lots.usual.has_other_references
    assert lots.usual.model is not None


def test_settings_that_cannot_work_are_said_in_words(ready: tuple[Desk, LotDesk]) -> None:
    desk, lots = ready
    lots.usual.apply(LotSettings(kinds=KindsFrom.NAMES, kind_pattern="("))
    lots.usual.build()
    assert "is no regular expression" in lots.usual.remark
    lots.usual.apply(LotSettings(forming=Forming.NAMES, part_pattern="LOT"))
    assert "has no *" in lots.pattern_remark
    lots.usual.apply(LotSettings(usual=UsualFrom.ORIGIN))
    lots.usual.build()
    desk.until(lambda: lots.usual.state is ModelState.NONE, seconds=60)
    assert "3 reference lots of 8 parts" in lots.usual.remark


def test_parts_from_before_features_were_kept_are_not_comparable(
    ready: tuple[Desk, LotDesk], drawn: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, lots = ready
    monkeypatch.setattr(
        "inspector_gui.store.inspections.Inspections.pooled", lambda _self, _ids: {}
    )
    lots.usual.apply(LotSettings(forming=Forming.NAMES))
    build(desk, lots)
    feed(desk, drawn / "lots")
    said = {lot.sentence for lot in lots.lots if lot.is_complete}
    assert said == {
        "Not comparable: 3 parts were inspected before features were kept. Inspect the lot again."
    }


def test_only_so_many_lots_and_parts_are_kept(ready: tuple[Desk, LotDesk]) -> None:
    desk, lots = ready
    lots.usual.apply(LotSettings(every=1))
    for number in range(1, 131):
        desk.session.history.added.emit(part(number, f"{number}.png"))
    assert len(lots.lots) == 100
    assert lots.lots[0].rows[0].id == 130
    lots.usual.apply(LotSettings(every=900))
    for number in range(131, 131 + 4 * 900):
        desk.session.history.added.emit(part(number, f"{number}.png"))
    assert [len(lot.rows) for lot in lots.lots] == [900, 900]


def part(number: int, name: str) -> InspectionRow:
    return replace(row(number, 1.0), name=name)


def formed(forming: Forming, *names: str, size: int | None = 3, restart: int = 0) -> list[Group]:
    ids = iter(range(1, 100))
    lots = FeedLots(forming, size=size, pattern=None, ids=ids)
    groups: dict[int, Group] = {}
    for number, name in enumerate(names, start=1):
        for group in lots.add(part(number, name), begins_run=number == restart):
            groups[group.id] = group
    return list(groups.values())


def shape(groups: list[Group]) -> list[tuple[str, int, bool]]:
    return [(group.name, len(group.rows), group.is_complete) for group in groups]


def test_every_few_parts_become_a_lot_and_a_new_run_begins_a_new_one() -> None:
    names = [f"{n}.png" for n in range(7)]
    assert shape(formed(Forming.EVERY, *names)) == [
        ("Lot 1", 3, True),
        ("Lot 2", 3, True),
        ("Lot 3", 1, False),
    ]
    assert shape(formed(Forming.EVERY, *names, restart=5)) == [
        ("Lot 1", 3, True),
        ("Lot 2", 1, False),
        ("Lot 3", 3, True),
    ]
    assert formed(Forming.EVERY, *names, size=None) == []
    assert formed(Forming.DROPPED, *names) == []


def test_a_lot_by_name_ends_where_the_next_begins_and_takes_late_parts() -> None:
    assert shape(formed(Forming.NAMES, "a_1.png", "b_1.png", "b_2.png", "b_3.png")) == [
        ("a", 1, True),
        ("b", 3, True),
    ]
    assert shape(formed(Forming.NAMES, "a_1.png", "b_1.png", "a_2.png")) == [
        ("a", 2, True),
        ("b", 1, True),
    ]
    assert shape(formed(Forming.NAMES, "a_1.png", "a_2.png", "nothing.png")) == [("a", 2, False)]


def test_a_lot_with_more_parts_than_usual_is_complete_at_the_end_of_the_feed() -> None:
    lots = FeedLots(Forming.NAMES, size=2, pattern=None, ids=iter(range(9)))
    groups = [lots.add(part(n, f"a_{n}.png"))[-1] for n in range(3)]
    assert shape(groups[2:]) == [("a", 3, False)]
    assert lots.end_run() == (groups[0],)
    assert shape(groups[2:]) == [("a", 3, True)]
    assert lots.end_run() == ()


def test_names_that_all_agree_do_not_gather_without_end() -> None:
    names = [f"part_{n}.png" for n in range(2300)]
    assert shape(formed(Forming.NAMES, *names)) == [
        ("part", 1000, True),
        ("part", 1000, True),
        ("part", 300, False),
    ]


def test_the_same_folder_fed_again_makes_new_lots() -> None:
    twice = ["a_1.png", "a_2.png", "a_3.png"] * 2
    assert shape(formed(Forming.NAMES, *twice)) == [("a", 3, True), ("a", 3, True)]


def test_a_pattern_tells_the_lot() -> None:
    lots = FeedLots(Forming.NAMES, size=2, pattern=NamePattern("*.LOT*"), ids=iter(range(9)))
    groups = [lots.add(part(n, f"left{n}.LOT{n}.png"))[-1] for n in range(2)]
    assert [group.name for group in groups] == ["left0", "left1"]
