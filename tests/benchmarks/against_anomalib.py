"""anomalib's PatchCore against ours: same pictures, same network, same yardstick.

    python tests/benchmarks/against_anomalib.py [--json FILE] [--datasets cookie]

anomalib is installed into an environment of its own in the cache folder (--environment), with the
torch that is installed here; it is no dependency of the program. Both sides have the weights of
efficientnet_lite0, whose features are first compared on one picture (to 1e-3), pictures squashed to
224 x 224 (each by its own resizing), a tenth of all patches as bank, and a process of their own.
Other recipes of ours (--methods) have the input that they choose. A picture's time is from file to
score and smoothed map. anomalib's trainer is left out: its model alone is measured. Metrics are
ours for both, on the picture's own frame, from the maps on the network's input. Its scores are
weighted by the neighbourhood (b = 9); without that they are in brackets. Of a data set with more
references than --references so many are drawn at random (--seed), the same for all: its coreset
takes a pass over all patches a pick. --tests does so with test pictures.

What is set for its sake: threads sleep while they wait (OMP_WAIT_POLICY), on both sides: spinning,
torch takes up to five times as long beside other work. Its coreset makes and frees blocks of some
megabytes, which glibc's heap may put beside one another until memory is full (22 GB for 31
references, not in every run); so large blocks are mapped, as huge pages, which costs that loop
about 10 % of its processor time. Photographs are development data.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from photograph_sets import SETS, folder_of, known_recipes, recipe, recipe_for
from table import show

from inspector_gui import paths
from inspector_gui.cli.recipe import open_extractor, temporary_bank
from inspector_gui.core.backbones import backbone, weights_path
from inspector_gui.core.features import Extractor
from inspector_gui.core.images import decode, read_bytes, read_image
from inspector_gui.core.measuring import metrics
from inspector_gui.core.measuring.datasets import Dataset, read_dataset
from inspector_gui.core.measuring.evaluation import learn
from inspector_gui.core.measuring.memory import peak_rss_mb
from inspector_gui.core.measuring.pixel_frame import input_on_frame, mask_on_frame
from inspector_gui.core.methods import make_method
from inspector_gui.core.methods.base import anomaly_map, fit
from inspector_gui.core.types import Scoring

ANOMALIB = "2.7.0"
SIDE, SHARE = 224, 0.1
FEATURES_ALIKE = 1e-3
"""Largest difference of a feature, relative to the largest feature of its level."""
METHODS = "patchcore,default"
ALLOCATOR = {
    "MALLOC_MMAP_THRESHOLD_": "1000000",
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}
"""Of anomalib's process; other systems than Linux ignore it."""


T = TypeVar("T")


@dataclass(frozen=True)
class Found:
    """What one side says of a data set; maps are on the network's input of `scoring`."""

    facts: dict[str, Any]
    scoring: Scoring
    maps: np.ndarray


