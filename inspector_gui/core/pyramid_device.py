"""The search of SPADE's map on a GPU: the same bounds, as a few large products in chunks.

D(p, q) = D_coarse + D_middle + D_fine with every term >= 0, as in `pyramid_kernel`. For some cells
of the part: coarse distances to all cells by one product; limits from the fine places of the
nearest few cells; cells that no limit excludes go on to a product of their middle features; pairs
of middle cells that no limit excludes, gathered, to one of their fine features. Products round,
so limits are widened by more than that, and the few places that rounding leaves in question are
measured in double precision on the host, in the order of the other searches: the bits are theirs.

Everything is cut to a budget of device memory: a third for references, a third for bounds, a
third for pairs. Where even that is not free, the budget is halved and the search begins anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from inspector_gui.core.errors import KnownError
from inspector_gui.core.neighbours import Ints, ShouldStop
from inspector_gui.core.pyramid import (
    Doubles,
    Levels,
    PyramidGallery,
    PyramidShape,
    nested,
    shape_of,
)
from inspector_gui.core.pyramid_measured import nearest_first
from inspector_gui.core.types import Bools

if TYPE_CHECKING:  # imported where a device searches, by what needs it
    import torch

BUDGET = 1_000_000_000
"""Bytes of device memory that a search may take."""

_CELLS = 32  # coarse cells of the part at once, where there is room
_PROBES = 8  # coarse cells that give the first limits
_MOST_TIES = 256  # places of one query that products cannot tell apart and that are all measured
_ROUNDING = 2e-7  # of the norms and per channel: twice the worst case of a float32 sum
_COARSER = 2.0**13  # times that where the device may multiply in TF32
_PAIR_OF_CELLS = 16 * 64  # bytes for its middle pairs: distances, bounds, and the list of them
_PAIR = 2000  # bytes for a middle pair beside its features: fine distances, and the list of them

Tensors: TypeAlias = "tuple[torch.Tensor, torch.Tensor, torch.Tensor]"


@dataclass(frozen=True)
class _Plan:
    """How much is done at once: cells of the part, cells of the references, pairs, references."""

    cells: int
    columns: int
    pairs: int
    reference_bytes: int


def _plan(budget: int, shape: PyramidShape, reference_bytes: int, references: int) -> _Plan | None:
    """Return what fits into a budget in bytes; None where not even the least does."""
    third = budget // 3
    held = max(1, min(references, third // max(1, reference_bytes)))
    of_coarse = 16 * held * shape.cells  # a line of coarse distances, and what comes of it
    of_pair = 32 * shape.channels[2] + _PAIR
    of_column = 32 * shape.channels[1]
    line = of_coarse + max(16 * _PROBES * of_pair, of_column + _PAIR_OF_CELLS)
    if reference_bytes > third or line > third or of_pair > third:
        return None
    cells = max(1, min(_CELLS, shape.cells, third // line))
    room = third - cells * of_coarse
    columns = max(1, room // (of_column + cells * _PAIR_OF_CELLS))
    return _Plan(cells, columns, third // of_pair, third)


@dataclass(frozen=True, eq=False)
class _Side:
    """Centred features of cells on the device, and their squared lengths.

    Coarse: cells x C3, middle: cells x 4 x C2, fine: cells x 4 x 4 x C1. The lengths of padding are
    infinite, so that nothing is near it; `largest` is that of the longest place of every cell.
    """

    levels: Tensors
    norms: Tensors
    largest: torch.Tensor

    def of(self, cells: slice) -> _Side:
        """Return the same of some cells."""
        (a, b, c), (d, e, f) = self.levels, self.norms
        levels, norms = (a[cells], b[cells], c[cells]), (d[cells], e[cells], f[cells])
        return _Side(levels, norms, self.largest[cells])


@dataclass(eq=False)
class _Found:
    """What a search knows so far: a limit for every place, and the places that are within it.

    `limits`, `slack`: float32, one for each place of the part; `who`, `where`: numbers of a place
    of the part and of the gallery; `distances`: by products.
    """

    limits: torch.Tensor
    slack: torch.Tensor
    who: torch.Tensor
    where: torch.Tensor
    distances: torch.Tensor

    def take(self, who: torch.Tensor, where: torch.Tensor, distances: torch.Tensor) -> None:
        """Add places that are within their limits."""
        import torch

        self.who = torch.cat([self.who, who])
        self.where = torch.cat([self.where, where])
        self.distances = torch.cat([self.distances, distances])

    def tidy(self, kappa: int) -> None:
        """Bring the limits up to date, and forget the places that exceed them."""
        import torch

        if not len(self.who):
            return
        order = torch.argsort(self.distances, stable=True)
        order = order[torch.argsort(self.who[order], stable=True)]
        who, where, distances = self.who[order], self.where[order], self.distances[order]
        rank = torch.arange(len(who), device=who.device) - torch.searchsorted(who, who)
        last = rank == kappa - 1
        self.limits[who[last]] = torch.minimum(self.limits[who[last]], distances[last])
        kept = distances <= self.limits[who] + self.slack[who]
        kept &= rank < kappa + _MOST_TIES
        self.who, self.where, self.distances = who[kept], where[kept], distances[kept]


class DeviceSearch:
    """Searches on one device of torch, within `budget` bytes of its memory. Not thread-safe."""

    def __init__(self, device: str, *, budget: int = BUDGET) -> None:
        import torch

        self._device = torch.device(device)
        self._budget = budget
        self._kept: list[tuple[PyramidGallery, _Side]] = []
        self._centre: Tensors | None = None

    @property
    def budget(self) -> int:
        """Bytes of device memory that searches may take: halved whenever so much was not free."""
        return self._budget

    def search(
        self,
        levels: Levels,
        gallery: PyramidGallery,
        distances: Doubles,
        numbers: Ints,
        *,
        skip: int | None = None,
        should_stop: ShouldStop = lambda: False,
    ) -> None:
        """Write the nearest places of every place of a part into the rows of two arrays.

        As `pyramid_search.find_places` returns them, places x kappa; left as they are where the
        search is stopped. Raises `KnownError` where the device has too little memory.
        """
        import torch

        while True:
            try:
                with torch.inference_mode():
                    found = self._found(levels, gallery, distances.shape[1], skip, should_stop)
                break
            except RuntimeError as error:
                if not _is_out_of_memory(error):
                    raise
            self._kept.clear()
            self._budget //= 2
            if self._device.type == "cuda":
                torch.cuda.empty_cache()
        if found is not None:
            who, where = (part.cpu().numpy() for part in (found.who, found.where))
            distances[:], numbers[:] = nearest_first(who, where, levels, gallery, numbers.shape[1])

    def _found(
        self,
        levels: Levels,
        gallery: PyramidGallery,
        kappa: int,
        skip: int | None,
        should_stop: ShouldStop,
    ) -> _Found | None:
        """Return candidates for every place; None where the search was stopped."""
        shape, each = gallery.shape, gallery.references[0].nbytes
        plan = _plan(self._budget, shape, each, len(gallery.references))
        if plan is None:
            raise KnownError(
                "The GPU has too little free memory to compare a part with its references. End "
                "other programs that use it, or choose a smaller input or the runtime openvino."
            )
        found: _Found | None = None
        part: _Side | None = None
        count = shape_of(levels).cells
        for first, piece in gallery.pieces(plan.reference_bytes):
            others = self._on_device(piece, is_kept=first == 0)
            if part is None or found is None:
                part = self._side(nested(levels))
                found = self._nothing(count)
            found.slack = found.slack.maximum(self._slack(part, others, shape))
            own = None if skip is None else (skip - first) * shape.cells
            for start in range(0, count, plan.cells):
                if should_stop():
                    return None
                cells = slice(start, min(start + plan.cells, count))
                before = first * shape.cells
                self._look(found, part.of(cells), cells, others, before, own, kappa, plan, shape)
        return found

    def _look(
        self,
        found: _Found,
        part: _Side,
        cells: slice,
        others: _Side,
        before: int,
        own: int | None,
        kappa: int,
        plan: _Plan,
        shape: PyramidShape,
    ) -> None:
        """Compare some cells of a part with the cells of a piece of the gallery.

        `before`: cells of earlier pieces; `own`: first cell of the reference that is left out.
        """
        import torch

        coarse = _distances(part.levels[0], part.norms[0], others.levels[0], others.norms[0])
        if own is not None and 0 <= own < coarse.shape[1]:
            coarse[:, own : own + shape.cells] = np.inf
        start = 16 * cells.start
        places = slice(start, 16 * cells.stop)
        limits, slack = found.limits[places], found.slack[places]
        probed = self._probed(part, others, coarse, kappa)
        if probed is not None:
            limits.copy_(limits.minimum(probed))
        of_cell = (limits + slack).view(-1, 16).amax(dim=1)
        columns = (coarse <= of_cell[:, None]).any(dim=0).nonzero()[:, 0]
        columns = columns[coarse[0, columns].isfinite()]
        for some in torch.split(columns, plan.columns):
            middle = _distances(
                part.levels[1].flatten(0, 1),
                part.norms[1].flatten(),
                others.levels[1].index_select(0, some).flatten(0, 1),
                others.norms[1].index_select(0, some).flatten(),
            ).view(len(coarse), 4, len(some), 4)
            middle += coarse.index_select(1, some)[:, None, :, None]
            of_middle = (limits + slack).view(-1, 4, 4).amax(dim=2)
            near = (middle <= of_middle[:, :, None, None]) & middle.isfinite()
            pairs = near.nonzero()
            for pair in torch.split(pairs, plan.pairs):
                mine, theirs = pair[:, 0] * 4 + pair[:, 1], some[pair[:, 2]] * 4 + pair[:, 3]
                fine = self._fine(part, others, mine, theirs)
                fine += middle[pair[:, 0], pair[:, 1], pair[:, 2], pair[:, 3]][:, None, None]
                reach = (limits + slack).view(-1, 4)[mine]
                hit = ((fine <= reach[:, :, None]) & fine.isfinite()).nonzero()
                nearest = fine[hit[:, 0], hit[:, 1], hit[:, 2]]
                who = mine[hit[:, 0]] * 4 + hit[:, 1]
                if kappa == 1:
                    limits.scatter_reduce_(0, who, nearest, "amin")
                    kept = nearest <= (limits + slack)[who]
                    hit, who, nearest = hit[kept], who[kept], nearest[kept]
                where = (before * 4 + theirs[hit[:, 0]]) * 4 + hit[:, 2]
                found.take(who + start, where, nearest)
                found.tidy(kappa)

    def _fine(
        self, part: _Side, others: _Side, mine: torch.Tensor, theirs: torch.Tensor
    ) -> torch.Tensor:
        """Return the fine distances of pairs of middle cells, by products: pairs x 4 x 4."""
        fine, norms = (
            values.flatten(0, 1).index_select(0, mine) for values in (part.levels[2], part.norms[2])
        )
        other, other_norms = (
            values.flatten(0, 1).index_select(0, theirs)
            for values in (others.levels[2], others.norms[2])
        )
        start = norms[:, :, None] + other_norms[:, None, :]
        return start.baddbmm(fine, other.transpose(1, 2), alpha=-2)

    def _probed(
        self, part: _Side, others: _Side, coarse: torch.Tensor, kappa: int
    ) -> torch.Tensor | None:
        """Return what none of each place's kappa nearest exceeds; None without enough places."""
        import torch

        count = max(_PROBES, -(-kappa // 16))
        if count > _PROBES or coarse.shape[1] < count:
            return None  # the list of found places gives the limits then
        bounds, cells = coarse.topk(count, dim=1, largest=False)
        rows = torch.arange(len(coarse), device=coarse.device)[:, None, None, None]
        child = torch.arange(4, device=coarse.device)
        mine = (rows * 4 + child[:, None]).expand(-1, count, 4, 4)
        theirs = (cells[:, :, None, None] * 4 + child).expand(-1, count, 4, 4)
        middle = part.norms[1][:, None, :, None] + others.norms[1][cells][:, :, None, :]
        theirs_middle = others.levels[1][cells].transpose(2, 3)
        middle = middle - 2 * (part.levels[1][:, None] @ theirs_middle)
        fine = self._fine(part, others, mine.flatten(), theirs.flatten())
        found = fine.view(len(coarse), count, 4, 4, 4, 4)
        found = found + (middle + bounds[:, :, None, None])[..., None, None]
        by_place = found.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(0, 2)
        return by_place.kthvalue(kappa, dim=1).values

    def _on_device(self, piece: PyramidGallery, *, is_kept: bool) -> _Side:
        """Return a piece of a gallery on the device; the first one stays for the next part."""
        import torch

        if self._kept and self._kept[0][0] is piece:
            return self._kept[0][1]
        parts = [nested(reference.levels) for reference in piece.references]
        coarse, middle, fine = (
            np.concatenate([part[number] for part in parts]) for number in range(3)
        )
        if is_kept:
            self._kept.clear()
            means = coarse.mean(axis=0), middle.mean(axis=(0, 1)), fine.mean(axis=(0, 1, 2))
            centre = [torch.from_numpy(mean).to(self._device) for mean in means]
            self._centre = centre[0], centre[1], centre[2]
        side = self._side((coarse, middle, fine), _padding(piece))
        if is_kept:
            self._kept.append((piece, side))
        return side

    def _side(self, levels: Levels, padding: Bools | None = None) -> _Side:
        import torch

        assert self._centre is not None
        moved = [
            torch.from_numpy(np.ascontiguousarray(level)).to(self._device, copy=True).sub_(centre)
            for level, centre in zip(levels, self._centre, strict=True)
        ]
        coarse, middle, fine = (torch.linalg.vecdot(level, level) for level in moved)
        largest = coarse + middle.amax(dim=1) + fine.amax(dim=(1, 2))
        if padding is not None:
            outside = torch.from_numpy(padding).to(self._device)
            coarse[outside.all(dim=2).all(dim=1)] = np.inf
            middle[outside.all(dim=2)] = np.inf
            fine[outside] = np.inf
        return _Side((moved[0], moved[1], moved[2]), (coarse, middle, fine), largest)

    def _nothing(self, cells: int) -> _Found:
        import torch

        limits = torch.full((16 * cells,), np.inf, device=self._device)
        none = torch.empty(0, dtype=torch.int64, device=self._device)
        return _Found(limits, torch.zeros_like(limits), none, none, limits[:0])

    def _slack(self, part: _Side, others: _Side, shape: PyramidShape) -> torch.Tensor:
        """Return how far rounding can take the distances of each place from the true ones."""
        import torch

        rounding = _ROUNDING * (sum(shape.channels) + 8)
        if torch.get_float32_matmul_precision() != "highest":
            rounding *= _COARSER
        return (rounding * (part.largest + others.largest.max())).repeat_interleave(16)


def _padding(piece: PyramidGallery) -> Bools | None:
    """Return which places of all cells are padding, cells x 4 x 4; None where none is."""
    if all(reference.padding is None for reference in piece.references):
        return None
    none = np.zeros((piece.shape.cells, 4, 4), np.bool_)
    parts = [reference.padding for reference in piece.references]
    return np.concatenate([none if part is None else part for part in parts])


def _distances(
    first: torch.Tensor, first_norms: torch.Tensor, second: torch.Tensor, second_norms: torch.Tensor
) -> torch.Tensor:
    """Return squared distances by a product: rows of the first x rows of the second."""
    found = second_norms[None].addmm(first, second.T, alpha=-2)
    return found.add_(first_norms[:, None])


def _is_out_of_memory(error: RuntimeError) -> bool:
    import torch

    words = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError) or "allocate memory" in words
