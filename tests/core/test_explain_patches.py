from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from inspector_gui.core import explain_patches
from inspector_gui.core.explain import explained_grid, explainer_of
from inspector_gui.core.explain_patches import PatchExplainer
from inspector_gui.core.explanation import CANDIDATES, Explainer, Explanation
from inspector_gui.core.features import Extractor, FeatureList, Features
from inspector_gui.core.methods.patchcore import GalleryBank, Patchcore
from inspector_gui.core.patch_bank import choose_patches
from inspector_gui.core.patches import patch_area, patch_features
from inspector_gui.core.types import Scoring
from tests.drawn import picture

from .galleries import gallery_of, random_levels

REFERENCES, SIDE = 9, 4
ORDER = [3, 0, 5, 1, 8, 4, 2, 7, 6]


def gallery(count: int = REFERENCES) -> FeatureList:
    return gallery_of([[n, n] for n in range(count)])


def part() -> Features:
    return Features(np.ones(2, np.float32), random_levels(np.random.default_rng(99)))


def banked(references: FeatureList, share: float = 0.5) -> GalleryBank:
    """Return a bank whose references are in another order than the gallery's."""
    order = [row for row in ORDER if row < len(references)]
    return GalleryBank(references, choose_patches(references, share, order=order), np.array(order))


def explained(references: FeatureList, bank: GalleryBank, place: tuple[int, int]) -> Explanation:
    return to_the_end(PatchExplainer(part(), references, bank, place))


def to_the_end(explainer: Explainer) -> Explanation:
    while (found := explainer.step()) is None:
        pass
    return found


def distances_to(bank: GalleryBank, patch: np.ndarray) -> npt.NDArray[np.float64]:
    return np.asarray(((bank.patches.vectors.astype(np.float64) - patch) ** 2).sum(axis=1))


def test_the_bank_knows_where_each_of_its_patches_is_from() -> None:
    references = gallery()
    bank = banked(references)
    for vector in range(len(bank.patches)):
        row, place = bank.origin(vector)
        patches = patch_features(references.levels(row))
        assert np.array_equal(bank.patches.vectors[vector], patches[place])


def test_matches_are_the_nearest_patches_of_different_references_closest_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(explain_patches, "_BLOCK_VALUES", 50)  # some patches a step
    references = gallery()
    bank = banked(references)
    found = explained(references, bank, (1, 2))
    distances = distances_to(bank, patch_features(part().levels)[1, 2])
    best: dict[int, tuple[int, tuple[int, int], float]] = {}
    for vector in np.argsort(distances):
        row, place = bank.origin(int(vector))
        best.setdefault(row, (row, place, distances[vector]))
    wanted = list(best.values())[: CANDIDATES + 1]
    assert [(m.row, m.place) for m in found.matches] == [(row, place) for row, place, _ in wanted]
    assert [m.distance for m in found.matches] == pytest.approx([d for *_, d in wanted], rel=1e-6)
    assert found.distance == found.matches[0].distance


def test_what_is_usual_is_every_reference_against_the_patches_of_the_others() -> None:
    references = gallery()
    bank = banked(references)
    usual = explained(references, bank, (3, 0)).usual
    owners = np.array([bank.origin(vector)[0] for vector in range(len(bank.patches))])
    left_out = [
        distances_to(bank, patch_features(references.levels(row))[3, 0])[owners != row].min()
        for row in range(REFERENCES)
    ]
    assert usual is not None
    assert usual.count == REFERENCES
    assert usual.median == pytest.approx(np.median(left_out), rel=1e-6)
    assert usual.high == pytest.approx(np.quantile(left_out, 0.95), rel=1e-6)


def test_padding_is_neither_explained_nor_an_explanation() -> None:
    rng = np.random.default_rng(4)
    insides = [(0, 0, 8, 5), (0, 0, 5, 8), None, (0, 4, 8, 8), (0, 0, 3, 3)]
    pooled = np.ones(2, np.float32)
    references = FeatureList(tuple(Features(pooled, random_levels(rng), i) for i in insides))
    method = Patchcore(Scoring(method="patchcore", size=32, coreset=1.0))
    bank = method.bank(references)
    part = Features(pooled, random_levels(rng), (0, 0, 7, 8))
    found = to_the_end(PatchExplainer(part, references, bank, (0, 3)))
    assert len(found.matches) == len(insides)
    for match in found.matches:
        assert match.place is not None
        top, left, bottom, right = patch_area(references.levels(0), insides[match.row])
        assert top <= match.place[0] < bottom
        assert left <= match.place[1] < right
    assert found.usual is not None
    assert found.usual.count == 3  # of five: two are not there
    with pytest.raises(ValueError, match="of a grid of"):
        PatchExplainer(Features(pooled, part.levels, (0, 0, 6, 8)), references, bank, (3, 0))


def test_a_single_reference_says_nothing_about_what_is_usual() -> None:
    references = gallery(1)
    found = explained(references, banked(references), (0, 0))
    assert found.usual is None
    assert len(found.matches) == 1


def test_of_many_references_a_sample_says_what_is_usual() -> None:
    references = gallery(40)
    method = Patchcore(Scoring(method="patchcore", size=32, coreset=0.2))
    usual = explained(references, method.bank(references), (0, 0)).usual
    assert usual is not None
    assert usual.count == 32


@pytest.mark.parametrize("place", [(-1, 0), (SIDE, 0), (0, SIDE)])
def test_a_place_outside_the_grid_is_refused(place: tuple[int, int]) -> None:
    references = gallery()
    with pytest.raises(ValueError, match="of a grid of"):
        PatchExplainer(part(), references, banked(references), place)


def test_it_explains_the_very_value_of_the_map(networks: Path, weights: Path) -> None:
    scoring = Scoring(method="patchcore", size=96, k=2, coreset=0.2)
    extractor = Extractor(scoring, weights_folder=weights, cache=networks)
    references = FeatureList(tuple(extractor.extract(picture(seed)) for seed in range(8)))
    stained = extractor.extract(picture(70, defect="stain"))
    method = Patchcore(scoring)
    scores = method.score(stained, references)
    assert scores.patches is not None
    assert explained_grid(method, stained) == scores.patches.shape == (12, 12)
    hottest = np.unravel_index(int(scores.patches.argmax()), scores.patches.shape)
    for place in [(0, 0), (11, 5), (int(hottest[0]), int(hottest[1]))]:
        found = to_the_end(explainer_of(method, stained, references, scores.nearest, place))
        assert found.distance == pytest.approx(float(scores.patches[place]), rel=1e-6)
    assert found.distance == pytest.approx(scores.image)
    assert found.times_usual is not None
    assert found.times_usual > 1.5
