"""`evaluate`: how well methods do on data sets with known answers."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import typer
from rich.table import Table

from inspector_gui.cli.options import ProgressStyle
from inspector_gui.cli.outputs import Outputs
from inspector_gui.cli.progress import naming, reporting
from inspector_gui.cli.quantise import calibrated_on
from inspector_gui.cli.recipe import fitted_to, open_extractor, temporary_bank
from inspector_gui.cli.tables import in_words, input_in_words, show, training_in_words
from inspector_gui.core.errors import KnownError
from inspector_gui.core.images import display_name, read_bytes
from inspector_gui.core.measuring.contamination import evaluate_varied
from inspector_gui.core.measuring.datasets import Dataset, read_dataset
from inspector_gui.core.measuring.evaluation import Evaluation, Picture, evaluate
from inspector_gui.core.measuring.variation import CLEAN, CLEANED, CONTAMINATED, Variation
from inspector_gui.core.method_options import name_of
from inspector_gui.core.methods import make_method
from inspector_gui.core.types import Scoring
from inspector_gui.core.video import chosen_frames


def run(
    folders: Sequence[Path],
    scorings: Sequence[Scoring],
    *,
    variation: Variation,
    subsample: int | None,
    seed: int,
    json: Path | None,
    style: ProgressStyle,
) -> int:
    """Evaluate every scoring on every data set, in this order; returns the exit status.

    References of each data set choose the default recipe's input.
    """
    for scoring in scorings:
        variation.check(scoring)
    read = [_subsampled(read_dataset(folder), subsample) for folder in folders]
    datasets = [replace(dataset, name=display_name(dataset.name)) for dataset in read]
    with Outputs(files=[json]) as outputs:
        results = [
            _evaluate(
                dataset,
                _fitted_to(scoring, dataset),
                variation,
                seed=seed,
                style=style,
            )
            for dataset in datasets
            for scoring in scorings
        ]
        rows = [row for of_one in results for row in of_one]
        outputs.stage_json(json, [row.as_json() for row in rows])
        outputs.commit()
    if style is not ProgressStyle.JSON:
        _show(rows, is_varied=variation != Variation())
        for of_one in results:
            _say_what_cleaning_did(of_one)
    for of_one in results:
        _remarks(of_one)
    return 0


def _subsampled(dataset: Dataset, count: int | None) -> Dataset:
    """Return a data set with so many training pictures, evenly spread, as of a video's frames."""
    if count is None:
        return dataset
    chosen = chosen_frames(len(dataset.train), count)
    return replace(dataset, train=tuple(dataset.train[n] for n in chosen))


def _fitted_to(scoring: Scoring, dataset: Dataset) -> Scoring:
    return fitted_to(scoring, _references(dataset))


def _references(dataset: Dataset) -> list[Picture]:
    return [(path, partial(read_bytes, path)) for path in dataset.train]


def _evaluate(
    dataset: Dataset, scoring: Scoring, variation: Variation, *, seed: int, style: ProgressStyle
) -> list[Evaluation]:
    if scoring.training is not None:
        if variation != Variation():
            raise KnownError(
                f"{scoring.method} is trained on all references there are; --contaminate, --clean, "
                "--shots and --centroids are for methods that compare with them."
            )
        # No limit is made here, so no reference has to be held out for one.
        scoring = replace(scoring, training=replace(scoring.training, held_out=0.0))
    with reporting(style) as report:
        named = naming(report, f"{dataset.name}, {name_of(scoring)}")
        scoring = calibrated_on(scoring, _references(dataset), named)
        with temporary_bank(scoring) as bank:
            extractor = open_extractor(scoring, named)
            if variation == Variation():
                one = evaluate(
                    dataset, scoring=scoring, method=make_method(scoring), extractor=extractor,
                    bank=bank, seed=seed, report=named,
                )  # fmt: skip
                return [one]
            return evaluate_varied(
                dataset, scoring=scoring, variation=variation, extractor=extractor, bank=bank,
                seed=seed, report=named,
            )  # fmt: skip


def _show(results: Sequence[Evaluation], *, is_varied: bool) -> None:
    table = Table(
        "data set", "method", *(["references"] if is_varied else []), "train", "test", "k"
    )
    numbers = ("image AUROC", "95 %", "stage 1", "pixel", "AUPRO", "F1 max")
    for name in (*numbers, "fit s", "s/image", "MB"):
        table.add_column(name, justify="right")
    for r in results:
        low_high = r.image_auroc_interval
        varied = [training_in_words(r.training, r.details)] if is_varied else []
        table.add_row(
            r.dataset,
            name_of(r.scoring),
            *varied,
            str(r.n_train),
            str(r.n_test),
            str(r.k_used),
            in_words(r.image_auroc, r.details.get("image_auroc_std")),
            f"{low_high[0]:.3f} – {low_high[1]:.3f}" if low_high else "–",
            in_words(r.stage1_auroc),
            in_words(r.pixel.auroc if r.pixel else None),
            in_words(r.pixel.aupro if r.pixel else None),
            in_words(r.f1[0] if r.f1 else None),
            f"{r.fit_seconds:.1f}",
            f"{r.seconds_per_image:.4f}",
            f"{r.peak_rss_mb:.0f}",
        )
    show(table)
    for device in dict.fromkeys(f"{r.scoring.backbone} on {r.device}" for r in results):
        typer.echo(device)
    for words in dict.fromkeys(f"{r.dataset}: {input_in_words(r.scoring)}" for r in results):
        typer.echo(words)


def _say_what_cleaning_did(rows: Sequence[Evaluation]) -> None:
    """Say how much of what contamination cost was won back, where both were measured."""
    areas = {row.training: row.image_auroc for row in rows}
    clean, impure, cleaned = (areas.get(name) for name in (CLEAN, CONTAMINATED, CLEANED))
    if clean is None or impure is None:
        return
    name, lost = f"{rows[0].dataset}, {name_of(rows[0].scoring)}", clean - impure
    if lost <= 0:
        typer.echo(f"{name}: contamination cost nothing.")
    elif cleaned is None:
        typer.echo(f"{name}: contamination cost {lost:.4f} of the image AUROC.")
    else:
        typer.echo(
            f"{name}: contamination cost {lost:.4f} of the image AUROC; cleaning won back "
            f"{(cleaned - impure) / lost:.0%} of that."
        )


def _remarks(rows: Sequence[Evaluation]) -> None:
    """Say on stderr what was left out or cut."""
    first = rows[0]
    for reason in first.unreadable:
        typer.echo(f"Left out of {first.dataset}: {reason}", err=True)
    for row in rows:
        if row.training == CONTAMINATED and row.details["is_cut"]:
            typer.echo(
                f"{row.dataset}: {row.details['n_contaminated']} pictures, half of the defective "
                f"ones, make an impurity of {row.details['impurity']:.1%}, not "
                f"{row.details['contaminate']:.1%}.",
                err=True,
            )
