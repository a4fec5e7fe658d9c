import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pytest

from inspector_gui.core import quantising
from inspector_gui.core.errors import KnownError
from inspector_gui.core.features import Extractor, Features
from inspector_gui.core.methods import scoring_for
from inspector_gui.core.quantising import (
    MOST_PICTURES,
    calibrated,
    calibration_of,
    quantise,
    quantised_path,
    spread,
)
from inspector_gui.core.types import Scoring
from tests.drawn import picture, png, sha, write_parts

needs_nncf = pytest.mark.skipif(
    importlib.util.find_spec("nncf") is None, reason='int8 needs pip install "inspector-gui[int8]"'
)
INT8 = Scoring(size=96, precision="int8")
HASHES = tuple(sha(png(seed)) for seed in range(8))

QUANTISES = """
import json, socket, sys, threading
from pathlib import Path

calls = []

def refuse(name):
    def call(*arguments, **_options):
        calls.append((name, arguments))
        raise OSError("no network here")
    return call

socket.socket.connect = refuse("connect")
socket.socket.connect_ex = refuse("connect_ex")
socket.create_connection = refuse("create_connection")
socket.getaddrinfo = refuse("getaddrinfo")

from inspector_gui.core.quantising import quantise
from inspector_gui.core.types import Scoring

given = json.loads(sys.argv[1])
quantise(
    Scoring(**given["scoring"]),
    [Path(name) for name in given["pictures"]],
    folder=Path(given["folder"]),
    weights_folder=Path(given["weights"]),
    cache=Path(given["cache"]),
    report=lambda step: print(step.what, step.done, step.total),
)
for thread in threading.enumerate():
    if thread is not threading.current_thread():
        thread.join(5)
assert "pytest" not in sys.modules  # else NNCF would be silent by itself
assert "nncf" in sys.modules
assert sys.modules["openvino_telemetry"] is None
assert calls == [], calls
"""


