"""The table of commands: what each takes. Their work is imported when one of them runs.

The commands that measure on data sets with known answers are in `measuring`.
"""

from pathlib import Path
from typing import Annotated

import typer

from inspector_gui import __version__
from inspector_gui.cli import children, measuring, options
from inspector_gui.cli.endings import ends_in_words, stops_when_ended
from inspector_gui.cli.options import ProgressStyle, examples
from inspector_gui.core.errors import KnownError

DEMO_PART = "washer"

app = typer.Typer(
    name="inspector-gui",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@app.callback(
    invoke_without_command=True,
    epilog=examples(
        "inspector-gui",
        "inspector-gui demo",
        "inspector-gui score new_parts --references good_parts",
        "inspector-gui evaluate datasets/screw --method dn2 --method spade",
    ),
)
@ends_in_words
def start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> int | None:
    """Find defects on parts from pictures of good parts alone.

    Without a command the window opens on your default workspace.
    """
    if version:
        typer.echo(f"inspector-gui {__version__}")
        return 0
    if context.invoked_subcommand is not None:
        return None
    from inspector_gui.app import run_gui

    return run_gui(None)


@app.command(
    epilog=examples(
        "inspector-gui gui",
        "inspector-gui gui line3",
    )
)
@ends_in_words
def gui(
    workspace: Annotated[
        Path | None, typer.Argument(help="Folder with all data; your own default if left out.")
    ] = None,
) -> int:
    """Open the window."""
    if workspace is not None and workspace.exists() and not workspace.is_dir():
        raise KnownError(f"{workspace} is a file; a workspace is a folder.")
    from inspector_gui.app import run_gui

    return run_gui(workspace)


@app.command(
    epilog=examples(
        "inspector-gui demo",
        "inspector-gui demo --part gear --seed 3",
        "inspector-gui demo --screenshot demo.png --report demo.json --close",
    )
)
@ends_in_words
def demo(
    screenshot: Annotated[
        Path | None, typer.Option(metavar="PNG", help="Save the window's picture at the end.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="JSON", help="Save counts and times at the end.")
    ] = None,
    close: Annotated[bool, typer.Option("--close", help="Close the window at the end.")] = False,
    part: Annotated[str, typer.Option(metavar="KIND", help="The kind of part.")] = DEMO_PART,
    seed: options.Seed = 0,
    size: Annotated[
        int, typer.Option(min=64, max=4096, help="Side of the drawn pictures in pixels.")
    ] = 512,
) -> int:
    """Open the window on a temporary workspace of drawn parts and judge a stream of them."""
    from inspector_gui.cli.outputs import check_file

    if part != DEMO_PART:
        from inspector_gui.demo.parts import PART_KINDS

        if part not in PART_KINDS:
            raise KnownError(
                f"There is no part {part!r} to draw; there are: {', '.join(PART_KINDS)}."
            )
    for file in (screenshot, report):
        if file is not None:
            check_file(file)
    from inspector_gui.app import run_demo

    return run_demo(
        part=part, seed=seed, size=size, screenshot=screenshot, report=report, close=close
    )


@app.command(
    epilog=examples(
        "inspector-gui fit --references good_parts --bundle part.bundle",
        "inspector-gui fit --references good_parts --method patchcore --bundle part.bundle",
        "inspector-gui fit --references good_parts --method simplenet --bundle part.bundle",
        "inspector-gui fit --references walk.mp4 --preset video --bundle walk.bundle",
    )
)
@ends_in_words
@stops_when_ended
def fit(
    references: options.References,
    bundle: Annotated[Path, typer.Option(metavar="FILE", help="Where the bundle goes.")],
    subsample: options.Subsample = None,
    method: options.Method = "default",
    preset: options.Preset = None,
    backbone: options.Backbone = None,
    runtime: options.Runtime = None,
    precision: options.Precision = None,
    size: options.Size = None,
    height: options.Height = None,
    fit: options.Fit = None,
    crop: options.Crop = None,
    tiles: options.Tiles = None,
    k: options.K = None,
    kappa: options.Kappa = None,
    levels: options.Levels = None,
    weights: options.Weights = None,
    pool: options.Pool = None,
    scales: options.Scales = None,
    gate: options.Gate = None,
    stage1_limit: options.Stage1Limit = None,
    sigma: options.Sigma = None,
    coreset: options.Coreset = None,
    reweight: options.Reweight = None,
    training: options.Set = None,
    seed: options.Seed = 0,
    json: options.Json = None,
    progress: options.Progress = ProgressStyle.BAR,
) -> int:
    """Learn pictures of good parts into a bundle: one file that judges parts on any computer.

    It holds the references' features, the recipe and its limits, but none of the pictures.
    """
    from inspector_gui.cli import fit as command
    from inspector_gui.cli.recipe import scoring_from

    scoring = scoring_from(
        method, preset, runtime, backbone=backbone, precision=precision, size=size, height=height,
        fit=fit, crop=crop, tiles=tiles, k=k, kappa=kappa, sigma=sigma, levels=levels,
        weights=weights, pool=pool, scales=scales, gate=gate, stage1_limit=stage1_limit,
        coreset=coreset, reweight=reweight, training=training, seed=seed,
    )  # fmt: skip
    return command.run(command.Request(references, subsample, bundle, json), scoring, progress)


@app.command(
    epilog=examples(
        "inspector-gui score part.png --references good_parts",
        "inspector-gui score today --references good_parts --csv today.csv --heatmaps today_maps",
        "inspector-gui score today --references good_parts --method dn2 --k 3",
        "inspector-gui score frames --references walk.mp4 --subsample 500 --preset video",
        "inspector-gui score today --bundle part.bundle",
    )
)
@ends_in_words
@stops_when_ended
def score(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Pictures and folders.")],
    references: options.SomeReferences = None,
    bundle: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What fit wrote, in place of references and a recipe."),
    ] = None,
    subsample: options.Subsample = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a line per picture as CSV.")
    ] = None,
    heatmaps: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Write pictures with their anomaly map on an absolute scale."
        ),
    ] = None,
    mm_per_pixel: Annotated[
        float | None,
        typer.Option(
            min=1e-6, max=1e6, help="Millimetres that a pixel is: regions are told in mm², too."
        ),
    ] = None,
    method: options.Method = "default",
    preset: options.Preset = None,
    backbone: options.Backbone = None,
    runtime: options.Runtime = None,
    precision: options.Precision = None,
    size: options.Size = None,
    height: options.Height = None,
    fit: options.Fit = None,
    crop: options.Crop = None,
    tiles: options.Tiles = None,
    k: options.K = None,
    kappa: options.Kappa = None,
    levels: options.Levels = None,
    weights: options.Weights = None,
    pool: options.Pool = None,
    scales: options.Scales = None,
    gate: options.Gate = None,
    stage1_limit: options.Stage1Limit = None,
    sigma: options.Sigma = None,
    coreset: options.Coreset = None,
    reweight: options.Reweight = None,
    training: options.Set = None,
    seed: options.Seed = 0,
    json: options.Json = None,
    progress: options.Progress = ProgressStyle.BAR,
) -> int:
    """Judge pictures of parts by comparing them with pictures of good parts, or by a bundle.

    Every score is shown as a multiple of a limit that is suggested from the references. The exit
    status is 0 where pictures were judged, whatever the decisions.
    """
    from inspector_gui.cli import score as command
    from inspector_gui.cli.recipe import scoring_from

    request = command.Request(tuple(paths), csv, json, heatmaps, mm_per_pixel)
    if bundle is not None:
        options.refuse_fixed(context)
        return command.by_bundle(request, bundle, progress)
    if references is None:
        raise typer.BadParameter(
            "name a folder of good parts, or a bundle.", param_hint="--references"
        )
    scoring = scoring_from(
        method, preset, runtime, backbone=backbone, precision=precision, size=size, height=height,
        fit=fit, crop=crop, tiles=tiles, k=k, kappa=kappa, sigma=sigma, levels=levels,
        weights=weights, pool=pool, scales=scales, gate=gate, stage1_limit=stage1_limit,
        coreset=coreset, reweight=reweight, training=training, seed=seed,
    )  # fmt: skip
    return command.by_references(request, references, subsample, scoring, progress)


