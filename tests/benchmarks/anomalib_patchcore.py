"""anomalib's PatchCore on one data set; run by `against_anomalib` in anomalib's own environment.

    python anomalib_patchcore.py JOB.json

The model is used without anomalib's trainer: batches of 32 references in, coreset, then one test
picture at a time, as `PatchcoreModel` does each. Pictures are read and resized by anomalib's own
means. Knows nothing of the program that it is compared with.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import timm
import torch
from anomalib.data.utils import read_image
from anomalib.models.image.patchcore.torch_model import PatchcoreModel
from torchvision.transforms.v2 import Compose, Normalize, Resize

LAYERS = ["blocks.2", "blocks.4"]
"""Strides 8 and 16 of lite0."""
BATCH = 32


def main() -> None:
    """Do the job: features of a given input, the memory bank, scores and maps."""
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    out = Path(job["out"])
    torch.manual_seed(job["seed"])
    model = loaded(Path(job["weights"]))
    compare_input(model, out)
    see = Compose(
        [
            Resize((job["size"], job["size"]), antialias=True),
            Normalize([m / 255 for m in job["mean"]], [s / 255 for s in job["std"]]),
        ]
    )
    at_start = memory_mb("VmRSS")
    began = time.perf_counter()
    model.train()
    model.feature_extractor.eval()
    for start in range(0, len(job["train"]), BATCH):
        files = job["train"][start : start + BATCH]
        model(torch.stack([see(read_image(file, as_tensor=True)) for file in files]))
    model.subsample_embedding(job["share"])
    fit_seconds = time.perf_counter() - began
    model.eval()
    highest = highest_patches(model)
    seconds, scores = [], []
    with (out / "maps.f32").open("wb") as maps:
        for file in job["test"]:
            began = time.perf_counter()
            found = model(see(read_image(file, as_tensor=True))[None])
            scores.append(float(found.pred_score))
            seconds.append(time.perf_counter() - began)
            maps.write(found.anomaly_map[0, 0].numpy().astype("<f4").tobytes())
    facts = {
        "scores": scores,
        "scores_without_weight": highest,
        "seconds": seconds,
        "fit_seconds": fit_seconds,
        "bank": len(model.memory_bank),
        "memory_at_start_mb": at_start,
        "peak_memory_mb": memory_mb("VmHWM"),
    }
    (out / "facts.json").write_text(json.dumps(facts), encoding="utf-8")


def loaded(weights: Path) -> PatchcoreModel:
    """Return the model with the tensors of a weights file, which lists timm's layers in order."""
    state = torch.load(weights, weights_only=True, map_location="cpu")
    values = [v for k, v in state.items() if not k.endswith("num_batches_tracked")]
    whole = timm.create_model("tf_efficientnet_lite0", pretrained=False).state_dict()
    names = [k for k in whole if not k.endswith("num_batches_tracked")]
    whole |= dict(zip(names, values, strict=True))
    model = PatchcoreModel(LAYERS, backbone="tf_efficientnet_lite0", pre_trained=False)
    network = model.feature_extractor.feature_extractor
    network.load_state_dict({k: whole[k] for k in network.state_dict()})
    return model.eval()


def compare_input(model: PatchcoreModel, out: Path) -> None:
    """Write the features of `input.npy`, so that whoever gave it can compare them."""
    with torch.no_grad():
        found = model.feature_extractor(torch.from_numpy(np.load(out / "input.npy")))
    for name, features in found.items():
        np.save(out / f"features-{name}.npy", features[0].permute(1, 2, 0).numpy())


def highest_patches(model: PatchcoreModel) -> list[float]:
    """Return a list that gets every picture's largest patch distance, before its weight."""
    highest: list[float] = []
    weighted = model.compute_anomaly_score

    def score(
        patch_scores: torch.Tensor, locations: torch.Tensor, embedding: torch.Tensor
    ) -> torch.Tensor:
        highest.append(float(patch_scores.max()))
        return weighted(patch_scores, locations, embedding)

    model.compute_anomaly_score = score
    return highest


def memory_mb(name: str) -> float:
    """Return a line of this process's status in MB; 0 where the system has none."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return sum(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith(name))


if __name__ == "__main__":
    main()
