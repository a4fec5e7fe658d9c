"""One method on many parts: what several of them side by side are made of (see `side_by_side`)."""

import hashlib
import logging
import math
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from inspector_gui.cli.progress import Report
from inspector_gui.cli.recipe import open_extractor
from inspector_gui.core.calibration import sampled_rows, suggest_limits
from inspector_gui.core.errors import Cancelled, KnownError
from inspector_gui.core.features import Extractor, Features
from inspector_gui.core.images import decode, read_bytes
from inspector_gui.core.method_options import compares_levels
from inspector_gui.core.methods import make_method
from inspector_gui.core.methods.base import Method, fit, leave_one_out, score_with_map
from inspector_gui.core.methods.patchcore import Patchcore
from inspector_gui.core.methods.simplenet import NOT_TRAINED, Simplenet
from inspector_gui.core.sets.side_by_side import (
    Candidate,
    Contender,
    Opinion,
    Ran,
    different,
    limits_from_held_out,
)
from inspector_gui.core.sets.subsets import drawn
from inspector_gui.core.sets.switching import MOST_AMONG
from inspector_gui.core.types import (
    AUTOMATIC,
    RGB,
    Floats,
    Limits,
    Progress,
    Scoring,
    gallery_fingerprint,
)
from inspector_gui.store.bank_files import BankFiles
from inspector_gui.store.features_cache import (
    FeatureReader,
    FeatureStore,
    features_folder,
    open_store,
)
from inspector_gui.store.images import ImageStore
from inspector_gui.store.model_files import ModelFiles, models_beside
from inspector_gui.store.stored_gallery import StoredGallery

log = logging.getLogger(__name__)

Keep = Callable[[str, Floats | None], None]
"""Gets the map of a part by its key (see `Scores.patches`)."""
_NEAREST = 3
"""References that are named for a part."""
_TIMED = 5
"""Pictures whose features are computed for the time alone, where all are known already."""


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