@app.command(
    epilog=examples(
        "inspector-gui export --bundle part.bundle --format onnx --out part_onnx",
        "inspector-gui export --bundle part.bundle --format openvino --out part_ov --check parts",
    )
)
@ends_in_words
@stops_when_ended
def export(
    bundle: Annotated[Path, typer.Option(metavar="FILE", help="What fit wrote, of simplenet.")],
    form: Annotated[str, typer.Option("--format", metavar="onnx|openvino", help="Of the network.")],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where its files go.")],
    check: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Pictures to check it on; drawn ones if left out."),
    ] = None,
    progress: options.Progress = ProgressStyle.BAR,
) -> int:
    """Write the SimpleNet of a bundle as one network for other programs, checked to score alike.

    A JSON file beside it says how pictures come to its input, what its outputs mean and what the
    limits are. onnx takes pip install "inspector-gui[export]".
    """
    from inspector_gui.cli import export as command

    return command.run(command.Request(bundle, form, out, check), progress)


@app.command(
    epilog=examples(
        "inspector-gui doctor",
        "inspector-gui doctor --json doctor.json",
    )
)
@ends_in_words
@stops_when_ended
def doctor(json: options.Json = None, progress: options.Progress = ProgressStyle.BAR) -> int:
    """Check this installation: versions, device, weights, folders, cameras, display.

    The exit status is 1 where the program could not work; the line says what to do.
    """
    from inspector_gui.cli import doctor as command

    return command.run(json, progress)


app.add_typer(measuring.app)
app.add_typer(children.app)
