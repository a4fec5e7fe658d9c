"""The same network on torch (cuda, mps, cpu) or, where there is no GPU, on OpenVINO (cpu).

The OpenVINO path needs no torch once the network has been converted: the converted file is kept
in a cache folder, named after the weights it came from. For int8 it runs a network that was
quantised for one recipe (see `core.quantising`).
"""

import ctypes
import importlib
import platform
import shutil
import sys
import tempfile
import warnings
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from inspector_gui.core.backbones import Backbone, build_pyramid, fetch_weights
from inspector_gui.core.errors import KnownError
from inspector_gui.core.types import Floats

RUNTIMES = ("openvino", "torch")
INT8 = "int8"
PRECISIONS = ("f32", "bf16", "f16", INT8)


class Network(Protocol):
    """A loaded pyramid network: one input picture to its levels and its global feature."""

    device: str

    def run(self, batch: Floats) -> tuple[Floats, ...]:
        """Map 1 x 3 x H x W to (level 1, level 2, level 3, global), all float32 with batch axis.

        With a `Stack` on it: to what that gives instead.
        """
        ...


class Stack(Protocol):
    """What follows a pyramid network as part of the same network."""

    def on_openvino(self, graph: Any) -> Any:
        """Return an OpenVINO model that goes on from the outputs of a pyramid's."""
        ...

    def on_torch(self, module: Any) -> Any:
        """Return a torch module that goes on from the outputs of a pyramid's."""
        ...


def default_runtime() -> str:
    """Return "torch" where a GPU is usable, else "openvino"; does not import torch."""
    return "torch" if gpu_kind() else "openvino"


def gpu_kind() -> str:
    """Return "cuda", "mps" or "", asking the driver and not torch."""
    if sys.platform == "darwin":
        return "mps" if platform.machine() == "arm64" else ""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        count = ctypes.c_int(0)
        usable = driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
    except (OSError, AttributeError):
        return ""
    return "cuda" if usable and count.value > 0 else ""


def check_choice(runtime: str, precision: str) -> None:
    """Raise `KnownError` for a runtime or a precision that does not exist, or not together."""
    if precision not in PRECISIONS:
        raise KnownError(f"There is no precision {precision!r}; choose {', '.join(PRECISIONS)}.")
    if runtime not in RUNTIMES:
        raise KnownError(f"There is no runtime {runtime!r}; choose {' or '.join(RUNTIMES)}.")
    if precision == INT8 and runtime != "openvino":
        raise KnownError("int8 runs on OpenVINO alone; choose the runtime openvino with it.")


def import_openvino() -> ModuleType:
    """Import OpenVINO without its telemetry client, which would report the import."""
    if "openvino" not in sys.modules:
        # None makes the import of openvino_telemetry fail, and OpenVINO use its silent stub.
        sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    return importlib.import_module("openvino")


class DamagedNetworkError(KnownError):
    """A converted network cannot be read."""


class TorchNetwork:
    """The pyramid in torch on one device, without gradients."""

    def __init__(
        self,
        spec: Backbone,
        *,
        weights: Path,
        precision: str,
        device: str,
        stack: Stack | None = None,
    ) -> None:
        import torch

        if precision == "f16" and device == "cpu":
            raise KnownError("f16 needs a GPU; choose f32 or bf16 on the CPU.")
        self.device = f"{device} (torch {precision})"
        self._torch = torch
        self._place = torch.device(device)
        self._type = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}[precision]
        module = build_pyramid(spec, weights)
        if stack is not None:
            module = stack.on_torch(module)
        self._module = module.to(self._place, self._type).to(memory_format=torch.channels_last)

    def run(self, batch: Floats) -> tuple[Floats, ...]:
        """See `Network.run`."""
        torch = self._torch
        with torch.inference_mode():
            x = torch.from_numpy(batch).to(self._place, self._type)
            outputs = self._module(x.contiguous(memory_format=torch.channels_last))
            return tuple(o.float().contiguous().cpu().numpy() for o in outputs)


