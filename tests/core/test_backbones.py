import hashlib
import http.server
import pickle
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision

from inspector_gui.core.backbones import (
    BACKBONES,
    DEFAULT_BACKBONE,
    Backbone,
    backbone,
    build_classifier,
    build_pyramid,
    fetch_weights,
    weights_path,
)
from inspector_gui.core.errors import KnownError
from inspector_gui.core.preprocess import Geometry, normalise
from inspector_gui.core.runtimes import load_network
from inspector_gui.core.types import RGB

from .photographs import shipped_picture

ESPRESSO, EGYPTIAN_CAT = 967, 285  # classes of ImageNet
LARGE = {"resnet101", "resnet152", "wide_resnet50_2"}  # of the shapes of resnet50, slow to make up
NOBODY_LISTENS = "http://127.0.0.1:9/"


@pytest.fixture(scope="module")
def classifier(weights: Path) -> torch.nn.Module:
    spec = backbone(DEFAULT_BACKBONE)
    return build_classifier(spec, fetch_weights(spec, weights))


@pytest.mark.parametrize(
    ("name", "wanted", "probability"), [("coffee", ESPRESSO, 0.89), ("chelsea", EGYPTIAN_CAT, 0.76)]
)
def test_the_default_backbone_knows_what_is_on_a_photograph(
    classifier: torch.nn.Module, name: str, wanted: int, probability: float
) -> None:
    """Weights, architecture, colour order and normalisation fit together, or this fails."""
    spec = backbone(DEFAULT_BACKBONE)
    geometry = Geometry(256, 224)  # the papers' preprocessing
    batch = normalise(geometry.apply(shipped_picture(name)), spec.mean, spec.std)
    with torch.no_grad():
        chances = classifier(torch.from_numpy(batch)).softmax(1)[0]
    assert int(chances.argmax()) == wanted
    assert float(chances.max()) == pytest.approx(probability, abs=0.01)


@pytest.mark.parametrize("name", ["efficientnet_lite1", "efficientnet_lite2"])
def test_the_other_lite_backbones_know_a_cup_of_coffee(name: str, weights: Path) -> None:
    spec = backbone(name)
    network = build_classifier(spec, fetch_weights(spec, weights))
    batch = normalise(Geometry(256).apply(shipped_picture("coffee")), spec.mean, spec.std)
    with torch.no_grad():
        assert int(network(torch.from_numpy(batch)).argmax()) == ESPRESSO


def test_the_weights_of_the_lite_backbones_are_installed_and_need_no_network(
    tmp_path: Path,
) -> None:
    for name in ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2"):
        path = fetch_weights(backbone(name), tmp_path, base_url=NOBODY_LISTENS)
        assert hashlib.sha256(path.read_bytes()).hexdigest() == backbone(name).sha256
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_backbone_is_a_sentence_with_the_known_ones() -> None:
    with pytest.raises(KnownError, match=r"There is no backbone 'vgg16'\. Choose one of: .*lite0"):
        backbone("vgg16")


def test_missing_weights_without_network_are_one_sentence_with_file_and_folder(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "weights"
    with pytest.raises(KnownError) as missing:
        fetch_weights(backbone("wide_resnet50_2"), folder, base_url=NOBODY_LISTENS)
    text = str(missing.value)
    assert "wide_resnet50_2-95faca4d.pth" in text
    assert str(folder) in text
    assert NOBODY_LISTENS in text
    assert "\n" not in text
    assert list(folder.iterdir()) == []


def test_a_missing_package_of_weights_is_a_sentence_with_its_name(tmp_path: Path) -> None:
    spec = replace(backbone("efficientnet_lite0"), package="no_such_model")
    with pytest.raises(KnownError, match="reinstall the package no-such-model"):
        fetch_weights(spec, tmp_path)


def test_weights_with_another_digest_are_refused(tmp_path: Path) -> None:
    spec = backbone("resnet18")
    weights_path(spec, tmp_path).write_bytes(b"something else")
    with pytest.raises(KnownError, match=r"resnet18-f37072fd\.pth is damaged or not the right one"):
        fetch_weights(spec, tmp_path, base_url=NOBODY_LISTENS)


class _Server(http.server.BaseHTTPRequestHandler):
    """A server of weights: whole, cut short, missing, or not a web server at all."""

    content = bytes(range(256)) * 4000

    def do_GET(self) -> None:
        if "missing" in self.path:
            self.send_error(404)
            return
        if "garbage" in self.path:
            self.wfile.write(b"220 this is not a web server\r\n")
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        kept = len(self.content) // (2 if "short" in self.path else 1)
        self.wfile.write(self.content[:kept])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        return


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}/"
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def downloadable(name: str) -> Backbone:
    digest = hashlib.sha256(_Server.content).hexdigest()
    return replace(backbone("resnet18"), file=f"{name}.pth", sha256=digest)


