"""SPADE: deep pyramid correspondences (Cohen, Hoshen 2020, arXiv 2005.02357).

Stage 1 is DN2's score with K = 50 (section 3.2). Stage 2 compares every place of the part with all
places of its K nearest references (section 3.3): d(y, p) = 1/kappa * sum over the kappa nearest
gallery features of |f - F(y, p)|^2. The maximum of the smoothed map as the image score is ours,
and so are the weight of the border (see `border`, and `own_border` where pictures keep their
shape) and a second, coarser map (see `core.scales`), which the preset `paper` leaves out. Padding
is neither searched for nor found.
"""

import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from inspector_gui.core.compiled import CompiledSearch, code_folder, load_search
from inspector_gui.core.features import Features, Gallery, HalvedGallery
from inspector_gui.core.level_weights import WeightedGallery, level_weights
from inspector_gui.core.methods.base import anomaly_map
from inspector_gui.core.methods.border import border_weight
from inspector_gui.core.methods.dn2 import global_score
from inspector_gui.core.methods.gate import gate_limit
from inspector_gui.core.methods.own_border import OwnBorder, own_border
from inspector_gui.core.neighbours import ShouldStop
from inspector_gui.core.pyramid import (
    MOST_BYTES,
    PyramidGallery,
    PyramidShape,
    ReferencePlaces,
    shape_of,
)
from inspector_gui.core.pyramid_search import nearest_places
from inspector_gui.core.runtimes import gpu_kind
from inspector_gui.core.scales import Levels, halved, halved_inside, joined
from inspector_gui.core.types import KEEP, Floats, Inside, Scores, Scoring

if TYPE_CHECKING:  # torch is imported where there is a GPU alone
    from inspector_gui.core.pyramid_device import DeviceSearch

_TWO = 2  # scales, see `core.scales`


