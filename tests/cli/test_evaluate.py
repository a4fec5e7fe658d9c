import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inspector_gui.core.images import encode_png, read_image

from .conftest import Invoke, read_json

KEYS = {
    "dataset", "method", "backbone", "preset", "k_used", "n_train", "n_test", "image_auroc",
    "image_auroc_interval", "stage1_auroc", "pixel_auroc", "aupro", "f1_max", "fit_seconds",
    "seconds_per_image", "peak_rss_mb",
}  # fmt: skip


def test_every_data_set_and_method_is_an_object_in_the_order_of_the_arguments(
    washers: Path, invoke: Invoke, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(washers, other)
    result = invoke(
        "evaluate", other, washers, "--method", "spade", "--method", "dn2",
        "--method", "patchcore", "--size", 96,
        "--json", tmp_path / "r.json",
    )  # fmt: skip
    assert (result.exit_code, result.stderr) == (0, "")
    objects = read_json(tmp_path / "r.json")
    order = [(o["dataset"], o["method"]) for o in objects]
    assert order == [(d, m) for d in ("other", "washers") for m in ("spade", "dn2", "patchcore")]
    for found in objects:
        assert set(found) >= KEYS
        low, high = found["image_auroc_interval"]
        assert 0 <= low <= found["image_auroc"] <= high <= 1
        assert found["k_used"] == {"spade": 6, "dn2": 2, "patchcore": 2}[found["method"]]
        assert (found["n_train"], found["n_test"]) == (6, 7)
        assert found["peak_rss_mb"] > 50
        has_map = found["method"] != "dn2"
        for name in ("stage1_auroc", "pixel_auroc", "aupro"):
            assert (found[name] is not None) == has_map
        assert f"{found['image_auroc']:.4f}" in result.stdout
    # The same pictures in another folder, and the same seed: the same figures.
    timed = {"dataset", "fit_seconds", "seconds_per_image", "peak_rss_mb"}
    assert [{k: v for k, v in o.items() if k not in timed} for o in objects[:3]] == [
        {k: v for k, v in o.items() if k not in timed} for o in objects[3:]
    ]


def test_real_hazelnuts_are_told_apart_and_their_colour_is_found(
    photographs: Path, invoke: Invoke, tmp_path: Path
) -> None:
    result = invoke("evaluate", photographs, "--json", tmp_path / "r.json")
    assert result.exit_code == 0
    (found,) = read_json(tmp_path / "r.json")
    assert found["image_auroc"] >= 0.99
    assert found["pixel_auroc"] > 0.95
    assert found["aupro"] > 0.9
    assert found["k_used"] == 28
    shown = {name: found[name] for name in ("width", "height", "fit", "crop", "tiles")}
    assert shown == {"width": 384, "height": 384, "fit": "squash", "crop": 0, "tiles": 0}
    assert "hazelnut_toy: pictures at 384 x 384 pixels, whatever their shape" in result.stdout


@pytest.mark.slow
def test_real_cookies_are_told_apart_and_their_breaks_are_found(
    photographs: Path, invoke: Invoke, tmp_path: Path
) -> None:
    cookie = photographs.with_name("cookie")
    if not cookie.is_dir():
        pytest.skip(f"no photographs in {cookie}")
    assert invoke("evaluate", cookie, "--json", tmp_path / "r.json").exit_code == 0
    (found,) = read_json(tmp_path / "r.json")
    assert found["image_auroc"] >= 0.94
    assert found["aupro"] >= 0.77
    assert found["n_test"] == 54


@pytest.mark.slow
@pytest.mark.timeout(500)
def test_real_magnetic_tiles_are_told_apart(
    photographs: Path, invoke: Invoke, tmp_path: Path
) -> None:
    tiles = photographs.with_name("magnetic_tile")
    if not tiles.is_dir():
        pytest.skip(f"no photographs in {tiles}")
    fewer = tmp_path / "magnetic_tile"  # every sixth picture: the whole set takes minutes
    for file in sorted(tiles.glob("t*/*/*"))[::6]:
        place = fewer / file.relative_to(tiles)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(file)
    (fewer / "ground_truth").symlink_to(tiles / "ground_truth")
    assert invoke("evaluate", fewer, "--json", tmp_path / "r.json").exit_code == 0
    (found,) = read_json(tmp_path / "r.json")
    assert found["image_auroc"] >= 0.82


def test_the_bootstrap_follows_its_seed(washers: Path, invoke: Invoke, tmp_path: Path) -> None:
    # Good parts that are called bad cannot be told apart, so that there is an interval.
    folder = tmp_path / "washers"
    shutil.copytree(washers, folder)
    shutil.copytree(folder / "test" / "good", folder / "test" / "odd")
    common = ("evaluate", folder, "--method", "dn2", "--size", 32, "--json", tmp_path / "r.json")

    def interval(seed: int) -> Any:
        assert invoke(*common, "--seed", seed).exit_code == 0
        return read_json(tmp_path / "r.json")[0]["image_auroc_interval"]

    assert interval(1) == interval(1)
    assert interval(1) != interval(2)


def test_a_test_picture_that_cannot_be_read_is_said_and_left_out(
    washers: Path, invoke: Invoke, tmp_path: Path
) -> None:
    folder = tmp_path / "washers"
    shutil.copytree(washers, folder)
    (folder / "test" / "good" / "torn.png").write_bytes(b"\x89PNG")
    result = invoke("evaluate", folder, "--method", "dn2", "--json", tmp_path / "r.json")
    assert result.exit_code == 0
    assert "Left out of washers: torn.png" in result.stderr
    assert read_json(tmp_path / "r.json")[0]["n_unreadable"] == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "nowhere is not a folder"),
        (["{washers}", "nowhere"], "nowhere is not a folder"),
        (["{washers}/train"], "not in MVTec layout"),
        (["{washers}", "--method", "spade", "--method", "dn2", "--sigma", "3"], "--sigma"),
        (["{washers}", "--preset", "official"], "no preset 'official'"),
        (["{washers}", "--json", "no/where.json"], "no does not exist"),
        (["{washers}", "--k", "0"], "at least 1"),
    ],
)
def test_bad_input_is_one_sentence_and_status_1(
    washers: Path, invoke: Invoke, arguments: list[str], words: str
) -> None:
    result = invoke("evaluate", *(a.format(washers=washers) for a in arguments))
    assert result.exit_code == 1
    assert words in result.stderr
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1


