import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, roc_auc_score

from inspector_gui.core.measuring import metrics
from inspector_gui.core.opencv import cv2
from inspector_gui.core.types import Bools, Floats

Maps = list[Floats]
Masks = list[Bools]
Case = tuple[Maps, Masks]


def sweep_aupro(maps: Maps, masks: Masks, limit: float = metrics.FPR_LIMIT) -> float:
    """AUPRO as papers compute it: every threshold, mean overlap of regions, trapezoid rule."""
    regions = []
    for values, mask in zip(maps, masks, strict=True):
        count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
        regions += [values[labels == label] for label in range(1, count)]
    normal = np.concatenate([v[~m] for v, m in zip(maps, masks, strict=True)])
    every = np.unique(np.concatenate([v.ravel() for v in maps]))[::-1]
    fpr, overlap = [0.0], [0.0]
    for threshold in every:
        fpr.append(float((normal >= threshold).mean()))
        overlap.append(float(np.mean([(region >= threshold).mean() for region in regions])))
    at_limit = float(np.interp(limit, fpr, overlap))
    below = [i for i, rate in enumerate(fpr) if rate <= limit]
    x = [*(fpr[i] for i in below), limit]
    y = [*(overlap[i] for i in below), at_limit]
    return float(np.trapezoid(y, x)) / limit


