from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inspector_gui.core.errors import Cancelled, KnownError
from inspector_gui.core.features import Features
from inspector_gui.core.measuring.class_data import read_class_data
from inspector_gui.core.measuring.datasets import read_dataset
from inspector_gui.core.measuring.trained import Judged, area_of_class
from inspector_gui.core.measuring.training_ablation import (
    Ablated,
    TrainedPoint,
    ablate_classes,
    ablate_training,
    settings_of,
)
from inspector_gui.core.simplenet.hyperparameters import PRESETS, hyperparameters_for
from inspector_gui.core.types import RGB, Progress, Scoring
from tests.core.squares import SIDE, MeanColours, Memory, plain, save

QUICK = {"epochs": 1, "steps": 40, "batch": 4, "patches": 16, "hidden": 32, "rate": 0.01}
SCORING = Scoring(
    method="simplenet", size=SIDE, sigma=0.0, k=2, preset="fast",
    training=hyperparameters_for("fast", QUICK),
)  # fmt: skip


class Channels(MeanColours):
    """Stands for EfficientNet-Lite0: mixtures of mean colours, as many as it has channels."""

    def extract(self, image: RGB) -> Features:
        found = super().extract(image)
        draw = np.random.default_rng(0)
        fine, middle, coarse = (
            np.tanh(level @ draw.normal(size=(3, width)) / 100).astype(np.float32)
            for level, width in zip(found.levels, (24, 40, 112), strict=True)
        )
        return Features(found.pooled, (fine, middle, coarse))


def mottled(grey: int, seed: int) -> RGB:
    """Return a square whose every pixel is near a grey: H x W x 1."""
    noise = np.random.default_rng(seed).integers(-20, 21, (64, 64, 1))
    return np.asarray(plain(grey) + noise, np.uint8)


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Let small products not wait for a second thread."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_squares(tmp_path / "squares")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ablated, Channels, list[Progress]]:
    """All tables, the network that was asked, and the progress that was heard."""
    root = write_squares(tmp_path_factory.mktemp("whole") / "squares")
    extractor, seen = Channels(), list[Progress]()
    return ablated(root, extractor=extractor, report=seen.append), extractor, seen


def write_squares(root: Path) -> Path:
    """Write mottled squares, with a bright corner in defective ones."""
    for number in range(8):
        save(root / "train" / "good" / f"{number}.png", mottled(100, number))
        save(root / "test" / "good" / f"{number}.png", mottled(100, 20 + number))
        image, mask = mottled(100, 40 + number), plain(0)
        image[32:, 32:] += 90
        mask[32:, 32:] = 255
        save(root / "test" / "corner" / f"{number}.png", image)
        save(root / "ground_truth" / "corner" / f"{number}_mask.png", mask)
    return root


def ablated(folder: Path, scoring: Scoring = SCORING, **options: object) -> Ablated:
    given: dict[str, object] = {"extractor": Channels(), "bank": Memory(), **options}
    return ablate_training(read_dataset(folder), scoring=scoring, **given)  # type: ignore[arg-type]


def chosen(found: Ablated, ablation: str) -> list[TrainedPoint]:
    return [point for point in found.points if point.ablation == ablation]


def test_every_table_of_the_paper_is_measured_around_the_recipe(
    whole: tuple[Ablated, Channels, list[Progress]],
) -> None:
    found, extractor, seen = whole
    assert [p.setting for p in chosen(found, "levels")] == ["1", "2", "3", "1,2", "2,3", "1,2,3"]
    assert [p.setting for p in chosen(found, "adaptor")] == [
        "none", "linear", "linear, trained", "MLP",
    ]  # fmt: skip
    assert [p.setting for p in chosen(found, "noise")] == ["0.25", "0.5", "1", "2", "4"]
    assert [p.setting for p in chosen(found, "neighbourhood")] == ["1", "3", "5", "7"]
    assert [p.setting for p in chosen(found, "loss")] == [
        "l1, adaptor", "l1, no adaptor", "cross-entropy, adaptor", "cross-entropy, no adaptor",
    ]  # fmt: skip
    assert [p.setting for p in chosen(found, "backbone")] == ["efficientnet_lite0"]
    same = [point for point in found.points if point.is_recipe]
    assert len(same) == 6  # one in every table
    assert len({tuple(point.areas.items()) for point in same}) == 1
    for point in found.points:
        assert point.failure == ""
        assert point.n_train == 8  # nothing is held out
        assert all(0 <= (point.areas[metric] or 0) <= 1 for metric in point.areas)
    assert (same[0].areas["image_auroc"], same[0].areas["pixel_auroc"] or 0) > (0.99, 0.9)
    assert extractor.extracted == 8 + 16  # each picture once, for all trainings
    noises = [point.noise or 0 for point in chosen(found, "noise")]
    np.testing.assert_allclose(np.array(noises) / noises[2], [0.25, 0.5, 1, 2, 4])
    trainings = {p.what for p in seen if p.what.endswith("training") and p.done == p.total}
    assert len(trainings) == len({point.scoring.training for point in found.points}) == 18
    assert "2 of 18, levels 1, training" in trainings
    assert seen[-1] == Progress("pixels", 18, 18)


