import shutil
import urllib.error
from pathlib import Path

import pytest

from inspector_gui.cli.progress import Report
from inspector_gui.cli.recipe import open_extractor
from inspector_gui.core.backbones import BACKBONES
from inspector_gui.core.errors import KnownError
from inspector_gui.core.features import Extractor
from inspector_gui.core.images import decode
from inspector_gui.core.measuring.training_ablation import Setting, settings_of
from inspector_gui.core.opencv import cv2
from inspector_gui.core.simplenet.hyperparameters import Hyperparameters
from inspector_gui.core.types import Scoring
from tests.drawn import write_parts

from .conftest import Invoke, read_json

PLOTS = ("depth", "neighbours", "references", "impurity", "centroids")
QUICK = ("--paper", "dn2", "--size", 64, "--progress", "none")


@pytest.fixture(autouse=True)
def _nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing be downloaded."""

    def refuse(*_: object, **__: object) -> None:
        raise urllib.error.URLError("nobody answers")

    monkeypatch.setattr("urllib.request.urlopen", refuse)


def test_ablations_are_tables_json_and_plots(washers: Path, invoke: Invoke, tmp_path: Path) -> None:
    result = invoke(
        "ablate", washers, *QUICK, "--backbones", "efficientnet_lite0",
        "--json", tmp_path / "a.json", "--plots", tmp_path / "plots",
    )  # fmt: skip
    assert (result.exit_code, result.stderr) == (0, "")
    found = read_json(tmp_path / "a.json")
    assert (found["paper"], found["dataset"], found["skipped"]) == ("dn2", "washers", [])
    settings: dict[str, list[object]] = {}
    for point in found["points"]:
        settings.setdefault(point["ablation"], []).append(point["setting"])
        assert 0 <= point["image_auroc"] <= 1
    assert settings == {
        "depth": ["efficientnet_lite0"],
        "neighbours": [1, 2, 3, 5],
        "references": [5, "all"],
        "impurity": [0.0, 0.1, 0.2],
        "impurity, cleaned": [0.0, 0.1, 0.2],
        "centroids": [1, 3, 5, "all"],
    }
    assert {path.name for path in (tmp_path / "plots").iterdir()} == {f"{p}.png" for p in PLOTS}
    for path in (tmp_path / "plots").iterdir():
        image = decode(path.read_bytes())
        assert image.shape == (600, 900, 3)
        assert (image < 128).mean() > 0.005  # something is drawn
    for title in ("Depth of the network", "Number of references", "50% of them dropped"):
        assert title in result.stdout


def test_the_ablations_of_spade_are_tables_json_and_plots(
    washers: Path, invoke: Invoke, tmp_path: Path
) -> None:
    result = invoke(
        "ablate", washers, "--paper", "spade", "--size", 64, "--k", 5, "--progress", "none",
        "--json", tmp_path / "a.json", "--plots", tmp_path / "plots",
    )  # fmt: skip
    assert (result.exit_code, result.stderr) == (0, "")
    found = read_json(tmp_path / "a.json")
    assert (found["paper"], found["dataset"]) == ("spade", "washers")
    assert (found["backbone"], found["size"]) == ("efficientnet_lite0", 64)
    settings: dict[str, list[object]] = {}
    for point in found["points"]:
        settings.setdefault(point["ablation"], []).append((point["levels"], point["k_used"]))
        for metric in ("image_auroc", "stage1_auroc", "pixel_auroc", "aupro"):
            assert 0 <= point[metric] <= 1
    assert settings == {
        "levels": [(levels, 5) for levels in ("1", "2", "3", "1,2", "1,3", "2,3", "1,2,3")],
        "nearest references": [("1,2,3", 1), ("1,2,3", 5), ("1,2,3", 6)],
        "random references": [("1,2,3", 1), ("1,2,3", 5)],
    }
    assert {path.name for path in (tmp_path / "plots").iterdir()} == {
        "levels.png",
        "neighbours.png",
    }
    for path in (tmp_path / "plots").iterdir():
        image = decode(path.read_bytes())
        assert image.shape == (600, 900, 3)
        assert (image < 128).mean() > 0.005  # something is drawn
    for title in ("Levels of the pyramid", "K nearest references", "K references at random"):
        assert title in result.stdout
    assert "efficientnet_lite0, pictures at 64 x 64 pixels" in result.stdout


TRAINED = (
    "--paper", "simplenet", "--size", 64, "--progress", "none", "--set", "epochs=1",
    "--set", "steps=3", "--set", "hidden=16", "--set", "patches=8",
)  # fmt: skip


def test_the_ablations_of_simplenet_are_tables_json_and_plots(
    washers: Path, invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def few(chosen: Hyperparameters) -> list[Setting]:
        """Return two rows of every table; all are measured in the tests of the core."""
        rows = settings_of(chosen)
        tables = dict.fromkeys(row.ablation for row in rows)
        return [row for name in tables for row in [r for r in rows if r.ablation == name][-2:]]

    monkeypatch.setattr("inspector_gui.core.measuring.training_ablation.settings_of", few)
    result = invoke(
        "ablate", washers, *TRAINED, "--backbones", "efficientnet_lite0", "--seed", 3,
        "--json", tmp_path / "a.json", "--plots", tmp_path / "plots",
    )  # fmt: skip
    assert (result.exit_code, result.stderr) == (0, "")
    found = read_json(tmp_path / "a.json")
    assert (found["paper"], found["preset"], found["seed"]) == ("simplenet", "fast", 3)
    counts: dict[str, int] = {}
    for point in found["points"]:
        counts[point["ablation"]] = counts.get(point["ablation"], 0) + 1
        for metric in ("image_auroc", "pixel_auroc", "aupro"):
            assert 0 <= point[metric] <= 1
        assert point["hyperparameters"]["seed"] == 3
        assert point["hyperparameters"]["epochs"] == 1
        assert point["n_train"] == 6
    assert counts == {
        "backbone": 1, "levels": 2, "adaptor": 2, "noise": 2, "neighbourhood": 2, "loss": 2,
    }  # fmt: skip
    assert found["adaptor_spread"]["dimensions"] == 152
    plots = {path.stem: decode(path.read_bytes()) for path in (tmp_path / "plots").iterdir()}
    assert set(plots) == {*counts, "adaptor_spread"}
    for image in plots.values():
        assert image.shape == (600, 900, 3)
        assert (image < 128).mean() > 0.005  # something is drawn
    for title in ("Levels (table 2)", "Adaptor (table 3)", "Loss with and without", "(figure 4)"):
        assert title in result.stdout


def test_a_data_set_without_masks_has_image_figures_alone(
    washers: Path, invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inspector_gui.paths.weights_folder", lambda: tmp_path / "none")
    bare = tmp_path / "bare"
    shutil.copytree(washers, bare, ignore=shutil.ignore_patterns("ground_truth"))
    settings = "inspector_gui.core.measuring.training_ablation.settings_of"
    monkeypatch.setattr(settings, lambda _: [])  # the row of the network alone
    result = invoke(
        "ablate", bare, *TRAINED, "--backbones", "resnet18,efficientnet_lite0",
        "--json", tmp_path / "a.json",
    )  # fmt: skip
    assert result.exit_code == 0
    found = read_json(tmp_path / "a.json")
    (point,) = found["points"]
    assert (point["pixel_auroc"], point["backbone"]) == (None, "efficientnet_lite0")
    assert found["skipped"][0]["backbone"] == "resnet18"
    assert "Skipped resnet18: The weights of this network could not be" in result.stderr
    assert "bare has no masks of its defects, so nothing is said of pixels." in result.stderr
    assert "AUPRO" not in result.stdout


def test_simplenet_is_measured_on_every_class_of_a_folder(
    washers: Path, invoke: Invoke, tmp_path: Path
) -> None:
    for seed, name in enumerate(("even", "odd")):
        write_parts(tmp_path / "kinds" / name, range(10 * seed, 10 * seed + 7))
    result = invoke("ablate", tmp_path / "kinds", *TRAINED, "--json", tmp_path / "a.json")
    assert (result.exit_code, result.stderr) == (0, "")
    points = read_json(tmp_path / "a.json")["points"]
    assert [point["setting"] for point in points] == ["even", "odd", "average"]
    assert {point["ablation"] for point in points} == {"class"}
    assert "(table 5)" in result.stdout
    (tmp_path / "kinds" / "odd" / "good-010.png").unlink()
    result = invoke("ablate", tmp_path / "kinds", *TRAINED)
    assert result.exit_code == 1
    assert "The class 'odd': SimpleNet needs at least 5 references" in result.stderr


def test_a_network_that_cannot_be_used_is_skipped_and_said(
    washers: Path, invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_some(scoring: Scoring, report: Report) -> Extractor:
        if scoring.backbone == "resnet152":
            raise KnownError("There is no file.")
        return open_extractor(scoring, report)

    monkeypatch.setattr("inspector_gui.cli.ablate.open_extractor", open_some)
    result = invoke(
        "ablate", washers, *QUICK, "--backbones", "resnet152,efficientnet_lite0",
        "--json", tmp_path / "a.json",
    )  # fmt: skip
    assert result.exit_code == 0
    found = read_json(tmp_path / "a.json")
    assert found["skipped"] == [{"backbone": "resnet152", "reason": "There is no file."}]
    assert "Skipped resnet152: There is no file." in result.stderr
    assert {point["backbone"] for point in found["points"]} == {"efficientnet_lite0"}


@pytest.mark.slow
def test_missing_weights_that_cannot_be_fetched_are_named_and_the_rest_is_measured(
    washers: Path, invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inspector_gui.paths.weights_folder", lambda: tmp_path / "none")
    result = invoke(
        "ablate", washers, *QUICK, "--backbones", "resnet152,efficientnet_lite0",
        "--runtime", "torch", "--json", tmp_path / "a.json",
    )  # fmt: skip
    assert result.exit_code == 0
    (skipped,) = read_json(tmp_path / "a.json")["skipped"]
    assert BACKBONES["resnet152"].file in skipped["reason"]
    assert "nobody answers" in skipped["reason"]
    assert f"Skipped resnet152: {skipped['reason']}" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{washers}", "--paper", "padim"], "no ablations of 'padim'; choose dn2 or spade or"),
        (["{washers}", "--paper", "simplenet", "--set", "epoch=3"], "no value 'epoch'"),
        (["{washers}", "--paper", "simplenet", "--k", "3"], "simplenet has no option --k"),
        (["{washers}", "--paper", "simplenet", "--preset", "quick"], "no preset 'quick'"),
        (["{washers}", "--paper", "spade", "--set", "epochs=3"], "spade has no option --set"),
        (["{washers}/train", "--paper", "spade"], "is not in MVTec layout"),
        (["{washers}", "--paper", "dn2", "--kappa", "2"], "dn2 has no option --kappa"),
        (
            ["{washers}", "--paper", "spade", "--backbones", "resnet18,resnet50"],
            "The ablations of spade are by one network",
        ),
        (["nowhere", "--paper", "dn2"], "nowhere is not a folder"),
        (["{washers}/train", "--paper", "dn2"], "only one class"),
        (["{washers}", "--paper", "dn2", "--backbones", "vgg16"], "no backbone 'vgg16'"),
        (["{washers}", "--paper", "dn2", "--backbones", ","], "--backbones names no network"),
        (["{washers}", "--paper", "dn2", "--plots", "no/where"], "no does not exist"),
        (
            ["{washers}", "--paper", "dn2", "--backbones", "resnet152", "--runtime", "torch"],
            "No network can be used. The weights of this network could not be downloaded",
        ),
    ],
)
def test_bad_input_is_one_sentence_and_status_1(
    washers: Path,
    invoke: Invoke,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.setattr("inspector_gui.paths.weights_folder", lambda: tmp_path / "none")
    arguments = [a.format(washers=washers) for a in arguments]
    result = invoke("ablate", *arguments, "--progress", "none")
    assert result.exit_code == 1
    assert words in result.stderr
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1


def test_curves_show_their_points() -> None:
    from inspector_gui.cli.plots import draw
    from inspector_gui.core.measuring.ablation import Point

    def point(setting: str | int, area: float) -> Point:
        return Point("references", "resnet50", 2, setting, area, (area - 0.01, area + 0.01))

    low = draw([point(5, 0.6), point(50, 0.9), point("all", 0.95)], "parts")["references"]
    other = draw([point(5, 0.9), point(50, 0.6), point("all", 0.95)], "parts")["references"]
    difference = cv2.absdiff(decode(low), decode(other))
    assert (difference > 40).any()
