"""`evaluate --protocol`: the DN2 paper's protocols on data sets of classes."""

from collections.abc import Sequence
from pathlib import Path

import typer
from rich.table import Table

from inspector_gui.cli.options import ProgressStyle
from inspector_gui.cli.outputs import Outputs
from inspector_gui.cli.progress import naming, reporting
from inspector_gui.cli.recipe import open_extractor
from inspector_gui.cli.tables import in_words, show, training_in_words
from inspector_gui.core.errors import KnownError
from inspector_gui.core.measuring.class_data import ClassData, read_class_data
from inspector_gui.core.measuring.group_protocol import check_group_size, measure_groups
from inspector_gui.core.measuring.protocols import (
    GROUPS,
    PROTOCOLS,
    ProtocolRow,
    check_protocol,
    class_features,
    measure,
)
from inspector_gui.core.measuring.variation import Variation
from inspector_gui.core.types import Scoring


def run(
    folders: Sequence[Path],
    scoring: Scoring,
    *,
    protocol: str,
    group_size: int | None,
    variation: Variation,
    seed: int,
    json: Path | None,
    style: ProgressStyle,
) -> int:
    """Run a protocol on every data set, in this order; returns the exit status."""
    if protocol not in PROTOCOLS:
        raise KnownError(
            f"There is no protocol {protocol!r}. Choose one of: {', '.join(PROTOCOLS)}."
        )
    if group_size is not None and protocol != GROUPS:
        raise KnownError("--group-size belongs to --protocol groups.")
    unreadable: list[str] = []
    with Outputs(files=[json]) as outputs:
        rows = []
        for folder in folders:
            data = read_class_data(folder)
            check_protocol(data, protocol, variation, scoring)
            if protocol == GROUPS:
                classes = len(data.classes)
                check_group_size(data.name, classes, group_size or classes)
            rows += _measure(
                data, scoring, protocol, group_size, variation, unreadable, seed=seed, style=style
            )
        outputs.stage_json(json, [row.as_json() for row in rows])
        outputs.commit()
    if style is not ProgressStyle.JSON:
        _show(rows)
    for reason in unreadable:
        typer.echo(f"Left out of {reason}", err=True)
    return 0


def _measure(
    data: ClassData,
    scoring: Scoring,
    protocol: str,
    group_size: int | None,
    variation: Variation,
    unreadable: list[str],
    *,
    seed: int,
    style: ProgressStyle,
) -> list[ProtocolRow]:
    with reporting(style) as report:
        named = naming(report, f"{data.name}, {protocol}")
        features = class_features(data, open_extractor(scoring, named), report=named)
        unreadable += [f"{data.name}: {reason}" for reason in features.unreadable]
        if protocol == GROUPS:
            return measure_groups(
                features, scoring=scoring, size=group_size, seed=seed, report=named
            )
        return measure(
            features, protocol, scoring=scoring, variation=variation, seed=seed, report=named
        )


def _show(rows: Sequence[ProtocolRow]) -> None:
    is_groups = rows[0].protocol == GROUPS
    table = Table("data set", "protocol", "normal groups" if is_groups else "class", "references")
    if is_groups:
        table.add_column("pooling")
    for name in ("train", "test", "k", "image AUROC"):
        table.add_column(name, justify="right")
    for row in rows:
        pooling = [str(row.details["pooling"])] if is_groups else []
        numbers = (row.n_train, row.n_test, row.k_used)
        table.add_row(
            row.dataset,
            row.protocol,
            row.subject,
            training_in_words(row.training, row.details),
            *pooling,
            *("–" if n is None else str(n) for n in numbers),
            in_words(row.image_auroc, row.spread),
        )
    show(table)
    for line in dict.fromkeys(f"{row.dataset}: split {row.split}" for row in rows):
        typer.echo(line)