def test_progress_as_json_lines_is_all_that_is_on_stdout(
    washers: Path, invoke: Invoke, tmp_path: Path
) -> None:
    result = invoke(
        "evaluate", washers, "--method", "dn2", "--progress", "json", "--json", tmp_path / "r.json"
    )
    steps = [json.loads(line) for line in result.stdout.splitlines()]
    assert all(set(step) == {"what", "done", "total"} for step in steps)
    assert steps[-1] == {"what": "washers, dn2: test pictures", "done": 7, "total": 7}


def test_progress_as_bars_leaves_stdout_to_the_results(washers: Path, invoke: Invoke) -> None:
    result = invoke("evaluate", washers, "--method", "dn2", "--progress", "bar")
    assert "test pictures" in result.stderr
    assert "test pictures" not in result.stdout
    assert "image AUROC" in result.stdout


@pytest.fixture
def wide_washers(washers: Path, tmp_path: Path) -> Path:
    """The drawn data set with the middle of every picture: 160 x 80 pixels."""
    folder = shutil.copytree(washers, tmp_path / "wide")
    for path in folder.rglob("*.png"):
        path.write_bytes(encode_png(np.ascontiguousarray(read_image(path)[40:120])))
    return folder


def test_the_input_is_what_the_options_say(
    washers: Path, wide_washers: Path, invoke: Invoke, tmp_path: Path
) -> None:
    seen = []
    for options in ((), ("--fit", "keep", "--size", 96), ("--size", 96, "--height", 64)):
        result = invoke(
            "evaluate", washers, wide_washers, "--method", "dn2", *options,
            "--json", tmp_path / "r.json",
        )  # fmt: skip
        assert (result.exit_code, result.stderr) == (0, "")
        found = read_json(tmp_path / "r.json")
        seen.append([(o["width"], o["height"], o["fit"]) for o in found])
    assert seen == [
        [(224, 224, "squash")] * 2,
        [(96, 96, "keep")] * 2,
        [(96, 64, "squash")] * 2,
    ]


def test_by_default_each_data_set_chooses_its_own_input(
    washers: Path, wide_washers: Path, invoke: Invoke, tmp_path: Path
) -> None:
    file = tmp_path / "r.json"
    result = invoke("evaluate", washers, wide_washers, "--json", file)
    assert (result.exit_code, result.stderr) == (0, "")
    chosen = [(o["method"], o["width"], o["height"], o["fit"]) for o in read_json(file)]
    assert chosen == [("default", 320, 320, "squash"), ("default", 384, 192, "squash")]


def test_a_wide_data_set_is_evaluated_with_pixel_metrics_in_either_fit(
    wide_washers: Path, invoke: Invoke, tmp_path: Path
) -> None:
    for fit in ("keep", "squash"):
        result = invoke(
            "evaluate", wide_washers, "--method", "spade", "--method", "patchcore", "--size", 96,
            "--fit", fit, "--json", tmp_path / "r.json",
        )  # fmt: skip
        assert (result.exit_code, result.stderr) == (0, "")
        for found in read_json(tmp_path / "r.json"):
            assert 0.5 < found["pixel_auroc"] <= 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--fit", "stretch"), "no fit 'stretch'"),
        (("--size", 224, "--height", 100), "multiple of 32"),
        (("--tiles", 100), "A tile's side"),
    ],
)
def test_an_input_that_cannot_be_is_refused(
    washers: Path, invoke: Invoke, options: tuple[object, ...], words: str
) -> None:
    result = invoke("evaluate", washers, *options)
    assert result.exit_code == 1
    assert words in result.stderr


def test_levels_and_their_weights_are_options_and_are_said(
    washers: Path, invoke: Invoke, tmp_path: Path
) -> None:
    result = invoke(
        "evaluate", washers, "--method", "spade", "--levels", "3,2", "--weights", "scaled",
        "--size", 96, "--scales", 2,
        "--json", tmp_path / "r.json",
    )  # fmt: skip
    assert (result.exit_code, result.stderr) == (0, "")
    (found,) = read_json(tmp_path / "r.json")
    assert (found["levels"], found["weights"]) == ("2,3", "scaled")
    assert (found["pool"], found["scales"]) == (1, 2)
    refused = invoke("evaluate", washers, "--levels", "4")
    assert refused.exit_code != 0
    assert "--levels names levels of the pyramid" in refused.stderr
