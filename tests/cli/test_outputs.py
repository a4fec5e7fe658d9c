import sys
from pathlib import Path

import pytest

from inspector_gui.cli.outputs import Outputs
from inspector_gui.core.errors import KnownError


def test_files_appear_only_with_the_commit_and_replace_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")
    with Outputs(files=[tmp_path / "a.txt"], folder=tmp_path / "maps") as outputs:
        outputs.stage(tmp_path / "a.txt", "new")
        outputs.stage(tmp_path / "maps" / "b.png", b"map")
        assert (tmp_path / "a.txt").read_text() == "old"
        assert not (tmp_path / "maps" / "b.png").exists()
        outputs.commit()
    assert (tmp_path / "a.txt").read_text() == "new"
    assert [p.name for p in (tmp_path / "maps").iterdir()] == ["b.png"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.txt", "maps"]


def test_without_a_commit_all_is_as_before(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")

    def fail() -> None:
        with Outputs(files=[tmp_path / "a.txt"], folder=tmp_path / "maps") as outputs:
            outputs.stage(tmp_path / "a.txt", "new")
            outputs.stage(tmp_path / "maps" / "b.png", b"map")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


def test_a_folder_that_was_there_before_stays_even_when_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "maps").mkdir()
    with Outputs(folder=tmp_path / "maps"):
        pass
    assert (tmp_path / "maps").is_dir()


@pytest.mark.skipif(sys.platform == "win32", reason="no permission bits")
def test_files_get_the_permissions_of_ordinary_new_files(tmp_path: Path) -> None:
    (tmp_path / "ordinary").write_text("")
    with Outputs() as outputs:
        outputs.stage(tmp_path / "ours", "")
        outputs.commit()
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "ordinary").stat().st_mode


@pytest.mark.parametrize("place", ["no/file", ".", "file/below"])
def test_places_that_cannot_be_written_are_refused_at_once(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KnownError):
        Outputs(files=[tmp_path / place])


def test_two_results_of_one_place_are_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(KnownError, match="two results"):
        Outputs(files=[tmp_path / "r", None, tmp_path / "a" / ".." / "r"])
    with pytest.raises(KnownError, match="two results"):
        Outputs(files=[tmp_path / "r"], folder=tmp_path / "r")
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