def main() -> None:
    """Measure both sides on every data set, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures as an object")
    parser.add_argument("--datasets", default=",".join(SETS))
    parser.add_argument("--methods", default=METHODS, help="of ours, METHOD or METHOD/PRESET")
    parser.add_argument("--references", type=int, default=100, help="at most, drawn at random")
    parser.add_argument("--tests", type=int, help="at most, drawn at random; all if left out")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--environment", type=Path, default=paths.cache_folder() / "benchmarks" / "anomalib"
    )
    given = parser.parse_args()
    python = environment(given.environment)
    recipes, skipped = known_recipes(given.methods)
    rows: list[dict[str, object]] = []
    alike: dict[str, float] = {}
    for name in given.datasets.split(","):
        dataset = read_dataset(folder_of(name))
        dataset = replace(
            dataset,
            train=drawn(dataset.train, given.references, seed=given.seed),
            test=drawn(dataset.test, given.tests, seed=given.seed),
        )
        with tempfile.TemporaryDirectory(prefix="against-anomalib-") as folder:
            theirs, alike[name] = by_anomalib(dataset, Path(folder), python, seed=given.seed)
            rows.append(row(f"anomalib {ANOMALIB}", dataset, theirs))
        for ours in recipes:
            with tempfile.TemporaryDirectory(prefix="against-anomalib-") as folder:
                rows.append(row(f"ours, {ours}", dataset, by_us(dataset, Path(folder), ours)))
    show("PatchCore of lite0, a tenth of all patches", [_in_words(r) for r in rows], None)
    for name, difference in alike.items():
        print(f"{name}: features of one picture differ by {difference:.1e} of the largest")
    for name, reason in skipped.items():
        print(f"Left out, {name}: {reason}")
    if given.json:
        result = {"rows": rows, "features_differ": alike, "skipped": skipped}
        given.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def environment(folder: Path) -> Path:
    """Return the interpreter of an environment with anomalib, made where it is missing."""
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    wanted = f"import anomalib; assert anomalib.__version__ == {ANOMALIB!r}"
    if python.exists() and not subprocess.run([python, "-c", wanted], check=False).returncode:
        return python
    print(f"anomalib {ANOMALIB} is installed into {folder} (some minutes)", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    same = [f"{name}=={version(name).split('+')[0]}" for name in ("torch", "torchvision", "timm")]
    words = ["-m", "pip", "install", "--quiet", f"anomalib[cpu]=={ANOMALIB}", *same]
    subprocess.run([python, *words], check=True)
    return python


def drawn(items: tuple[T, ...], count: int, *, seed: int) -> tuple[T, ...]:
    """Return so many of the items at most, drawn at random, in their order."""
    rows = np.random.default_rng(seed).permutation(len(items))[:count]
    return tuple(items[row] for row in np.sort(rows))


def by_anomalib(dataset: Dataset, folder: Path, python: Path, *, seed: int) -> tuple[Found, float]:
    """Return what anomalib says, and by how much its features differ from ours on one picture."""
    scoring = Scoring(method="patchcore", size=SIDE, coreset=SHARE, runtime="torch")
    spec = backbone(scoring.backbone)
    ours = Extractor(scoring, weights_folder=paths.weights_folder(), cache=paths.networks_folder())
    batch = ours.prepare(read_image(dataset.train[0]))
    np.save(folder / "input.npy", batch)
    job = {
        "train": [str(path) for path in dataset.train],
        "test": [str(sample.path) for sample in dataset.test],
        "weights": str(weights_path(spec, paths.weights_folder())),
        "mean": spec.mean,
        "std": spec.std,
        "size": SIDE,
        "share": SHARE,
        "seed": seed,
    }
    script = Path(__file__).with_name("anomalib_patchcore.py")
    run([str(python), str(script)], job, folder, ALLOCATOR)
    levels = ours.network.run(batch)[1:3]
    theirs = [np.load(folder / f"features-blocks.{number}.npy") for number in (2, 4)]
    differences = [
        float(np.abs(_upright(level) - other).max() / np.abs(other).max())
        for level, other in zip(levels, theirs, strict=True)
    ]
    if max(differences) > FEATURES_ALIKE:
        raise SystemExit(f"The networks are not the same: features differ by {differences}.")
    return read(folder, dataset, scoring), max(differences)


def _upright(level: np.ndarray) -> np.ndarray:
    """Return a level of our network as h x w x C."""
    return np.ascontiguousarray(level[0].transpose(1, 2, 0))


def by_us(dataset: Dataset, folder: Path, name: str) -> Found:
    """Return what a recipe of ours says, from a process of its own."""
    job = {
        "recipe": name,
        "train": [str(path) for path in dataset.train],
        "test": [str(sample.path) for sample in dataset.test],
    }
    scoring = recipe_for(recipe(name), dataset.train)
    open_extractor(scoring, lambda _: None)  # what is made once per computer
    run([sys.executable, __file__, "--ours"], job, folder)
    facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    return read(folder, dataset, Scoring(**facts["scoring"]))


def run(
    words: list[str],
    job: Mapping[str, object],
    folder: Path,
    settings: Mapping[str, str] | None = None,
) -> None:
    """Do a job in a process of its own, which writes into a folder."""
    file = folder / "job.json"
    file.write_text(json.dumps({**job, "out": str(folder)}), encoding="utf-8")
    quiet = {"PYTHONWARNINGS": "ignore", "TQDM_DISABLE": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    environ = {**os.environ, **quiet, **(settings or {})}
    subprocess.run([*words, str(file)], check=True, env=environ)


def read(folder: Path, dataset: Dataset, scoring: Scoring) -> Found:
    """Return what a side wrote."""
    facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    maps = np.fromfile(folder / "maps.f32", "<f4")
    shape = (len(dataset.test), scoring.input_height, scoring.input_width)
    return Found(facts, scoring, maps.reshape(shape) if len(maps) else np.empty((0, 0, 0)))


def ours(job_file: Path) -> None:
    """Do one job of ours: references, then one test picture at a time."""
    job = json.loads(job_file.read_text(encoding="utf-8"))
    train, out = [Path(file) for file in job["train"]], Path(job["out"])
    scoring = recipe_for(recipe(job["recipe"]), train)
    extractor, method = open_extractor(scoring, lambda _: None), make_method(scoring)
    at_start = _memory_now_mb()
    with temporary_bank(scoring) as bank, (out / "maps.f32").open("wb") as maps:
        began = time.perf_counter()
        references = learn(train, bank, extractor)
        gallery = bank.gallery(tuple(references.files))
        fit(method, gallery)
        fit_seconds = time.perf_counter() - began
        seconds, scores = [], []
        for file in map(Path, job["test"]):
            began = time.perf_counter()
            image = decode(read_bytes(file), name=file.name)
            found = method.score(extractor.extract(image), gallery)
            whole = None if found.patches is None else anomaly_map(found.patches, scoring)
            seconds.append(time.perf_counter() - began)
            scores.append(found.image)
            if whole is not None:
                maps.write(whole.astype("<f4").tobytes())
    facts = {
        "scores": scores,
        "seconds": seconds,
        "fit_seconds": fit_seconds,
        "scoring": asdict(scoring),
        "memory_at_start_mb": at_start,
        "peak_memory_mb": peak_rss_mb(),
    }
    (out / "facts.json").write_text(json.dumps(facts), encoding="utf-8")


def _memory_now_mb() -> float:
    import psutil

    return float(psutil.Process().memory_info().rss / 1e6)


def row(who: str, dataset: Dataset, found: Found) -> dict[str, object]:
    """Return the figures of one side, by our metrics."""
    bad = np.array([sample.is_bad for sample in dataset.test])
    scores = np.array(found.facts["scores"])
    plain = found.facts.get("scores_without_weight")
    pixels = metrics.PixelMetrics()
    for sample, values in zip(dataset.test, found.maps, strict=False):
        if sample.mask is not None or not sample.is_bad:
            height, width = read_image(sample.path).shape[:2]
            pixels.add(
                input_on_frame(values, found.scoring, (height, width)),
                mask_on_frame(sample, found.scoring, (height, width)),
            )
    of_pixels = pixels.result()
    interval = metrics.auroc_interval(bad, scores, seed=0)
    return {
        "dataset": dataset.name,
        "who": who,
        "references": len(dataset.train),
        "tests": len(dataset.test),
        "input": f"{found.scoring.input_width} x {found.scoring.input_height}",
        "fit_seconds": found.facts["fit_seconds"],
        "seconds_per_image": float(np.median(found.facts["seconds"])),
        "peak_memory_mb": found.facts["peak_memory_mb"],
        "memory_at_start_mb": found.facts["memory_at_start_mb"],
        "image_auroc": metrics.image_auroc(bad, scores),
        "image_auroc_interval": interval,
        "image_auroc_without_weight": metrics.image_auroc(bad, np.array(plain)) if plain else None,
        "pixel_auroc": of_pixels.auroc if of_pixels else None,
        "aupro": of_pixels.aupro if of_pixels else None,
    }


def _in_words(row: dict[str, Any]) -> dict[str, object]:
    """Return a row for people."""
    plain, interval = row["image_auroc_without_weight"], row["image_auroc_interval"]
    low_high = f" [{interval[0]:.3f}, {interval[1]:.3f}]" if interval else ""
    return {
        "data set": row["dataset"],
        "who": row["who"],
        "references": row["references"],
        "input": row["input"],
        "fit": f"{row['fit_seconds']:.1f} s",
        "a picture": f"{1000 * row['seconds_per_image']:.1f} ms",
        "peak memory": f"{row['peak_memory_mb']:.0f} MB",
        "of it at start": f"{row['memory_at_start_mb']:.0f} MB",
        "image AUROC": _number(row["image_auroc"])
        + low_high
        + (f" ({plain:.3f})" if plain is not None else ""),
        "pixel AUROC": _number(row["pixel_auroc"]),
        "AUPRO": _number(row["aupro"]),
    }


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--ours"]:
        ours(Path(sys.argv[2]))
    else:
        main()
