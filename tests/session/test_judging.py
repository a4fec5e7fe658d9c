import os
import threading
import time
from pathlib import Path

import pytest

from inspector_gui.core.errors import KnownError
from inspector_gui.core.types import (
    Frame,
    Inspection,
    InspectionRow,
    Outcome,
    Scoring,
    Source,
)
from inspector_gui.feed.folder import FolderSource
from inspector_gui.feed.source import EndOfSource
from inspector_gui.store.database import Workspace
from inspector_gui.store.inspections import Inspections
from inspector_gui.workers.engine_state import Phase
from inspector_gui.workers.feed_worker import FeedState
from tests.drawn import picture, png, sha, write_parts
from tests.session.desk import Desk


class Endless:
    """A lossless source of the same part over and over."""

    name = "endless"
    is_live = False

    def __init__(self) -> None:
        self.delivered = 0

    def open(self) -> None:
        pass

    def read(self) -> Frame:
        self.delivered += 1
        return Frame(f"endless-{self.delivered}", picture(70), Source.DEMO, time.time())

    def close(self) -> None:
        pass


class Gate:
    """A source whose one part is delivered when the test lets it through."""

    name = "gate"
    is_live = False

    def __init__(self) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()
        self.has_delivered = False

    def open(self) -> None:
        pass

    def read(self) -> Frame:
        if self.has_delivered:
            raise EndOfSource
        self.has_delivered = True
        self.reached.set()
        self.opened.wait(20)
        return Frame("late", picture(70), Source.DEMO, time.time())

    def close(self) -> None:
        pass


def is_paused(desk: Desk) -> bool:
    return desk.session.feeds.state is FeedState.PAUSED


def test_every_file_of_a_folder_is_judged_once_in_order_and_a_broken_one_is_a_row(
    desk: Desk, tmp_path: Path
) -> None:
    desk.make_ready()
    parts = tmp_path / "parts"
    write_parts(parts, range(8, 14))
    (parts / "good-010b.png").write_bytes(b"nothing")
    os.utime(parts / "good-010b.png", (1e9, 1e9))  # a fresh one might still be being written
    desk.session.start_feed(FolderSource(parts))
    desk.until(lambda: len(desk.rows) == 7)
    write_parts(parts, range(14, 16))
    desk.until(lambda: len(desk.rows) == 9)
    wanted = [f"good-{n:03d}.png" for n in range(8, 16)]
    wanted.insert(3, "good-010b.png")
    assert desk.names == wanted
    broken = desk.rows[3]
    assert broken.outcome is Outcome.ERROR
    assert "not a picture" in broken.reason
    assert {row.source for row in desk.rows} == {Source.FOLDER}
    assert desk.session.feeds.figures.judged == 8
    assert desk.session.feeds.figures.dropped == 0
    stored = desk.stored(lambda store: store.inspections.rows(desk.current.id))
    assert [row.name for row in reversed(stored)] == desk.names


def test_a_paused_feed_goes_on_where_it_was_and_a_stopped_one_ends(
    desk: Desk, tmp_path: Path
) -> None:
    desk.make_ready()
    source = Endless()
    desk.session.start_feed(source)
    desk.until(lambda: len(desk.rows) > 3)
    desk.session.feeds.pause()
    desk.until(lambda: is_paused(desk))
    desk.until(lambda: len(desk.rows) >= source.delivered - 1)  # all but the one read ahead
    judged = len(desk.rows)
    desk.settle()
    assert len(desk.rows) == judged
    desk.session.feeds.resume()
    desk.until(lambda: len(desk.rows) > judged + 3)
    desk.session.feeds.stop()
    desk.until(lambda: desk.session.feeds.state is FeedState.STOPPED)
    desk.settle()
    assert desk.names == [f"endless-{n + 1}" for n in range(len(desk.rows))]


def test_files_and_folders_are_checked_ad_hoc_one_drop_after_the_other(
    desk: Desk, tmp_path: Path
) -> None:
    desk.make_ready()
    folder = tmp_path / "dropped"
    files = write_parts(tmp_path / "single", range(30, 32))
    write_parts(folder, range(32, 34))
    (folder / "broken.png").write_bytes(b"")
    desk.session.check([folder])
    desk.session.check(files)
    desk.session.check([tmp_path / "gone.png"])
    desk.until(lambda: len(desk.rows) == 6)
    assert desk.names == [
        "dropped/broken.png", "dropped/good-032.png", "dropped/good-033.png", "good-030.png",
        "good-031.png", "gone.png",
    ]  # fmt: skip
    assert {row.source for row in desk.rows} == {Source.AD_HOC}
    assert [row.outcome is Outcome.ERROR for row in desk.rows] == [True, *[False] * 4, True]


