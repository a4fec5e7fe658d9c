"""Tiles of distances in vector registers, for the compiled search: 16 numbers a tile.

Numba keeps sums that belong to an array in memory; these few lines say what stays in registers.
LLVM splits a tile into as many registers as the processor needs. A product and a sum may be fused,
so the same tile can round differently on another processor; nothing that is returned comes from
a tile. Only the process that compiles imports this.
"""

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.extending import intrinsic

Writer = Callable[..., Any]

# As numba sees it, a tile has one argument less than its function: the typing context.
_written: Callable[[Writer], Writer] = intrinsic

_FLOAT = ir.FloatType()
_TILE = ir.VectorType(_FLOAT, 16)
_INDEX = ir.IntType(64)
_FUSED = ("contract",)
_EARLY = 2  # half of a tile's channels are often enough to see that nothing is within its limits


class _Writer:
    """Writes the instructions of one tile."""

    def __init__(self, builder: Any) -> None:
        self._builder = builder

    def load(self, data: Any, at: Any, lanes: int = 16) -> Any:
        """Load some floats that follow each other."""
        found = self._builder.load(self._place(data, at, lanes))
        found.align = 4
        return found

    def store(self, tile: Any, data: Any, at: Any) -> None:
        """Store a tile."""
        self._builder.store(tile, self._place(data, at, 16)).align = 4

    def _place(self, data: Any, at: Any, lanes: int) -> Any:
        pointer = self._builder.gep(data, [at])
        return self._builder.bitcast(pointer, ir.VectorType(_FLOAT, lanes).as_pointer())

    def repeated(self, number: Any) -> Any:
        """Return a tile of one number."""
        builder = self._builder
        tile = builder.insert_element(ir.Constant(_TILE, ir.Undefined), number, _int32(0))
        return self._shuffled(tile, [0] * 16)

    def four_times(self, four: Any) -> Any:
        """Return four numbers a, b, c, d as a, b, c, d, a, b, c, d, ..."""
        return self._shuffled(four, [lane % 4 for lane in range(16)])

    def _shuffled(self, tile: Any, lanes: list[int]) -> Any:
        mask = ir.Constant(ir.VectorType(ir.IntType(32), 16), [_int32(lane) for lane in lanes])
        return self._builder.shuffle_vector(tile, ir.Constant(tile.type, ir.Undefined), mask)

    def sums(self, starts: list[Any]) -> list[Any]:
        """Return variables for sums, which LLVM keeps in registers."""
        builder = self._builder
        variables = [cgutils.alloca_once(builder, _TILE) for _ in starts]
        for variable, start in zip(variables, starts, strict=True):
            builder.store(start, variable)
        return variables

    def add_square(self, variable: Any, first: Any, second: Any) -> None:
        """Add (first - second)^2 to a sum."""
        builder = self._builder
        difference = builder.fsub(first, second)
        square = builder.fmul(difference, difference, flags=_FUSED)
        builder.store(builder.fadd(builder.load(variable), square, flags=_FUSED), variable)

    def at_most(self, tile: Any, limits: Any) -> Any:
        """Return as the bits of an integer which numbers are at most those of another tile."""
        builder = self._builder
        bits = builder.bitcast(builder.fcmp_ordered("<=", tile, limits), ir.IntType(16))
        return builder.zext(bits, _INDEX)


def _int32(value: int) -> Any:
    return ir.Constant(ir.IntType(32), value)


def _index(value: int) -> Any:
    return ir.Constant(_INDEX, value)


@_written
def coarse_tiles(
    typing: Any,
    query: Any,
    query_at: Any,
    rows: Any,
    rows_at: Any,
    channels: Any,
    out: Any,
    out_at: Any,
    out_step: Any,
) -> tuple[Any, Writer]:
    """Write the squared distances of 4 query cells from 16 gallery cells.

    `query`: 4 x channels; `rows`: channels x 16; `out`: 4 rows of 16, `out_step` apart. All are
    one-dimensional float32 arrays, used from the given index on.
    """

    def write(context: Any, builder: Any, _signature: Any, values: Sequence[Any]) -> Any:
        w = _Writer(builder)
        query, query_at, rows, rows_at, channels, out, out_at, out_step = values
        sums = w.sums([ir.Constant(_TILE, [ir.Constant(_FLOAT, 0)] * 16)] * 4)
        with cgutils.for_range(builder, channels) as loop:
            row = w.load(rows, builder.add(rows_at, builder.mul(loop.index, _index(16))))
            for number, variable in enumerate(sums):
                at = builder.add(query_at, builder.mul(channels, _index(number)))
                own = builder.load(builder.gep(query, [builder.add(at, loop.index)]))
                w.add_square(variable, w.repeated(own), row)
        for number, variable in enumerate(sums):
            at = builder.add(out_at, builder.mul(out_step, _index(number)))
            w.store(builder.load(variable), out, at)
        return context.get_dummy_value()

    given = (query, query_at, rows, rows_at, channels, out, out_at, out_step)
    return types.none(*given), write