def test_the_adaptor_brings_the_dimensions_to_one_spread(
    whole: tuple[Ablated, Channels, list[Progress]],
) -> None:
    spread = whole[0].spread
    assert spread is not None
    assert len(spread.before) == len(spread.after) == 40 + 112
    assert spread.after.std() / spread.after.mean() < spread.before.std() / spread.before.mean()
    written = spread.as_json()
    assert sum(written["before"]["counts"]) == 152  # type: ignore[index]


def test_a_setting_that_cannot_be_trained_says_why_and_others_go_on(folder: Path) -> None:
    training = hyperparameters_for("fast", QUICK | {"noise": 500.0, "steps": 1, "epochs": 1})
    found = ablated(folder, replace(SCORING, training=training))
    failed = [point for point in found.points if point.failure]
    assert [(p.ablation, p.setting) for p in failed] == [("noise", "4")]
    assert "noise is from" in failed[0].failure
    assert failed[0].areas["image_auroc"] is None


def test_another_network_gives_its_row_alone(folder: Path) -> None:
    found = ablated(folder, backbone_alone=True)
    assert [point.ablation for point in found.points] == ["backbone"]
    assert found.spread is None


def test_too_few_references_and_a_stop_end_it(folder: Path) -> None:
    with pytest.raises(Cancelled):
        ablated(folder, should_stop=lambda: True)
    for path in list((folder / "train" / "good").iterdir())[1:]:
        path.unlink()
    with pytest.raises(KnownError, match="at least"):
        ablated(folder)


def test_every_class_is_normal_in_turn(tmp_path: Path) -> None:
    for name, grey in (("dark", 60), ("light", 180)):
        for number in range(10):
            save(tmp_path / "kinds" / name / f"{number}.png", mottled(grey, grey + number))
    (tmp_path / "kinds" / "dark" / "9.png").write_bytes(b"torn")
    banks: list[Memory] = []

    def open_bank() -> AbstractContextManager[Memory]:
        banks.append(Memory())
        return nullcontext(banks[-1])

    found = ablate_classes(
        read_class_data(tmp_path / "kinds"),
        scoring=SCORING,
        extractor=Channels(),  # type: ignore[arg-type]
        open_bank=open_bank,
    )
    assert [(p.setting, p.n_train) for p in found.points] == [
        ("dark", 8), ("light", 8), ("average", 0),
    ]  # fmt: skip
    dark, light, average = (point.areas["image_auroc"] or 0 for point in found.points)
    assert average == pytest.approx((dark + light) / 2)
    assert all(point.areas["aupro"] is None for point in found.points)
    assert [len(bank.features) for bank in banks] == [8, 8]
    (words,) = found.unreadable
    assert "9.png" in words


def test_what_differs_from_the_recipe_is_what_the_table_is_about() -> None:
    paper = PRESETS["paper"]
    changed = {
        (setting.ablation, name)
        for setting in settings_of(paper)
        for name, value in setting.training.as_json().items()
        if value != getattr(paper, name)
    }
    assert changed == {
        ("levels", "levels"), ("adaptor", "adaptor"), ("noise", "noise"),
        ("neighbourhood", "neighbourhood"), ("loss", "loss"), ("loss", "adaptor"),
    }  # fmt: skip


def test_pictures_of_another_class_are_the_bad_ones() -> None:
    labels = np.array([0, 0, 1, 1, 2])
    judged = Judged(rows=[0, 2, 3, 4], scores=[0.9, 0.1, 0.2, 0.8])  # one was not readable
    assert area_of_class(judged, labels, 1) == 1
    assert area_of_class(judged, labels, 0) == 0