@st.composite
def pictures(draw: st.DrawFn, *, tops: tuple[int, ...] = (0, 1, 6)) -> Case:
    """A few small maps with many ties, and masks with several regions."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count, top = draw(st.integers(1, 4)), draw(st.sampled_from(tops))
    maps, masks = [], []
    for _ in range(count):
        shape = (int(rng.integers(2, 12)), int(rng.integers(2, 12)))
        maps.append(rng.integers(0, top + 1, shape).astype(np.float32))
        masks.append(rng.random(shape) < rng.choice([0.0, 0.1, 0.4]))
    masks[0].flat[0] = True
    masks[0].flat[-1] = False
    return maps, masks


def measured(maps: Maps, masks: Masks) -> metrics.PixelResult:
    pixels = metrics.PixelMetrics()
    for values, mask in zip(maps, masks, strict=True):
        pixels.add(values, mask)
    result = pixels.result()
    assert result is not None
    return result


@settings(deadline=None)
@given(pictures())
def test_pixel_auroc_is_that_of_scikit_learn_with_ties(case: Case) -> None:
    maps, masks = case
    truth = np.concatenate([m.ravel() for m in masks])
    scores = np.concatenate([v.ravel() for v in maps])
    assert measured(maps, masks).auroc == pytest.approx(roc_auc_score(truth, scores), abs=1e-12)


@settings(deadline=None)
@given(pictures(tops=(0, 1, 6, 10**6)))
def test_aupro_is_that_of_a_threshold_sweep_with_and_without_ties(case: Case) -> None:
    maps, masks = case
    measured_aupro = measured(maps, masks).aupro
    if len({value for v in maps for value in v.ravel().tolist()}) > 1:
        assert measured_aupro == pytest.approx(sweep_aupro(maps, masks), abs=1e-9)
    else:
        # One value everywhere: the curve is the diagonal, whose integral is known.
        assert measured_aupro == pytest.approx(metrics.FPR_LIMIT / 2)


@settings(deadline=None)
@given(pictures())
def test_the_order_of_the_pictures_does_not_matter(case: Case) -> None:
    maps, masks = case
    forwards, backwards = measured(maps, masks), measured(maps[::-1], masks[::-1])
    assert forwards.auroc == pytest.approx(backwards.auroc, abs=1e-12)
    assert forwards.aupro == pytest.approx(backwards.aupro, abs=1e-12)


def test_small_regions_count_as_much_as_large_ones_in_aupro_only() -> None:
    values, mask = np.zeros((40, 40), np.float32), np.zeros((40, 40), np.bool_)
    mask[:20, :20] = True  # a large region that is found
    values[:20, :20] = 1
    mask[30, 30] = True  # and one of a single pixel that is found last
    values[30, 30] = -1
    result = measured([values], [mask])
    assert result.auroc > 0.99
    # The zeros of all normal pixels begin at a false-positive rate of 0: half the regions.
    assert result.aupro == pytest.approx(0.5)


def test_pixels_that_touch_at_a_corner_are_one_region() -> None:
    mask = np.zeros((4, 4), np.bool_)
    mask[0, 0] = mask[1, 1] = True
    values = np.zeros((4, 4), np.float32)
    values[0, 0] = 2  # half of the only region
    values[1, 1] = -1
    assert measured([values], [mask]).aupro == pytest.approx(0.5)


def test_pixel_metrics_are_unknown_without_a_mask_or_without_normal_pixels() -> None:
    pixels = metrics.PixelMetrics()
    assert pixels.result() is None
    pixels.add(np.zeros((3, 3), np.float32), np.zeros((3, 3), np.bool_))
    assert pixels.result() is None
    full = metrics.PixelMetrics()
    full.add(np.zeros((3, 3), np.float32), np.ones((3, 3), np.bool_))
    assert full.result() is None


def test_pixels_grow_beyond_the_first_block() -> None:
    rng = np.random.default_rng(5)
    maps = [rng.random((700, 1000), np.float32) for _ in range(3)]
    masks = [v > 0.9 for v in maps]
    assert measured(maps, masks).auroc == pytest.approx(1.0)
    masks = [rng.random(v.shape) < 0.1 for v in maps]
    truth = np.concatenate([m.ravel() for m in masks])
    scores = np.concatenate([v.ravel() for v in maps])
    assert measured(maps, masks).auroc == pytest.approx(roc_auc_score(truth, scores), abs=1e-9)


def test_a_map_that_does_not_fit_its_mask_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        metrics.PixelMetrics().add(np.zeros((3, 4), np.float32), np.zeros((4, 3), np.bool_))


@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(1, 30))
@settings(deadline=None, max_examples=30)
def test_f1_max_is_reached_at_its_threshold_and_nowhere_exceeded(
    seed: int, goods: int, bads: int
) -> None:
    rng = np.random.default_rng(seed)
    bad = np.repeat([False, True], [goods, bads])
    scores = np.round(rng.normal(bad * 1.0), 1)
    best = metrics.f1_max(bad, scores)
    assert best is not None
    assert f1_score(bad, scores >= best[1]) == pytest.approx(best[0])
    assert max(f1_score(bad, scores >= t) for t in scores) == pytest.approx(best[0])


def test_the_interval_is_seeded_holds_the_area_and_narrows_with_more_images() -> None:
    rng = np.random.default_rng(0)

    def interval(count: int, *, seed: int = 1) -> float:
        bad = np.repeat([False, True], count)
        scores = np.concatenate([rng.normal(0, 1, count), rng.normal(1, 1, count)])
        area = metrics.image_auroc(bad, scores)
        found = metrics.auroc_interval(bad, scores, seed=seed)
        assert found is not None
        assert found == metrics.auroc_interval(bad, scores, seed=seed)
        assert found != metrics.auroc_interval(bad, scores, seed=seed + 1)
        assert area is not None
        assert found[0] < area < found[1]
        return found[1] - found[0]

    assert interval(400) < interval(25) / 2


def test_the_interval_agrees_with_plain_resampling_of_pairs() -> None:
    rng = np.random.default_rng(3)
    bad = np.repeat([False, True], [20, 30])
    scores = np.round(np.concatenate([rng.normal(0, 1, 20), rng.normal(0.7, 1, 30)]), 1)
    goods, bads = scores[~bad], scores[bad]
    won = (bads[:, None] > goods) + (bads[:, None] == goods) / 2
    plain = [won[rng.integers(0, 30, 30)][:, rng.integers(0, 20, 20)].mean() for _ in range(4000)]
    found = metrics.auroc_interval(bad, scores, seed=0, resamples=4000)
    assert found == pytest.approx(np.quantile(plain, [0.025, 0.975]).tolist(), abs=0.015)


@pytest.mark.parametrize("bad", [np.zeros(3, np.bool_), np.ones(3, np.bool_)])
def test_image_metrics_are_unknown_with_only_one_kind_of_image(bad: Bools) -> None:
    scores = np.arange(3.0)
    assert metrics.image_auroc(bad, scores) is None
    assert metrics.auroc_interval(bad, scores, seed=0) is None
    assert metrics.average_precision(bad, scores) is None
    assert (metrics.f1_max(bad, scores) is None) == (not bad.any())