@_written
def pair_tile(
    typing: Any,
    query: Any,
    query_at: Any,
    cells: Any,
    cells_at: Any,
    channels: Any,
    start: Any,
    limits: Any,
    limits_at: Any,
    out: Any,
    out_at: Any,
) -> tuple[Any, Writer]:
    """Write `start` + the squared distances of 4 query cells from 4 gallery cells.

    Returns which of the 16 are at most their limit: bit 4 q + g of an integer. `query`: channels
    (an even number) x 16, every cell's number four times; `cells`: channels x 4.
    """

    def write(context: Any, builder: Any, _signature: Any, values: Sequence[Any]) -> Any:
        w = _Writer(builder)
        query, query_at, cells, cells_at, channels, start, limits, limits_at, out, out_at = values
        zeros = ir.Constant(_TILE, [ir.Constant(_FLOAT, 0)] * 16)
        sums = w.sums([w.repeated(start), zeros])
        limit = w.load(limits, limits_at)
        found = cgutils.alloca_once_value(builder, _index(0))
        pairs = builder.udiv(channels, _index(2))
        middle = builder.udiv(pairs, _index(_EARLY))

        def add(first: Any, end: Any) -> Any:
            with cgutils.for_range_slice(builder, first, end, _index(1), intp=_INDEX) as (index, _):
                for number, variable in enumerate(sums):
                    channel = builder.add(builder.mul(index, _index(2)), _index(number))
                    own_at = builder.add(query_at, builder.mul(channel, _index(16)))
                    four_at = builder.add(cells_at, builder.mul(channel, _index(4)))
                    others = w.four_times(w.load(cells, four_at, 4))
                    w.add_square(variable, w.load(query, own_at), others)
            return builder.fadd(builder.load(sums[0]), builder.load(sums[1]))

        early = w.at_most(add(_index(0), middle), limit)
        with builder.if_then(builder.icmp_unsigned("!=", early, _index(0))):
            tile = add(middle, pairs)
            w.store(tile, out, out_at)
            builder.store(w.at_most(tile, limit), found)
        return builder.load(found)

    given = (query, query_at, cells, cells_at, channels, start, limits, limits_at, out, out_at)
    return types.int64(*given), write


@_written
def lanes_below(typing: Any, values: Any, at: Any, limit: Any) -> tuple[Any, Writer]:
    """Return which of 16 values that follow each other are at most `limit`, as bits; NaN never."""

    def write(context: Any, builder: Any, _signature: Any, values: Sequence[Any]) -> Any:
        w = _Writer(builder)
        data, at, limit = values
        return w.at_most(w.load(data, at), w.repeated(limit))

    return types.int64(values, at, limit), write


@_written
def offset(typing: Any, data: Any, at: Any) -> tuple[Any, Writer]:
    """Return a pointer some elements further."""

    def write(_context: Any, builder: Any, _signature: Any, values: Sequence[Any]) -> Any:
        return builder.gep(values[0], [values[1]])

    return data(data, at), write


@_written
def trailing_zeros(typing: Any, bits: Any) -> tuple[Any, Writer]:
    """Return the number of the lowest bit that is set in an integer that is not 0."""

    def write(_context: Any, builder: Any, _signature: Any, values: Sequence[Any]) -> Any:
        return builder.cttz(values[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(bits), write


@_written
def floats_at(typing: Any, address: Any) -> tuple[Any, Writer]:
    """Return the pointer to floats at an address."""

    def write(_context: Any, builder: Any, _signature: Any, values: Sequence[Any]) -> Any:
        return builder.inttoptr(values[0], _FLOAT.as_pointer())

    return types.CPointer(types.float32)(address), write
