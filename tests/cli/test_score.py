import csv
import os
import shutil
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

from inspector_gui import paths
from inspector_gui.cli.recipe import scoring_from
from inspector_gui.core.features import Extractor, FeatureList
from inspector_gui.core.images import read_image
from inspector_gui.core.methods import make_method
from tests.drawn import sha

from .conftest import Invoke, Start, read_json


@pytest.fixture
def some(photographs: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Ten good hazelnuts as references, and a folder of two good and two coloured ones."""
    references, parts = tmp_path / "references", tmp_path / "parts"
    references.mkdir()
    parts.mkdir()
    for path in sorted((photographs / "train" / "good").iterdir())[:10]:
        shutil.copy(path, references)
    for kind in ("good", "colour"):
        for path in sorted((photographs / "test" / kind).iterdir())[:2]:
            shutil.copy(path, parts / f"{kind}-{path.name}")
    return references, parts


def test_coloured_hazelnuts_fail_and_good_ones_pass(
    some: tuple[Path, Path], invoke: Invoke, tmp_path: Path
) -> None:
    references, parts = some
    result = invoke(
        "score", parts, "--references", references, "--csv", tmp_path / "r.csv",
        "--json", tmp_path / "r.json", "--heatmaps", tmp_path / "maps", "--mm-per-pixel", "0.05",
    )  # fmt: skip
    assert (result.exit_code, result.stderr) == (0, "")
    with (tmp_path / "r.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        "path", "score", "stage1", "multiple", "decision", "reason", "nearest", "regions",
        "largest_area", "largest_area_mm2",
    ]  # fmt: skip
    decisions = {row["path"].rsplit("/", 1)[1]: row["decision"] for row in rows}
    assert {name: "good" in name for name in decisions} == {
        name: decision == "pass" for name, decision in decisions.items()
    }
    for row in rows:
        assert (references / row["nearest"]).is_file()
        assert f"{float(row['multiple']):.2f} × limit" in result.stdout
        assert (int(row["regions"]) > 0) == (row["decision"] == "fail")
    report = read_json(tmp_path / "r.json")
    assert report["mm_per_pixel"] == 0.05
    for part, row in zip(report["parts"], rows, strict=True):
        regions = part["regions"]
        assert str(regions["count"]) == row["regions"] == str(len(regions["list"]))
        assert str(regions["largest_area"] or "") == row["largest_area"]
        picture = read_image(Path(part["path"]))
        for region in regions["list"]:
            assert region["area_mm2"] == pytest.approx(region["area"] * 0.05**2)
            assert region["multiple"] >= 1
            left, top, wide, high = region["box"]
            assert 0 <= left <= region["centre"][0] <= left + wide <= picture.shape[1]
            assert 0 <= top <= region["centre"][1] <= top + high <= picture.shape[0]
            assert region["area"] <= 1.2 * (wide + 4) * (high + 4)
    assert [part["decision"] for part in report["parts"]] == [row["decision"] for row in rows]
    assert report["k_used"] == report["n_references"] == 10
    assert report["limits"]["rule"] in " ".join(result.stdout.split())
    assert {p.name for p in (tmp_path / "maps").iterdir()} == {
        row["path"].rsplit("/", 1)[1].replace(".jpg", ".png") for row in rows
    }
    plain = read_image(parts / "colour-00.jpg").astype(int)
    marked = read_image(tmp_path / "maps" / "colour-00.png").astype(int)
    assert plain.shape == marked.shape
    changed = np.abs(plain - marked).max(axis=2) > 30
    assert 0.001 < changed.mean() < 0.7


@pytest.mark.parametrize("method", ["spade", "patchcore"])
def test_scores_are_bit_identical_to_those_of_the_core(
    some: tuple[Path, Path], invoke: Invoke, tmp_path: Path, method: str
) -> None:
    references, parts = some
    invoke(
        "score", parts, "--references", references, "--method", method,
        "--json", tmp_path / "r.json",
    )  # fmt: skip
    scoring = scoring_from(method, None, None)
    extractor = Extractor(
        scoring, weights_folder=paths.weights_folder(), cache=paths.networks_folder()
    )
    files = sorted(references.iterdir(), key=lambda path: sha(path.read_bytes()))
    pictures = [read_image(path) for path in files]
    gallery = FeatureList(tuple(extractor.extract(image) for image in pictures))
    for part in read_json(tmp_path / "r.json")["parts"]:
        features = extractor.extract(read_image(parts / part["path"]))
        assert make_method(scoring).score(features, gallery).image == part["score"]


def test_unreadable_files_are_rows_and_do_not_fail_the_run(
    some: tuple[Path, Path], invoke: Invoke, tmp_path: Path
) -> None:
    references, parts = some
    (parts / "broken.png").write_bytes(b"nothing")
    (references / "broken.png").write_bytes(b"")
    result = invoke(
        "score", parts, "--references", references, "--method", "dn2", "--csv", tmp_path / "r.csv"
    )
    assert result.exit_code == 0
    with (tmp_path / "r.csv").open(newline="") as file:
        rows = {row["path"].rsplit("/", 1)[1]: row for row in csv.DictReader(file)}
    assert len(rows) == 5
    assert rows["broken.png"]["decision"] == "error"
    assert rows["broken.png"]["score"] == ""
    assert "not a picture" in rows["broken.png"]["reason"]
    assert rows["good-04.jpg"]["stage1"] == ""
    assert "Not judged: broken.png is not a picture" in result.stderr
    assert "Reference left out: broken.png is empty" in result.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="file names are text here")
def test_names_that_are_no_utf_8_are_judged_like_any_other(
    some: tuple[Path, Path], invoke: Invoke, tmp_path: Path
) -> None:
    references, parts = some
    (parts / "good-04.jpg").rename(parts / os.fsdecode(b"good\xff\xfe.jpg"))
    (parts / os.fsdecode(b"torn\xff.jpg")).write_bytes(b"nothing")
    for path in list(references.iterdir()):
        path.rename(path.with_name(os.fsdecode(b"\xe4") + path.name))
    (references / os.fsdecode(b"torn\xfe.jpg")).write_bytes(b"")
    result = invoke(
        "score", parts, "--references", references, "--csv", tmp_path / "r.csv",
        "--json", tmp_path / "r.json", "--heatmaps", tmp_path / "maps",
    )  # fmt: skip
    assert result.exit_code == 0
    with (tmp_path / "r.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["path"].rsplit("/", 1)[1]: row for row in csv.DictReader(file)}
    assert rows["good\ufffd\ufffd.jpg"]["decision"] == "pass"
    assert rows["torn\ufffd.jpg"]["decision"] == "error"
    assert {row["nearest"][:1] for row in rows.values()} == {"\ufffd", ""}
    reported = read_json(tmp_path / "r.json")["parts"]
    assert {part["path"].rsplit("/", 1)[1] for part in reported} == set(rows)
    assert "Not judged: torn\ufffd.jpg is not a picture" in result.stderr
    assert "Reference left out: torn\ufffd.jpg is empty" in result.stderr
    assert len(list((tmp_path / "maps").iterdir())) == 4


def test_nothing_readable_is_a_failure(
    some: tuple[Path, Path], invoke: Invoke, tmp_path: Path
) -> None:
    references, _ = some
    (tmp_path / "broken.png").write_bytes(b"nothing")
    result = invoke("score", tmp_path / "broken.png", "--references", references)
    assert result.exit_code == 1
    assert "broken.png is not a picture" in result.stderr


@pytest.mark.parametrize(
    ("count", "words"), [(1, "gives scores but no limit"), (3, "Only 3 references"), (5, "")]
)
def test_few_references_work_with_an_honest_warning(
    some: tuple[Path, Path], invoke: Invoke, tmp_path: Path, count: int, words: str
) -> None:
    references, parts = some
    for path in sorted(references.iterdir())[count:]:
        path.unlink()
    result = invoke(
        "score", parts, "--references", references, "--method", "dn2", "--json", tmp_path / "r.json"
    )
    assert result.exit_code == 0
    assert words in result.stderr
    assert bool(words) == bool(result.stderr)
    report = read_json(tmp_path / "r.json")
    assert (report["limits"] is None) == (count == 1)
    for part in report["parts"]:
        assert part["score"] > 0
        assert (part["decision"] is None) == (count == 1)


def test_pictures_of_one_name_get_heatmaps_of_different_names(
    washers: Path, invoke: Invoke, tmp_path: Path
) -> None:
    result = invoke(
        "score", washers / "test", "--references", washers / "train" / "good", "--size", 64,
        "--heatmaps", tmp_path / "maps",
    )  # fmt: skip
    assert result.exit_code == 0
    found = {p.name for p in (tmp_path / "maps").iterdir()}
    assert len(found) == 7
    assert {"000.png", "000-2.png"} <= found


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere", "--references", "{good}"], "There is no file or folder nowhere."),
        (["{empty}", "--references", "{good}"], "There are no pictures in"),
        (["{good}", "--references", "nowhere"], "There is no folder or video nowhere"),
        (["{good}", "--references", "{empty}"], "no pictures in the folder of references"),
        (["{good}", "--references", "{good}", "--csv", "no/where.csv"], "no does not exist"),
        (["{good}", "--references", "{good}", "--json", "{empty}"], "is a folder"),
        (["{good}", "--references", "{good}", "--heatmaps", "no/where"], "no does not exist"),
        (["{good}", "--references", "{good}", "--method", "dn2", "--kappa", "2"], "--kappa"),
        (
            ["{good}", "--references", "{good}", "--method", "dn2", "--heatmaps", "{empty}"],
            "no anomaly map",
        ),
        (["{good}", "--references", "{good}", "--method", "magic"], "no method 'magic'"),
        (["{good}", "--references", "{good}", "--preset", "fast"], "no preset 'fast'"),
        (["{good}", "--references", "{good}", "--backbone", "vgg"], "no backbone 'vgg'"),
        (["{good}", "--references", "{good}", "--size", "100"], "multiple of 32"),
        (["{good}", "--references", "{good}", "--runtime", "abacus"], "no runtime 'abacus'"),
        (["{good}", "--references", "{good}", "--precision", "f8"], "no precision 'f8'"),
        (["{good}", "--references", "{good}", "--kappa", "999999"], "--kappa is at most 100"),
        (["{good}", "--references", "{good}", "--coreset", "0.2"], "spade has no option --coreset"),
        (["{good}", "--references", "{good}", "--reweight"], "spade has no option --reweight"),
        (
            ["{good}", "--references", "{good}", "--method", "patchcore", "--coreset", "0"],
            "--coreset is a share",
        ),
        (
            ["{good}", "--references", "{good}", "--csv", "{empty}/r", "--json", "{empty}/./r"],
            "two results",
        ),
    ],
)
def test_bad_input_is_one_sentence_and_status_1(
    washers: Path, invoke: Invoke, tmp_path: Path, arguments: list[str], words: str
) -> None:
    (tmp_path / "empty").mkdir()
    places = {"good": washers / "train" / "good", "empty": tmp_path / "empty"}
    result = invoke("score", *(a.format(**places) for a in arguments))
    assert result.exit_code == 1
    assert words in result.stderr
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_leaves_nothing_behind(
    washers: Path, start: Start, tmp_path: Path, how: signal.Signals
) -> None:
    temporary, results = tmp_path / "temporary", tmp_path / "results"
    temporary.mkdir()
    results.mkdir()
    # The same pictures many times over, so that there is work to be stopped in.
    long_list = tmp_path / "parts"
    for i in range(60):
        shutil.copytree(washers, long_list / str(i))
    process = start(
        "score", long_list, "--references", washers / "train" / "good", "--progress", "json",
        "--csv", results / "r.csv", "--heatmaps", results / "maps",
        TMPDIR=str(temporary),
    )  # fmt: skip
    assert process.stdout is not None
    for _ in process.stdout:
        if list((results / "maps").glob(".*.part")):
            break
    assert list(temporary.iterdir())
    process.send_signal(how)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said == "Stopped; nothing was written.\n"
    assert list(results.iterdir()) == []
    assert list(temporary.iterdir()) == []


def test_a_scale_is_refused_where_there_is_no_map_to_measure(
    some: tuple[Path, Path], invoke: Invoke
) -> None:
    references, parts = some
    result = invoke(
        "score", parts, "--references", references, "--method", "dn2", "--mm-per-pixel", "0.1"
    )
    assert result.exit_code != 0
    assert "no regions to measure" in result.stderr


def test_all_references_are_a_k(some: tuple[Path, Path], invoke: Invoke, tmp_path: Path) -> None:
    references, parts = some
    for k in ("all", "10"):
        result = invoke(
            "score", parts, "--references", references, "--method", "dn2", "--k", k,
            "--json", tmp_path / f"{k}.json",
        )  # fmt: skip
        assert (result.exit_code, result.stderr) == (0, "")
    every, ten = read_json(tmp_path / "all.json"), read_json(tmp_path / "10.json")
    assert every["k_used"] == ten["k_used"] == 10
    assert every["parts"] == ten["parts"]
    refused = invoke("score", parts, "--references", references, "--k", "some")
    assert refused.exit_code != 0
    assert "neither a number nor all" in refused.stderr


def test_behind_a_gate_parts_that_stage_1_lets_through_have_no_map(
    some: tuple[Path, Path], invoke: Invoke, tmp_path: Path
) -> None:
    references, parts = some
    every = invoke("score", parts, "--references", references, "--json", tmp_path / "all.json")
    assert every.exit_code == 0
    whole = {part["path"]: part for part in read_json(tmp_path / "all.json")["parts"]}
    limit = sorted(part["stage1"] for part in whole.values())[1]  # two of the four are let through
    result = invoke(
        "score", parts, "--references", references, "--gate", "--stage1-limit", repr(limit),
        "--json", tmp_path / "r.json", "--csv", tmp_path / "r.csv", "--heatmaps", tmp_path / "maps",
    )  # fmt: skip
    assert (result.exit_code, result.stderr) == (0, "")
    assert "2 parts passed by it, without a map" in result.stdout
    found = read_json(tmp_path / "r.json")
    assert found["stage1_limit"] == limit
    for part in found["parts"]:
        same = whole[part["path"]]
        assert part["stage1"] == same["stage1"]
        if part["stage1"] <= limit:
            assert (part["decision"], part["score"], part["regions"]) == ("pass", None, None)
            assert part["reason"] == "passed by stage 1; no map"
        else:
            assert part == same
    assert len(list((tmp_path / "maps").iterdir())) == 2
    suggested = invoke(
        "score", parts, "--references", references, "--gate", "--json", tmp_path / "s.json"
    )
    assert suggested.exit_code == 0
    assert read_json(tmp_path / "s.json")["stage1_limit"] > 0
    assert read_json(tmp_path / "all.json")["stage1_limit"] is None
