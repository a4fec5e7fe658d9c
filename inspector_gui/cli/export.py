"""`export`: the SimpleNet of a bundle as one network for other programs, checked to score alike."""

import hashlib
import math
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import typer

from inspector_gui import paths
from inspector_gui.cli.bundles import opened_bundle
from inspector_gui.cli.judging import Basis
from inspector_gui.cli.options import ProgressStyle
from inspector_gui.cli.outputs import Outputs
from inspector_gui.cli.progress import Report, reporting
from inspector_gui.cli.results import limits_as_json
from inspector_gui.core.backbones import backbone, build_pyramid, fetch_weights
from inspector_gui.core.errors import KnownError
from inspector_gui.core.exporting import (
    ENDINGS,
    INPUT,
    ONNX,
    OPENVINO,
    ExportedNetwork,
    require_exporter,
    save_onnx,
    save_openvino,
)
from inspector_gui.core.images import display_name, list_images, read_image
from inspector_gui.core.methods.base import SIGMA_SIDE
from inspector_gui.core.methods.simplenet import Simplenet
from inspector_gui.core.preprocess import Geometry
from inspector_gui.core.quantising import quantised_path
from inspector_gui.core.runtimes import INT8, convert, import_openvino
from inspector_gui.core.simplenet.head import Head
from inspector_gui.core.simplenet.stacked import SimplenetStack
from inspector_gui.core.types import KEEP, RGB, Floats, Progress, Scoring
from inspector_gui.demo.parts import draw_part
from inspector_gui.store.bundle_facts import versions_of

OUTPUTS = ("patches", "pooled")
TOLERANCE = 1e-4
"""Of a value, and of 1 where the value is smaller: by how much scores may differ."""
_FORMAT = 1
_DRAWN = 4
_MOST_CHECKED = 8


@dataclass(frozen=True)
class Request:
    """What to export, as what, where to, and the pictures it is checked on (None: drawn ones)."""

    bundle: Path
    form: str
    folder: Path
    pictures: Path | None = None


@dataclass(frozen=True)
class Check:
    """How much the outputs of an exported file differ from the program's own."""

    pictures: int
    patches: float
    score: float
    pooled: float


def run(request: Request, style: ProgressStyle) -> int:
    """Write the network of a bundle and its sidecar into a folder; returns the exit status."""
    require_exporter(request.form)
    with opened_bundle(request.bundle) as (scoring, opening):
        _require_one_network(scoring, request.form)
        pictures = tuple(_pictures(request.pictures))
        with Outputs(folder=request.folder) as outputs:
            with reporting(style) as report, opening(report) as basis:
                with tempfile.TemporaryDirectory(prefix="inspector-") as aside:
                    report(Progress("export", 0, 1))
                    files = _exported(request.form, basis, Path(aside))
                    report(Progress("export", 1, 1))
                    check = _check(files[0], pictures, basis, report)
                    sidecar = _sidecar(request, basis, files, check)
                    for file in files:
                        outputs.stage(request.folder / file.name, file.read_bytes())
                outputs.stage_json(request.folder / f"{files[0].name}.json", sidecar)
            outputs.commit()
    if style is not ProgressStyle.JSON:
        typer.echo(", ".join(str(request.folder / file.name) for file in files))
        typer.echo(
            f"Checked on {check.pictures} pictures: scores differ by {check.score:.2g} at most, "
            f"patch scores by {check.patches:.2g}."
        )
    return 0


def _exported(form: str, basis: Basis, folder: Path) -> list[Path]:
    """Write the network into a folder; returns its files, the one that is read first."""
    scoring, method = basis.scoring, basis.method
    assert isinstance(method, Simplenet)
    spec, size = backbone(scoring.backbone), Geometry.of(scoring).input_size
    stack = SimplenetStack(Head.of(method.model))
    path = folder / f"simplenet-{scoring.model}{ENDINGS[form]}"
    weights, cache = paths.weights_folder(), paths.networks_folder()
    if form == ONNX:
        pyramid = build_pyramid(spec, fetch_weights(spec, weights))
        save_onnx(stack.on_torch(pyramid), spec, size=size, outputs=OUTPUTS, path=path)
        return [path]
    source = quantised_path(scoring, basis.networks)
    source = source or convert(spec, weights_folder=weights, cache=cache)
    graph = stack.on_openvino(import_openvino().Core().read_model(str(source)))
    save_openvino(graph, spec, size=size, outputs=OUTPUTS, path=path)
    return [path, path.with_suffix(".bin")]


def _require_one_network(scoring: Scoring, form: str) -> None:
    if scoring.method != "simplenet":
        raise KnownError(
            f"{scoring.method} compares with its references, so it is no network that could be "
            "exported; only simplenet is one."
        )
    if scoring.tiles:
        raise KnownError("A recipe with --tiles sees a picture in pieces: that is not one network.")
    if scoring.fit == KEEP:
        raise KnownError(
            "A recipe with --fit keep pads pictures of other shapes, which an exported network "
            "cannot do. Fit a bundle with --fit squash."
        )
    if form != OPENVINO and scoring.precision == INT8:
        raise KnownError("An int8 network is OpenVINO's own: export it with --format openvino.")


