"""What methods that are run side by side share: pictures, the network, and how far they are."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from inspector_gui.cli.progress import Report
from inspector_gui.cli.recipe import open_extractor
from inspector_gui.core.errors import KnownError
from inspector_gui.core.features import Extractor, Features
from inspector_gui.core.images import decode, read_bytes
from inspector_gui.core.sets.side_by_side import Candidate, Contender, different
from inspector_gui.core.types import RGB, Progress, Scoring
from inspector_gui.store.images import ImageStore


@dataclass(frozen=True)
class Asked:
    """Who is compared on what.

    `references` are content hashes in canonical order, `root` is the folder of all features of the
    workspace, `folder` one for files that are needed meanwhile.
    """

    contenders: tuple[Contender, ...]
    candidates: tuple[Candidate, ...]
    references: tuple[str, ...]
    root: Path
    folder: Path


class Pictures:
    """The pictures of references and parts; `gone` has a sentence for each that cannot be read."""

    def __init__(self, images: ImageStore) -> None:
        self._images = images
        self.gone: list[str] = []
        self.undecodable: set[str] = set()

    def look_up(self, candidates: Sequence[Candidate], report: Report) -> tuple[Candidate, ...]:
        """Return those that are there, each content once and with its hash."""
        found = []
        for number, candidate in enumerate(candidates):
            report(Progress(f"Reading pictures: {number} of {len(candidates)}", 0, 0))
            try:
                data = self._bytes(candidate)
            except KnownError as error:
                self.gone.append(str(error))
                continue
            sha256 = hashlib.sha256(data).hexdigest()
            if candidate.path and candidate.sha256 not in ("", sha256):
                self.gone.append(f"{candidate.name} is another picture by now.")
            else:
                found.append(replace(candidate, sha256=candidate.sha256 or sha256))
        return different(found)

    def part(self, candidate: Candidate) -> RGB | None:
        """Return a part's picture, None (which is noted) where it cannot be decoded."""
        try:
            return decode(self._bytes(candidate), name=candidate.name)
        except KnownError as error:
            self.gone.append(str(error))
            self.undecodable.add(candidate.key)
            return None

    def reference(self, sha256: str) -> RGB:
        """Return a reference's picture; raises `KnownError` where it cannot be read."""
        return decode(self._images.read(sha256), name=f"The reference {sha256[:12]}")

    def _bytes(self, candidate: Candidate) -> bytes:
        if candidate.path:
            return read_bytes(Path(candidate.path))
        return self._images.read(candidate.sha256)


class Network:
    """The network that is loaded: one at a time, shared by methods with the same features."""

    def __init__(self, quantised: Path) -> None:
        self._quantised = quantised
        self._key = ""
        self._extractor: Extractor | None = None
        self.seconds: dict[str, list[float]] = {}
        """What features took, by their key."""

    def extractor(self, scoring: Scoring, report: Report) -> Extractor:
        """Return the network of a scoring; raises `KnownError` where it cannot be loaded."""
        if self._extractor is None or self._key != scoring.features_key:
            self._extractor = None  # two at once would take twice the memory
            self._extractor = open_extractor(scoring, report, quantised=self._quantised)
            self._key = scoring.features_key
        return self._extractor

    def extract(self, scoring: Scoring, image: RGB, report: Report) -> Features:
        """Return the features of a picture, and note the time."""
        extractor = self.extractor(scoring, report)
        began = time.perf_counter()
        features = extractor.extract(image)
        self.seconds.setdefault(scoring.features_key, []).append(time.perf_counter() - began)
        return features


class Steps:
    """Counts through all methods, each with what was planned for it; says what is being done."""

    def __init__(self, report: Report, planned: Sequence[int]) -> None:
        self._report, self._planned = report, planned
        self._total = sum(planned)
        self._over = self._done = 0
        self._until = 0
        self._name = ""

    def begin(self, number: int, name: str) -> None:
        """Go over to another method, whether or not the one before came to its end."""
        self._over = self._until
        self._until += self._planned[number]
        self._done, self._name = self._over, name

    def next(self, what: str) -> None:
        """Say that another step begins."""
        self._say(what)
        self._done = min(self._done + 1, self._until)

    def aside(self, progress: Progress) -> None:
        """Say how far something within a step is."""
        share = f", {100 * progress.done // progress.total} %" if progress.total > 1 else ""
        self._say(f"{progress.what}{share}")

    def end(self) -> None:
        """Say that all is done."""
        self._report(Progress("done", self._total, self._total))

    def _say(self, what: str) -> None:
        # The last line counts as the end of all: it is said by `end`.
        done = min(self._done, max(self._total - 1, 0))
        self._report(Progress(f"{self._name}: {what}", done, self._total))