class Work:
    """What there is to do for one method; `opinions` by the keys of the parts."""

    def __init__(
        self, asked: Asked, contender: Contender, parts: Sequence[Candidate], pictures: Pictures
    ) -> None:
        scoring = replace(contender.scoring, gate=False, stage1_limit=0.0)  # as limits are made
        self.opinions: dict[str, Opinion] = {}
        self._asked, self._contender, self._scoring = asked, contender, scoring
        self._parts, self._pictures = parts, pictures
        # Of parts a trained model needs the levels that it does not need of references.
        self._of_parts = replace(scoring, model="")
        self._readers = _readers(asked.root, scoring)
        self._references, self._reader = self._choose_references()
        self._fingerprint = gallery_fingerprint(scoring, self._references)
        is_to_compute = self._reader is None
        self.planned = (
            (len(self._references) if is_to_compute else 0)
            + 1
            + len(self._rows_to_score())
            + len(parts)
        )

    @property
    def order(self) -> tuple[str, bool]:
        """When to run it among others: after those whose features it has a share of."""
        return self._scoring.features_key, self._scoring.method == "dn2"

    def run(self, network: Network, steps: Steps, keep: Keep) -> Ran:
        """Do everything; what went wrong is said in the result. `keep` gets each part's map."""
        try:
            with closing(open_store(self._asked.folder / "features", self._of_parts)) as store:
                return self._run(network, store, steps, keep)
        except Cancelled:
            raise
        except Exception as error:  # of this method; the others may be fine
            self.opinions.clear()
            return Ran(self._contender, failure=_in_words(error))

    def _run(
        self,
        network: Network,
        store: FeatureStore,
        steps: Steps,
        keep: Keep,
    ) -> Ran:
        scoring = self._scoring
        device = network.extractor(scoring, steps.aside).device
        method = make_method(scoring)
        gallery, reader = self._gallery(network, store, steps)
        steps.next("what it compares with")
        self._fit(method, gallery, reader.folder, steps.aside)
        limits = self._limits(method, gallery, steps)
        seconds = []
        for number, part in enumerate(self._parts):
            steps.next(f"{number} of {len(self._parts)} parts")
            features = self._features(part, network, store, steps.aside)
            if features is None:
                continue
            began = time.perf_counter()
            scores = score_with_map(method, features, gallery)
            seconds.append(time.perf_counter() - began)
            if not math.isfinite(scores.image):
                raise KnownError(f"Its score of {part.name} is no number; train or choose it anew.")
            nearest = tuple(self._references[row] for row in scores.nearest[:_NEAREST])
            self.opinions[part.key] = Opinion(float(scores.image), nearest)
            keep(part.key, scores.patches)
        took = network.seconds.get(scoring.features_key) or self._time(network, steps.aside)
        measured = float(np.median(seconds) + np.median(took)) if seconds and took else None
        return Ran(self._contender, limits, len(self._references), measured, device)

    def _choose_references(self) -> tuple[tuple[str, ...], FeatureReader | None]:
        """Return the references to compare with, and where all of their features are already."""
        references = self._asked.references
        for reader in self._readers:
            if not reader.missing(references):
                return references, reader
        among = drawn(range(len(references)), MOST_AMONG, seed=0)
        return tuple(references[row] for row in among), None

    def _gallery(
        self, network: Network, store: FeatureStore, steps: Steps
    ) -> tuple[StoredGallery, FeatureReader]:
        reader: FeatureReader = store
        if self._reader is not None:
            reader = self._reader
        else:
            count = len(self._references)
            for number, sha in enumerate(self._references):
                steps.next(f"{number} of {count} references")
                if sha not in store:
                    image = self._pictures.reference(sha)
                    store.append(sha, network.extract(self._scoring, image, steps.aside))
        is_approximate = self._scoring.search == AUTOMATIC
        return reader.gallery(self._references, allow_approximate=is_approximate), reader

    def _fit(self, method: Method, gallery: StoredGallery, folder: Path, report: Report) -> None:
        """Give a method what it judges by: the workspace's where it has it, else made here.

        `folder` has the features of `gallery`. Whatever else a method needs before its first score
        belongs here.
        """
        if isinstance(method, Simplenet):
            if not self._scoring.model:
                raise KnownError(NOT_TRAINED)
            method.use(self._models.read(self._scoring.model))
            return
        if isinstance(method, Patchcore):
            stored = BankFiles(folder, method.scoring).open(self._references)
            if stored is not None:
                method.use(gallery, stored.bank, stored.rows(self._references))
                return
        fit(method, gallery, report=report)

    @property
    def _models(self) -> ModelFiles:
        return ModelFiles(models_beside(self._asked.root))

    def _rows_to_score(self) -> list[int]:
        """Return the references that are scored leave-one-out for the limits, as in the window."""
        if self._contender.limits is not None or self._scoring.model:
            return []
        return sampled_rows(len(self._references), self._fingerprint)

    def _limits(self, method: Method, gallery: StoredGallery, steps: Steps) -> Limits:
        if self._contender.limits is not None:
            return self._contender.limits
        if self._scoring.model:  # its references left out in turn would be known to it
            facts = self._models.facts(self._scoring.model)
            return limits_from_held_out([*facts.held_out.values()], gallery=self._fingerprint)
        scores, rows = [], self._rows_to_score()
        for number, row in enumerate(rows):
            steps.next(f"its limit, {number} of {len(rows)} references")
            scores.append(leave_one_out(method, gallery, row).image)
        return suggest_limits(scores, gallery=self._fingerprint)

    def _features(
        self, part: Candidate, network: Network, store: FeatureStore, report: Report
    ) -> Features | None:
        """Return the features of a part: known ones, or computed now; None for no picture."""
        if part.key in self._pictures.undecodable:
            return None
        needs_levels = compares_levels(self._of_parts)
        for reader in (*self._readers, store):
            if part.key in reader and (reader.shape.levels or not needs_levels):
                one = reader.gallery((part.key,))
                return Features(one.pooled[0], one.levels(0), one.inside(0))
        image = self._pictures.part(part)
        if image is None:
            return None
        features = network.extract(self._scoring, image, report)
        store.append(part.key, features)
        return features

    def _time(self, network: Network, report: Report) -> list[float]:
        """Return what features take where all of them were known."""
        for part in self._parts[:_TIMED]:
            image = self._pictures.part(part)
            if image is not None:
                network.extract(self._scoring, image, report)
        return network.seconds.get(self._scoring.features_key, [])


def _readers(root: Path, scoring: Scoring) -> tuple[FeatureReader, ...]:
    """Return the features that the workspace has for a scoring; global ones suffice some."""
    folders = dict.fromkeys((features_folder(root, scoring), root / scoring.features_key))
    found = []
    for folder in folders:
        try:
            found.append(FeatureReader(folder))
        except KnownError:
            continue
    return tuple(found)


def _in_words(error: Exception) -> str:
    if isinstance(error, KnownError):
        return str(error)
    if isinstance(error, MemoryError):
        return "There is not enough memory for this method here. Compare fewer references."
    log.warning("a method failed", exc_info=error)
    what = ": ".join(filter(None, (type(error).__name__, str(error))))
    return f"Something went wrong in the program ({what})."
