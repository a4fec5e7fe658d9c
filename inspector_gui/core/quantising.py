"""int8: the network quantised after training, calibrated on pictures of good parts.

NNCF does that, an optional extra, and its result is an OpenVINO network that needs NNCF no more.
Such a network belongs to a recipe: its scores change with the pictures it was calibrated on, so
`Scoring.calibration` names it, and a set that changes keeps it until somebody chooses int8 anew.
"""

import hashlib
import io
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TypeVar

from inspector_gui.core.backbones import backbone
from inspector_gui.core.digests import digest_of
from inspector_gui.core.errors import KnownError
from inspector_gui.core.runtimes import INT8, convert, import_openvino, save_whole
from inspector_gui.core.types import RGB, Floats, Progress, Scoring

MOST_PICTURES = 100
"""References that a network is calibrated on, evenly spread, where there are more."""

Report = Callable[[Progress], None]
_T = TypeVar("_T")


def quantised_path(scoring: Scoring, folder: Path) -> Path | None:
    """Return where the network of an int8 recipe is or will be; None for any other recipe."""
    if scoring.precision != INT8 or not scoring.calibration:
        return None
    return folder / f"{scoring.backbone}-int8-{scoring.calibration}.xml"


def spread(pictures: Sequence[_T]) -> tuple[_T, ...]:
    """Return all pictures, or `MOST_PICTURES` of more, evenly spread."""
    count = min(len(pictures), MOST_PICTURES)
    return tuple(pictures[number * len(pictures) // count] for number in range(count))


def calibration_of(scoring: Scoring, hashes: Sequence[str]) -> str:
    """Return the name of the network that a recipe's int8 has when calibrated on some pictures.

    `hashes`: the SHA-256 of their files, in any order. The name is of these, the weights, the
    network's input and the versions of what makes it: 16 hexadecimal digits. Raises `KnownError`
    where NNCF is not installed.
    """
    try:
        maker = [version("nncf"), version("openvino")]
    except PackageNotFoundError as error:
        raise KnownError(
            'int8 takes an addition that is not installed: pip install "inspector-gui[int8]".'
        ) from error
    weights = backbone(scoring.backbone).sha256
    return digest_of([weights, scoring.input_as_json(), sorted(set(hashes)), maker])


def calibrated(
    scoring: Scoring, references: Sequence[str], *, before: Scoring | None = None
) -> Scoring:
    """Return a scoring with the network that its int8 runs; others without any.

    `references`: content hashes in canonical order. A recipe that was int8 `before` with the same
    weights and input keeps its network, whatever the references are now, unless `scoring` names
    another one. Raises `KnownError` where NNCF is not installed.
    """
    if scoring.precision != INT8:
        return replace(scoring, calibration="")
    if before is not None and before.precision == INT8 and _inputs(before) == _inputs(scoring):
        return replace(scoring, calibration=scoring.calibration or before.calibration)
    return replace(scoring, calibration=calibration_of(scoring, spread(references)))


def _inputs(scoring: Scoring) -> tuple[str, dict[str, int | str]]:
    return scoring.backbone, scoring.input_as_json()


def quantise(
    scoring: Scoring,
    pictures: Sequence[Path],
    *,
    folder: Path,
    weights_folder: Path,
    cache: Path,
    report: Report = lambda _: None,
) -> Path:
    """Make the int8 network of a recipe in `folder`, calibrated on picture files; return its path.

    Post-training quantisation by NNCF: ranges of weights and activations from what the network
    computes of these pictures, prepared as the recipe says (of an input in tiles, one tile of
    each). The same pictures give the same weights. Imports torch, so run it in a process of its
    own. The file appears last and whole, so what is interrupted leaves none; a network that is
    there already stays.

    Raises `KnownError` where NNCF is missing, a picture cannot be read, or these are not the
    pictures that the recipe's network was named after.
    """
    target = quantised_path(scoring, folder)
    if target is None:
        raise ValueError(f"not an int8 recipe with a calibration: {scoring}")
    if target.exists():
        return target
    by_hash = {hashlib.sha256(_read(path)).hexdigest(): path for path in pictures}
    if calibration_of(scoring, tuple(by_hash)) != scoring.calibration:
        raise KnownError(
            "The int8 network of this recipe is missing, and since it was made the references or "
            "the program have changed. Choose int8 again."
        )
    source = convert(backbone(scoring.backbone), weights_folder=weights_folder, cache=cache)
    ordered = [path for _, path in sorted(by_hash.items())]
    save_whole(_quantised(source, _Calibration(scoring, ordered, _aloud(report))), target)
    report(Progress("calibration", len(ordered), len(ordered)))
    return target


def _aloud(report: Report) -> Report:
    """Return a report that is heard where everything else is silenced."""
    out, err = sys.stdout, sys.stderr

    def heard(progress: Progress) -> None:
        with redirect_stdout(out), redirect_stderr(err):
            report(progress)

    return heard


class _Calibration:
    """The inputs of a network that it is calibrated on, prepared when they are asked for."""

    def __init__(self, scoring: Scoring, pictures: Sequence[Path], report: Report) -> None:
        from inspector_gui.core.preprocess import Geometry

        self.pictures = tuple(enumerate(pictures))
        self._spec, self._geometry = backbone(scoring.backbone), Geometry.of(scoring)
        self._report = report

    def prepare(self, picture: tuple[int, Path]) -> Floats:
        """Return the input for one of `pictures`: float32, 1 x 3 x h x w, normalised."""
        from inspector_gui.core.images import decode
        from inspector_gui.core.preprocess import normalise

        number, path = picture
        self._report(Progress("calibration", number, len(self.pictures)))
        seen = self._geometry.apply(decode(_read(path), name=path.name))
        return normalise(self._tile(seen, number), self._spec.mean, self._spec.std)

    def _tile(self, seen: RGB, number: int) -> RGB:
        from inspector_gui.core.preprocess import MOST_AT_ONCE
        from inspector_gui.core.tiles import spans

        side = self._geometry.tiles or MOST_AT_ONCE
        rows, columns = (spans(length, side) for length in seen.shape[:2])
        row = rows[number // len(columns) % len(rows)]
        column = columns[number % len(columns)]
        return seen[row.start : row.stop, column.start : column.stop]


def _quantised(source: Path, calibration: _Calibration) -> object:
    ov = import_openvino()  # before NNCF, which would report to its makers what it is used for
    # Its bars and remarks are not for those who read this process's output.
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        import nncf

        return nncf.quantize(
            ov.Core().read_model(str(source)),
            nncf.Dataset(calibration.pictures, calibration.prepare),
            target_device=nncf.TargetDevice.CPU,
            subset_size=len(calibration.pictures),
        )


def _read(path: Path) -> bytes:
    from inspector_gui.core.images import read_bytes

    return read_bytes(path)
