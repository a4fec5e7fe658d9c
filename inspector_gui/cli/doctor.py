"""`doctor`: whether this installation can work, line by line, and what to do where it cannot."""

import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import typer
from rich.table import Table

from inspector_gui import paths
from inspector_gui.cli.options import ProgressStyle
from inspector_gui.cli.outputs import Outputs
from inspector_gui.cli.progress import Report, reporting
from inspector_gui.cli.tables import show
from inspector_gui.core.backbones import BACKBONES, Backbone, weights_path
from inspector_gui.core.errors import KnownError
from inspector_gui.core.runtimes import converted_path, default_runtime, gpu_kind
from inspector_gui.core.types import Progress, Scoring

_PACKAGES = {
    "PySide6": "PySide6_Essentials",
    "torch": "torch",
    "torchvision": "torchvision",
    "openvino": "openvino",
    "faiss": "faiss-cpu",
    "cv2": "opencv-python",
    "numpy": "numpy",
}
_CAMERAS = 4
_CAMERA_SECONDS = 2.0
_QT_SECONDS = 20
_OPEN_QT = "from PySide6.QtGui import QGuiApplication; QGuiApplication([])"


@dataclass(frozen=True)
class Check:
    """A line of the report. `advice` says what to do; the program works only if all `is_ok`."""

    name: str
    found: str
    is_ok: bool = True
    advice: str = ""


def run(json: Path | None, style: ProgressStyle) -> int:
    """Check everything; returns the exit status, 1 where the program could not work."""
    with Outputs(files=[json]) as outputs:
        with reporting(style) as report:
            checks = []
            groups = _groups(report)
            for done, group in enumerate(groups):
                report(Progress("checks", done, len(groups)))
                checks.extend(group())
            report(Progress("checks", len(groups), len(groups)))
        can_work = all(check.is_ok for check in checks)
        result = {"ok": can_work, "checks": [asdict(check) for check in checks]}
        outputs.stage_json(json, result)
        outputs.commit()
    if style is not ProgressStyle.JSON:
        _show(checks)
    for check in checks:
        if not check.is_ok:
            typer.echo(f"The program cannot work: {check.name}. {check.advice}", err=True)
    return 0 if can_work else 1


def _groups(report: Report) -> list[Callable[[], list[Check]]]:
    return [
        lambda: list(_versions()),
        lambda: [_device()],
        lambda: list(_weights()),
        lambda: list(_networks()),
        lambda: [
            _folder("data folder", paths.default_workspace(), "INSPECTOR_DATA"),
            _folder("cache folder", paths.cache_folder(), "INSPECTOR_CACHE"),
        ],
        lambda: [_inference(report)],
        lambda: [_cameras()],
        lambda: [_display()],
    ]


def _versions() -> Iterator[Check]:
    yield Check("python", f"{platform.python_version()}, {platform.platform()}")
    for name, distribution in _PACKAGES.items():
        try:
            yield Check(name, version(distribution))
        except PackageNotFoundError:
            yield Check(name, "missing", False, f"Install it: pip install {distribution}.")
    try:
        yield Check("nncf", version("nncf"))
    except PackageNotFoundError:
        advice = 'It is for the precision int8 alone: pip install "inspector-gui[int8]".'
        yield Check("nncf", "not installed", advice=advice)


def _device() -> Check:
    gpu = gpu_kind()
    found = {"cuda": "NVIDIA GPU (cuda)", "mps": "Apple GPU (mps)"}.get(gpu, "CPU")
    return Check("device", f"{found}, {os.cpu_count()} cores, runtime {default_runtime()}")


def _weights() -> Iterator[Check]:
    for spec in BACKBONES.values():
        path = weights_path(spec, paths.weights_folder())
        if path.exists():
            yield Check(f"weights {spec.name}", str(path))
        elif spec.package:
            package = spec.package.replace("_", "-")
            advice = f"Install them again: pip install {package}."
            yield Check(f"weights {spec.name}", "missing", False, advice)
        else:
            advice = f"Downloaded on first use, or put the file {path.name} into {path.parent}."
            yield Check(f"weights {spec.name}", "not here yet", advice=advice)


