"""Why a place of a part is far from normal: what it was compared with, and what is usual there.

A map keeps one distance a place. Here a single place is compared once more, by brute force, and
everything is kept: which place of which reference came closest, which ones come next, and how far
the references themselves are from each other at that place (each left out by its index). Where a
method compares whole pictures (DN2), or a part has no map, pictures take the place of places;
patches of PatchCore's bank are in `explain_patches`.

Every explainer works in short steps, so that it can share a thread.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from inspector_gui.core.explain_patches import PatchExplainer
from inspector_gui.core.explanation import (
    CANDIDATES,
    Doubles,
    Explainer,
    Explanation,
    Match,
    evenly_chosen,
    usual_of,
)
from inspector_gui.core.features import Features, Gallery, HalvedGallery
from inspector_gui.core.level_weights import WeightedGallery, level_weights
from inspector_gui.core.methods.base import Method
from inspector_gui.core.methods.dn2 import global_score
from inspector_gui.core.methods.patchcore import Patchcore
from inspector_gui.core.methods.simplenet import Simplenet
from inspector_gui.core.neighbours import squared_distances
from inspector_gui.core.patches import patch_area
from inspector_gui.core.places import Place
from inspector_gui.core.scales import geometric_mean, halved, halved_inside
from inspector_gui.core.types import Floats, Inside

_NEAREST_USUAL = 20  # the same among whole pictures, nearest first

Levels = tuple[Floats, Floats, Floats]


def explained_grid(method: Method, features: Features) -> tuple[int, int]:
    """Return the rows and columns of the grid whose cells a method compares: that of its map."""
    level = features.levels[1] if isinstance(method, Patchcore) else features.levels[0]
    return level.shape[0], level.shape[1]


def explained_area(method: Method, features: Features) -> Inside:
    """Return which cells of `explained_grid` show the picture: first row, column, last + 1."""
    if isinstance(method, Patchcore):
        return patch_area(features.levels, features.inside)
    return features.inside or (0, 0, *explained_grid(method, features))


def explainer_of(
    method: Method,
    features: Features,
    gallery: Gallery,
    rows: Sequence[int],
    place: Place | None,
) -> Explainer:
    """Return what explains a part under a method.

    `rows` are the references it was compared with, nearest first (PatchCore compares with the whole
    bank); `place` a cell of `explained_grid`, None for the whole picture, which is all there is of
    SimpleNet. Raises `ValueError` without rows and outside the grid.
    """
    if place is None or not features.levels[0].size or isinstance(method, Simplenet):
        return PartExplainer(features, gallery, k=method.scoring.k)
    if isinstance(method, Patchcore):
        return PatchExplainer(features, gallery, method.bank(gallery), place)
    fine = _place_explainer(method, features, gallery, rows, place)
    if method.scoring.scales == 1:
        return fine
    inside = halved_inside(features.inside)
    averaged = replace(features, levels=halved(features.levels), inside=inside)
    there = place[0] // 2, place[1] // 2
    return ScalesExplainer(
        fine, _place_explainer(method, averaged, HalvedGallery(gallery), rows, there)
    )


def _place_explainer(
    method: Method, features: Features, gallery: Gallery, rows: Sequence[int], place: Place
) -> "PlaceExplainer":
    weights = level_weights(method.scoring, gallery)
    if not weights.is_plain:
        features = replace(features, levels=weights.apply(features.levels))
        gallery = WeightedGallery(gallery, weights)
    kappa = weights.kappa(method.scoring.kappa)
    return PlaceExplainer(features, gallery, rows, place, kappa=kappa)


def explain_place(
    features: Features, gallery: Gallery, rows: Sequence[int], place: Place, *, kappa: int = 1
) -> Explanation:
    """Explain one place of a part by the references in `rows`; see `PlaceExplainer`."""
    return _to_the_end(PlaceExplainer(features, gallery, rows, place, kappa=kappa))


def explain_part(features: Features, gallery: Gallery, *, k: int) -> Explanation:
    """Explain a part by whole pictures; see `PartExplainer`."""
    return _to_the_end(PartExplainer(features, gallery, k=k))


def _to_the_end(explainer: Explainer) -> Explanation:
    while (found := explainer.step()) is None:
        pass
    return found


class PlaceExplainer:
    """Compares one place of a part with every place of some references, one of these a step.

    The distance is SPADE's (Cohen & Hoshen 2020, section 3.3; coarser levels by nearest
    upsampling), summed over differences; padding has no places. What is usual: the references' own
    distance at the same place to all others, of at most 32 of those that have it, evenly chosen.
    """

    def __init__(
        self,
        features: Features,
        gallery: Gallery,
        rows: Sequence[int],
        place: Place,
        *,
        kappa: int = 1,
    ) -> None:
        grid = features.levels[0].shape[0], features.levels[0].shape[1]
        if not rows:
            raise ValueError("nothing to compare with")
        if not _shows(features.inside, grid, place):
            raise ValueError(f"place {place} of a grid of {grid}")
        self._gallery, self._place = gallery, place
        self._outside = {row: _padding(gallery.inside(row), grid) for row in rows}
        counts = [grid[0] * grid[1] - len(cells) for cells in self._outside.values()]
        self._kappa = min(kappa, sum(counts))
        self._left = deque(rows)
        self._up = _upsampling(features.levels)
        self._query = _at(features.levels, place)
        there = [row for row in rows if _shows(gallery.inside(row), grid, place)]
        self._own = [there[n] for n in evenly_chosen(len(there))]
        owned = [_at(gallery.levels(row), place) for row in self._own]
        self._owned = [np.stack(values) for values in zip(*owned, strict=True)]
        self._found: list[Match] = []
        self._nearest = _Nearest(1, self._kappa)
        self._usual = _Nearest(len(self._own), self._kappa)

    def step(self) -> Explanation | None:
        """Compare with the next reference; see `Explainer.step`."""
        row = self._left.popleft()
        levels = self._gallery.levels(row)
        distances = self._exact(levels)
        distances[self._outside[row]] = np.inf
        best = int(distances.argmin())
        column_count = levels[0].shape[1]
        self._found.append(
            Match(row, (best // column_count, best % column_count), float(distances[best]))
        )
        self._nearest.take(distances[None])
        if self._own:
            self._usual.take(self._of_others(row, levels))
        return None if self._left else self._explanation()

    def usual_of_rows(self) -> dict[int, float]:
        """Return the distance of each reference looked at, once the explanation is there."""
        return dict(zip(self._own, self._usual.means().tolist(), strict=True)) if self._own else {}

    def _explanation(self) -> Explanation:
        matches = sorted(self._found, key=lambda match: match.distance)[: CANDIDATES + 1]
        distance = float(self._nearest.means()[0])
        usual = usual_of(self._usual.means()) if self._own else None
        return Explanation(self._place, distance, usual, tuple(matches))

    def _exact(self, levels: Levels) -> Doubles:
        """Return the squared distance of the part's place to every fine place of a reference."""
        total: Doubles | None = None
        for level, query, up in zip(levels, self._query, self._up, strict=True):
            of_level = squared_distances(query, level.reshape(-1, level.shape[2]))[up]
            total = of_level if total is None else total + of_level
        assert total is not None
        return total

    def _of_others(self, row: int, levels: Levels) -> Doubles:
        """Return the kappa smallest distances of the references' places to one, a line each.

        Matrix products in float32 choose the places; their distances are summed over differences.
        """
        fine = levels[0].shape[0] * levels[0].shape[1]
        products = np.zeros((fine, len(self._own)), np.float32)
        for level, queries, up in zip(levels, self._owned, self._up, strict=True):
            centre = queries.mean(axis=0)  # products around it round less
            places = level - centre
            # A product for every line of the grid: larger ones would wait for other threads.
            of_level = places @ (-2 * (queries - centre)).T
            of_level += np.einsum("ywc,ywc->yw", places, places)[:, :, None]
            of_level = of_level.reshape(-1, len(self._own))
            products += of_level if len(of_level) == fine else of_level[up]
        products[self._outside[row]] = np.inf
        kappa = min(self._kappa, fine)
        if kappa == 1:
            chosen = products.argmin(axis=0)[:, None]
        else:
            chosen = np.argpartition(products, kappa - 1, axis=0)[:kappa].T
        total = np.zeros(chosen.shape, np.float64)
        for level, queries, up in zip(levels, self._owned, self._up, strict=True):
            places = level.reshape(-1, level.shape[2])[up[chosen]]
            difference = places.astype(np.float64) - queries[:, None]
            total += np.einsum("qkc,qkc->qk", difference, difference)
        total[np.isin(chosen, self._outside[row])] = np.inf
        total[[own == row for own in self._own]] = np.inf
        return total


