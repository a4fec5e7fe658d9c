"""The precisions of the network on OpenVINO: time of one picture, and how far features move.

The precisions take turns picture by picture, so that other work on this computer meets all alike.
int8 is calibrated on other cuttings of the same photographs, and is left out without NNCF.
"""

import hashlib
import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
from table import options, photographs, show

from inspector_gui import paths
from inspector_gui.core.features import Extractor, Features
from inspector_gui.core.images import encode_png
from inspector_gui.core.quantising import calibrated
from inspector_gui.core.runtimes import INT8
from inspector_gui.core.types import Floats, Scoring

SIZES = (224, 320)
PRECISIONS = ("f32", "bf16", INT8)
CALIBRATION, TIMED = 24, 8


def main() -> None:
    """Measure lite0 at two sizes: the network alone, and with resizing and normalising."""
    given = options(__doc__ or "")
    pictures = photographs(CALIBRATION + TIMED)
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder:
        aside = Path(folder)
        files = [aside / f"{number}.png" for number in range(CALIBRATION)]
        for file, picture in zip(files, pictures, strict=False):
            file.write_bytes(encode_png(picture))
        for size in SIZES:
            extractors = {
                precision: _extractor(Scoring(size=size, precision=precision), files, aside)
                for precision in PRECISIONS
                if precision != INT8 or importlib.util.find_spec("nncf")
            }
            rows += _rows(size, extractors, pictures[CALIBRATION:], given.rounds)
    show("Features of one picture at a time on OpenVINO", rows, given.json)


def _extractor(scoring: Scoring, files: list[Path], folder: Path) -> Extractor:
    if scoring.precision == INT8:
        hashes = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
        scoring = calibrated(scoring, hashes)
        names = [str(file) for file in files]
        request = folder / "request.json"
        asked = {"scoring": asdict(scoring), "pictures": names, "folder": str(folder)}
        request.write_text(json.dumps(asked), encoding="utf-8")
        command = [sys.executable, "-m", "inspector_gui", "quantise", "--request", str(request)]
        subprocess.run([*command, "--progress", "none"], check=True, stdout=subprocess.DEVNULL)
    return Extractor(
        scoring,
        weights_folder=paths.weights_folder(),
        cache=paths.networks_folder(),
        quantised=folder,
    )


def _rows(
    size: int, extractors: dict[str, Extractor], pictures: list[Floats], rounds: int
) -> list[dict[str, object]]:
    alone: dict[str, list[float]] = {name: [] for name in extractors}
    whole: dict[str, list[float]] = {name: [] for name in extractors}
    for turn in range(rounds + 2):
        for picture in pictures:
            for name, extractor in extractors.items():
                batch = extractor.prepare(picture)
                began = time.perf_counter()
                extractor.network.run(batch)
                ran = time.perf_counter()
                extractor.extract(picture)
                ended = time.perf_counter()
                if turn >= 2:
                    alone[name].append(ran - began)
                    whole[name].append(ended - ran)
    exact = [extractors["f32"].extract(picture) for picture in pictures]
    return [
        {
            "size": size,
            "precision": name,
            "network_ms": 1000 * statistics.median(alone[name]),
            "picture_ms": 1000 * statistics.median(whole[name]),
            "fastest_tenth_ms": 1000 * float(np.quantile(alone[name], 0.1)),
            **_moved(exact, [extractor.extract(picture) for picture in pictures]),
        }
        for name, extractor in extractors.items()
    ]


def _moved(exact: list[Features], found: list[Features]) -> dict[str, float]:
    """Return how far each output is from f32's, as a part of its length: medians of pictures."""

    def apart(one: Floats, other: Floats) -> float:
        return float(np.linalg.norm(other - one) / np.linalg.norm(one))

    pairs = list(zip(exact, found, strict=True))
    moved = {
        f"level_{n + 1}": statistics.median(apart(a.levels[n], b.levels[n]) for a, b in pairs)
        for n in range(3)
    }
    return moved | {"global": statistics.median(apart(a.pooled, b.pooled) for a, b in pairs)}


if __name__ == "__main__":
    main()
