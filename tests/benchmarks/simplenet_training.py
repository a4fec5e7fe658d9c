"""Training SimpleNet: 200 references by `fast`, and an epoch of `paper` against the published way.

    python tests/benchmarks/simplenet_training.py [--json FILE] [--references 200] [--pictures 16]

`train_seconds`: the demo's washers, drawn at 512 pixels, trained by the window's own command in a
run folder; wall seconds from the start of that process to the model on disk, with features in the
workspace already, and without (lite0 on OpenVINO).

`epoch_ratio`: one epoch of `paper` at 1536 values with wide_resnet50_2 at 224, f32, four pictures a
batch. Ours reads patches from the file that they were written to once; the other computes them for
every batch as the published code does (network to level 3, unfolding, resizing, two adaptive
averages). Both take turns and train the same adaptor and discriminator on the same batches and
noise, and must come to the same loss. Random weights serve for speed. Then larger batches and bf16.

What limits it: adaptor and discriminator are 3.9 million multiplications a patch with noise and
without, forwards and backwards some 9 billion a picture; caching alone cannot be quicker than
that.
"""

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from simplenet_parts import WIDE, machine, random_pyramid, recipe
from table import parser_of, photographs, show
from torch.nn import functional

from inspector_gui import paths
from inspector_gui.cli.recipe import open_extractor
from inspector_gui.core.backbones import backbone
from inspector_gui.core.features import FeatureList, Features
from inspector_gui.core.images import decode, encode_png
from inspector_gui.core.methods import scoring_for
from inspector_gui.core.preprocess import Geometry, normalise
from inspector_gui.core.simplenet.hyperparameters import Hyperparameters, hyperparameters_for
from inspector_gui.core.simplenet.patch_rows import PatchRows, patch_rows
from inspector_gui.core.simplenet.patches import patch_pooling
from inspector_gui.core.simplenet.training import Hooks, Training
from inspector_gui.core.types import Floats
from inspector_gui.demo.parts import draw_part
from inspector_gui.store.features_cache import open_store
from inspector_gui.store.images import ImageStore
from inspector_gui.store.model_files import ModelFiles
from inspector_gui.store.training_runs import TrainingRun, new_run_folder

SIZE = 512


def main() -> None:
    """Measure both."""
    parser = parser_of(__doc__ or "", rounds=3)
    parser.add_argument("--references", type=int, default=200)
    parser.add_argument("--pictures", type=int, default=16, help="of the epoch of paper")
    parser.add_argument("--only", choices=("train", "epoch"))
    given = parser.parse_args()
    print(machine())
    found: dict[str, Any] = {"machine": machine()}
    if given.only != "epoch":
        found["training"] = trainings(given.references)
        found["train_seconds"] = found["training"][1]["seconds"]
        show(f"fast, {given.references} washers at {SIZE} px, lite0", found["training"], None)
    if given.only != "train":
        found["epochs"] = epochs(given.pictures, given.rounds)
        found["epoch_ratio"] = found["epochs"][1]["ratio"]
        show(f"An epoch of paper, 1536-d, {given.pictures} pictures", found["epochs"], None)
    if given.json is not None:
        given.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


# 200 references by `fast`


def trainings(count: int) -> list[dict[str, Any]]:
    """Return what the window's command takes, without features and with them."""
    scoring = scoring_for("simplenet", runtime="openvino")
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        features = workspace / "features"
        images = ImageStore(workspace)
        hashes = tuple(sorted(images.add(data, decode(data), ".png") for data in drawn(count)))
        rows = []
        for words in ("not there", "there"):
            run = TrainingRun(
                new_run_folder(features), scoring, hashes, features, workspace / "models", 1,
                "Washers", "", time.time(),
            )  # fmt: skip
            if words == "there":
                _compute(hashes, images, features)
            run.write()
            command = [sys.executable, "-m", "inspector_gui", "train", "--folder", str(run.folder)]
            began = time.perf_counter()
            subprocess.run([*command, "--progress", "none"], check=True, capture_output=True)
            seconds = time.perf_counter() - began
            facts = run.finish()
            rows.append(
                {
                    "features": words,
                    "references": count,
                    "seconds": seconds,
                    "training_alone": facts.seconds,
                    "epochs": len(facts.losses),
                    "loss": facts.losses[-1][0],
                }
            )
            for model in ModelFiles(workspace / "models").list():
                ModelFiles(workspace / "models").delete(model.id)
            if words == "not there":
                shutil.rmtree(features)
    return rows


def drawn(count: int) -> list[bytes]:
    """Return the demo's references as files, kept in the cache folder between runs."""
    folder = paths.cache_folder() / "benchmarks" / f"washers-{SIZE}px"
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(count):
        file = folder / f"{seed:04d}.png"
        if not file.exists():
            file.write_bytes(encode_png(draw_part("washer", seed=seed, size=SIZE).image))
    return [(folder / f"{seed:04d}.png").read_bytes() for seed in range(count)]