class ScalesExplainer:
    """Explains a place at two scales, one after the other; see `Explanation.scales`."""

    def __init__(self, fine: PlaceExplainer, coarse: PlaceExplainer) -> None:
        self._explainers = fine, coarse
        self._found: list[Explanation] = []

    def step(self) -> Explanation | None:
        """Take a step at the scale that is not done; see `Explainer.step`."""
        found = self._explainers[len(self._found)].step()
        if found is not None:
            self._found.append(found)
        if len(self._found) < len(self._explainers):
            return None
        fine, coarse = self._found
        distance = geometric_mean(np.array(fine.distance), np.array(coarse.distance))
        of_fine, of_coarse = (explainer.usual_of_rows() for explainer in self._explainers)
        both = [row for row in of_fine if row in of_coarse]
        usual = None
        if both:
            values = (np.array([own[row] for row in both]) for own in (of_fine, of_coarse))
            usual = usual_of(geometric_mean(*values))
        return replace(fine, distance=float(distance), usual=usual, scales=(fine, coarse))


class PartExplainer:
    """Compares a part with the references nearest to it, and each of these with the others.

    DN2's score (Bergman, Cohen, Hoshen 2020, equation 1), the references' by leave-one-out: usual
    is what the up to 20 nearest ones have. One reference a step.
    """

    def __init__(self, features: Features, gallery: Gallery, *, k: int) -> None:
        self._gallery, self._k = gallery, k
        rows = gallery.nearest(features.pooled, max(_NEAREST_USUAL, CANDIDATES + 1))
        if not len(rows):
            raise ValueError("nothing to compare with")
        distances = squared_distances(features.pooled, gallery.pooled_of(rows))
        self._matches = tuple(
            Match(int(row), None, float(distance))
            for row, distance in zip(rows, distances, strict=True)
        )[: CANDIDATES + 1]
        self._distance, _ = global_score(features, gallery, k)
        self._left = deque(int(row) for row in rows[:_NEAREST_USUAL] if len(gallery) > 1)
        self._scores: list[float] = []

    def step(self) -> Explanation | None:
        """Score the next reference against the others; see `Explainer.step`."""
        if self._left:
            row = self._left.popleft()
            own = Features(self._gallery.pooled_of([row])[0], self._gallery.levels(row))
            score, _ = global_score(own, self._gallery, self._k, exclude=row)
            self._scores.append(score)
        if self._left:
            return None
        usual = usual_of(np.array(self._scores)) if self._scores else None
        return Explanation(None, self._distance, usual, self._matches)


