"""`ablate`: a paper's ablations on one data set, as tables, JSON and plots."""

from collections.abc import Sequence
from pathlib import Path

import typer
from rich.table import Table

from inspector_gui.cli.options import ProgressStyle
from inspector_gui.cli.outputs import Outputs
from inspector_gui.cli.progress import naming, reporting
from inspector_gui.cli.recipe import open_extractor, temporary_bank
from inspector_gui.cli.tables import in_words, show
from inspector_gui.core.errors import KnownError
from inspector_gui.core.measuring import ablation
from inspector_gui.core.measuring.ablation import Bench, Point
from inspector_gui.core.measuring.class_data import ClassData
from inspector_gui.core.measuring.protocols import ONE_CLASS
from inspector_gui.core.types import Scoring

TITLES = {
    ablation.DEPTH: "Depth of the network",
    ablation.NEIGHBOURS: "Number of neighbours",
    ablation.REFERENCES: "Number of references",
    ablation.IMPURITY: "Impurity of the references",
    ablation.CLEANED: f"Impurity of the references, {ablation.CLEAN:.0%} of them dropped",
    ablation.CENTROIDS: "k-means centroids",
}


def run(
    folder: Path,
    scorings: Sequence[Scoring],
    *,
    seed: int,
    json: Path | None,
    plots: Path | None,
    style: ProgressStyle,
) -> int:
    """Run all ablations; returns the exit status, 1 where no network can be used."""
    data = ablation.read_any(folder)
    protocol = ONE_CLASS if isinstance(data, ClassData) else None
    points: list[Point] = []
    skipped: dict[str, str] = {}
    unreadable: tuple[str, ...] = ()
    base: Bench | None = None
    with Outputs(files=[json], folder=plots) as outputs:
        with reporting(style) as report:
            for scoring in scorings:
                named = naming(report, f"{data.name}, {scoring.backbone}")
                try:
                    extractor = open_extractor(scoring, named)
                except KnownError as error:
                    skipped[scoring.backbone] = str(error)
                    continue
                with temporary_bank(scoring) as bank:
                    problems, unreadable = ablation.problems_with(
                        data, bank, extractor, report=named
                    )
                bench = Bench(problems, scoring, seed, named)
                points.append(ablation.depth(bench))
                base = base or bench
            if base is None:
                raise KnownError(f"No network can be used. {next(iter(skipped.values()))}")
            points += ablation.ablate(base)
        result = {
            "paper": "dn2",
            "dataset": data.name,
            "protocol": protocol,
            "seed": seed,
            "points": [point.as_json() for point in points],
            "skipped": [{"backbone": name, "reason": why} for name, why in skipped.items()],
        }
        outputs.stage_json(json, result)
        if plots is not None:
            from inspector_gui.cli.plots import draw

            for name, picture in draw(points, data.name).items():
                outputs.stage(plots / f"{name}.png", picture)
        outputs.commit()
    if style is not ProgressStyle.JSON:
        _show(points)
    for name, reason in skipped.items():
        typer.echo(f"Skipped {name}: {reason}", err=True)
    for reason in unreadable:
        typer.echo(f"Left out of {data.name}: {reason}", err=True)
    return 0


def _show(points: Sequence[Point]) -> None:
    for ablated, title in TITLES.items():
        chosen = [point for point in points if point.ablation == ablated]
        if not chosen:
            continue
        table = Table("", "network", title=title)
        table.add_column("k", justify="right")
        table.add_column("image AUROC", justify="right")
        for point in chosen:
            area = in_words(point.image_auroc, point.spread)
            table.add_row(str(point.setting), point.backbone, str(point.k), area)
        show(table)
