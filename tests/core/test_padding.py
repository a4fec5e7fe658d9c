"""Padding is never scored, and as a reference it never makes a defect look good."""

from pathlib import Path

import numpy as np
import pytest

from inspector_gui import paths
from inspector_gui.core.features import Extractor, FeatureList, Features, feature_shape
from inspector_gui.core.measuring.pixel_frame import map_on_frame
from inspector_gui.core.methods import make_method
from inspector_gui.core.methods.base import anomaly_map, inspected, leave_one_out
from inspector_gui.core.preprocess import Geometry, resize
from inspector_gui.core.types import KEEP, RGB, Floats, Inside, Scoring
from inspector_gui.store.features_cache import FeatureReader, open_store

from .galleries import concatenated
from .photographs import shipped_picture

SCORING = Scoring(size=128, height=160, fit=KEEP, border_weight=False)


@pytest.fixture
def extractor() -> Extractor:
    return Extractor(SCORING, weights_folder=paths.weights_folder(), cache=paths.networks_folder())


def photograph(seed: int, height: int, width: int) -> RGB:
    """Return a piece of a photograph."""
    coffee = shipped_picture("coffee")
    top, left = 10 * seed, 15 * seed
    return np.ascontiguousarray(coffee[top : top + height, left : left + width])


def flat(features: Features) -> tuple[Floats, Floats]:
    """Return the joint features of inspected places and of all others (places x channels)."""
    fine, middle, coarse = features.levels
    grown = [fine]
    for level, factor in ((middle, 2), (coarse, 4)):
        grown.append(level.repeat(factor, 0).repeat(factor, 1))
    joint = np.concatenate(grown, axis=2)
    is_inside = np.zeros(fine.shape[:2], bool)
    assert features.inside is not None
    top, left, bottom, right = features.inside
    is_inside[top:bottom, left:right] = True
    return joint[is_inside], joint[~is_inside]


@pytest.mark.parametrize(("height", "width"), [(90, 250), (250, 90), (211, 150), (1, 200)])
def test_padded_places_are_copies_of_inspected_ones_on_all_levels_at_once(
    extractor: Extractor, height: int, width: int
) -> None:
    features = extractor.extract(photograph(1, height, width))
    shapes = tuple(level.shape for level in features.levels)
    assert shapes == feature_shape(SCORING).levels
    inside, outside = flat(features)
    assert len(outside) > 0
    known = {place.tobytes() for place in inside}
    assert all(place.tobytes() in known for place in outside)


def test_the_network_sees_a_padded_picture_as_it_would_see_it_alone(extractor: Extractor) -> None:
    """Its features do not depend on how much is padded, or on the shape of the input."""
    image = resize(photograph(2, 128, 128), 128, 128)
    alone = Extractor(
        Scoring(size=128), weights_folder=paths.weights_folder(), cache=paths.networks_folder()
    ).extract(image)
    features = extractor.extract(image)
    assert features.inside == (0, 0, 32, 32)
    np.testing.assert_allclose(features.levels[0][:32], alone.levels[0], atol=1e-4)
    np.testing.assert_allclose(features.pooled, alone.pooled, atol=1e-4)


def test_a_picture_that_fills_the_input_has_no_padding(extractor: Extractor) -> None:
    assert extractor.extract(photograph(0, 200, 160)).inside is None


def test_distances_of_padding_are_unknown_and_the_image_score_is_of_the_rest(
    extractor: Extractor,
) -> None:
    goods = [extractor.extract(photograph(n, 200, 160)) for n in range(3)]
    wide = extractor.extract(photograph(6, 90, 250))
    scores = make_method(SCORING).score(wide, FeatureList(tuple(goods)))
    assert scores.patches is not None
    assert wide.inside is not None
    top, left, bottom, right = wide.inside
    known = np.zeros(scores.patches.shape, bool)
    known[top:bottom, left:right] = True
    np.testing.assert_array_equal(~np.isnan(scores.patches), known)
    assert scores.image == anomaly_map(scores.patches, SCORING).max()


