"""Which row belongs to which picture: lookup by SHA-256 among a million without an object each."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from inspector_gui.core.neighbours import Ints

HASH_BYTES = 32
Keys = npt.NDArray[np.uint8]
"""Content hashes of pictures: uint8, N x 32."""
_MOST_RECENT = 65_536


def keys_of(shas: Iterable[str]) -> Keys:
    """Return hexadecimal SHA-256s as keys; raises `ValueError` for anything else."""
    shas = shas if isinstance(shas, Sequence) else tuple(shas)
    if not set(map(len, shas)) <= {2 * HASH_BYTES}:
        raise ValueError("expected SHA-256 hashes of 64 hexadecimal digits")
    data = np.frombuffer(bytes.fromhex("".join(shas)), np.uint8)
    if data.size != HASH_BYTES * len(shas):
        raise ValueError("expected SHA-256 hashes of 64 hexadecimal digits")
    return data.reshape(-1, HASH_BYTES)


class PictureRows:
    """The row of every picture by its hash; the hashes themselves stay in their (mapped) array."""

    def __init__(self, keys: Keys) -> None:
        self._sort(keys)

    def __len__(self) -> int:
        return len(self._words) + len(self._recent)

    def find(self, keys: Keys) -> Ints:
        """Return the row of each of some keys (M x 32), -1 where there is none."""
        found = np.full(len(keys), -1, np.int64)
        words = _words(keys)
        wanted = _prefixes(keys)
        places = np.searchsorted(self._prefixes, wanted)
        left = np.arange(len(keys))
        while True:  # more than once only where two hashes begin alike
            inside = places[left] < len(self._prefixes)
            left = left[inside]
            left = left[self._prefixes[places[left]] == wanted[left]]
            if not len(left):
                break
            rows = self._order[places[left]]
            same = (self._words[rows] == words[left]).all(axis=1)
            found[left[same]] = rows[same]
            left = left[~same]
            places[left] += 1
        for place in np.flatnonzero(found < 0) if self._recent else ():
            found[place] = self._recent.get(keys[place].tobytes(), -1)
        return found

    def add(self, key: bytes, row: int) -> None:
        """Note the row of one more picture."""
        self._recent[key] = row

    def wants_sorting(self) -> bool:
        """Whether so many pictures were added that they should be sorted in."""
        return len(self._recent) > _MOST_RECENT

    def _sort(self, keys: Keys) -> None:
        prefixes = _prefixes(keys)
        self._words = _words(keys)
        self._order = np.argsort(prefixes, kind="stable").astype(np.int64)
        self._prefixes = prefixes[self._order]
        self._recent: dict[bytes, int] = {}


def _prefixes(keys: Keys) -> npt.NDArray[np.uint64]:
    """Return the first eight bytes of keys as numbers in the same order."""
    return np.ascontiguousarray(keys[:, :8]).view(">u8")[:, 0].astype(np.uint64)


def _words(keys: Keys) -> npt.NDArray[np.uint64]:
    """Return keys as four numbers each, which compare faster; a view of contiguous keys."""
    return np.ascontiguousarray(keys).view(np.uint64)
