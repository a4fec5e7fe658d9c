"""Judging by SimpleNet: what the head takes beyond features, and pictures a second of the whole.

    python tests/benchmarks/simplenet_inference.py [--json FILE] [--rounds 15] [--networks lite0]

The head (pooling, adaptor, discriminator) is timed alone, on levels in memory, and as what the
stacked network takes beyond the pyramid: beyond one whose levels are handed out, as every other
method needs them, and beyond one that keeps them inside. Those compared take turns. Beside it, the
same in torch as it is trained, and that converted as it is: nothing folded, features resized at
full width. Whole: a photograph in memory to its patch scores, with resizing and normalising. The
wide network has random weights, which are as quick as others.

What limits it: at 1536 values the folded head is 0.77 billion multiplications a picture (0.62 on
level 2, 0.15 on level 3), the wide network 11.4 billion. A product of level 2's size in torch is
timed in the same run: the larger part of the head in f32 can hardly be quicker. The paper names
77 pictures a second on an RTX 3080 Ti.
"""

import hashlib
import importlib.util
import json
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from simplenet_parts import WIDE, machine, made_up_model, networks_for, recipe
from table import parser_of, photographs, show

from inspector_gui import paths
from inspector_gui.core.backbones import backbone
from inspector_gui.core.features import Extractor
from inspector_gui.core.images import encode_png
from inspector_gui.core.quantising import calibrated, quantise
from inspector_gui.core.runtimes import INT8, OpenVinoNetwork, converted_path, import_openvino
from inspector_gui.core.simplenet.head import Head, append
from inspector_gui.core.simplenet.hyperparameters import Hyperparameters
from inspector_gui.core.simplenet.networks import PatchFeatures, Simplenet
from inspector_gui.core.simplenet.stacked import SimplenetStack
from inspector_gui.core.types import Floats, Scoring

PAPER = "77 on an RTX 3080 Ti"
PRECISIONS = ("f32", "bf16")
CALIBRATION, TIMED = 12, 4


def main() -> None:
    """Measure both networks, or those that are named."""
    parser = parser_of(__doc__ or "")
    parser.add_argument("--networks", default=f"efficientnet_lite0,{WIDE}")
    given = parser.parse_args()
    print(machine())
    heads: list[dict[str, object]] = []
    whole: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in given.networks.split(","):
            scoring = recipe(name)
            networks = networks_for(scoring, Path(folder))
            heads += heads_of(scoring, networks, given.rounds)
            whole += whole_of(scoring, networks, Path(folder), given.rounds)
    show("The head of SimpleNet, 224 x 224 (ms a picture)", heads, None)
    show(f"Pictures a second, 224 x 224; the paper: {PAPER}", whole, None)
    if given.json is not None:
        found = {"machine": machine(), "paper": PAPER, "heads": heads, "whole": whole}
        given.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def heads_of(scoring: Scoring, networks: Path, rounds: int) -> list[dict[str, object]]:
    """Return a row for every way to run the head."""
    model = made_up_model(scoring)
    head = Head.of(model)
    channels = backbone(scoring.backbone).channels
    draw = np.random.default_rng(0)
    levels = [
        draw.normal(size=(1, c, 56 >> n, 56 >> n)).astype(np.float32)
        for n, c in enumerate(channels)
    ]
    parts = _Parts(scoring, head, model.weights).eval()
    ways: dict[tuple[str, str], Callable[[], Any]] = {
        ("parts, torch", "f32"): _in_torch(parts, levels),
        ("parts, OpenVINO", "f32"): _converted(parts, levels),
    }
    for precision in PRECISIONS:
        ways["folded, alone", precision] = _alone(head, levels, precision)
    places, width = _sides(head)
    one, other = torch.randn(places, width), torch.randn(width, head.layers[0].matrix.shape[0])
    wanted = ways["parts, torch", "f32"]()
    for way in ways.values():
        found = np.asarray(way(), np.float32).reshape(wanted.shape)
        assert np.abs(found - wanted).max() < 0.05 * np.abs(wanted).max()
    ways["sgemm of the finest level", "f32"] = lambda: one @ other
    taken = in_turns(ways, rounds)
    path = converted_path(backbone(scoring.backbone), networks)
    batch = draw.normal(size=(1, 3, 224, 224)).astype(np.float32)
    for precision in PRECISIONS:
        stacks = {"levels out": None, "levels kept": _Global(), "stacked": SimplenetStack(head)}
        works: dict[tuple[str, str], Callable[[], Any]] = {}
        for name, stack in stacks.items():
            network = OpenVinoNetwork(
                path, size=(224, 224), precision=precision, cache=networks, stack=stack
            )
            works[name, precision] = _run(network, batch)
        times = in_turns(works, rounds)
        for name in ("levels out", "levels kept"):
            pairs = zip(times["stacked", precision], times[name, precision], strict=True)
            beyond = [stacked - pyramid for stacked, pyramid in pairs]
            taken[f"folded, beyond {name}", precision] = beyond
    return [
        {
            "network": scoring.backbone,
            "dimension": head.pooling.dimension,
            "way": way,
            "precision": precision,
            "ms": 1000 * statistics.median(values),
        }
        for (way, precision), values in taken.items()
    ]


