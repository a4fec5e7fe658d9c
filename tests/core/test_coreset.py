from pathlib import Path

import numpy as np
import pytest

from inspector_gui import paths
from inspector_gui.core import coreset
from inspector_gui.core.coreset import Cover, greedy, no_cover, plain_greedy
from inspector_gui.core.errors import Cancelled
from inspector_gui.core.features import Extractor
from inspector_gui.core.images import list_images, read_image
from inspector_gui.core.methods import scoring_for
from inspector_gui.core.neighbours import Ints, float_distances
from inspector_gui.core.patches import patch_features
from inspector_gui.core.types import Floats


@pytest.fixture(autouse=True)
def _short_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists and products that a few thousand rows do not fit in."""
    for name, value in {"_LISTED": 64, "_ROWS": 128, "_PICKS": 32, "_STEPS": 8}.items():
        monkeypatch.setattr(coreset, name, value)


def made_up(kind: str) -> Floats:
    rng = np.random.default_rng(7)
    if kind == "spread":
        return rng.normal(size=(1500, 24)).astype(np.float32)
    if kind == "clusters far from the origin":
        centres = rng.normal(size=(30, 24)) * 10 + 1000
        return np.asarray(
            centres[rng.integers(30, size=1500)] + rng.normal(size=(1500, 24)) * 0.1, np.float32
        )
    if kind == "ties":
        return rng.integers(0, 3, size=(1500, 5)).astype(np.float32)
    return np.zeros((200, 3), np.float32)


def plainly_from(rows: Floats, chosen: Ints, count: int) -> Ints:
    """Go on from rows chosen already, by the definition."""
    distances = np.full(len(rows), np.inf, np.float32)
    picks = list(chosen)
    for row in picks:
        np.minimum(distances, float_distances(rows[row], rows), out=distances)
    while len(picks) < count:
        distances[picks] = -1
        picks.append(int(distances.argmax()))
        np.minimum(distances, float_distances(rows[picks[-1]], rows), out=distances)
    return np.array(picks)


def is_true(rows: Floats, cover: Cover) -> bool:
    """Whether each row's distance is the one to the nearest of the picks it has seen."""
    for row in range(0, len(rows), 7):
        seen = rows[cover.chosen[: cover.seen[row]]]
        found = float_distances(rows[row], seen)
        if found.min() != cover.distances[row] or found[cover.nearest[row]] != found.min():
            return False
    return True


@pytest.mark.parametrize("kind", ["spread", "clusters far from the origin", "ties", "all equal"])
@pytest.mark.parametrize("start", [0, 123])
def test_the_picks_are_those_of_the_plain_algorithm(kind: str, start: int) -> None:
    rows = made_up(kind)
    cover = greedy(rows, 150, start=start)
    assert cover.chosen.tolist() == plain_greedy(rows, 150, start=start).tolist()
    assert is_true(rows, cover)


def test_all_rows_can_be_chosen() -> None:
    rows = made_up("ties")[:300]
    cover = greedy(rows, 300)
    assert cover.chosen.tolist() == plain_greedy(rows, 300).tolist()
    assert cover.radius == 0


def test_the_picks_are_the_same_on_real_patches(photographs: Path) -> None:
    scoring = scoring_for("patchcore", runtime="openvino")
    extractor = Extractor(
        scoring, weights_folder=paths.weights_folder(), cache=paths.networks_folder()
    )
    files = list_images([photographs / "hazelnut_toy" / "train" / "good"])[:6]
    pictures = [patch_features(extractor.extract(read_image(f)).levels) for f in files]
    rows = np.concatenate([patches.reshape(-1, patches.shape[2]) for patches in pictures])
    assert rows.shape == (6 * 28 * 28, 152)
    cover = greedy(rows, 940)
    assert cover.chosen.tolist() == plain_greedy(rows, 940).tolist()
    left = np.setdiff1d(np.arange(len(rows)), cover.chosen)
    true = min(float_distances(rows[r], rows[cover.chosen]).min() for r in cover.chosen[:1])
    assert true == 0
    distances = [float_distances(rows[r], rows[cover.chosen]).min() for r in left]
    assert cover.radius == max(distances)


def test_a_choice_can_be_gone_on_with() -> None:
    rows = made_up("spread")
    first = greedy(rows, 60)
    assert greedy(rows, 150, cover=first).chosen.tolist() == plain_greedy(rows, 150).tolist()
    assert greedy(rows, 40, cover=first).chosen.tolist() == first.chosen.tolist()


def test_with_more_rows_it_goes_on_as_the_plain_algorithm_would_from_the_same_picks() -> None:
    rows = made_up("spread")
    first = greedy(rows[:1000], 100)
    grown = greedy(rows, 150, cover=first.with_rows(500))
    assert grown.chosen.tolist() == plainly_from(rows, first.chosen, 150).tolist()
    assert is_true(rows, grown)


def test_without_some_rows_it_goes_on_as_the_plain_algorithm_would_from_the_other_picks() -> None:
    rows = made_up("clusters far from the origin")
    first = greedy(rows, 120)
    gone = slice(400, 700)
    left = np.delete(rows, gone, axis=0)
    cover = first.without(gone)
    is_left = (first.chosen < gone.start) | (first.chosen >= gone.stop)
    assert np.array_equal(left[cover.chosen], rows[first.chosen[is_left]])
    renewed = greedy(left, 130, cover=cover)
    assert renewed.chosen.tolist() == plainly_from(left, cover.chosen, 130).tolist()
    assert is_true(left, renewed)


def test_a_choice_is_stopped_on_request() -> None:
    told: list[int] = []
    with pytest.raises(Cancelled):
        greedy(made_up("spread"), 900, report=told.append, should_stop=lambda: len(told) > 3)
    assert 0 < told[-1] < 900


@pytest.mark.parametrize(("count", "start"), [(0, 0), (1501, 0), (5, 1500)])
def test_what_is_no_choice_is_refused(count: int, start: int) -> None:
    with pytest.raises(ValueError, match="1500"):
        greedy(made_up("spread"), count, start=start)
    with pytest.raises(ValueError, match="cover"):
        greedy(made_up("spread"), 5, cover=no_cover(3))
