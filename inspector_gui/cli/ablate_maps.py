"""`ablate --paper spade`: the ablations of SPADE's maps on one data set: tables, JSON and plots."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import typer
from rich.table import Table

from inspector_gui.cli.options import ProgressStyle
from inspector_gui.cli.outputs import Outputs
from inspector_gui.cli.progress import naming, reporting
from inspector_gui.cli.recipe import open_extractor, temporary_bank
from inspector_gui.cli.tables import in_words, input_in_words, show
from inspector_gui.core.images import display_name
from inspector_gui.core.measuring import map_ablation
from inspector_gui.core.measuring.datasets import read_dataset
from inspector_gui.core.measuring.map_ablation import METRICS, MapPoint
from inspector_gui.core.types import Scoring

TITLES = {
    map_ablation.LEVELS: "Levels of the pyramid (table 6)",
    map_ablation.NEAREST: "K nearest references (table 7)",
    map_ablation.RANDOM: f"K references at random, {map_ablation.DRAWS} draws (table 7)",
}
COLUMNS = {
    "image_auroc": "image AUROC",
    "stage1_auroc": "stage 1",
    "pixel_auroc": "pixel",
    "aupro": "AUPRO",
}


def run(
    folder: Path,
    scoring: Scoring,
    *,
    seed: int,
    json: Path | None,
    plots: Path | None,
    style: ProgressStyle,
) -> int:
    """Run both ablations; returns the exit status."""
    dataset = read_dataset(folder)
    dataset = replace(dataset, name=display_name(dataset.name))
    with Outputs(files=[json], folder=plots) as outputs:
        with reporting(style) as report, temporary_bank(scoring) as bank:
            named = naming(report, f"{dataset.name}, {scoring.backbone}")
            extractor = open_extractor(scoring, named)
            points, unreadable = map_ablation.ablate_maps(
                dataset, scoring=scoring, extractor=extractor, bank=bank, seed=seed, report=named
            )
        result = {
            "paper": "spade",
            "dataset": dataset.name,
            "backbone": scoring.backbone,
            "preset": scoring.preset,
            "kappa": scoring.kappa,
            "weights": scoring.weights,
            "pool": scoring.pool,
            "scales": scoring.scales,
            "sigma": scoring.sigma,
            **scoring.input_as_json(),
            "seed": seed,
            "points": [point.as_json() for point in points],
        }
        outputs.stage_json(json, result)
        if plots is not None:
            from inspector_gui.cli.plots import draw_maps

            for name, picture in draw_maps(points, dataset.name).items():
                outputs.stage(plots / f"{name}.png", picture)
        outputs.commit()
    if style is not ProgressStyle.JSON:
        _show(points)
        typer.echo(f"{scoring.backbone}, {input_in_words(scoring)}")
    for reason in unreadable:
        typer.echo(f"Left out of {dataset.name}: {reason}", err=True)
    return 0


def _show(points: Sequence[MapPoint]) -> None:
    for ablated, title in TITLES.items():
        chosen = [point for point in points if point.ablation == ablated]
        if not chosen:
            continue
        table = Table("levels", title=title)
        table.add_column("k", justify="right")
        for metric in METRICS:
            table.add_column(COLUMNS[metric], justify="right")
        for point in chosen:
            areas = [in_words(point.mean(metric), point.spread(metric)) for metric in METRICS]
            table.add_row(point.levels, str(point.k), *areas)
        show(table)