class OpenVinoNetwork:
    """The converted pyramid on the CPU, compiled for one input size (height, width).

    A network quantised to int8 says itself what is computed so; the rest of it is computed in f32.
    Inputs of other sizes go to a second copy, compiled once for any size when the first one comes.
    """

    def __init__(
        self,
        model: Path,
        *,
        size: tuple[int, int],
        precision: str,
        cache: Path,
        stack: Stack | None = None,
    ) -> None:
        self._model, self._size, self._stack = model, size, stack
        # Left alone, OpenVINO picks bf16 on some processors.
        self._options = {
            "INFERENCE_PRECISION_HINT": "f32" if precision == INT8 else precision,
            "PERFORMANCE_HINT": "LATENCY",
        }
        if stack is None:  # there may be many stacks, each used for a while
            self._options["CACHE_DIR"] = str(cache)
        self._request = self._compiled(*size)
        self._any_size: Any = None
        self.device = f"CPU (OpenVINO {precision})"

    def run(self, batch: Floats) -> tuple[Floats, ...]:
        """See `Network.run`."""
        request = self._request
        if batch.shape[2:] != self._size:
            if self._any_size is None:
                self._any_size = self._compiled(-1, -1)
            request = self._any_size
        results = request.infer([batch], share_inputs=True)
        # Its own copies.
        return tuple(np.array(results[i], np.float32) for i in range(len(request.model_outputs)))

    def _compiled(self, height: int, width: int) -> Any:
        """Return the network ready to run for one input size; -1 stands for any."""
        core = import_openvino().Core()
        try:
            graph = core.read_model(str(self._model))
        except RuntimeError as error:
            raise DamagedNetworkError(
                f"The converted network {self._model} is damaged; delete it, it is made again."
            ) from error
        graph.reshape([1, 3, height, width])
        if self._stack is not None:
            graph = self._stack.on_openvino(graph)
        return core.compile_model(graph, "CPU", self._options).create_infer_request()


def converted_path(spec: Backbone, cache: Path) -> Path:
    """Return where the converted network is or will be: named after weights and OpenVINO."""
    return cache / f"{spec.name}-{spec.sha256[:8]}-openvino{version('openvino')}.xml"


def convert(spec: Backbone, *, weights_folder: Path, cache: Path) -> Path:
    """Convert a network from torch to OpenVINO's format in `cache`; returns the model's path.

    The model file appears last and whole, so a conversion that is interrupted leaves none.
    """
    target = converted_path(spec, cache)
    if target.exists():
        return target
    weights = fetch_weights(spec, weights_folder)
    import torch

    ov = import_openvino()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit announces its end on every trace
        module = build_pyramid(spec, weights)
        example = torch.zeros(1, 3, 224, 224)
        graph = ov.convert_model(module, example_input=example, input=[-1, 3, -1, -1])
    save_whole(graph, target)
    return target


def save_whole(graph: Any, target: Path) -> None:
    """Write an OpenVINO network as `target` (.xml, its weights as .bin beside it), whole or not."""
    ov = import_openvino()
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=target.parent, prefix="converting-"))
    try:
        ov.save_model(graph, str(folder / target.name), compress_to_fp16=False)
        (folder / target.with_suffix(".bin").name).replace(target.with_suffix(".bin"))
        (folder / target.name).replace(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def load_network(
    spec: Backbone,
    *,
    runtime: str,
    precision: str,
    size: tuple[int, int],
    weights_folder: Path,
    cache: Path,
    quantised: Path | None = None,
    stack: Stack | None = None,
) -> Network:
    """Return a network ready to run; `size`: height and width in pixels that most inputs have.

    `quantised` is the network of an int8 recipe, `stack` what follows the pyramid. Raises
    `KnownError` for unknown names, missing weights, a quantised network that is not there, or a
    device that cannot do it.
    """
    check_choice(runtime, precision)
    if precision == INT8:
        if quantised is None or not quantised.exists():
            raise KnownError(
                "The int8 network of this recipe has not been made; choose int8 again."
            )
        return OpenVinoNetwork(
            quantised, size=size, precision=INT8, cache=cache / "compiled", stack=stack
        )
    if runtime == "torch":
        weights = fetch_weights(spec, weights_folder)
        device = gpu_kind() or "cpu"
        return TorchNetwork(spec, weights=weights, precision=precision, device=device, stack=stack)
    compiled = cache / "compiled"
    model = convert(spec, weights_folder=weights_folder, cache=cache)
    try:
        return OpenVinoNetwork(model, size=size, precision=precision, cache=compiled, stack=stack)
    except DamagedNetworkError:
        model.unlink(missing_ok=True)  # only a copy: it is made again, once
    model = convert(spec, weights_folder=weights_folder, cache=cache)
    return OpenVinoNetwork(model, size=size, precision=precision, cache=compiled, stack=stack)
