"""From options to a scoring, and what it needs to run: a network and a place for features."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from inspector_gui import paths
from inspector_gui.cli.convert import convert_apart, run_apart
from inspector_gui.cli.progress import Report
from inspector_gui.core.backbones import backbone
from inspector_gui.core.compiled import is_compiled
from inspector_gui.core.errors import KnownError
from inspector_gui.core.features import Extractor
from inspector_gui.core.images import UnreadableImage, decode, picture_size
from inspector_gui.core.input_size import fitted
from inspector_gui.core.measuring.evaluation import FeatureBank, Picture
from inspector_gui.core.method_options import AUTOMATIC_PRESET, has_compiled_search
from inspector_gui.core.methods import scoring_for
from inspector_gui.core.methods.base import Method
from inspector_gui.core.runtimes import INT8, Stack, converted_path, default_runtime
from inspector_gui.core.simplenet.hyperparameters import hyperparameters_for, parsed
from inspector_gui.core.types import Progress, Scoring
from inspector_gui.store.features_cache import open_store
from inspector_gui.workers.trained import stack_of


def scoring_from(
    method: str,
    preset: str | None,
    runtime: str | None,
    *,
    training: Sequence[str] | None = None,
    seed: int | None = None,
    **options: object,
) -> Scoring:
    """Return the scoring that options name; raises `KnownError` for one the method lacks.

    `training`: hyperparameters as NAME=VALUE. `seed` is that of a training, and of no other method.
    """
    if runtime is None:
        runtime = "openvino" if options.get("precision") == INT8 else default_runtime()
    scoring = scoring_for(method, preset=preset or "default", runtime=runtime, **options)
    if scoring.training is None:
        if training:
            raise KnownError(f"{method} has no option --set.")
        return scoring
    changes: dict[str, object] = {"dimension": scoring.training.dimension}
    if seed is not None:
        changes["seed"] = seed
    for text in training or ():
        name, _, value = text.partition("=")
        changes[name.strip()] = parsed(name.strip(), value)
    chosen = hyperparameters_for(scoring.preset, changes)
    return scoring_for(method, preset=scoring.preset, runtime=runtime, training=chosen, **options)


def fitted_to(scoring: Scoring, pictures: Sequence[Picture]) -> Scoring:
    """Return the default recipe with the input size that these references choose.

    Every other recipe stays as it is; see `core.input_size`.
    """
    if scoring.preset != AUTOMATIC_PRESET:
        return scoring
    sizes = []
    for path, read in pictures:
        with suppress(UnreadableImage):  # said when it is learned
            if path.is_file():
                sizes.append(picture_size(path))
                continue
            height, width = decode(read(), name=path.name).shape[:2]
            return fitted(scoring, [(height, width)])  # frames of a video are all of one size
    return fitted(scoring, sizes)


def judging_extractor(
    method: Method, report: Report, *, quantised: Path | None = None
) -> Extractor:
    """Load the network that a method judges parts with; SimpleNet's own layers are part of it."""
    return open_extractor(method.scoring, report, quantised=quantised, stack=stack_of(method))


def open_extractor(
    scoring: Scoring,
    report: Report,
    *,
    quantised: Path | None = None,
    stack: Stack | None = None,
) -> Extractor:
    """Load the network of a scoring; what was never made on this computer is made first.

    `quantised`, `stack`: see `Extractor`.
    """
    weights, networks = paths.weights_folder(), paths.networks_folder()
    if scoring.precision == INT8 and not scoring.calibration:
        raise KnownError(
            "int8 is calibrated on references, which this command has none of; choose another "
            "precision."
        )
    is_converted = converted_path(backbone(scoring.backbone), networks).exists()
    if scoring.runtime == "openvino" and scoring.precision != INT8 and not is_converted:
        convert_apart(scoring.backbone, report)
    if has_compiled_search(scoring.method) and not is_compiled():
        with suppress(KnownError):  # numpy gives the same answers, later
            run_apart(["compile"], report, failure="The search could not be compiled.")
    report(Progress("network", 0, 1))
    extractor = Extractor(
        scoring, weights_folder=weights, cache=networks, quantised=quantised, stack=stack
    )
    report(Progress("network", 1, 1))
    return extractor


@contextmanager
def temporary_bank(scoring: Scoring) -> Iterator[FeatureBank]:
    """Yield a place for features on disk that is gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="inspector-", ignore_cleanup_errors=True) as folder,
        closing(open_store(Path(folder), scoring)) as store,
    ):
        yield store
