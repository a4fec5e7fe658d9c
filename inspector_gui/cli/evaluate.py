"""`evaluate`: how well methods do on data sets with known answers."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import typer
from rich.table import Table

from inspector_gui.cli.options import ProgressStyle
from inspector_gui.cli.outputs import Outputs
from inspector_gui.cli.progress import reporting
from inspector_gui.cli.recipe import open_extractor, temporary_bank
from inspector_gui.cli.tables import show
from inspector_gui.core.evaluation import Dataset, Evaluation, evaluate, read_dataset
from inspector_gui.core.images import display_name
from inspector_gui.core.methods import make_method
from inspector_gui.core.types import Progress, Scoring


def run(
    folders: Sequence[Path],
    scorings: Sequence[Scoring],
    *,
    seed: int,
    json: Path | None,
    style: ProgressStyle,
) -> int:
    """Evaluate every scoring on every data set, in this order; returns the exit status."""
    read = [read_dataset(folder) for folder in folders]
    datasets = [replace(dataset, name=display_name(dataset.name)) for dataset in read]
    with Outputs(files=[json]) as outputs:
        results = [
            _evaluate(dataset, scoring, seed=seed, style=style)
            for dataset in datasets
            for scoring in scorings
        ]
        outputs.stage_json(json, [result.as_json() for result in results])
        outputs.commit()
    if style is not ProgressStyle.JSON:
        _show(results)
    for result in results:
        for reason in result.unreadable:
            typer.echo(f"Left out of {result.dataset}: {reason}", err=True)
    return 0


def _evaluate(dataset: Dataset, scoring: Scoring, *, seed: int, style: ProgressStyle) -> Evaluation:
    name = f"{dataset.name}, {scoring.method}"
    with temporary_bank(scoring) as bank, reporting(style) as report:

        def report_named(progress: Progress) -> None:
            report(replace(progress, what=f"{name}: {progress.what}"))

        return evaluate(
            dataset,
            scoring=scoring,
            method=make_method(scoring),
            extractor=open_extractor(scoring, report_named),
            bank=bank,
            seed=seed,
            report=report_named,
        )


def _show(results: Sequence[Evaluation]) -> None:
    table = Table("data set", "method", "train", "test", "k")
    numbers = ("image AUROC", "95 %", "stage 1", "pixel", "AUPRO", "F1 max")
    for name in (*numbers, "fit s", "s/image", "MB"):
        table.add_column(name, justify="right")
    for r in results:
        low_high = r.image_auroc_interval
        table.add_row(
            r.dataset,
            r.scoring.method,
            str(r.n_train),
            str(r.n_test),
            str(r.k_used),
            _share(r.image_auroc),
            f"{low_high[0]:.3f} – {low_high[1]:.3f}" if low_high else "–",
            _share(r.stage1_auroc),
            _share(r.pixel.auroc if r.pixel else None),
            _share(r.pixel.aupro if r.pixel else None),
            _share(r.f1[0] if r.f1 else None),
            f"{r.fit_seconds:.1f}",
            f"{r.seconds_per_image:.4f}",
            f"{r.peak_rss_mb:.0f}",
        )
    show(table)
    for device in dict.fromkeys(f"{r.scoring.backbone} on {r.device}" for r in results):
        typer.echo(device)


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
