"""`study`: what the window finds out about a set in a child process, from features on disk.

Reads `request.json` in a folder (see `session.studies.request_for`) and writes `result.json` there.
Nothing of the workspace is changed.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from inspector_gui.cli.comparing import Asked, compare
from inspector_gui.cli.options import ProgressStyle
from inspector_gui.cli.priority import give_way
from inspector_gui.cli.progress import Report, reporting
from inspector_gui.cli.side_by_side import asked_of, run_side_by_side
from inspector_gui.core.errors import KnownError
from inspector_gui.core.features import Features
from inspector_gui.core.lots.study import study_lots
from inspector_gui.core.method_options import name_of
from inspector_gui.core.methods import make_method
from inspector_gui.core.sets.coverage import clusters_of, map_of
from inspector_gui.core.sets.learning import DRAWS, learning_curve
from inspector_gui.core.sets.learning import MOST_SCORED as MOST_ON_CURVES
from inspector_gui.core.sets.slimming import MOST_SCORED, How, Slimming, cost, plan
from inspector_gui.core.sets.subsets import Dn2OfSubset, SubsetScore
from inspector_gui.core.types import Floats, Limits, Progress, Scoring
from inspector_gui.store.features_cache import FeatureReader, features_folder
from inspector_gui.store.files import write_whole
from inspector_gui.store.stored_gallery import StoredGallery

REQUEST, RESULT = "request.json", "result.json"
_OF_REFERENCES = ("slim", "learn")
"""Studies of what scores against fewer references would be."""
_MOST_WITH_MAPS = 40
"""References, good and bad pictures that are scored by a method with maps, which takes long."""
_MOST_ON_CURVES_WITH_MAPS = 10
_DRAWS_WITH_MAPS = 2


@dataclass(frozen=True)
class Request:
    """A set as it was when it was asked for, and what is asked.

    `images`: by purpose, each with `sha256`, `name` and `origin`, references first. Pictures
    without features are left out; rows count through all that are left. `absent` references have
    none.
    """

    scoring: Scoring
    fingerprint: str
    images: Mapping[str, tuple[Mapping[str, str], ...]]
    absent: int
    parameters: Mapping[str, Any]
    reader: FeatureReader
    folder: Path

    @property
    def references(self) -> tuple[Mapping[str, str], ...]:
        """The references that have features."""
        return self.images["reference"]

    @cached_property
    def everything(self) -> tuple[tuple[str, Mapping[str, str]], ...]:
        """All pictures that have features, with their purposes; references first."""
        return tuple((purpose, image) for purpose, of in self.images.items() for image in of)

    @cached_property
    def gallery(self) -> StoredGallery:
        """The features of `everything`, in this order."""
        return self.reader.gallery([image["sha256"] for _, image in self.everything])

    @cached_property
    def pooled(self) -> Floats:
        """Global features of `everything`: float32, N x D."""
        return self.gallery.pooled

    def rows(self, purpose: str) -> list[int]:
        """Return the rows of `everything` that serve a purpose."""
        return [row for row, (of, _) in enumerate(self.everything) if of == purpose]


def run(kind: str, folder: Path, style: ProgressStyle) -> int:
    """Do a study; raises `KnownError` where the set does not allow it."""
    request = _read(folder)
    if kind not in STUDIES:
        raise KnownError(f"There is no study {kind!r}; there are: {', '.join(STUDIES)}.")
    if request.absent and kind != "map":
        count = request.absent + len(request.references)
        raise KnownError(
            f"{request.absent} of {count} references have no features. Wait until the set is "
            "ready; exclude those that cannot be read."
        )
    if kind in _OF_REFERENCES and request.scoring.training is not None:
        raise KnownError(
            "A trained model judges by what it has learned: more or fewer references change no "
            "score until it is trained anew. Choose another method to find this out."
        )
    with reporting(style) as report:
        result = STUDIES[kind](request, report)
    write_whole(folder / RESULT, json.dumps(result, allow_nan=False).encode(), durable=False)
    return 0


def _read(folder: Path) -> Request:
    try:
        given = json.loads((folder / REQUEST).read_text(encoding="utf-8"))
        scoring = _without_gate(given["scoring"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KnownError(f"There is no request in {folder}: {error}.") from error
    reader = FeatureReader(features_folder(Path(given["features_folder"]), scoring))
    absent = set(reader.missing(image["sha256"] for of in given["images"].values() for image in of))
    images = {
        purpose: tuple(image for image in of if image["sha256"] not in absent)
        for purpose, of in given["images"].items()
    }
    if not images["reference"]:
        raise KnownError("No reference has features yet. Wait until the set is ready.")
    without = len(given["images"]["reference"]) - len(images["reference"])
    return Request(
        scoring, given["fingerprint"], images, without, given["parameters"], reader, folder
    )


def _without_gate(given: Mapping[str, Any]) -> Scoring:
    """Return a scoring by which every picture is scored past stage 1, as limits are made."""
    return replace(Scoring(**given), gate=False, stage1_limit=0.0)


class _Score:
    """The recipe's method against some of the references (see `SubsetScore`)."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._method = make_method(request.scoring)
        self._rows: Sequence[int] = ()
        self._place: dict[int, int] = {}
        self._chosen = request.gallery

    def __call__(self, picture: int, rows: Sequence[int]) -> float:
        if self._rows is not rows:
            pictures = self._request.everything
            self._rows = rows
            self._place = {row: place for place, row in enumerate(rows)}
            self._chosen = self._request.reader.gallery([pictures[r][1]["sha256"] for r in rows])
        everything = self._request.gallery
        features = Features(
            everything.pooled_of([picture])[0],
            everything.levels(picture),
            everything.inside(picture),
        )
        own = self._place.get(picture)
        return self._method.score(features, self._chosen, exclude=own).image


