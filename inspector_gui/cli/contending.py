"""One method on many parts: what several of them side by side are made of (see `side_by_side`)."""

import logging
import math
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from inspector_gui.cli.progress import Report
from inspector_gui.cli.shared_by_methods import Asked, Network, Pictures, Steps
from inspector_gui.core.calibration import HELD_OUT, sampled_rows, suggest_limits
from inspector_gui.core.errors import Cancelled, KnownError
from inspector_gui.core.features import Features
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
)
from inspector_gui.core.sets.subsets import drawn
from inspector_gui.core.sets.switching import MOST_AMONG
from inspector_gui.core.types import (
    AUTOMATIC,
    Floats,
    Limits,
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
from inspector_gui.store.model_files import ModelFiles, models_beside
from inspector_gui.store.stored_gallery import StoredGallery
from inspector_gui.workers.trained import rows_for_limits

log = logging.getLogger(__name__)

Keep = Callable[[str, Floats | None], None]
"""Gets the map of a part by its key (see `Scores.patches`)."""
_NEAREST = 3
"""References that are named for a part."""
_TIMED = 5
"""Pictures whose features are computed for the time alone, where all are known already."""


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
        limits = self._limits(method, gallery, network, store, steps)
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

    def _limits(
        self,
        method: Method,
        gallery: StoredGallery,
        network: Network,
        store: FeatureStore,
        steps: Steps,
    ) -> Limits:
        if self._contender.limits is not None:
            return self._contender.limits
        if isinstance(method, Simplenet):
            return self._limits_of_model(method, gallery, network, store, steps)
        scores, rows = [], self._rows_to_score()
        for number, row in enumerate(rows):
            steps.next(f"its limit, {number} of {len(rows)} references")
            scores.append(leave_one_out(method, gallery, row).image)
        return suggest_limits(scores, gallery=self._fingerprint)

    def _limits_of_model(
        self,
        method: Simplenet,
        gallery: StoredGallery,
        network: Network,
        store: FeatureStore,
        steps: Steps,
    ) -> Limits:
        """Suggest limits from the references that a model was not trained on, as in the window."""
        scores = []
        rows = rows_for_limits(method, self._references, self._fingerprint)
        for number, row in enumerate(rows):
            steps.next(f"its limit, {number} of {len(rows)} references")
            sha = self._references[row]
            reference = Candidate(f"The reference {sha[:12]}", sha)
            features = self._features(reference, network, store, steps.aside)
            if features is not None:
                scores.append(method.score(features, gallery, exclude=row).image)
        return suggest_limits(scores, gallery=self._fingerprint, kind=HELD_OUT)

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