@pytest.fixture(autouse=True)
def _versions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of networks can be told without NNCF."""
    if importlib.util.find_spec("nncf") is None:
        monkeypatch.setattr(quantising, "version", lambda _: "1.0")


def make(
    scoring: Scoring, pictures: list[Path], folder: Path, *, weights: Path, networks: Path
) -> str:
    """Quantise in a process of its own with a home of its own; return what that says."""
    home = folder.parent / f"home of {folder.name}"
    home.mkdir()
    given = {
        "scoring": asdict(scoring),
        "pictures": [str(path) for path in pictures],
        "folder": str(folder),
        "weights": str(weights),
        "cache": str(networks),
    }
    done = subprocess.run(
        [sys.executable, "-c", QUANTISES, json.dumps(given)],
        capture_output=True, text=True, timeout=100, check=False,
        env={**os.environ, "HOME": str(home), "USERPROFILE": str(home)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert list(home.rglob("*telemetry*")) == []
    return done.stdout


@pytest.mark.slow
@needs_nncf
def test_the_same_pictures_give_the_same_network_which_calls_nobody(
    tmp_path: Path, weights: Path, networks: Path
) -> None:
    pictures = write_parts(tmp_path / "good", range(8))
    scoring = calibrated(INT8, HASHES)

    def features(folder: Path) -> Features:
        extractor = Extractor(scoring, weights_folder=weights, cache=networks, quantised=folder)
        assert extractor.device == "CPU (OpenVINO int8)"
        return extractor.extract(picture(99))

    made = []
    for number, given in enumerate((pictures, pictures[::-1])):
        folder = tmp_path / f"networks {number}"
        said = make(scoring, given, folder, weights=weights, networks=networks)
        assert said.splitlines()[0] == "calibration 0 8"
        assert said.splitlines()[-1] == "calibration 8 8"
        path = quantised_path(scoring, folder)
        assert path is not None
        assert {p.name for p in folder.iterdir()} == {path.name, path.with_suffix(".bin").name}
        made.append(features(folder))
    one, again = made
    plain = Extractor(
        replace(INT8, precision="f32"), weights_folder=weights, cache=networks
    ).extract(picture(99))
    for mine, same, exact in zip(one.levels, again.levels, plain.levels, strict=True):
        np.testing.assert_array_equal(mine, same)
        apart = np.linalg.norm(mine - exact) / np.linalg.norm(exact)
        assert 1e-3 < apart < 0.3  # eight bits, and no other network
    np.testing.assert_array_equal(one.pooled, again.pooled)


@pytest.mark.slow
@needs_nncf
def test_a_quantised_network_takes_pictures_that_keep_their_shape_and_tiles(
    tmp_path: Path, weights: Path, networks: Path
) -> None:
    pictures = write_parts(tmp_path / "good", range(8))
    scoring = calibrated(replace(INT8, size=128, height=544, fit="keep", tiles=512), HASHES)
    make(scoring, pictures, tmp_path / "made", weights=weights, networks=networks)
    extractor = Extractor(
        scoring, weights_folder=weights, cache=networks, quantised=tmp_path / "made"
    )
    assert extractor.extract(picture(3)).levels[0].shape[:2] == (136, 32)
    tall = np.concatenate([picture(seed) for seed in range(4)])
    assert np.isfinite(extractor.extract(tall).levels[2]).all()


def test_without_the_addition_int8_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(quantising, "version", missing)
    with pytest.raises(KnownError, match=r'pip install "inspector-gui\[int8\]"'):
        calibrated(INT8, HASHES)
    assert calibrated(Scoring(), HASHES) == Scoring()


def test_the_name_of_a_network_is_of_pictures_input_and_weights() -> None:
    name = calibration_of(INT8, HASHES)
    assert len(name) == 16
    assert calibration_of(INT8, HASHES[::-1]) == name
    assert calibration_of(replace(INT8, method="dn2", k=3, sigma=1.0), HASHES) == name
    others = [
        calibration_of(INT8, HASHES[1:]),
        calibration_of(replace(INT8, size=128), HASHES),
        calibration_of(replace(INT8, fit="keep"), HASHES),
        calibration_of(replace(INT8, backbone="efficientnet_lite1"), HASHES),
    ]
    assert len({name, *others}) == 5


def test_features_and_scores_of_two_networks_are_never_taken_for_each_other() -> None:
    one, other = calibrated(INT8, HASHES), calibrated(INT8, HASHES[1:])
    assert len({s.features_key for s in (INT8, one, other, Scoring(size=96))}) == 4
    assert len({s.key for s in (INT8, one, other, Scoring(size=96))}) == 4


def test_a_recipe_keeps_its_network_while_the_set_changes() -> None:
    first = calibrated(INT8, HASHES)
    assert calibrated(replace(first, k=3), HASHES[2:], before=first) == replace(first, k=3)
    assert calibrated(replace(INT8, method="dn2"), HASHES[2:], before=first).calibration == (
        first.calibration
    )
    anew = replace(first, calibration=calibration_of(first, HASHES[2:]))
    assert calibrated(anew, HASHES[2:], before=first) == anew


def test_another_input_or_precision_has_another_network_or_none() -> None:
    first = calibrated(INT8, HASHES)
    wider = calibrated(replace(first, size=128), HASHES, before=first)
    assert wider.calibration == calibration_of(wider, HASHES) != first.calibration
    plain = calibrated(replace(first, precision="bf16"), HASHES, before=first)
    assert plain.calibration == ""
    again = calibrated(replace(plain, precision="int8"), HASHES[2:], before=plain)
    assert again.calibration == calibration_of(INT8, HASHES[2:])


@pytest.mark.parametrize("count", [1, 7, MOST_PICTURES, MOST_PICTURES + 1, 1234])
def test_calibration_takes_all_pictures_or_a_hundred_evenly_spread(count: int) -> None:
    chosen = spread(range(count))
    assert len(chosen) == len(set(chosen)) == min(count, MOST_PICTURES)
    assert chosen[0] == 0
    steps = np.diff(chosen)
    assert count == 1 or steps.max() - steps.min() <= 1
    assert count - chosen[-1] <= count / len(chosen) + 1


def test_nothing_is_made_of_other_pictures_than_the_recipes(
    tmp_path: Path, weights: Path, networks: Path
) -> None:
    pictures = write_parts(tmp_path / "good", range(8))
    scoring, folder = calibrated(INT8, HASHES), tmp_path / "made"
    for given in (pictures[1:], [*pictures[1:], *write_parts(tmp_path, range(50, 51))]):
        with pytest.raises(KnownError, match="have changed"):
            quantise(scoring, given, folder=folder, weights_folder=weights, cache=networks)
    pictures[3].unlink()
    with pytest.raises(KnownError, match=r"good-003\.png"):
        quantise(scoring, pictures, folder=folder, weights_folder=weights, cache=networks)
    assert not folder.exists()


def test_a_network_that_is_missing_is_a_sentence(weights: Path, networks: Path) -> None:
    for scoring in (INT8, replace(INT8, calibration="0123456789abcdef")):
        with pytest.raises(KnownError, match="has not been made; choose int8 again"):
            Extractor(scoring, weights_folder=weights, cache=networks)


def test_int8_is_for_openvino_alone() -> None:
    assert scoring_for("dn2", precision="int8").precision == "int8"
    with pytest.raises(KnownError, match="int8 runs on OpenVINO alone"):
        scoring_for("spade", precision="int8", runtime="torch")
