"""What another scoring does to a set's own pictures, measured for the window by a child process."""

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inspector_gui import paths
from inspector_gui.cli.progress import Report
from inspector_gui.cli.recipe import open_extractor
from inspector_gui.core.features import Extractor, Features
from inspector_gui.core.images import decode
from inspector_gui.core.methods import make_method
from inspector_gui.core.methods.base import Method, fit, score_with_map
from inspector_gui.core.methods.simplenet import Simplenet
from inspector_gui.core.quantising import quantise, spread
from inspector_gui.core.runtimes import INT8
from inspector_gui.core.sets.subsets import drawn
from inspector_gui.core.sets.switching import (
    MOST_AMONG,
    MOST_SCORED,
    Measured,
    Scored,
    Switch,
    switch,
)
from inspector_gui.core.types import Limits, Progress, Scoring
from inspector_gui.store.features_cache import FeatureReader, networks_beside, open_store
from inspector_gui.store.images import ImageStore
from inspector_gui.store.model_files import ModelFiles, models_beside
from inspector_gui.store.stored_gallery import StoredGallery

_TIMED = 15
_WARM = 2

Picture = Mapping[str, str]


@dataclass(frozen=True)
class Asked:
    """A set, and the two scorings that are to be compared on it.

    `images` by purpose, each with `sha256` and `name`, all with features in `reader`, which is of
    `before`. `root` is the folder of all features of the workspace, `folder` one for files that
    are needed meanwhile. `by_hand`: the limit, where a person has set it.
    """

    before: Scoring
    after: Scoring
    images: Mapping[str, Sequence[Picture]]
    reader: FeatureReader
    root: Path
    folder: Path
    by_hand: Limits | None = None


class _Side:
    """One scoring with its network, and the gallery that pictures are compared with."""

    def __init__(
        self, scoring: Scoring, extractor: Extractor, images: ImageStore, models: ModelFiles
    ) -> None:
        self.method: Method = make_method(scoring)
        if isinstance(self.method, Simplenet):
            self.method.use(models.read(scoring.model))
        self.extractor = extractor
        self._images = images
        self.reader: FeatureReader
        self.gallery: StoredGallery
        self.seconds: list[float] = []

    def gather(self, reader: FeatureReader, hashes: Sequence[str]) -> None:
        """Compare with these references from now on."""
        self.reader, self.gallery = reader, reader.gallery(hashes)
        if not isinstance(self.method, Simplenet):
            fit(self.method, self.gallery)

    def score(self, sha256: str) -> float:
        """Return the score of a picture that is no reference."""
        return score_with_map(self.method, self._features(sha256), self.gallery).image

    def score_reference(self, sha256: str, row: int) -> float:
        """Return the score of a reference, a row of the gallery, against the others."""
        return score_with_map(self.method, self._features(sha256), self.gallery, exclude=row).image

    def _features(self, sha256: str) -> Features:
        if isinstance(self.method, Simplenet):  # of which no levels are kept
            return self.extractor.extract(decode(self._images.read(sha256), name=sha256[:12]))
        one = self.reader.gallery((sha256,))
        return Features(one.pooled[0], one.levels(0), one.inside(0))

    def time(self, data: bytes, row: int) -> None:
        """Judge a reference as the engine would, and note the seconds that takes."""
        image = decode(data)
        began = time.perf_counter()
        features = self.extractor.extract(image)
        score_with_map(self.method, features, self.gallery, exclude=row)
        self.seconds.append(time.perf_counter() - began)

    @property
    def measured(self) -> Measured:
        return Measured(float(np.median(self.seconds[_WARM:])), self.extractor.device)


def compare(asked: Asked, report: Report) -> Switch:
    """Score the same pictures by both scorings: references leave-one-out, and the others.

    Nothing of the workspace changes, but that an int8 network which is compared is kept there.
    Raises `KnownError` where a network or a picture cannot be used.
    """
    images, models = ImageStore(asked.root.parent), ModelFiles(models_beside(asked.root))
    hashes = [image["sha256"] for image in asked.images["reference"]]
    networks = networks_beside(asked.root)
    for scoring in (asked.before, asked.after):
        if scoring.precision == INT8:
            quantise(
                scoring,
                [images.path(sha) for sha in spread(hashes)],
                folder=networks,
                weights_folder=paths.weights_folder(),
                cache=paths.networks_folder(),
                report=report,
            )
    before, after = (
        _Side(scoring, open_extractor(scoring, report, quantised=networks), images, models)
        for scoring in (asked.before, asked.after)
    )
    among = drawn(range(len(hashes)), MOST_AMONG, seed=0)
    gallery = [hashes[row] for row in among]
    # A model knows the references it was trained on: of it, the others are scored.
    known = frozenset(models.facts(asked.before.model).trained_on if asked.before.model else ())
    unknown = [row for row, sha in enumerate(gallery) if sha not in known]
    rows = drawn(unknown, MOST_SCORED, seed=0)
    others = [
        (purpose, of[place])
        for purpose, of in asked.images.items()
        if purpose != "reference"
        for place in drawn(range(len(of)), MOST_SCORED, seed=0)
    ]
    steps = _Steps(report, len(gallery) + len(others) + len(rows) + len(others) + _TIMED + _WARM)
    with closing(open_store(asked.folder / "features", asked.after)) as store:
        for sha in (*gallery, *(image["sha256"] for _, image in others)):
            steps.next()
            store.append(sha, after.extractor.extract(decode(images.read(sha), name=sha[:12])))
        before.gather(asked.reader, gallery)
        after.gather(store, gallery)
        scored = []
        for row in rows:
            steps.next()
            image = asked.images["reference"][among[row]]
            one, other = (side.score_reference(gallery[row], row) for side in (before, after))
            scored.append(Scored(image["sha256"], image["name"], "reference", one, other))
        for purpose, image in others:
            steps.next()
            one, other = (side.score(image["sha256"]) for side in (before, after))
            scored.append(Scored(image["sha256"], image["name"], purpose, one, other))
        for turn in range(_WARM + _TIMED):
            steps.next()
            row = rows[turn % len(rows)]
            for side in (before, after):  # in turns, so that other work meets both alike
                side.time(images.read(gallery[row]), row)
        steps.next()
    return switch(
        scored,
        among=len(gallery),
        before=before.measured,
        after=after.measured,
        by_hand=asked.by_hand,
    )


class _Steps:
    """Counts pictures through all there is to do with them."""

    def __init__(self, report: Report, total: int) -> None:
        self._report, self._total, self._done = report, total, 0

    def next(self) -> None:
        """Say that another one begins."""
        self._report(Progress("comparison", self._done, self._total))
        self._done += 1
