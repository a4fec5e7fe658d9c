"""`ablate --paper simplenet`: its tables and figures on one data set, as tables, JSON and plots."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import typer
from rich.table import Table

from inspector_gui.cli.options import ProgressStyle
from inspector_gui.cli.outputs import Outputs
from inspector_gui.cli.progress import naming, reporting
from inspector_gui.cli.recipe import open_extractor, temporary_bank
from inspector_gui.cli.tables import in_words, input_in_words, show
from inspector_gui.core.errors import KnownError
from inspector_gui.core.measuring import training_ablation
from inspector_gui.core.measuring.ablation import read_any
from inspector_gui.core.measuring.adaptor_spread import AdaptorSpread
from inspector_gui.core.measuring.class_data import ClassData
from inspector_gui.core.measuring.training_ablation import (
    Ablated,
    TrainedPoint,
    ablate_classes,
    ablate_training,
    require_enough,
)
from inspector_gui.core.types import Scoring

TITLES = {
    training_ablation.LEVELS: "Levels (table 2)",
    training_ablation.ADAPTOR: "Adaptor (table 3)",
    training_ablation.BACKBONE: "Network (table 4)",
    training_ablation.CLASSES: "One class normal, all others not (table 5)",
    training_ablation.NOISE: "Noise, in multiples of the recipe's (figure 5)",
    training_ablation.NEIGHBOURHOOD: "Neighbourhood (table 6)",
    training_ablation.LOSS: "Loss with and without adaptor (table 7)",
}
COLUMNS = {"image_auroc": "image AUROC", "pixel_auroc": "pixel", "aupro": "AUPRO"}


def run(
    folder: Path,
    scorings: Sequence[Scoring],
    *,
    seed: int,
    json: Path | None,
    plots: Path | None,
    style: ProgressStyle,
) -> int:
    """Run the ablations; returns the exit status.

    The first network that can be used serves every table but that of networks. Of a folder of
    classes there is table 5 alone, by each network.
    """
    data = read_any(folder)
    for scoring in scorings:
        require_enough(data, scoring)
    points: list[TrainedPoint] = []
    skipped: dict[str, str] = {}
    unreadable: tuple[str, ...] = ()
    base: Scoring | None = None
    spread: AdaptorSpread | None = None
    with Outputs(files=[json], folder=plots) as outputs:
        with reporting(style) as report:
            for scoring in scorings:
                named = naming(report, f"{data.name}, {scoring.backbone}")
                try:
                    extractor = open_extractor(scoring, named)
                except KnownError as error:
                    skipped[scoring.backbone] = str(error)
                    continue
                found: Ablated
                if isinstance(data, ClassData):
                    found = ablate_classes(
                        data, scoring=scoring, extractor=extractor,
                        open_bank=partial(temporary_bank, scoring), report=named,
                    )  # fmt: skip
                else:
                    with temporary_bank(scoring) as bank:
                        found = ablate_training(
                            data, scoring=scoring, extractor=extractor, bank=bank,
                            backbone_alone=base is not None, report=named,
                        )  # fmt: skip
                points += found.points
                base, spread = base or scoring, spread or found.spread
                unreadable = found.unreadable
            if base is None:
                raise KnownError(f"No network can be used. {next(iter(skipped.values()))}")
        result = {
            "paper": "simplenet",
            "dataset": data.name,
            "backbone": base.backbone,
            "preset": base.preset,
            "sigma": base.sigma,
            **base.input_as_json(),
            "seed": seed,
            "points": [point.as_json() for point in points],
            "adaptor_spread": spread.as_json() if spread else None,
            "skipped": [{"backbone": name, "reason": why} for name, why in skipped.items()],
        }
        outputs.stage_json(json, result)
        if plots is not None:
            from inspector_gui.cli.training_plots import draw_trainings

            for name, picture in draw_trainings(points, spread, data.name).items():
                outputs.stage(plots / f"{name}.png", picture)
        outputs.commit()
    if style is not ProgressStyle.JSON:
        _show(points)
        if spread is not None:
            typer.echo(_spread_in_words(spread))
        typer.echo(f"{base.backbone}, {input_in_words(base)}, * is {base.preset} as it is")
    _remarks(data.name, points, skipped, unreadable)
    return 0


def _show(points: Sequence[TrainedPoint]) -> None:
    for ablated, title in TITLES.items():
        chosen = [point for point in points if point.ablation == ablated]
        if not chosen:
            continue
        table = Table(ablated, "network", title=title)
        metrics = [m for m in COLUMNS if m == "image_auroc" or _is_known(chosen, m)]
        for name in (*(COLUMNS[metric] for metric in metrics), "noise", "training s"):
            table.add_column(name, justify="right")
        for point in chosen:
            mark = " *" if point.is_recipe and ablated != training_ablation.CLASSES else ""
            table.add_row(
                f"{point.setting}{mark}",
                point.scoring.backbone,
                *(in_words(point.areas[metric]) for metric in metrics),
                "–" if point.noise is None else f"{point.noise:.3g}",
                "–" if point.seconds is None else f"{point.seconds:.1f}",
            )
        show(table)


def _is_known(points: Sequence[TrainedPoint], metric: str) -> bool:
    return any(point.areas[metric] is not None for point in points)


def _spread_in_words(spread: AdaptorSpread) -> str:
    """Return in a line what figure 4 shows."""
    sides = (("before", spread.before), ("after", spread.after))
    words = " and ".join(
        f"{float(std.min()):.3g} to {float(std.max()):.3g} {side} the adaptor"
        for side, std in sides
    )
    return f"Standard deviation of the {len(spread.before)} dimensions (figure 4): {words}"


def _remarks(
    name: str, points: Sequence[TrainedPoint], skipped: dict[str, str], unreadable: Sequence[str]
) -> None:
    """Say on stderr what is missing and why."""
    for backbone, reason in skipped.items():
        typer.echo(f"Skipped {backbone}: {reason}", err=True)
    for point in points:
        if point.failure:
            typer.echo(f"No model, {point.ablation} {point.setting}: {point.failure}", err=True)
    is_in_folders = all(point.ablation != training_ablation.CLASSES for point in points)
    if is_in_folders and not _is_known(points, "pixel_auroc"):
        typer.echo(f"{name} has no masks of its defects, so nothing is said of pixels.", err=True)
    for reason in unreadable:
        typer.echo(f"Left out of {name}: {reason}", err=True)