def _pictures(place: Path | None) -> Iterator[tuple[str, RGB]]:
    """Yield the pictures to check on: the first of a folder, or drawn ones."""
    if place is None:
        for seed in range(_DRAWN):
            yield f"drawn {seed}", draw_part("washer", seed=seed, size=512).image
        return
    files = list_images([place]) if place.exists() else []
    if not files:
        raise KnownError(f"There are no pictures in {display_name(place)} to check on.")
    for path in files[:_MOST_CHECKED]:
        yield path.name, read_image(path)


def _check(file: Path, pictures: Sequence[tuple[str, RGB]], basis: Basis, report: Report) -> Check:
    """Compare what a file says of pictures with what the program does; see `TOLERANCE`.

    Raises `KnownError` where they differ by more.
    """
    scoring = basis.scoring
    precision = "f32" if scoring.precision == INT8 else scoring.precision
    network = ExportedNetwork(file, precision=precision)
    geometry = Geometry.of(scoring)
    differences = []
    for number, (_, image) in enumerate(pictures):
        report(Progress("check", number, len(pictures)))
        features = basis.extractor.extract(image)
        scores = basis.method.score(features, basis.gallery)
        assert scores.patches is not None
        patches, pooled = network.run(geometry.apply(image))
        score = np.array([scores.image], np.float32)
        differences.append(
            (
                _difference(patches[0, 0], scores.patches),
                _difference(patches.max(keepdims=True).ravel(), score),
                _difference(pooled[0], features.pooled),
            )
        )
    report(Progress("check", len(pictures), len(pictures)))
    largest = np.max(differences, axis=0)  # over pictures: absolute and allowed, of each output
    absolute, shares = largest[:, 0], largest[:, 1]
    if not (shares <= 1).all():  # False for NaN, too
        raise KnownError(
            f"The exported network does not score like this program: patch scores differ by up to "
            f"{absolute[0]:.2g}. Nothing was written; a recipe of precision f32 may work."
        )
    return Check(len(pictures), *(float(value) for value in absolute))


def _difference(theirs: Floats, mine: Floats) -> tuple[float, float]:
    """Return the largest difference, and the largest as a share of what is allowed."""
    absolute = np.abs(theirs.astype(np.float64) - mine)
    allowed = TOLERANCE * np.maximum(np.abs(mine), 1)
    return float(absolute.max()), float((absolute / allowed).max())


def _sidecar(request: Request, basis: Basis, files: Sequence[Path], check: Check) -> dict[str, Any]:
    """Return what a program has to know that runs the network, as a JSON-able mapping."""
    scoring = basis.scoring
    height, width = Geometry.of(scoring).input_size
    return {
        "kind": "inspector-export",
        "format": _FORMAT,
        "made_at": time.time(),
        "versions": versions_of(scoring),
        "files": {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files},
        "bundle_sha256": _digest(request.bundle),
        "method": scoring.method,
        "preset": scoring.preset,
        "model": scoring.model,
        "backbone": {
            "name": scoring.backbone,
            "weights_sha256": backbone(scoring.backbone).sha256,
        },
        "precision": scoring.precision,
        "input": {
            "name": INPUT,
            "type": "uint8",
            "shape": [1, height, width, 3],
            "layout": "NHWC",
            "channels": "RGB",
            "values": "0 to 255; the network normalises them itself",
        },
        "preprocessing": [
            {
                "step": "resize",
                "width": scoring.size,
                "height": scoring.height or scoring.size,
                "keeps_aspect_ratio": False,
                "interpolation": "sides that shrink: area (cv2.INTER_AREA); then sides that grow: "
                "bilinear (cv2.INTER_LINEAR)",
            },
            *(
                [{"step": "centre crop", "width": scoring.crop, "height": scoring.crop}]
                if scoring.crop
                else []
            ),
        ],
        "outputs": {
            "patches": "1 x 1 x h x w, float32: the score of every patch",
            "pooled": "1 x D, float32: the global feature, with which references are compared",
        },
        "image_score": "the maximum of patches",
        "map": {
            "upsampling": f"bilinear to {width} x {height} pixels (cv2.INTER_LINEAR)",
            "gaussian_sigma": scoring.sigma * math.sqrt(height * width) / SIGMA_SIDE,
            "border": "cv2.BORDER_REFLECT",
        },
        "limits": limits_as_json(basis.limits),
        "decision": "image score below unsure_from: pass; from fail_from on: fail; between: unsure",
        "multiple_of_the_limit": "(score - centre) / (fail_from - centre)",
        "regions": "connected places of the map from pixel on",
        "units": "scores have no unit; higher is worse",
        "check": {
            "pictures": check.pictures,
            "largest_difference_of_scores": check.score,
            "largest_difference_of_patches": check.patches,
            "largest_difference_of_pooled": check.pooled,
            "tolerance": f"{TOLERANCE:g} of a value, and of 1 where the value is smaller",
        },
    }


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
