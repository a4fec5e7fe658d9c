from pathlib import Path

import pytest

from inspector_gui.core.images import encode_png
from inspector_gui.core.methods import VIDEO_FRAMES, scoring_for
from inspector_gui.core.video import open_frames
from tests.films import write_film

from .conftest import Invoke, read_json


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write_film(tmp_path / "walk.avi")


@pytest.fixture
def part(film: Path, tmp_path: Path) -> Path:
    """A frame that is among every eighth of the film, as a picture of its own."""
    path = tmp_path / "part.png"
    path.write_bytes(encode_png(open_frames(film).image(39)[1]))
    return path


@pytest.mark.parametrize("method", ["dn2", "spade"])
def test_frames_of_a_video_are_references_that_parts_are_compared_with(
    invoke: Invoke, film: Path, part: Path, tmp_path: Path, method: str
) -> None:
    result = invoke(
        "score", part, "--references", film, "--subsample", 6, "--method", method, "--k", 1,
        "--size", 96, "--json", tmp_path / "r.json",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    report = read_json(tmp_path / "r.json")
    assert (report["n_references"], report["k_used"]) == (6, 1)
    (judged,) = report["parts"]
    assert judged["nearest"] == "walk.avi frame 40"
    assert judged["score"] == 0


def test_a_folder_of_frames_is_subsampled_alike(
    invoke: Invoke, film: Path, part: Path, tmp_path: Path
) -> None:
    frames, folder = open_frames(film), tmp_path / "frames"
    folder.mkdir()
    for index in range(frames.total):
        (folder / f"{index}.png").write_bytes(encode_png(frames.image(index)[1]))
    scores = []
    for place in (film, folder):
        invoke(
            "score", part, "--references", place, "--subsample", 5, "--method", "dn2",
            "--size", 96, "--json", tmp_path / "r.json",
        )  # fmt: skip
        scores.append(read_json(tmp_path / "r.json")["parts"][0]["score"])
    assert scores[0] == scores[1]


def test_the_preset_is_the_papers_setting_for_video() -> None:
    scoring = scoring_for("spade", preset="video")
    assert (scoring.size, scoring.crop, scoring.k, scoring.kappa) == (256, 0, 1, 1)
    assert scoring.backbone == "wide_resnet50_2"
    assert not scoring.border_weight
    assert VIDEO_FRAMES == 5000


@pytest.mark.parametrize("content", [b"", b"no video at all"])
def test_a_file_that_is_no_video_is_refused_in_words(
    invoke: Invoke, part: Path, tmp_path: Path, content: bytes
) -> None:
    broken = tmp_path / "broken.avi"
    broken.write_bytes(content)
    result = invoke("score", part, "--references", broken)
    assert result.exit_code == 1
    assert "broken.avi" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_data_set_can_be_subsampled(invoke: Invoke, washers: Path, tmp_path: Path) -> None:
    result = invoke(
        "evaluate", washers, "--method", "dn2", "--size", 96, "--subsample", 4,
        "--json", tmp_path / "r.json",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert read_json(tmp_path / "r.json")[0]["n_train"] == 4
    assert invoke("evaluate", washers, "--subsample", 0).exit_code == 1