def test_an_ad_hoc_check_beside_a_running_feed_disturbs_neither(desk: Desk, tmp_path: Path) -> None:
    desk.make_ready()
    desk.session.start_feed(Endless())
    desk.session.check(write_parts(tmp_path / "dropped", range(30, 33)))
    for n in range(3):
        desk.session.feeds.check_picture(picture(33), f"pasted-{n}")
    desk.until(lambda: [r.source for r in desk.rows].count(Source.AD_HOC) == 6)
    desk.session.feeds.stop()
    desk.until(lambda: desk.session.feeds.state is FeedState.STOPPED)
    desk.settle()
    endless = [name for name in desk.names if name.startswith("endless")]
    assert endless == [f"endless-{n + 1}" for n in range(len(endless))]


def test_a_full_disk_pauses_the_feed_in_words_and_going_on_loses_nothing(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.make_ready()
    write_parts(tmp_path / "parts", range(8, 14))

    def refuse(*_: object) -> None:
        raise KnownError("The disk is full. Free some space and try again.")

    with monkeypatch.context() as patched:
        patched.setattr(Inspections, "add", refuse)
        desk.session.start_feed(FolderSource(tmp_path / "parts"))
        desk.until(lambda: is_paused(desk))
        desk.settle()
        assert desk.rows == ()
        sentence = "The disk is full. Free some space and try again. The feed is paused."
        assert desk.notices == [sentence]
        states: list[FeedState] = []
        desk.session.feeds.state_changed.connect(lambda: states.append(desk.session.feeds.state))
        desk.session.feeds.resume()
        desk.until(lambda: states == [FeedState.RUNNING, FeedState.PAUSED])
    desk.session.feeds.resume()
    desk.until(lambda: len(desk.rows) == 6)
    assert desk.names == [f"good-{n:03d}.png" for n in range(8, 14)]


def test_parts_behind_one_that_could_not_be_stored_wait_for_it(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.make_ready()
    write_parts(tmp_path / "parts", range(8, 14))
    add, asked = Inspections.add, []

    def refuse_once(self: Inspections, inspection: Inspection) -> InspectionRow:
        asked.append(inspection.frame.name)
        if len(asked) == 3:
            raise KnownError("The disk is full.")
        return add(self, inspection)

    monkeypatch.setattr(Inspections, "add", refuse_once)
    desk.session.start_feed(FolderSource(tmp_path / "parts"))
    desk.until(lambda: is_paused(desk))
    desk.settle()
    assert len(desk.rows) == 2
    desk.session.feeds.resume()
    desk.until(lambda: len(desk.rows) == 6)
    assert desk.names == [f"good-{n:03d}.png" for n in range(8, 14)]
    assert asked == [*desk.names[:3], *desk.names[2:]]


def test_a_full_disk_does_not_block_later_ad_hoc_checks(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.make_ready()

    def refuse(*_: object) -> None:
        raise KnownError("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(Inspections, "add", refuse)
        desk.session.check(write_parts(tmp_path / "dropped", range(30, 32)))
        desk.until(lambda: desk.notices)
        desk.settle()
    desk.session.check(write_parts(tmp_path / "later", range(32, 34)))
    desk.until(lambda: desk.names[-2:] == ["good-032.png", "good-033.png"])


def test_one_more_reference_counts_while_a_feed_runs(desk: Desk, tmp_path: Path) -> None:
    desk.make_ready()
    desk.session.start_feed(Endless())
    desk.until(lambda: len(desk.rows) > 2)
    before = desk.rows[-1].score
    path = tmp_path / "new.png"
    path.write_bytes(png(70))
    desk.import_files([path])
    desk.until(lambda: desk.rows[-1].score != before)
    desk.session.feeds.stop()
    desk.until(lambda: desk.session.feeds.state is FeedState.STOPPED)
    desk.settle()
    part = desk.stored(lambda store: store.inspections.part(desk.rows[-1].id))
    assert part.nearest[0] == sha(png(70))


def test_deleting_the_only_set_pauses_the_feed_and_it_goes_on_with_the_restored_one(
    desk: Desk, tmp_path: Path
) -> None:
    first = desk.make_ready()
    desk.session.start_feed(Endless())
    desk.until(lambda: len(desk.rows) > 2)
    desk.session.references.delete(first.id)
    desk.until(lambda: desk.session.references.current is None)
    desk.settle()
    assert desk.rows == ()
    desk.until(lambda: desk.session.feeds.state is FeedState.PAUSED)
    assert "paused" in desk.notices[-1]
    desk.session.references.restore(first.id)
    desk.until_ready()
    desk.session.feeds.resume()
    restored = len(desk.rows)
    desk.until(lambda: len(desk.rows) > restored + 3)
    assert desk.names == [f"endless-{n + 1}" for n in range(len(desk.rows))]


def test_another_workspace_opened_while_a_feed_runs_gets_none_of_its_parts(
    desk: Desk, tmp_path: Path
) -> None:
    desk.make_ready()
    desk.session.start_feed(Endless())
    desk.until(lambda: len(desk.rows) > 2)
    desk.session.check(write_parts(tmp_path / "dropped", range(30, 60)))
    desk.until(lambda: Source.AD_HOC in {row.source for row in desk.rows})
    first_id = desk.current.id
    other = tmp_path / "other"
    desk.open(other)
    assert desk.session.references.sets == ()
    desk.make_ready(6)
    assert desk.current.id == first_id, "equal ids are what could be mixed up"
    desk.settle()
    assert desk.rows == ()
    assert desk.session.feeds.state is FeedState.STOPPED
    desk.open(desk.folder)
    desk.settle()
    assert len(desk.rows) > 2


def test_a_part_that_was_on_its_way_is_not_judged_in_another_workspace(
    desk: Desk, tmp_path: Path
) -> None:
    desk.make_ready()
    gate = Gate()
    desk.session.start_feed(gate)
    desk.until(gate.reached.is_set)
    desk.session.open_workspace(tmp_path / "other")
    gate.opened.set()
    desk.until(lambda: desk.session.workspace == tmp_path / "other")
    desk.make_ready(6)
    desk.session.feeds.check_picture(picture(40), "of this workspace")
    desk.until(lambda: desk.rows)
    desk.settle()
    assert desk.names == ["of this workspace"]


def test_an_import_that_runs_while_another_workspace_is_opened_ends_and_is_taken_back(
    desk: Desk, tmp_path: Path
) -> None:
    desk.session.references.create("Screws")
    desk.settle()
    reached, go_on = threading.Event(), threading.Event()

    def load() -> tuple[str, bytes]:
        reached.set()
        go_on.wait(20)
        return "part.png", png(1)

    desk.session.references.add_loaded([load, load], name="more")
    desk.until(reached.is_set)
    desk.session.open_workspace(tmp_path / "other")
    go_on.set()
    desk.until(lambda: desk.session.workspace == tmp_path / "other")
    assert not desk.session.references.is_importing
    desk.open(desk.folder)
    assert desk.current.images == ()


def test_a_workspace_that_another_program_has_open_is_refused_in_words(
    closed_desk: Desk, tmp_path: Path
) -> None:
    refused: list[str] = []
    closed_desk.session.workspace_refused.connect(refused.append)
    with Workspace.open(tmp_path / "held"):
        closed_desk.session.open_workspace(tmp_path / "held")
        closed_desk.until(lambda: refused)
    assert "open in another Inspector window" in refused[0]
    assert closed_desk.session.workspace is None
    closed_desk.open(tmp_path / "held")


def test_a_refused_workspace_leaves_the_open_one_as_it_is(desk: Desk, tmp_path: Path) -> None:
    before = desk.make_ready()
    with Workspace.open(tmp_path / "held"):
        desk.session.open_workspace(tmp_path / "held")
        desk.until(lambda: any("open in another" in notice for notice in desk.notices))
    assert desk.session.workspace == desk.folder
    assert desk.current == before
    desk.until_ready()
    desk.session.feeds.check_picture(picture(1), "pasted")
    desk.until(lambda: len(desk.rows) == 1)


def test_stopping_in_the_middle_of_everything_ends_within_three_seconds(
    desk: Desk, tmp_path: Path
) -> None:
    desk.make_ready()
    desk.session.references.set_scoring(Scoring(size=224))
    desk.session.references.add(write_parts(tmp_path / "many", range(100, 160)))
    desk.session.start_feed(Endless())
    desk.session.check(write_parts(tmp_path / "dropped", range(30, 60)))
    desk.until(lambda: desk.session.engine_state.phase in (Phase.INDEXING, Phase.CALIBRATING))
    began = time.monotonic()
    assert desk.session.stop()
    assert time.monotonic() - began < 3
    Workspace.open(desk.folder).close()


def test_a_streak_of_equal_sentences_is_one_notice(closed_desk: Desk) -> None:
    for _ in range(5):
        closed_desk.session.notice("The camera is gone.")
    closed_desk.session.notice("It is back.")
    closed_desk.session.notice("The camera is gone.")
    assert closed_desk.notices == ["The camera is gone.", "It is back.", "The camera is gone."]
