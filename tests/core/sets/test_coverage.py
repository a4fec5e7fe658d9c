import json
import subprocess
import sys

import numpy as np
import pytest

from inspector_gui.core.errors import KnownError
from inspector_gui.core.sets.coverage import (
    MOST_MAPPED,
    Cluster,
    MapOfFeatures,
    clusters_of,
    map_of,
)
from inspector_gui.core.types import Floats


def kinds(*counts: int, spread: float = 1.0, seed: int = 0) -> Floats:
    """Round groups far from each other, one after the other."""
    rng = np.random.default_rng(seed)
    groups = [rng.normal(size=(count, 16)) * spread + 15 * rng.normal(size=16) for count in counts]
    return np.concatenate(groups).astype(np.float32)


@pytest.mark.parametrize("counts", [(40,), (30, 20), (30, 25, 20, 15)])
def test_as_many_clusters_are_found_as_there_are_kinds(counts: tuple[int, ...]) -> None:
    found = clusters_of(kinds(*counts))
    assert [len(cluster.rows) for cluster in found] == list(counts)
    assert found[0].rows == tuple(range(counts[0]))
    assert all(cluster.medoid in cluster.rows for cluster in found)
    assert not any(cluster.is_thin for cluster in found)


def test_a_kind_with_few_pictures_is_thin() -> None:
    found = clusters_of(kinds(40, 3))
    assert [(len(c.rows), c.is_thin) for c in found] == [(40, False), (3, True)]


def test_a_kind_that_varies_more_than_its_pictures_cover_is_thin() -> None:
    features = kinds(40, 12)
    features[40:] = (features[40:] - features[40:].mean(axis=0)) * 3 + features[40:].mean(axis=0)
    found = clusters_of(features)
    assert [(len(c.rows), c.is_thin) for c in found] == [(40, False), (12, True)]


@pytest.mark.parametrize("count", [0, 1, 2, 5, 30])
def test_identical_pictures_are_one_cluster_and_one_point(count: int) -> None:
    same = np.full((count, 6), 3, np.float32)
    assert len(clusters_of(same)) == min(count, 1)
    for kind in ("pca", "tsne"):
        found = map_of(same, kind)
        assert found.points.shape == (count, 2)
        assert not found.points.any()
        assert found.kind == "pca"


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_the_fewest_pictures_have_a_map(count: int) -> None:
    features = kinds(count)
    for kind in ("pca", "tsne"):
        points = map_of(features, kind).points
        assert points.shape == (count, 2)
        assert np.isfinite(points).all()
        assert len(np.unique(points[:, 0])) == count


@pytest.mark.parametrize("kind", ["pca", "tsne"])
def test_a_map_keeps_kinds_apart_and_is_the_same_each_time(kind: str) -> None:
    features = kinds(30, 30)
    found = map_of(features, kind, seed=1)  # type: ignore[arg-type]
    assert found.kind == kind
    assert found.rows == tuple(range(60))
    one, other = found.points[:30], found.points[30:]
    apart = float(((one.mean(axis=0) - other.mean(axis=0)) ** 2).sum())
    assert apart > 2 * max(float(one.var(axis=0).sum()), float(other.var(axis=0).sum()))
    again = map_of(features, kind, seed=1)  # type: ignore[arg-type]
    assert np.array_equal(found.points, again.points)


def test_pca_is_that_of_the_singular_values_up_to_signs() -> None:
    features = kinds(25, seed=4)
    centred = features.astype(np.float64) - features.astype(np.float64).mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    expected = centred @ axes[:2].T
    points = map_of(features, "pca").points
    np.testing.assert_allclose(np.abs(points), np.abs(expected), rtol=1e-3, atol=1e-4)


def test_a_large_set_is_mapped_whole_by_pca() -> None:
    found = map_of(np.random.default_rng(0).normal(size=(MOST_MAPPED + 9, 4)).astype(np.float32))
    assert len(found.rows) == MOST_MAPPED + 9


def test_a_map_survives_the_way_through_a_file() -> None:
    found = map_of(kinds(9))
    read = MapOfFeatures.from_json(json.loads(json.dumps(found.as_json())))
    assert (read.kind, read.rows) == (found.kind, found.rows)
    assert np.array_equal(read.points, found.points)
    empty = map_of(np.empty((0, 4), np.float32))
    assert MapOfFeatures.from_json(empty.as_json()).points.shape == (0, 2)


def test_clusters_survive_the_way_through_a_file() -> None:
    found = clusters_of(kinds(30, 4))
    read = [Cluster.from_json(json.loads(json.dumps(cluster.as_json()))) for cluster in found]
    assert tuple(read) == found


def test_values_for_the_window_are_read_without_what_searches_and_measures() -> None:
    names = ("health", "provenance", "cleaning", "coverage", "slimming", "learning", "subsets")
    imports = "; ".join(f"import inspector_gui.core.sets.{name}" for name in names)
    heavy = "{'faiss', 'sklearn', 'cv2', 'torch', 'openvino'}"
    code = f"import sys; {imports}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_features_that_are_no_numbers_are_refused_in_a_sentence() -> None:
    features = kinds(9)
    features[3, 3] = np.inf
    for ask in (clusters_of, map_of):
        with pytest.raises(KnownError, match="no numbers"):
            ask(features)