def _networks() -> Iterator[Check]:
    def is_converted(spec: Backbone) -> bool:
        return converted_path(spec, paths.networks_folder()).exists()

    names = [spec.name for spec in BACKBONES.values() if is_converted(spec)]
    yield Check("converted networks", ", ".join(names) or "none yet")


def _folder(name: str, folder: Path, variable: str) -> Check:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"a byte")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        advice = f"Give yourself write access to {folder}, or name another folder in {variable}."
        return Check(name, f"{folder} cannot be written: {reason}", False, advice)
    return Check(name, f"{folder} can be written")


def _inference(report: Report) -> Check:
    """Run the default network on a drawn picture, as judging a part would."""
    scoring = Scoring(runtime=default_runtime())
    reinstall = "Install the program again, and the libraries it names."
    picture = np.arange(64 * 64 * 3, dtype=np.uint32).reshape(64, 64, 3).astype(np.uint8)
    try:
        from inspector_gui.cli.recipe import open_extractor

        extractor = open_extractor(scoring, report)
        extractor.extract(picture)
        began = time.perf_counter()
        features = extractor.extract(picture)
    except (KnownError, ImportError, OSError, RuntimeError) as error:
        return Check("inference", f"failed: {error}", False, reinstall)
    milliseconds = (time.perf_counter() - began) * 1000
    if not all(np.isfinite(level).all() for level in (*features.levels, features.pooled)):
        advice = "The runtime computes wrongly here: try --runtime torch."
        return Check("inference", "the features are not numbers", False, advice)
    return Check(
        "inference", f"{scoring.backbone} on {extractor.device}, {milliseconds:.1f} ms a picture"
    )


def _cameras() -> Check:
    """Look for cameras in a thread: a driver can block, and the report must not."""
    try:
        import inspector_gui.core.opencv  # noqa: F401
    except ImportError as error:
        advice = "Install opencv-python again, and the system library it names."
        return Check("cameras", f"OpenCV cannot be loaded: {error}", False, advice)
    seen: list[int] = []
    looking = threading.Thread(target=_look_for_cameras, args=(seen,), daemon=True)
    looking.start()
    looking.join(_CAMERA_SECONDS)
    found = ", ".join(f"device {number}" for number in tuple(seen)) or "none"
    if looking.is_alive():
        found += " (a camera did not answer in time)"
    return Check("cameras", found)


def _look_for_cameras(seen: list[int]) -> None:
    from inspector_gui.core.opencv import cv2

    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    for number in range(_CAMERAS):
        if sys.platform == "linux" and not Path(f"/dev/video{number}").exists():
            continue
        camera = cv2.VideoCapture(number)
        if camera.isOpened():
            seen.append(number)
        camera.release()
    cv2.utils.logging.setLogLevel(level)


def _display() -> Check:
    """Open Qt in a child process: where a library is missing, Qt ends the process it is in."""
    wants = [os.environ.get(v) for v in ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY", "DISPLAY")]
    if sys.platform == "linux" and not any(wants):
        advice = "Without a display the window cannot open; score and evaluate work."
        return Check("display", "none", advice=advice)
    command = [sys.executable, "-c", _OPEN_QT]
    try:
        child = subprocess.run(
            command, capture_output=True, text=True, timeout=_QT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return Check("display", "Qt did not start in time", False, "Check the display.")
    if child.returncode == 0:
        return Check("display", next(filter(None, wants), platform.system()))
    said = " ".join(child.stderr.split()) or f"status {child.returncode}"
    advice = "Install the libraries it names, or set the display that DISPLAY names right."
    return Check("display", f"Qt cannot open a window: {said}", False, advice)


def _show(checks: list[Check]) -> None:
    table = Table("check", "", "found", "what to do")
    for check in checks:
        table.add_row(check.name, "ok" if check.is_ok else "FAILED", check.found, check.advice)
    show(table)