def _compute(hashes: Sequence[str], images: ImageStore, features: Path) -> None:
    scoring = scoring_for("simplenet", runtime="openvino")
    extractor = open_extractor(scoring, lambda _: None)
    with closing(open_store(features, scoring)) as store:
        for sha in hashes:
            store.append(sha, extractor.extract(decode(images.read(sha))))


# An epoch of `paper`


def epochs(count: int, rounds: int) -> list[dict[str, Any]]:
    """Return the seconds of an epoch: recomputed, ours, and ours with other batches and in bf16."""
    scoring = recipe(WIDE)
    spec, geometry = backbone(WIDE), Geometry.of(scoring)
    pyramid: Any = random_pyramid(spec)
    batches = [
        normalise(geometry.apply(picture), spec.mean, spec.std) for picture in photographs(count)
    ]
    inputs = torch.from_numpy(np.concatenate(batches))
    chosen = hyperparameters_for("paper", {"epochs": 1})
    pooling = patch_pooling(spec.channels, chosen)
    began = time.perf_counter()
    items = tuple(_features(pyramid, one) for one in inputs)
    computed = time.perf_counter() - began
    with patch_rows(FeatureList(items), range(count), pooling) as rows:
        written = time.perf_counter() - began - computed
        ways: dict[str, tuple[PatchRows, Hyperparameters]] = {
            "recomputed": (Recomputed.of(rows, pyramid, inputs, chosen), chosen),
            "ours": (rows, chosen),
        }
        for precision, batch in (("f32", 8), ("f32", 16), ("bf16", 4), ("bf16", 8), ("bf16", 16)):
            other = replace(chosen, precision=precision, batch=batch)
            ways[f"ours, batch {batch}, {precision}"] = (rows, other)
        taken: dict[str, list[float]] = {name: [] for name in ways}
        losses: dict[str, float] = {}
        for _ in range(rounds):
            for name, (good, hyper) in ways.items():
                training = Training(good, None, hyper, device="cpu")
                began = time.perf_counter()
                losses[name] = training.run(Hooks()).epochs[-1].loss
                taken[name].append(time.perf_counter() - began)
    assert abs(losses["ours"] - losses["recomputed"]) < 1e-3, losses
    base = statistics.median(taken["recomputed"])
    return [
        {
            "way": name,
            "seconds": statistics.median(times),
            "ms_per_picture": 1000 * statistics.median(times) / count,
            "ratio": base / statistics.median(times),
            "loss": losses[name],
            "features_once": 0.0 if name == "recomputed" else computed,
            "patches_once": 0.0 if name == "recomputed" else written,
        }
        for name, times in taken.items()
    ]


def _features(pyramid: Any, one: torch.Tensor) -> Features:
    with torch.inference_mode():
        *levels, pooled = pyramid(one[None])
    fine, middle, coarse = (
        np.ascontiguousarray(level[0].permute(1, 2, 0).numpy()) for level in levels
    )
    return Features(pooled[0].numpy(), (fine, middle, coarse))


class Recomputed(PatchRows):
    """Patches of pictures that are computed for every batch, as the published code does."""

    pyramid: Any
    inputs: torch.Tensor
    chosen: Hyperparameters

    @classmethod
    def of(
        cls, rows: PatchRows, pyramid: Any, inputs: torch.Tensor, chosen: Hyperparameters
    ) -> "Recomputed":
        """Return rows whose batches come from the network; `sample` and the rest stay."""
        made = cls(rows.values, rows.ends)
        for name, value in (("pyramid", pyramid), ("inputs", inputs), ("chosen", chosen)):
            object.__setattr__(made, name, value)
        return made

    def batch(self, pictures: Sequence[int] | Any, patches: int, draw: Any) -> Floats:
        """See `PatchRows.batch`; all patches of every picture."""
        assert patches == 0
        side, width = self.chosen.neighbourhood, self.chosen.dimension
        with torch.inference_mode():
            x = self.pyramid.stem(self.inputs[np.asarray(pictures)])
            first = self.pyramid.layers[0](x)
            second = self.pyramid.layers[1](first)
            third = self.pyramid.layers[2](second)
            grid = second.shape[2:]
            pooled = []
            for level in (second, third):
                count, channels = level.shape[:2]
                around = functional.unfold(level, side, padding=side // 2)
                around = around.reshape(count, channels * side * side, *level.shape[2:])
                if level.shape[2:] != grid:
                    around = functional.interpolate(around, grid, mode="bilinear")
                flat = around.flatten(2).transpose(1, 2).reshape(-1, 1, channels * side * side)
                pooled.append(functional.adaptive_avg_pool1d(flat, width)[:, 0])
            stacked = torch.stack(pooled, 1).reshape(len(pooled[0]), 1, -1)
            found = functional.adaptive_avg_pool1d(stacked, width)[:, 0]
        return np.asarray(found.numpy(), np.float32)


if __name__ == "__main__":
    main()
