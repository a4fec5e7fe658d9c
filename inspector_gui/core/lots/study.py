"""The study behind the lot check: references to a model of usual lots, for a child process."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inspector_gui.core.errors import KnownError
from inspector_gui.core.lots.groups import (
    NamePattern,
    every,
    gathered,
    kind_of,
    kinds_of_origins,
    lot_of,
)
from inspector_gui.core.lots.model import build_model
from inspector_gui.core.sets.reduction import centroids
from inspector_gui.core.types import Floats

MODEL_FILE = "lots.npz"

Report = Callable[[str, int, int], None]


def study_lots(
    pooled: Floats,
    images: Sequence[Mapping[str, str]],
    parameters: Mapping[str, Any],
    folder: Path,
    *,
    gallery: str,
    scoring_key: str,
    report: Report = lambda what, done, total: None,
) -> dict[str, Any]:
    """Build a model from references and write it to `MODEL_FILE` in `folder`.

    `pooled`: float32, N x D; `images`: `sha256`, `name` and `origin` of each, N. `parameters`:
    `kinds` ("origin", "names" or "clusters"), `kind_pattern`, `clusters`; `lots` ("drawn",
    "origin", "names" or "every"), `lot_pattern`, `every`; `order`, the hashes in order of adding,
    for "every"; `counts`, how many parts of which kind a drawn lot has (empty: one of each).
    Result: `model` (the file's name), `kinds`: each with `kind`, `references` and `example`, the
    hash of its most ordinary reference. Raises `KnownError` as `build_model`.
    """
    if len(pooled) != len(images):
        raise ValueError(f"{len(pooled)} features of {len(images)} references")
    report("Naming kinds", 0, 2)
    kinds = _kinds(pooled, images, parameters)
    report("Comparing lots", 1, 2)
    counts = dict(parameters.get("counts") or dict.fromkeys(sorted(set(kinds)), 1))
    lots = _lots(images, parameters)
    model = build_model(
        pooled,
        kinds,
        gallery=gallery,
        counts=None if lots is not None else counts,
        lots=lots,
        scoring_key=scoring_key,
    )
    model.save(folder / MODEL_FILE)
    report("Comparing lots", 2, 2)
    return {"model": MODEL_FILE, "kinds": _summary(pooled, images, kinds, model.kinds)}


def _kinds(
    pooled: Floats, images: Sequence[Mapping[str, str]], parameters: Mapping[str, Any]
) -> list[str]:
    how = parameters.get("kinds", "origin")
    if how == "clusters":
        return cluster_kinds(pooled, int(parameters.get("clusters", 2)))
    if how == "names":
        pattern = _pattern(parameters.get("kind_pattern"))
        return [kind_of(image["name"], pattern) for image in images]
    return kinds_of_origins([image["origin"] for image in images])


def cluster_kinds(pooled: Floats, count: int, *, seed: int = 0) -> list[str]:
    """Return "kind 1" to "kind C" for each reference by k-means, the largest cluster first.

    `pooled`: float32, N x D. Raises `KnownError` for a count below 1.
    """
    centres = centroids(pooled, count, seed=seed)
    shift = centres.mean(axis=0)
    centred = centres - shift
    products = (pooled - shift) @ centred.T
    norms = np.einsum("cd,cd->c", centred, centred)
    nearest = (norms - 2 * products).argmin(axis=1)
    sizes = np.bincount(nearest, minlength=len(centres))
    places = {int(cluster): n for n, cluster in enumerate(np.argsort(-sizes, kind="stable"))}
    return [f"kind {places[int(cluster)] + 1}" for cluster in nearest]


def _lots(
    images: Sequence[Mapping[str, str]], parameters: Mapping[str, Any]
) -> list[list[int]] | None:
    """Return the rows of the lots that references came in; None where lots are to be drawn."""
    match parameters.get("lots", "drawn"):
        case "drawn":
            return None
        case "origin":
            return gathered(image["origin"] for image in images)
        case "names":
            pattern = _pattern(parameters.get("lot_pattern"))
            return gathered(lot_of(image["name"], pattern) for image in images)
        case "every":
            rows = {image["sha256"]: row for row, image in enumerate(images)}
            order = [rows[sha] for sha in parameters["order"] if sha in rows]
            return every(order, int(parameters["every"]))
        case other:
            raise KnownError(f"Lots cannot be told by {other!r}.")


def _pattern(given: object) -> NamePattern | None:
    return NamePattern(str(given)) if given else None


def _summary(
    pooled: Floats, images: Sequence[Mapping[str, str]], kinds: Sequence[str], names: Sequence[str]
) -> list[dict[str, Any]]:
    of_kind = np.array(kinds)
    found = []
    for name in names:
        rows = np.flatnonzero(of_kind == name)
        if len(rows) == 0:
            continue
        away = pooled[rows] - pooled[rows].mean(axis=0)
        medoid = rows[np.einsum("nd,nd->n", away, away).argmin()]
        found.append({"kind": name, "references": len(rows), "example": images[medoid]["sha256"]})
    return found
