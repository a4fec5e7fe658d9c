import shutil
from pathlib import Path

import numpy as np
import pytest

from inspector_gui.core.errors import Cancelled, KnownError
from inspector_gui.core.measuring.contamination import evaluate_varied
from inspector_gui.core.measuring.datasets import read_dataset
from inspector_gui.core.measuring.evaluation import Evaluation, evaluate
from inspector_gui.core.measuring.variation import DRAWS, Variation
from inspector_gui.core.methods import make_method
from inspector_gui.core.types import Progress, Scoring
from tests.core.squares import SIDE, MeanColours, Memory, plain, save

SCORING = Scoring(method="dn2", size=SIDE, sigma=0.0, k=2)
GOODS, BADS = 18, 12


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Squares of many greys are good; 12 defective ones are brighter, each much like one other."""
    root = tmp_path / "squares"
    for i in range(GOODS):
        save(root / "train" / "good" / f"{i}.png", plain(8 * i))
    for i in range(6):
        image = plain(4 + 24 * i)
        image[0, 0] = 0
        save(root / "test" / "good" / f"{i}.png", image)
    for i in range(BADS):
        image = plain(160 + 12 * (i // 2) + i % 2)
        image[16:32, 16:32] = 250
        save(root / "test" / ("bright", "brighter")[i // 6] / f"{i}.png", image)
    return root


def varied(
    folder: Path,
    variation: Variation,
    *,
    scoring: Scoring = SCORING,
    seed: int = 0,
    network: MeanColours | None = None,
    **watched: object,
) -> list[Evaluation]:
    return evaluate_varied(
        read_dataset(folder),
        scoring=scoring,
        variation=variation,
        extractor=network or MeanColours(),  # type: ignore[arg-type]
        bank=Memory(),
        seed=seed,
        **watched,  # type: ignore[arg-type]
    )


def bads_of(row: Evaluation) -> int:
    return sum(int(kind["n_test"] or 0) for kind in row.kinds.values())


def test_three_rows_are_measured_on_the_same_reduced_test_set(folder: Path) -> None:
    network = MeanColours()
    rows = varied(folder, Variation(contaminate=0.1, clean=0.3), network=network)
    assert [row.training for row in rows] == ["clean", "contaminated", "cleaned"]
    assert [row.n_train for row in rows] == [18, 20, 14]
    assert {row.n_test for row in rows} == {6 + BADS - 2}
    assert {bads_of(row) for row in rows} == {BADS - 2}
    clean, impure, cleaned = (row.as_json() for row in rows)
    assert (clean["n_contaminated"], impure["n_contaminated"]) == (0, 2)
    assert impure["impurity"] == 0.1
    assert impure["contaminate"] == 0.1
    assert impure["is_cut"] is False
    assert cleaned["n_dropped"] == 6
    # Every picture is looked at once, whatever the number of rows.
    assert network.extracted == 18 + 6 + BADS


@pytest.mark.parametrize("method", ["dn2", "spade"])
def test_cleaning_wins_back_what_contamination_cost(folder: Path, method: str) -> None:
    scoring = Scoring(method=method, size=SIDE, sigma=0.0, k=1)
    rows = varied(folder, Variation(contaminate=0.1, clean=0.2), scoring=scoring)
    clean, impure, cleaned = (row.image_auroc for row in rows)
    assert clean == 1.0
    assert impure is not None
    assert cleaned is not None
    assert impure < 0.95
    assert cleaned == 1.0
    assert rows[2].details["n_dropped_contaminated"] == 2


def test_the_clean_row_is_what_evaluate_says_of_the_same_test_pictures(folder: Path) -> None:
    (clean,) = varied(folder, Variation())
    plainly = evaluate(
        read_dataset(folder),
        scoring=SCORING,
        method=make_method(SCORING),
        extractor=MeanColours(),  # type: ignore[arg-type]
        bank=Memory(),
    )
    timed = {"fit_seconds", "seconds_per_image", "peak_rss_mb"}
    found, expected = clean.as_json(), plainly.as_json()
    assert {k: v for k, v in found.items() if k not in timed} == {
        k: v for k, v in expected.items() if k not in timed
    }
    assert expected["training"] == "clean"


def test_cleaning_alone_compares_a_set_as_it_is_with_the_cleaned_one(folder: Path) -> None:
    rows = varied(folder, Variation(clean=0.5))
    assert [(row.training, row.n_train, row.n_test) for row in rows] == [
        ("clean", 18, 18),
        ("cleaned", 9, 18),
    ]
    assert rows[1].details["n_dropped_contaminated"] == 0


def test_the_seed_decides_which_defects_are_mixed_in(folder: Path) -> None:
    variation = Variation(contaminate=0.1)

    def left(seed: int) -> tuple[object, ...]:
        row = varied(folder, variation, seed=seed)[1]
        return row.image_auroc, row.kinds["bright"]["n_test"]

    assert left(3) == left(3)
    assert len({left(seed) for seed in range(6)}) > 1


def test_at_most_half_of_the_defective_pictures_are_taken_and_that_is_said(folder: Path) -> None:
    _, impure = varied(folder, Variation(contaminate=0.4))
    assert impure.details["n_contaminated"] == BADS // 2
    assert impure.details["impurity"] == 6 / 24
    assert impure.details["is_cut"] is True
    assert impure.n_test == 6 + BADS // 2


def test_a_copy_of_a_mixed_in_picture_does_not_stay_in_the_test_set(folder: Path) -> None:
    for path in list(folder.glob("test/bright*/*")):
        shutil.copy(path, path.with_name(f"copy-{path.name}"))
    _, impure = varied(folder, Variation(contaminate=0.1))
    assert impure.details["n_contaminated"] == 2
    assert impure.n_test == 6 + 2 * (BADS - 2)


def test_without_enough_defects_nothing_can_be_mixed_in(folder: Path) -> None:
    shutil.rmtree(folder / "test" / "brighter")
    for path in sorted((folder / "test" / "bright").iterdir())[1:]:
        path.unlink()
    with pytest.raises(KnownError, match="squares has only one defective test picture"):
        varied(folder, Variation(contaminate=0.1))
    shutil.rmtree(folder / "test" / "bright")
    with pytest.raises(KnownError, match="squares has no defective test picture"):
        varied(folder, Variation(contaminate=0.1))


def test_a_share_of_less_than_one_picture_is_refused(folder: Path) -> None:
    with pytest.raises(KnownError, match=r"0\.01 is less than one picture among 18"):
        varied(folder, Variation(contaminate=0.01))


def test_shots_are_drawn_several_times_and_their_spread_is_told(folder: Path) -> None:
    network = MeanColours()
    rows = [row.as_json() for row in varied(folder, Variation(shots=(1, 18)), network=network)]
    assert [(row["shots"], row["n_train"], row["n_draws"]) for row in rows] == [
        (1, 1, DRAWS),
        (18, 18, DRAWS),
    ]
    few, every = rows
    assert isinstance(few["image_auroc_draws"], list)
    assert len(set(few["image_auroc_draws"])) > 1
    assert few["image_auroc"] == pytest.approx(np.mean(few["image_auroc_draws"]))
    assert few["image_auroc_std"] == pytest.approx(np.std(few["image_auroc_draws"], ddof=1))
    assert every["image_auroc_std"] == 0
    assert few["k_used"] == 1
    assert network.extracted == 18 + 6 + BADS


def test_shots_of_a_method_with_maps_are_measured_too(folder: Path) -> None:
    scoring = Scoring(method="spade", size=SIDE, sigma=0.0, k=2)
    rows = varied(folder, Variation(shots=(2, 5)), scoring=scoring)
    assert [row.details["shots"] for row in rows] == [2, 5]
    assert all(row.stage1_auroc is not None and row.pixel is None for row in rows)


def test_more_shots_than_references_are_refused(folder: Path) -> None:
    with pytest.raises(KnownError, match="19 shots cannot be drawn from squares: it has 18"):
        varied(folder, Variation(shots=(5, 19)))


def test_centroids_are_compared_with_in_place_of_references(folder: Path) -> None:
    (row,) = varied(folder, Variation(centroids=1))
    assert (row.k_used, row.n_train, row.details["centroids"]) == (1, 18, 1)
    (every,) = varied(folder, Variation(centroids=18))
    assert every.k_used == 2
    assert every.image_auroc == 1.0


@pytest.mark.parametrize(
    ("variation", "words"),
    [
        (Variation(contaminate=0.0), "more than 0 and less than 0.5"),
        (Variation(contaminate=0.5), "more than 0 and less than 0.5"),
        (Variation(clean=1.0), "more than 0 and less than 1"),
        (Variation(clean=-0.1), "more than 0 and less than 1"),
        (Variation(contaminate=float("nan")), "more than 0 and less than 0.5"),
        (Variation(shots=(0,)), "--shots counts references"),
        (Variation(shots=(3,), clean=0.5), "leave out --contaminate and --clean"),
        (Variation(centroids=0), "--centroids counts"),
    ],
)
def test_values_that_mean_nothing_are_refused_before_any_work(
    folder: Path, variation: Variation, words: str
) -> None:
    network = MeanColours()
    with pytest.raises(KnownError, match=words):
        varied(folder, variation, network=network)
    assert network.extracted == 0


def test_spade_has_no_centroids(folder: Path) -> None:
    scoring = Scoring(method="spade", size=SIDE)
    with pytest.raises(KnownError, match="spade cannot use them"):
        varied(folder, Variation(centroids=3), scoring=scoring)


def test_every_step_reports_and_can_be_stopped(folder: Path) -> None:
    seen: list[Progress] = []
    variation = Variation(contaminate=0.1, clean=0.5)
    varied(folder, variation, report=seen.append)
    ended = [p.what for p in seen if p.done == p.total]
    assert ended == ["references", "contamination", "leave-one-out", "test pictures"]
    for what in set(ended):
        seen.clear()
        with pytest.raises(Cancelled):
            varied(
                folder,
                variation,
                report=seen.append,
                should_stop=lambda what=what: bool(seen) and seen[-1].what == what,
            )
        assert seen[-1].done < seen[-1].total or seen[-1].what == what