def _map(request: Request, report: Report) -> dict[str, Any]:
    """Return pictures as points of a plane, and the clusters of the references."""
    report(Progress("map", 0, 0))
    count = len(request.references)
    found = map_of(request.pooled, request.parameters.get("kind", "pca"))
    clusters = clusters_of(request.pooled[:count])
    of_row = {row: n for n, cluster in enumerate(clusters) for row in cluster.rows}
    points = [
        {
            "sha256": request.everything[row][1]["sha256"],
            "purpose": request.everything[row][0],
            "x": float(x),
            "y": float(y),
            "cluster": of_row.get(row),
        }
        for row, (x, y) in zip(found.rows, found.points, strict=True)
    ]
    described = [
        {
            "size": len(cluster.rows),
            "medoid": request.references[cluster.medoid]["sha256"],
            "nearest": cluster.nearest,
            "is_thin": cluster.is_thin,
        }
        for cluster in clusters
    ]
    shown, there = len(found.rows), len(request.everything)
    remark = f"{shown} of {there} pictures are shown." if shown < there else ""
    return {"kind": found.kind, "points": points, "clusters": described, "remark": remark}


def _slim(request: Request, report: Report) -> dict[str, Any]:
    """Return which references would stay, and what that costs."""
    count = len(request.references)
    how: How = request.parameters.get("how", "medoids")
    seed = int(request.parameters.get("seed", 0))
    kept = plan(request.pooled[:count], int(request.parameters["count"]), how=how, seed=seed)
    has_map = make_method(request.scoring).has_map
    measured = cost(
        kept.tolist(),
        count,
        _Score(request),
        bytes_per_reference=request.reader.shape.values * np.dtype(np.float32).itemsize,
        validation=request.rows("validation"),
        bad=request.rows("bad"),
        report=report,
        seed=seed,
        most=_MOST_WITH_MAPS if has_map else MOST_SCORED,
    )
    hashes = tuple(request.references[row]["sha256"] for row in kept)
    return Slimming(how, seed, hashes, measured).as_json()


def _learn(request: Request, report: Report) -> dict[str, Any]:
    """Return the learning curve by the recipe's own method."""
    has_map = make_method(request.scoring).has_map
    score: SubsetScore = (
        _Score(request) if has_map else Dn2OfSubset(request.pooled, request.scoring.k)
    )
    curve = learning_curve(
        len(request.references),
        score,
        validation=request.rows("validation"),
        bad=request.rows("bad"),
        draws=_DRAWS_WITH_MAPS if has_map else DRAWS,
        most=_MOST_ON_CURVES_WITH_MAPS if has_map else MOST_ON_CURVES,
        report=report,
    )
    return curve.as_json() | {"method": name_of(request.scoring)}


def _lots(request: Request, report: Report) -> dict[str, Any]:
    """Write the model of usual lots into the folder and return its kinds."""
    return study_lots(
        request.pooled[: len(request.references)],
        request.references,
        request.parameters,
        request.folder,
        gallery=request.fingerprint,
        scoring_key=request.scoring.key,
        report=lambda what, done, total: report(Progress(what, done, total)),
    )


def _compare(request: Request, report: Report) -> dict[str, Any]:
    """Return what another scoring does to scores and decisions."""
    given = request.parameters
    asked = Asked(
        request.scoring,
        _without_gate(given["scoring"]),
        request.images,
        request.reader,
        request.reader.folder.parent,
        request.folder,
        Limits(**given["by_hand"]) if given["by_hand"] else None,
    )
    return compare(asked, report).as_json()


def _side_by_side(request: Request, report: Report) -> dict[str, Any]:
    """Return what several methods make of the same parts; the feed goes first."""
    give_way(a_little=True)
    references = [image["sha256"] for image in request.references]
    root = request.reader.folder.parent
    asked = asked_of(request.parameters, references, root, request.folder)
    return run_side_by_side(asked, report).as_json()


STUDIES: Mapping[str, Callable[[Request, Report], dict[str, Any]]] = {
    "map": _map,
    "slim": _slim,
    "learn": _learn,
    "lots": _lots,
    "compare": _compare,
    "side_by_side": _side_by_side,
}
