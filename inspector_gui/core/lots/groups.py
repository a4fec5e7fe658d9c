"""Which parts belong together, told from file names, folders and order; and the names of kinds."""

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePath, PurePosixPath

from inspector_gui.core.errors import KnownError

_SEPARATOR = re.compile(r"^(.+)[_-][^_-]*$")
_NUMBER_AT_END = re.compile(r"[\s_.-]*\d+$")


class NamePattern:
    """Finds a piece of a file name: the number of a lot, or the name of a kind.

    A pattern with `(` is a regular expression whose first group is the piece, searched for in the
    stem of the name. Any other pattern describes the whole stem: the first `*` is the piece,
    further ones are anything, `?` is one character. Raises `KnownError` for one that names no
    piece or is no regular expression.
    """

    def __init__(self, pattern: str) -> None:
        self._is_whole = "(" not in pattern
        self._expression = _described(pattern) if self._is_whole else _regular(pattern)

    def piece(self, name: str) -> str | None:
        """Return the piece of a file's name, None where the pattern does not fit."""
        stem = PurePosixPath(name).stem
        find = self._expression.fullmatch if self._is_whole else self._expression.search
        found = find(stem)
        return (found.group(1) or None) if found else None


def lot_of(name: str, pattern: NamePattern | None = None) -> str | None:
    """Return the lot that a file's name tells, None where it tells none.

    Without a pattern it is what stands before the last `_` or `-` of the stem, as in
    `4711_front.png`. Files of different folders are of different lots.
    """
    path = PurePosixPath(name)
    if pattern is not None:
        piece = pattern.piece(name)
    else:
        found = _SEPARATOR.match(path.stem)
        piece = found.group(1) if found else None
    return None if piece is None else (path.parent / piece).as_posix()


def kind_of(name: str, pattern: NamePattern | None = None) -> str:
    """Return the kind that a file's name tells; "other" where it tells none.

    Without a pattern it is the stem without the number at its end, as in `gear-012.png`.
    """
    if pattern is not None:
        return pattern.piece(name) or "other"
    return _NUMBER_AT_END.sub("", PurePosixPath(name).stem) or "other"


def kinds_of_origins(origins: Sequence[str]) -> list[str]:
    """Return a short name for each folder: the pieces of its path by which the folders differ.

    Pieces at the end that all share say nothing: of `gear/train/good` and `washer/train/good`
    the names are `gear` and `washer`.
    """
    paths = {origin: list(PurePath(origin).parts) for origin in origins}
    if len(paths) == 1:
        return [PurePath(origins[0]).name or "other" for _ in origins]
    while all(paths.values()) and len({parts[-1] for parts in paths.values()}) == 1:
        for parts in paths.values():
            parts.pop()
    for count in range(1, max(map(len, paths.values()), default=0) + 1):
        names = {o: "/".join(parts[-count:]) or "other" for o, parts in paths.items()}
        if len(set(names.values())) == len(names):
            return [names[origin] for origin in origins]
    return [origin or "other" for origin in origins]


def gathered(keys: Iterable[str | None]) -> list[list[int]]:
    """Return the rows of each key, keys in order of appearance; rows without a key are left out."""
    rows: dict[str, list[int]] = {}
    for row, key in enumerate(keys):
        if key is not None:
            rows.setdefault(key, []).append(row)
    return list(rows.values())


def every(rows: Sequence[int], size: int) -> list[list[int]]:
    """Return `rows` in lots of `size`; a rest that is no whole lot is left out.

    Raises `KnownError` for a size below 1.
    """
    if size < 1:
        raise KnownError("A lot has at least one part.")
    return [list(rows[start : start + size]) for start in range(0, len(rows) - size + 1, size)]


def _described(pattern: str) -> re.Pattern[str]:
    if "*" not in pattern:
        raise KnownError(
            f"The pattern {pattern!r} has no *; put one where the number stands, as in LOT*_*."
        )
    first, rest = pattern.split("*", 1)
    wild = {"*": ".*", "?": "."}
    before, after = (
        "".join(wild.get(letter, re.escape(letter)) for letter in text) for text in (first, rest)
    )
    return re.compile(f"{before}(.+?){after}" if rest else f"{before}(.+)", re.DOTALL)


def _regular(pattern: str) -> re.Pattern[str]:
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise KnownError(f"The pattern {pattern!r} is no regular expression: {error}.") from error
    if expression.groups < 1:
        raise KnownError(f"The pattern {pattern!r} has no group ( ) for the number.")
    return expression
