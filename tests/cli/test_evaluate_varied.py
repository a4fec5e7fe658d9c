"""`evaluate` with impure, cleaned, few and averaged references, and the paper's protocols."""

import json
import shutil
from pathlib import Path

import pytest

from inspector_gui.core.images import encode_png
from inspector_gui.demo.parts import draw_part

from .conftest import Invoke, read_json

KINDS = ("gasket", "gear", "washer")


@pytest.fixture(scope="session")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn parts of three kinds in class folders."""
    folder = tmp_path_factory.mktemp("drawn") / "kinds"
    for kind in KINDS:
        (folder / kind).mkdir(parents=True)
        for number in range(10):
            part = draw_part(kind, seed=number, size=96)
            (folder / kind / f"{number}.png").write_bytes(encode_png(part.image))
    return folder


def test_contaminated_and_cleaned_are_rows_and_what_was_won_back_is_said(
    washers: Path, invoke: Invoke, tmp_path: Path
) -> None:
    result = invoke(
        "evaluate", washers, "--method", "dn2", "--contaminate", 0.25, "--clean", 0.3,
        "--size", 96, "--json", tmp_path / "r.json",
    )  # fmt: skip
    assert (result.exit_code, result.stderr) == (0, "")
    rows = read_json(tmp_path / "r.json")
    assert [row["training"] for row in rows] == ["clean", "contaminated", "cleaned"]
    assert [row["n_train"] for row in rows] == [6, 8, 5]
    assert {row["n_test"] for row in rows} == {5}
    assert [row["n_contaminated"] for row in rows[:2]] == [0, 2]
    assert "contaminated, 25.0% bad" in result.stdout
    assert "washers, dn2: contamination cost" in result.stdout


def test_a_cut_of_the_contamination_is_said(washers: Path, invoke: Invoke, tmp_path: Path) -> None:
    result = invoke(
        "evaluate", washers, "--method", "dn2", "--contaminate", 0.4, "--size", 96,
        "--json", tmp_path / "r.json",
    )  # fmt: skip
    assert "2 pictures, half of the defective ones, make an impurity of 25.0%" in result.stderr
    assert read_json(tmp_path / "r.json")[1]["is_cut"] is True


def test_without_the_options_a_row_is_clean_and_has_no_more(
    washers: Path, invoke: Invoke, tmp_path: Path
) -> None:
    invoke("evaluate", washers, "--method", "dn2", "--size", 96, "--json", tmp_path / "r.json")
    (row,) = read_json(tmp_path / "r.json")
    assert row["training"] == "clean"
    assert not {"contaminate", "n_contaminated", "shots", "centroids"} & set(row)


def test_spade_is_cleaned_by_its_own_scores(washers: Path, invoke: Invoke, tmp_path: Path) -> None:
    result = invoke(
        "evaluate", washers, "--method", "spade", "--clean", 0.2, "--size", 96,
        "--json", tmp_path / "r.json", "--progress", "json",
    )  # fmt: skip
    assert result.exit_code == 0
    rows = read_json(tmp_path / "r.json")
    assert [(row["method"], row["training"]) for row in rows] == [
        ("spade", "clean"),
        ("spade", "cleaned"),
    ]
    steps = [json.loads(line) for line in result.stdout.splitlines()]
    assert {"what": "washers, spade: leave-one-out", "done": 6, "total": 6} in steps


def test_shots_may_be_a_list_or_given_again(washers: Path, invoke: Invoke, tmp_path: Path) -> None:
    result = invoke(
        "evaluate", washers, "--method", "dn2", "--shots", "2,3", "--shots", 5, "--centroids", 2,
        "--size", 96, "--json", tmp_path / "r.json",
    )  # fmt: skip
    rows = read_json(tmp_path / "r.json")
    assert [(row["shots"], row["n_train"], row["centroids"]) for row in rows] == [
        (2, 2, 2),
        (3, 3, 2),
        (5, 5, 2),
    ]
    assert all(row["n_draws"] == len(row["image_auroc_draws"]) for row in rows)
    assert "3 drawn at random, 2 centroids" in result.stdout
    assert "±" in result.stdout


@pytest.mark.parametrize("protocol", ["one-class", "multimodal"])
def test_a_protocol_has_a_row_for_every_class_and_their_average(
    kinds: Path, invoke: Invoke, tmp_path: Path, protocol: str
) -> None:
    result = invoke(
        "evaluate", kinds, "--protocol", protocol, "--size", 96, "--json", tmp_path / "r.json"
    )
    assert (result.exit_code, result.stderr) == (0, "")
    rows = read_json(tmp_path / "r.json")
    assert [row["class"] for row in rows] == [*KINDS, "average"]
    assert {row["method"] for row in rows} == {"dn2"}
    assert rows[-1]["image_auroc"] == 1.0  # kinds of parts differ much
    assert "kinds: split 80/20 in order" in result.stdout


def test_groups_are_pooled_in_three_ways_and_scored_by_their_covariance(
    kinds: Path, invoke: Invoke, tmp_path: Path
) -> None:
    result = invoke(
        "evaluate", kinds, "--protocol", "groups", "--group-size", 3, "--size", 96,
        "--json", tmp_path / "r.json",
    )  # fmt: skip
    assert result.exit_code == 0
    rows = read_json(tmp_path / "r.json")
    poolings = ["mean", "max", "concatenated", "covariance trace"]
    assert [row["pooling"] for row in rows] == poolings
    assert all(row["image_auroc"] > 0.9 for row in rows)
    assert all(pooling in result.stdout for pooling in poolings)


def test_protocol_progress_says_where_it_is(kinds: Path, invoke: Invoke) -> None:
    result = invoke(
        "evaluate", kinds, "--protocol", "one-class", "--size", 96, "--progress", "json"
    )
    steps = [json.loads(line) for line in result.stdout.splitlines()]
    assert steps[-1] == {"what": "kinds, one-class: classes", "done": 3, "total": 3}


def test_an_unreadable_picture_of_a_class_is_said(
    kinds: Path, invoke: Invoke, tmp_path: Path
) -> None:
    folder = tmp_path / "kinds"
    shutil.copytree(kinds, folder)
    (folder / "gear" / "3.png").write_bytes(b"")
    result = invoke("evaluate", folder, "--protocol", "one-class", "--size", 96)
    assert result.exit_code == 0
    assert "Left out of kinds: 3.png is empty" in result.stderr


DN2 = ["--method", "dn2"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{washers}", *DN2, "--contaminate", "0.5"], "more than 0 and less than 0.5"),
        (["{washers}", *DN2, "--clean", "1"], "more than 0 and less than 1"),
        (["{washers}", *DN2, "--shots", "7"], "7 shots cannot be drawn from washers: it has 6"),
        (["{washers}", *DN2, "--shots", "few"], "--shots takes whole numbers"),
        (["{washers}", *DN2, "--shots", "0"], "at least 1"),
        (["{washers}", "--centroids", "3"], "spade cannot use them"),
        (["{washers}", *DN2, "--group-size", "3"], "belongs to --protocol groups"),
        (["{washers}", "--protocol", "one-class"], "only one class"),
        (["{kinds}/gear", "--protocol", "one-class"], "not a folder of class folders"),
        (["nowhere", "--protocol", "one-class"], "nowhere is not a folder"),
        (["{kinds}", "--protocol", "two-class"], "There is no protocol 'two-class'"),
        (["{kinds}", "--protocol", "one-class", "--method", "spade"], "needs --method dn2"),
        (["{kinds}", "--protocol", "one-class", *DN2, "--method", "spade"], "dn2 alone"),
        (["{kinds}", "--protocol", "one-class", "--group-size", "2"], "belongs to"),
        (["{kinds}", "--protocol", "groups", "--group-size", "4"], "--group-size is 2 to 3"),
        (["{kinds}", "--protocol", "groups", "--shots", "2"], "groups has no --contaminate"),
        (["{kinds}", "--protocol", "multimodal", "--shots", "17"], "has 16 references"),
    ],
)
def test_bad_input_is_one_sentence_and_status_1(
    washers: Path, kinds: Path, invoke: Invoke, arguments: list[str], words: str
) -> None:
    result = invoke("evaluate", *(a.format(washers=washers, kinds=kinds) for a in arguments))
    assert result.exit_code == 1
    assert words in result.stderr
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1


def test_a_data_set_without_defects_cannot_be_contaminated(
    washers: Path, invoke: Invoke, tmp_path: Path
) -> None:
    folder = tmp_path / "washers"
    shutil.copytree(washers / "train", folder / "train")
    shutil.copytree(washers / "test" / "good", folder / "test" / "good")
    result = invoke("evaluate", folder, *DN2, "--contaminate", 0.2, "--size", 96)
    assert result.exit_code == 1
    assert "washers has no defective test picture" in result.stderr


@pytest.mark.slow
def test_real_magnetic_tiles_lose_by_contamination_and_gain_by_cleaning(
    photographs: Path, invoke: Invoke, tmp_path: Path
) -> None:
    tiles = photographs.with_name("magnetic_tile")
    if not tiles.is_dir():
        pytest.skip(f"no photographs in {tiles}")
    result = invoke(
        "evaluate", tiles, *DN2, "--contaminate", 0.1, "--clean", 0.5, "--json", tmp_path / "r.json"
    )
    assert result.exit_code == 0
    clean, impure, cleaned = (row["image_auroc"] for row in read_json(tmp_path / "r.json"))
    assert impure < clean - 0.1
    # Measured: 73 to 79 % of the loss, by seed; the rest is what dropping half costs by itself.
    assert (cleaned - impure) / (clean - impure) > 0.65
