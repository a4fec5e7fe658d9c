"""What benchmarks of SimpleNet share: networks of random weights (for speed alone), made-up models.

Weights of networks that nobody has downloaded are not needed to measure how long they take.
"""

import platform
import tempfile
import time
import warnings
from dataclasses import replace
from pathlib import Path

import psutil
import torch

from inspector_gui import paths
from inspector_gui.core.backbones import Backbone, backbone, build_pyramid
from inspector_gui.core.runtimes import converted_path, import_openvino, save_whole
from inspector_gui.core.simplenet.facts import ModelFacts
from inspector_gui.core.simplenet.hyperparameters import Hyperparameters, hyperparameters_for
from inspector_gui.core.simplenet.model import SimplenetModel
from inspector_gui.core.simplenet.networks import Simplenet
from inspector_gui.core.simplenet.patches import patch_pooling
from inspector_gui.core.types import Scoring

WIDE = "wide_resnet50_2"


def machine() -> str:
    """Return processor, cores and system in words."""
    model = platform.processor() or platform.machine()
    with_name = Path("/proc/cpuinfo")
    if with_name.exists():
        lines = with_name.read_text(encoding="utf-8").splitlines()
        model = next((x.partition(":")[2].strip() for x in lines if x.startswith("model n")), model)
    return f"{model}, {psutil.cpu_count()} logical cores, {platform.system()}"


def random_pyramid(spec: Backbone) -> torch.nn.Module:
    """Return a pyramid of random weights that give numbers of ordinary size."""
    import torchvision

    torch.manual_seed(0)
    network = torchvision.models.get_model(spec.name, weights=None)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / spec.file
        torch.save(network.state_dict(), file)
        return build_pyramid(spec, file)


def networks_for(scoring: Scoring, folder: Path) -> Path:
    """Return the folder of converted networks; for those of random weights it is `folder`."""
    if backbone(scoring.backbone).package:
        return paths.networks_folder()
    spec = backbone(scoring.backbone)
    target = converted_path(spec, folder)
    if not target.exists():
        ov = import_openvino()
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            example = torch.zeros(1, 3, 224, 224)
            graph = ov.convert_model(
                random_pyramid(spec), example_input=example, input=[-1, 3, -1, -1]
            )
        save_whole(graph, target)
    return folder


def recipe(name: str, changes: dict[str, object] | None = None) -> Scoring:
    """Return `fast` for a network of few channels, `paper` (1536-d) for the wide one, at 224."""
    chosen = hyperparameters_for("paper" if name == WIDE else "fast", changes)
    return Scoring(
        method="simplenet", k=2, backbone=name, size=224, preset=chosen.preset, training=chosen
    )


def made_up_model(scoring: Scoring) -> SimplenetModel:
    """Return a model of random weights."""
    chosen = scoring.training
    assert isinstance(chosen, Hyperparameters)
    torch.manual_seed(1)
    width = patch_pooling(backbone(scoring.backbone).channels, chosen).dimension
    trained = replace(scoring, precision="f32", calibration="")
    facts = ModelFacts("", time.time(), trained, 0.1, (), {}, (), 0.0)
    return SimplenetModel.of(Simplenet(width, chosen).weights(), facts)