def whole_of(
    scoring: Scoring, networks: Path, folder: Path, rounds: int
) -> list[dict[str, object]]:
    """Return pictures a second of the stacked network in every precision."""
    pictures = photographs(CALIBRATION + TIMED)
    stack = SimplenetStack(Head.of(made_up_model(scoring)))
    works: dict[tuple[str, str], Callable[[], Any]] = {}
    for precision in (*PRECISIONS, INT8):
        chosen = _replaced(scoring, precision)
        if precision == INT8:
            made = _quantised(chosen, pictures[:CALIBRATION], networks, folder)
            if made is None:
                continue
            chosen = made
        extractor = Extractor(
            chosen, weights_folder=paths.weights_folder(), cache=networks, quantised=folder,
            stack=stack,
        )  # fmt: skip
        batch = extractor.prepare(pictures[-1])
        works["network", precision] = _run(extractor.network, batch)
        works["picture", precision] = _extract(extractor, pictures[CALIBRATION:])
    taken = {name: statistics.median(times) for name, times in in_turns(works, rounds).items()}
    return [
        {
            "network": scoring.backbone,
            "precision": precision,
            "network_ms": 1000 * taken["network", precision],
            "picture_ms": 1000 * taken["picture", precision] / TIMED,
            "frames_per_second": TIMED / taken["picture", precision],
        }
        for part, precision in taken
        if part == "picture"
    ]


def in_turns(
    works: dict[tuple[str, str], Callable[[], Any]], rounds: int
) -> dict[tuple[str, str], list[float]]:
    """Return the seconds of pieces of work that take turns, after two rounds to warm up."""
    taken: dict[tuple[str, str], list[float]] = {name: [] for name in works}
    for turn in range(rounds + 2):
        for name, work in works.items():
            began = time.perf_counter()
            work()
            if turn >= 2:
                taken[name].append(time.perf_counter() - began)
    return taken


class _Global:
    """What hands out the global feature of a pyramid alone."""

    def on_openvino(self, graph: Any) -> Any:
        """See `runtimes.Stack`."""
        ov = import_openvino()
        return ov.Model([graph.output(3).get_node().input_value(0)], graph.get_parameters(), "g")

    def on_torch(self, module: Any) -> Any:
        """See `runtimes.Stack`."""
        raise NotImplementedError


class _Parts(torch.nn.Module):
    """Pooling, adaptor and discriminator as they are trained, on the levels."""

    def __init__(self, scoring: Scoring, head: Head, weights: Any) -> None:
        super().__init__()
        chosen = scoring.training
        assert isinstance(chosen, Hyperparameters)
        self.pool = PatchFeatures(head.pooling)
        self.net = Simplenet(head.pooling.dimension, chosen)
        self.net.load(weights)

    def forward(self, first: Any, second: Any, third: Any) -> Any:
        grid = self.pool((first, second, third))[0]
        return -self.net(grid.flatten(1).T)


def _sides(head: Head) -> tuple[int, int]:
    """Return places and features of the finest chosen level at 224 x 224."""
    at = head.pooling.levels[0]
    return (56 >> at.level) ** 2, at.outputs


def _in_torch(parts: _Parts, levels: list[Floats]) -> Callable[[], Floats]:
    given = [torch.from_numpy(level) for level in levels]

    def run() -> Floats:
        with torch.inference_mode():
            return np.asarray(parts(*given).numpy(), np.float32)

    return run


def _converted(parts: _Parts, levels: list[Floats]) -> Callable[[], Any]:
    ov = import_openvino()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit announces its end on every trace
        given = tuple(torch.from_numpy(level) for level in levels)
        shapes = [list(level.shape) for level in levels]
        graph = ov.convert_model(parts, example_input=given, input=shapes)
    return _request(graph, levels, "f32")


def _alone(head: Head, levels: list[Floats], precision: str) -> Callable[[], Any]:
    """Return the head on levels in memory: a pyramid that gives what it is given."""
    ov = import_openvino()
    from openvino import opset13 as ops

    inputs = [ops.parameter(level.shape, np.float32) for level in levels]
    pooled = ops.parameter([1, 1], np.float32)
    pyramid = ov.Model([*inputs, pooled], [*inputs, pooled], "levels")
    graph = append(pyramid, head, keep=())
    return _request(graph, [*levels, np.zeros((1, 1), np.float32)], precision)


def _request(graph: Any, given: list[Floats], precision: str) -> Callable[[], Any]:
    options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": precision}
    request = import_openvino().Core().compile_model(graph, "CPU", options).create_infer_request()
    return lambda: np.array(request.infer(given, share_inputs=True)[0])


def _run(network: Any, batch: Floats) -> Callable[[], Any]:
    return lambda: network.run(batch)


def _extract(extractor: Extractor, pictures: list[Any]) -> Callable[[], Any]:
    return lambda: [extractor.extract(picture) for picture in pictures]


def _replaced(scoring: Scoring, precision: str) -> Scoring:
    return replace(scoring, precision=precision)


def _quantised(
    scoring: Scoring, pictures: list[Any], networks: Path, folder: Path
) -> Scoring | None:
    """Return the recipe of an int8 network made of some pictures, None without NNCF."""
    if importlib.util.find_spec("nncf") is None:
        return None
    files = [folder / f"{number}.png" for number in range(len(pictures))]
    for file, picture in zip(files, pictures, strict=True):
        file.write_bytes(encode_png(picture))
    hashes = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    scoring = calibrated(scoring, hashes)
    quantise(scoring, files, folder=folder, weights_folder=paths.weights_folder(), cache=networks)
    return scoring


if __name__ == "__main__":
    main()