def test_weights_are_downloaded_once_with_progress(server: str, tmp_path: Path) -> None:
    spec = downloadable("whole")
    reports: list[tuple[int, int]] = []
    path = fetch_weights(
        spec, tmp_path, base_url=server, report=lambda done, total: reports.append((done, total))
    )
    assert path.read_bytes() == _Server.content
    assert reports[-1] == (len(_Server.content),) * 2
    assert reports == sorted(reports)
    assert fetch_weights(spec, tmp_path, base_url=NOBODY_LISTENS) == path


@pytest.mark.parametrize("name", ["missing", "short", "garbage"])
def test_a_download_that_fails_is_a_sentence_and_leaves_no_file(
    server: str, tmp_path: Path, name: str
) -> None:
    with pytest.raises(KnownError) as failed:
        fetch_weights(downloadable(name), tmp_path, base_url=server)
    assert f"{name}.pth" in str(failed.value)
    assert list(tmp_path.iterdir()) == []


def test_a_weights_file_that_would_run_code_is_refused_and_does_not_run(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[object, ...]]:
            return Path.touch, (tmp_path / "it ran",)

    path = tmp_path / "evil.pth"
    path.write_bytes(pickle.dumps({"conv1.weight": Evil()}))
    with pytest.raises(KnownError, match="cannot be loaded"):
        build_classifier(backbone("resnet18"), path)
    assert not (tmp_path / "it ran").exists()


def made_up_weights(spec: Backbone, folder: Path) -> Backbone:
    """Write random weights of a torchvision network; returns the backbone that accepts them."""
    torch.manual_seed(3)
    network = torchvision.models.get_model(spec.name, weights=None)
    temporary = folder / "weights.pth"
    torch.save(network.state_dict(), temporary)
    digest = hashlib.sha256(temporary.read_bytes()).hexdigest()
    temporary.rename(folder / f"{spec.name}-{digest[:8]}.pth")
    return replace(spec, file=f"{spec.name}-{digest[:8]}.pth", sha256=digest)


def test_a_torchvision_backbone_works_from_a_local_file_and_both_runtimes_agree(
    tmp_path: Path,
) -> None:
    spec = made_up_weights(backbone("resnet18"), tmp_path)
    image: RGB = shipped_picture("coffee")
    batch = normalise(Geometry(224).apply(image), spec.mean, spec.std)
    outputs = [
        load_network(
            spec,
            runtime=runtime,
            precision="f32",
            size=(224, 224),
            weights_folder=tmp_path,
            cache=tmp_path / "networks",
        ).run(batch)
        for runtime in ("torch", "openvino")
    ]
    for of_torch, of_openvino in zip(*outputs, strict=True):
        apart = np.abs(of_torch - of_openvino).max() / np.abs(of_torch).max()
        assert apart < 1e-4


@pytest.mark.parametrize("name", sorted(BACKBONES.keys() - LARGE))
def test_every_backbone_has_the_strides_and_widths_it_states(
    name: str, weights: Path, tmp_path: Path
) -> None:
    spec = backbone(name)
    if not spec.package:
        spec = made_up_weights(spec, tmp_path)
        weights = tmp_path
    pyramid = build_pyramid(spec, fetch_weights(spec, weights))
    with torch.no_grad():
        outputs = pyramid(torch.zeros(1, 3, 64, 64))
    grids = [(1, c, 64 // s, 64 // s) for c, s in zip(spec.channels, (4, 8, 16), strict=True)]
    assert [tuple(o.shape) for o in outputs] == [*grids, (1, spec.global_width)]


def test_the_global_feature_is_the_average_of_the_last_feature_map(tmp_path: Path) -> None:
    spec = made_up_weights(backbone("resnet18"), tmp_path)
    path = fetch_weights(spec, tmp_path)
    network, pyramid = build_classifier(spec, path), build_pyramid(spec, path)
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        logits = network.fc(pyramid(image)[3])  # type: ignore[operator]
        np.testing.assert_allclose(logits, network(image), rtol=1e-4, atol=1e-4)
