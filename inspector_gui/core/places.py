"""Where the cells of a feature grid lie in a picture, and which cell a point of it is in."""

from typing import NamedTuple

from inspector_gui.core.preprocess import Geometry
from inspector_gui.core.types import Scoring

Place = tuple[int, int]
"""Row and column of a cell of the grid that a method compares: SPADE's finest, or PatchCore's."""
_MARKED = 4  # cells on a side of a mark


class Box(NamedTuple):
    """An upright rectangle in pixels of a picture; `x` and `y` are its top left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def centre(self) -> tuple[float, float]:
        """Its middle, x and y."""
        return self.x + self.width / 2, self.y + self.height / 2


def input_area(scoring: Scoring, height: int, width: int) -> Box:
    """Return where the network's input lies about an H x W picture, in pixels of the picture.

    With padding it is larger than the picture, with a crop smaller.
    """
    place = Geometry.of(scoring).placement(height, width)
    left, top = place.to_picture(0, 0)
    right, bottom = place.to_picture(scoring.input_width, scoring.input_height)
    return Box(left, top, right - left, bottom - top)


def place_at(x: float, y: float, area: Box, grid: tuple[int, int]) -> Place | None:
    """Return the cell of a grid (rows, columns) laid over `area` in which a point lies.

    A point on the far edge belongs to the last cell; None for one outside.
    """
    row = _cell(y - area.y, area.height, grid[0])
    column = _cell(x - area.x, area.width, grid[1])
    return None if row is None or column is None else (row, column)


def _cell(offset: float, length: float, count: int) -> int | None:
    if not 0 <= offset <= length or length <= 0:
        return None
    return min(int(offset / length * count), count - 1)


def square_of(place: Place, area: Box, grid: tuple[int, int]) -> Box:
    """Return the box that marks a cell: centred on it, four cells wide.

    For SPADE that is a cell of the coarsest level, for PatchCore about the neighbourhood of a
    patch. The features that are compared come from a surrounding of that size and more.
    """
    tall, wide = area.height / grid[0], area.width / grid[1]
    y, x = area.y + (place[0] + 0.5) * tall, area.x + (place[1] + 0.5) * wide
    return Box(x - wide * _MARKED / 2, y - tall * _MARKED / 2, wide * _MARKED, tall * _MARKED)