def test_what_lies_on_padding_changes_neither_map_nor_score() -> None:
    patches = np.random.default_rng(0).random((40, 32), dtype=np.float32)
    hot = patches.copy()
    hot[:8] = hot[24:] = 1e6
    inside = (8, 0, 24, 32)
    patches, hot = (without_padding(p, inside) for p in (patches, hot))
    plain, loud = (anomaly_map(p, SCORING) for p in (patches, hot))
    np.testing.assert_array_equal(plain, loud)
    assert loud.max() <= 1
    assert plain.shape == (160, 128)
    assert (plain[:32] == plain.min()).all()
    assert (plain[96:] == plain.min()).all()
    assert inspected(patches) == (slice(8, 24), slice(0, 32))


def without_padding(patches: Floats, inside: Inside) -> Floats:
    """Return patch distances that are NaN outside of `Features.inside`."""
    top, left, bottom, right = inside
    known = np.full_like(patches, np.nan)
    known[top:bottom, left:right] = patches[top:bottom, left:right]
    return known


def test_a_reference_finds_itself_when_padded_and_left_out_it_does_not(
    extractor: Extractor,
) -> None:
    items = tuple(extractor.extract(photograph(n, 90, 200 + n)) for n in range(4))
    method, gallery = make_method(SCORING), FeatureList(items)
    assert method.score(items[1], gallery).image == pytest.approx(0, abs=1e-3)
    alone = leave_one_out(method, gallery, 1)
    assert alone.image > 0.1
    assert alone.patches is not None
    assert np.isnan(alone.patches).any()


def test_a_blank_picture_is_no_more_like_padded_references_than_like_the_same_ones_unpadded(
    extractor: Extractor,
) -> None:
    """Plain padding would be just what a blank part looks like."""
    blank = extractor.extract(np.full((200, 160, 3), 127, np.uint8))
    padded = [extractor.extract(photograph(n, 90, 250)) for n in range(3)]
    scores = make_method(SCORING).score(blank, FeatureList(tuple(padded)))
    places = np.concatenate([flat(features)[0] for features in padded])
    query = _joint(blank)
    nearest = [((places - place) ** 2).sum(axis=1).min() for place in query[::37]]
    assert scores.patches is not None
    np.testing.assert_allclose(scores.patches.ravel()[::37], nearest, rtol=1e-3)


def _joint(features: Features) -> Floats:
    fine, middle, coarse = features.levels
    grown = (fine, middle.repeat(2, 0).repeat(2, 1), coarse.repeat(4, 0).repeat(4, 1))
    return np.concatenate(grown, axis=2).reshape(-1, sum(g.shape[2] for g in grown))


def test_where_a_picture_lies_is_kept_on_disk(extractor: Extractor, tmp_path: Path) -> None:
    items = [extractor.extract(photograph(0, 200, 160)), extractor.extract(photograph(1, 90, 250))]
    shas = [f"{n:064x}" for n in range(2)]
    with open_store(tmp_path, SCORING) as store:
        for sha, item in zip(shas, items, strict=True):
            store.append(sha, item)
        gallery = store.gallery(shas)
        assert [gallery.inside(row) for row in range(2)] == [None, items[1].inside]
        np.testing.assert_array_equal(gallery.levels(1)[0], items[1].levels[0])
        folder = store.folder
    reader = FeatureReader(folder)
    assert reader.shape == feature_shape(SCORING)
    assert reader.gallery(shas).inside(1) == items[1].inside


@pytest.mark.parametrize(("height", "width"), [(300, 900), (900, 300), (640, 512)])
def test_pixel_metrics_see_the_map_on_the_pictures_own_frame(height: int, width: int) -> None:
    place = Geometry.of(SCORING).placement(height, width)
    top, left, bottom, right = place.cells(4)
    patches = np.full((40, 32), np.nan, np.float32)
    patches[top:bottom, left:right] = 1
    patches[(top + bottom) // 2, (3 * left + right) // 4] = 9
    values = map_on_frame(patches, SCORING, (height, width))
    assert max(values.shape) == 512
    assert values.min() > 0  # nothing of the picture is left out
    y, x = np.unravel_index(int(values.argmax()), values.shape)
    assert abs(y / values.shape[0] - 0.5) < 0.06
    assert abs(x / values.shape[1] - 0.25) < 0.06


def test_joint_features_are_those_that_the_search_compares() -> None:
    rng = np.random.default_rng(0)
    fine, middle, coarse = (rng.random((side, side, 2)).astype(np.float32) for side in (8, 4, 2))
    features = Features(np.zeros(1, np.float32), (fine, middle, coarse))
    np.testing.assert_array_equal(_joint(features), concatenated(features.levels))