@dataclass(frozen=True)
class Spade:
    """SPADE with `scoring.k` references, `scoring.kappa` gallery features, `scoring.sigma`.

    `stage1_limit` lets parts at or below it pass without a map, as published; None (the default)
    takes the recipe's, which has none unless it has a gate: people look at parts.
    """

    scoring: Scoring
    stage1_limit: float | None = None
    _kept: list["_Kept"] = field(default_factory=list, init=False, repr=False, compare=False)
    _compiled: list[CompiledSearch] = field(
        default_factory=list, init=False, repr=False, compare=False
    )
    has_map = True

    def score(
        self,
        features: Features,
        gallery: Gallery,
        *,
        exclude: int | None = None,
        should_stop: ShouldStop = lambda: False,
    ) -> Scores:
        """See `Method.score`."""
        began = time.perf_counter()
        limit = self.stage1_limit
        if limit is None and self.scoring.gate:
            limit = self._kept_of(gallery)[0].stage1_limit
        if limit is not None:
            stage1, rows = global_score(features, gallery, self.scoring.k, exclude=exclude)
            if stage1 <= limit:
                seconds = time.perf_counter() - began
                return Scores(
                    image=stage1,
                    stage1=stage1,
                    nearest=rows,
                    timings={"stage1": seconds},
                    passed_stage1=True,
                )
        return self.score_with_map(features, gallery, exclude=exclude, should_stop=should_stop)

    def score_with_map(
        self,
        features: Features,
        gallery: Gallery,
        *,
        exclude: int | None = None,
        should_stop: ShouldStop = lambda: False,
    ) -> Scores:
        """See `Gated.score_with_map`."""
        began = time.perf_counter()
        stage1, rows = global_score(features, gallery, self.scoring.k, exclude=exclude)
        timings = {"stage1": time.perf_counter() - began}
        began = time.perf_counter()
        maps = [
            self._map(places, levels, inside, rows, exclude, should_stop)
            for places, (levels, inside) in zip(
                self._kept_of(gallery), self._scales(features), strict=True
            )
        ]
        patches = joined(*maps) if len(maps) == _TWO else maps[0]
        image = float(anomaly_map(patches, self.scoring).max())
        timings["stage2"] = time.perf_counter() - began
        return Scores(image=image, stage1=stage1, nearest=rows, patches=patches, timings=timings)

    def _map(
        self,
        kept: "_Kept",
        levels: Levels,
        inside: Inside | None,
        rows: tuple[int, ...],
        exclude: int | None,
        should_stop: ShouldStop,
    ) -> Floats:
        """Return the map of one scale, weighted at the border: float32, its finest grid.

        Of a set that K covers all references are laid out, also while one is left out.
        """
        covers_all = len(rows) + (exclude is not None) == len(kept.gallery)
        wanted = tuple(range(len(kept.gallery))) if covers_all else tuple(sorted(rows))
        places = kept.places(wanted)
        skip = wanted.index(exclude) if exclude in wanted else None
        distances = nearest_places(
            kept.weights.apply(levels),
            places,
            inside=inside,
            kappa=kept.weights.kappa(self.scoring.kappa),
            skip=skip,
            should_stop=should_stop,
            compiled=self._search(),
            device=kept.device,
        )
        if self.scoring.border_weight and self.scoring.fit == KEEP:
            distances *= kept.own_border.weight(inside, skip=exclude)
        elif self.scoring.border_weight:
            distances *= kept.border(places, skip)
        return distances

    def _scales(self, features: Features) -> list[tuple[Levels, Inside | None]]:
        """Return the levels of every scale, finest first, and what shows the picture in them."""
        scales = [(features.levels, features.inside)]
        if self.scoring.scales == _TWO:
            scales.append((halved(features.levels), halved_inside(features.inside)))
        return scales

    def _kept_of(self, gallery: Gallery) -> list["_Kept"]:
        if not self._kept or self._kept[0].gallery is not gallery:
            self._kept[:] = [_Kept(self.scoring, gallery)]
            if self.scoring.scales == _TWO:
                # A quarter as large, each: as many are kept.
                coarse = _Kept(self.scoring, HalvedGallery(gallery), most_bytes=MOST_BYTES // 4)
                self._kept.append(coarse)
        return self._kept

    def _search(self) -> CompiledSearch | None:
        """Return the compiled search once there is one; numpy searches until then."""
        if not self._compiled:
            found = load_search(code_folder())
            if found is not None:
                self._compiled.append(found)
        return self._compiled[0] if self._compiled else None


def _search_on(device: str, scales: int) -> "DeviceSearch":
    """Return a search that keeps the gallery of one of so many scales on a device."""
    from inspector_gui.core.pyramid_device import BUDGET, DeviceSearch

    return DeviceSearch(device, budget=BUDGET // scales)


class _Kept:
    """References of one gallery, laid out once and kept for other parts, up to `most_bytes`."""

    def __init__(self, scoring: Scoring, gallery: Gallery, *, most_bytes: int = MOST_BYTES) -> None:
        self.scoring, self.gallery, self._most_bytes = scoring, gallery, most_bytes
        self.weights = level_weights(scoring, gallery)
        self._shape: PyramidShape | None = None
        self._references: dict[int, ReferencePlaces] = {}
        self._last: tuple[tuple[int, ...], PyramidGallery] | None = None
        self._border: tuple[PyramidGallery, int | None, Floats] | None = None

    def places(self, rows: tuple[int, ...]) -> PyramidGallery:
        """Return these rows of the gallery as places to search."""
        if self._last is not None and self._last[0] == rows:
            return self._last[1]
        chosen = {row: self._references.get(row) or self._read(row) for row in rows}
        others = {row: own for row, own in self._references.items() if row not in chosen}
        self._references = others | chosen  # those used last come last
        most = max(len(rows), self._most_bytes // chosen[rows[0]].nbytes)
        for row in list(self._references)[:-most]:
            del self._references[row]
        places = PyramidGallery(tuple(chosen.values()))
        self._last = rows, places
        return places

    def border(self, places: PyramidGallery, skip: int | None) -> Floats:
        """Return the border's weights; computed once while the same neighbours are asked for."""
        if self._border is None or self._border[:2] != (places, skip):
            self._border = places, skip, border_weight(places, skip=skip)
        return self._border[2]

    @cached_property
    def device(self) -> "DeviceSearch | None":
        """The search on a GPU where the recipe runs on one."""
        is_cuda = self.scoring.runtime == "torch" and gpu_kind() == "cuda"
        return _search_on("cuda", self.scoring.scales) if is_cuda else None

    @cached_property
    def stage1_limit(self) -> float | None:
        """The limit of the recipe's gate; None without one."""
        return gate_limit(self.scoring, self.gallery)

    @cached_property
    def own_border(self) -> OwnBorder:
        """How the references vary at their own borders; read once."""
        return own_border(WeightedGallery(self.gallery, self.weights))

    def _read(self, row: int) -> ReferencePlaces:
        stored = self.gallery.levels(row)
        if self._shape is None:
            self._shape = shape_of(self.weights.apply(stored))
        inside = self.gallery.inside(row)
        return ReferencePlaces(stored, self._shape, self.weights.apply, inside)
