"""The same pixels score bit-identically, whichever way they reach the program."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from inspector_gui.cli.application import app
from inspector_gui.core.images import list_images, read_image
from inspector_gui.core.types import InspectionRow, Scoring, Source
from inspector_gui.feed.folder import FolderSource
from tests.drawn import write_parts
from tests.session.desk import Desk

SIDE = 160  # quicker than 224, and resized in the same way
SCORINGS = {
    "dn2": Scoring(method="dn2", k=2, size=SIDE),
    "spade": Scoring(method="spade", size=SIDE),
}
Score = tuple[float | None, float | None]


def by_command(parts: Path, references: Path, method: str, into: Path) -> dict[str, Score]:
    words = ["score", parts, "--references", references, "--method", method, "--size", SIDE]
    words += ["--json", into, "--progress", "none"]
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    found = json.loads(into.read_text(encoding="utf-8"))["parts"]
    return {Path(part["path"]).name: (part["score"], part["stage1"]) for part in found}


def by_session(desk: Desk, parts: Path) -> dict[str, dict[str, Score]]:
    """Judge by folder, by drop and by clipboard; scores by way and file name."""
    session, pictures = desk.session, list_images([parts])
    session.start_feed(FolderSource(parts))
    desk.until(lambda: len(desk.rows) == len(pictures))
    session.feeds.stop()
    session.check([parts])
    desk.until(lambda: len(desk.rows) == 2 * len(pictures))
    for path in pictures:
        session.feeds.check_picture(read_image(path), f"pasted/{path.name}")
    desk.until(lambda: len(desk.rows) == 3 * len(pictures))
    stage1 = stage1_scores(desk)
    ways: dict[str, dict[str, Score]] = {"folder": {}, "drop": {}, "clipboard": {}}
    for row in desk.rows:
        ways[way_of(row)][Path(row.name).name] = (row.score, stage1[row.id])
    return ways


def way_of(row: InspectionRow) -> str:
    if row.source is Source.FOLDER:
        return "folder"
    return "clipboard" if row.name.startswith("pasted/") else "drop"


def stage1_scores(desk: Desk) -> dict[int, float | None]:
    from sqlalchemy import select

    from inspector_gui.store.schema import InspectionRecord
    from inspector_gui.workers.recorder import Store

    def work(store: Store) -> dict[int, float | None]:
        with store.workspace.session() as session:
            record = InspectionRecord
            return dict(session.execute(select(record.id, record.stage1)).all())

    found: dict[int, float | None] = desk.stored(work)
    return found


def assert_identical(
    desk: Desk, parts: Path, references: Path, method: str, tmp_path: Path
) -> None:
    references_read: list[Path] = list_images([references])
    desk.session.references.create("References")
    desk.settle()
    desk.session.references.set_scoring(SCORINGS[method])
    desk.settle()
    desk.import_files(references_read[::-1])  # their order must not matter
    desk.until_ready()
    wanted = by_command(parts, references, method, tmp_path / f"{method}.json")
    assert len(set(wanted.values())) == len(wanted)
    for way, scores in by_session(desk, parts).items():
        for name, (score, stage1) in wanted.items():
            assert scores[name][0] == score, (way, name)
            if stage1 is not None:
                assert scores[name][1] == stage1, (way, name)


@pytest.mark.parametrize("method", ["dn2", "spade"])
def test_drawn_parts_score_identically_by_folder_drop_clipboard_and_command_line(
    desk: Desk, tmp_path: Path, method: str
) -> None:
    write_parts(tmp_path / "references", range(8))
    write_parts(tmp_path / "parts", range(20, 22))
    write_parts(tmp_path / "parts", range(22, 24), defect="dent")
    assert_identical(desk, tmp_path / "parts", tmp_path / "references", method, tmp_path)


def test_real_photographs_score_identically_by_folder_drop_clipboard_and_command_line(
    desk: Desk, tmp_path: Path, photographs: Path
) -> None:
    root = photographs / "hazelnut_toy"
    for name, files in (
        ("references", sorted((root / "train" / "good").iterdir())[:8]),
        ("parts", [*sorted((root / "test" / "good").iterdir())[1:3]]),
    ):
        (tmp_path / name).mkdir()
        for path in files:
            (tmp_path / name / path.name).write_bytes(path.read_bytes())
    assert_identical(desk, tmp_path / "parts", tmp_path / "references", "spade", tmp_path)
