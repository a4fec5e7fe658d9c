import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inspector_gui.core.errors import Cancelled, KnownError
from inspector_gui.core.measuring.datasets import Sample, read_dataset
from inspector_gui.core.measuring.evaluation import Evaluation, References, evaluate, learn
from inspector_gui.core.measuring.memory import peak_rss_mb, reset_peak_memory
from inspector_gui.core.measuring.pixel_frame import map_on_frame, mask_on_frame
from inspector_gui.core.methods import make_method
from inspector_gui.core.types import Progress, Scoring
from tests.core.squares import SIDE, MeanColours, Memory, plain, save

SCORING = Scoring(size=SIDE, sigma=0.0, k=2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Grey squares; defective ones have a bright square, marked in their masks."""
    root = tmp_path / "squares"
    for i, value in enumerate((98, 100, 102)):
        save(root / "train" / "good" / f"{i}.png", plain(value))
    save(root / "test" / "good" / "0.png", plain(99))
    save(root / "test" / "good" / "1.png", plain(101))
    for i in range(2):
        image, mask = plain(100), plain(0)
        image[16:32, 16 * i : 16 * i + 16] = 250
        mask[16:32, 16 * i : 16 * i + 16] = 255
        save(root / "test" / "spot" / f"{i}.png", image)
        save(root / "ground_truth" / "spot" / f"{i}_mask.png", mask)
    return root


def measured(
    folder: Path,
    method: str = "spade",
    *,
    report: Callable[[Progress], None] = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Evaluation:
    scoring = replace(SCORING, method=method)
    return evaluate(
        read_dataset(folder),
        scoring=scoring,
        method=make_method(scoring),
        extractor=MeanColours(),  # type: ignore[arg-type]
        bank=Memory(),
        report=report,
        should_stop=should_stop,
    )


def test_bright_spots_are_found_and_placed(folder: Path) -> None:
    result = measured(folder).as_json()
    assert result["dataset"] == "squares"
    assert result["image_auroc"] == 1.0
    assert result["stage1_auroc"] == 1.0
    assert result["f1_max"] == 1.0
    assert result["pixel_auroc"] == pytest.approx(1.0, abs=0.02)
    assert result["aupro"] == pytest.approx(1.0, abs=0.05)
    assert (result["n_train"], result["n_test"], result["k_used"]) == (3, 4, 2)
    assert result["kinds"] == {"spot": {"n_test": 2, "image_auroc": 1.0}}


def test_masks_in_the_wrong_place_lower_pixel_metrics_only(folder: Path) -> None:
    right = measured(folder)
    masks = folder / "ground_truth" / "spot"
    shutil.move(masks / "0_mask.png", masks / "swapped.png")
    shutil.move(masks / "1_mask.png", masks / "0_mask.png")
    shutil.move(masks / "swapped.png", masks / "1_mask.png")
    wrong = measured(folder)
    assert wrong.image_auroc == right.image_auroc
    assert right.pixel is not None
    assert wrong.pixel is not None
    assert wrong.pixel.auroc < right.pixel.auroc - 0.05
    assert wrong.pixel.aupro < right.pixel.aupro - 0.1


def test_dn2_has_no_pixel_metrics_and_no_first_stage(folder: Path) -> None:
    result = measured(folder, "dn2").as_json()
    assert result["image_auroc"] == 1.0
    for name in ("stage1_auroc", "pixel_auroc", "aupro", "kappa", "sigma", "levels", "weights"):
        assert result[name] is None


def test_a_defective_picture_without_a_mask_counts_for_image_metrics_only(folder: Path) -> None:
    with_both = measured(folder)
    # Nothing to be seen in it: an empty mask would leave pixel metrics as they are, a full one
    # would lower them, and as a bad image it is missed.
    save(folder / "test" / "invisible" / "0.png", plain(99))
    result = measured(folder)
    assert result.pixel == with_both.pixel
    assert result.n_test == with_both.n_test + 1
    assert result.kinds["invisible"]["image_auroc"] == 0.5
    assert result.image_auroc == pytest.approx((1 + 1 + 0.5) / 3)


def test_without_any_mask_pixel_metrics_are_unknown(folder: Path) -> None:
    shutil.rmtree(folder / "ground_truth")
    result = measured(folder).as_json()
    assert result["pixel_auroc"] is None
    assert result["aupro"] is None
    assert result["image_auroc"] == 1.0


def test_masks_named_like_their_picture_are_found_too(folder: Path) -> None:
    expected = measured(folder).pixel
    for mask in (folder / "ground_truth" / "spot").iterdir():
        mask.rename(mask.with_name(mask.name.replace("_mask", "")))
    assert measured(folder).pixel == expected


def test_an_unreadable_test_picture_is_named_and_left_out(folder: Path) -> None:
    (folder / "test" / "spot" / "9.png").write_bytes(b"not a picture")
    result = measured(folder).as_json()
    assert result["n_unreadable"] == 1
    assert result["n_test"] == 4
    assert "9.png" in str(result["unreadable"])


def test_an_unreadable_reference_is_an_error_that_names_it(folder: Path) -> None:
    (folder / "train" / "good" / "9.png").write_bytes(b"")
    with pytest.raises(KnownError, match=r"9\.png is empty"):
        measured(folder)


def test_a_mask_of_another_size_is_an_error_that_names_both(folder: Path) -> None:
    save(folder / "ground_truth" / "spot" / "1_mask.png", plain(255, 32))
    with pytest.raises(KnownError, match=r"1_mask\.png is 32 x 32 pixels.* is 64 x 64"):
        measured(folder)


@pytest.mark.parametrize(
    ("missing", "words"),
    [(".", "is not a folder"), ("train/good", "train/good"), ("test", "below test")],
)
def test_what_is_not_a_data_set_is_refused_in_words(folder: Path, missing: str, words: str) -> None:
    shutil.rmtree(folder / missing)
    with pytest.raises(KnownError, match=words):
        read_dataset(folder)


def test_references_are_ordered_by_content_and_doubles_count_once(folder: Path) -> None:
    good = folder / "train" / "good"
    shutil.copy(good / "0.png", good / "copy.png")

    def learned(paths: list[Path]) -> References:
        return learn(paths, Memory(), MeanColours())  # type: ignore[arg-type]

    forwards = learned(sorted(good.iterdir()))
    backwards = learned(sorted(good.iterdir(), reverse=True))
    assert list(forwards.files) == list(backwards.files) == sorted(forwards.files)
    assert len(forwards.files) == 3


def test_progress_reaches_its_end_and_a_stop_is_obeyed(folder: Path) -> None:
    seen: list[Progress] = []
    measured(folder, report=seen.append)
    assert {(p.what, p.total) for p in seen if p.done == p.total} == {
        ("references", 3),
        ("test pictures", 4),
    }
    with pytest.raises(Cancelled):
        measured(folder, report=seen.append, should_stop=lambda: len(seen) > 12)


def test_what_was_cropped_away_is_scored_lowest_of_all() -> None:
    scoring = replace(SCORING, size=64, crop=32, preset="default")
    values = map_on_frame(np.full((8, 8), 7, np.float32), scoring, (128, 256))
    assert values.shape == (128, 256)
    assert values[32:96, 64:192].min() == 7
    values[32:96, 64:192] = np.finfo(np.float32).min
    assert (values == np.finfo(np.float32).min).all()


@pytest.mark.parametrize(
    ("preset", "size", "frame"),
    [
        ("default", (300, 200), (300, 200)),
        ("default", (1000, 2000), (256, 512)),
        ("paper", (1000, 2000), (256, 256)),
    ],
)
def test_pixels_are_compared_on_the_picture_or_as_the_papers_do(
    tmp_path: Path, preset: str, size: tuple[int, int], frame: tuple[int, int]
) -> None:
    scoring = replace(SCORING, preset=preset)
    mask = np.zeros((*size, 1), np.uint8)
    mask[: size[0] // 2] = 255
    save(tmp_path / "mask.png", mask)
    sample = Sample(tmp_path / "picture.png", "spot", tmp_path / "mask.png")
    on_frame = mask_on_frame(sample, scoring, size)
    assert map_on_frame(np.zeros((8, 8), np.float32), scoring, size).shape == frame
    assert on_frame.shape == frame
    assert on_frame[: frame[0] // 2].all()
    assert not on_frame[frame[0] // 2 :].any()


def test_a_defect_thinner_than_a_pixel_of_the_frame_does_not_vanish(tmp_path: Path) -> None:
    mask = np.zeros((2048, 2048, 1), np.uint8)
    mask[1000, 1000] = 255
    save(tmp_path / "mask.png", mask)
    sample = Sample(tmp_path / "picture.png", "spot", tmp_path / "mask.png")
    on_frame = mask_on_frame(sample, SCORING, (2048, 2048))
    assert on_frame.sum() == 1
    assert on_frame[250, 250]


def test_peak_memory_sees_what_was_let_go_of() -> None:
    reset_peak_memory()
    before = peak_rss_mb()
    filled = np.ones(30_000_000, np.float64)
    del filled
    assert peak_rss_mb() > before + 200