class _Nearest:
    """The kappa smallest distances that each of some queries has met."""

    def __init__(self, queries: int, kappa: int) -> None:
        self._kept = np.full((queries, kappa), np.inf)

    def take(self, distances: Doubles) -> None:
        """Meet more distances: queries x any number."""
        kappa = self._kept.shape[1]
        if kappa == 1:
            np.minimum(self._kept, distances.min(axis=1, keepdims=True), out=self._kept)
            return
        both = np.concatenate([self._kept, distances], axis=1)
        self._kept = np.partition(both, kappa - 1, axis=1)[:, :kappa]

    def means(self) -> Doubles:
        """Return the mean of each query's smallest distances, of fewer where there are fewer."""
        counts = np.isfinite(self._kept).sum(axis=1)
        sums = np.where(np.isfinite(self._kept), self._kept, 0).sum(axis=1)
        return np.asarray(sums / np.maximum(counts, 1), np.float64)


def _shows(inside: Inside | None, grid: tuple[int, int], place: Place) -> bool:
    """Whether a picture is at a place of the finest grid."""
    top, left, bottom, right = inside or (0, 0, *grid)
    return top <= place[0] < bottom and left <= place[1] < right


def _padding(inside: Inside | None, grid: tuple[int, int]) -> npt.NDArray[np.int64]:
    """Return the flat cells of the finest grid where a picture is not."""
    outside = np.ones(grid, np.bool_)
    top, left, bottom, right = inside or (0, 0, *grid)
    outside[top:bottom, left:right] = False
    return np.flatnonzero(outside)


def _upsampling(levels: Levels) -> list[npt.NDArray[np.int64]]:
    """Return, for each level, the flat cell that lies under every flat cell of the finest one."""
    height, width = levels[0].shape[:2]
    found = []
    for level in levels:
        rows = np.arange(height) * level.shape[0] // height
        columns = np.arange(width) * level.shape[1] // width
        found.append((rows[:, None] * level.shape[1] + columns).ravel().astype(np.int64))
    return found


def _at(levels: Levels, place: Place) -> tuple[Floats, ...]:
    """Return the feature of every level (C each) at a fine place."""
    height, width = levels[0].shape[:2]
    return tuple(
        level[place[0] * level.shape[0] // height, place[1] * level.shape[1] // width]
        for level in levels
    )
