"""The options that commands share: one name, one meaning, one help text."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from inspector_gui.core.errors import KnownError


class ProgressStyle(StrEnum):
    """How progress is shown."""

    BAR = "bar"
    JSON = "json"
    NONE = "none"


METHOD_HELP = "default (SPADE at two scales), dn2, spade, patchcore or simplenet."


def examples(*lines: str) -> str:
    """Return the end of a help text: command lines that are not wrapped."""
    return "\n".join(("\b", "Examples:", *(f"  {line}" for line in lines)))


def neighbours(text: str) -> int:
    """Return the K in a text: a number, or `all`."""
    if text.strip().lower() == "all":
        from inspector_gui.core.types import ALL_REFERENCES  # not for every --help

        return ALL_REFERENCES
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is neither a number nor all.") from None


def refuse_fixed(context: typer.Context) -> None:
    """Raise `KnownError` where an option is given that a bundle has decided already."""
    for parameter in context.command.params:
        name = parameter.name or ""
        source = context.get_parameter_source(name)
        if name in _BESIDE_A_BUNDLE or source is None or source.name != "COMMANDLINE":
            continue
        if name == "references":
            raise KnownError("Parts are judged by --references or by --bundle, not by both.")
        raise KnownError(
            f"{parameter.opts[0]} is fixed by the bundle: leave it out, or judge by --references."
        )


_BESIDE_A_BUNDLE = ("paths", "bundle", "csv", "json", "heatmaps", "mm_per_pixel", "progress")


Method = Annotated[str, typer.Option(help=METHOD_HELP)]
Methods = Annotated[
    list[str] | None,
    typer.Option(
        "--method",
        help=f"{METHOD_HELP} Can be given again. default if left out; dn2 for --protocol.",
    ),
]
Preset = Annotated[
    str | None,
    typer.Option(
        metavar="paper|video|official|fast",
        help="paper: the papers' network, geometry and constants; video: those of SPADE's second "
        "data set, whole frames and K = 1. "
        "official (the authors' script) and fast (ours) are of simplenet.",
    ),
]
Backbone = Annotated[
    str | None, typer.Option(help="The network, for example efficientnet_lite0, resnet50.")
]
Runtime = Annotated[
    str | None,
    typer.Option(metavar="openvino|torch", help="What runs the network; torch where a GPU is."),
]
Precision = Annotated[
    str | None,
    typer.Option(
        metavar="f32|bf16|f16|int8",
        help="Of the network's arithmetic. int8 is calibrated on the references, and takes "
        'pip install "inspector-gui[int8]".',
    ),
]
Size = Annotated[
    int | None,
    typer.Option(
        help="Side in pixels that pictures are resized to, a multiple of 32; with --height their "
        "width."
    ),
]
Height = Annotated[
    int | None, typer.Option(help="Height in pixels that pictures are resized to, if not --size.")
]
Fit = Annotated[
    str | None,
    typer.Option(
        metavar="keep|squash",
        help="keep: pictures of another shape keep it and are padded; squash: they lose it.",
    ),
]
Tiles = Annotated[
    int | None,
    typer.Option(help="Side in pixels of the overlapping tiles a large input is seen in; 0: none."),
]
Crop = Annotated[
    int | None, typer.Option(help="Side in pixels of the centre crop after that; 0 for none.")
]
K = Annotated[
    int | None,
    typer.Option(
        "--k",
        metavar="N|all",
        parser=neighbours,
        help="Nearest references (dn2, spade), cut to the number there is; all: every one.",
    ),
]
Kappa = Annotated[
    int | None, typer.Option(help="Nearest gallery features of a place, 1 to 100 (spade).")
]
Sigma = Annotated[
    float | None,
    typer.Option(help="Smoothing of the map in pixels of a 224 x 224 input (not dn2)."),
]
Coreset = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        help="Share of the references' patches that are kept, above 0, at most 1 (patchcore).",
    ),
]
Reweight = Annotated[
    bool | None,
    typer.Option(
        "--reweight/--no-reweight",
        help="Weight scores by the neighbourhood of the matched patch (patchcore).",
    ),
]
Levels = Annotated[
    str | None,
    typer.Option(
        metavar="L[,L...]",
        help="Levels of the pyramid that are compared, 1 (finest) to 3 (spade).",
    ),
]
Weights = Annotated[
    str | None,
    typer.Option(
        metavar="raw|scaled",
        help="How levels count: as they are, as in the paper, or each alike (spade).",
    ),
]
Pool = Annotated[
    int | None,
    typer.Option(metavar="1|2", help="2: every level is averaged over 2 x 2 cells first (spade)."),
]
Scales = Annotated[
    int | None,
    typer.Option(
        metavar="1|2",
        help="2: the map is the geometric mean of two, the second of features averaged over "
        "2 x 2 cells (spade).",
    ),
]
Gate = Annotated[
    bool | None,
    typer.Option(
        "--gate/--no-gate",
        help="Let stage 1 pass parts without a map, as published; if not, all get a map (spade).",
    ),
]
Stage1Limit = Annotated[
    float | None,
    typer.Option(
        metavar="SCORE",
        help="With --gate, the stage-1 score up to which parts pass; suggested from the "
        "references if left out (spade).",
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="A hyperparameter of a training, for example epochs=40 (simplenet); an unknown "
        "name lists all. Can be given again.",
    ),
]
Seed = Annotated[
    int,
    typer.Option(min=0, help="Of everything drawn at random; to judge draws nothing."),
]
Contaminate = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        help="Mix defective pictures into the references until they are this share of them, "
        "below 0.5. In MVTec layout they are test pictures, half of those at most, and leave "
        "the test set.",
    ),
]
Clean = Annotated[
    float | None,
    typer.Option(
        metavar="FRACTION",
        help="Drop this fraction of the references, those that score highest against all "
        "others; the paper drops 0.5.",
    ),
]
Shots = Annotated[
    list[str] | None,
    typer.Option(
        metavar="N[,N...]",
        help="Draw only N references at random, several times; mean and spread are given. Can "
        "be given again.",
    ),
]
Centroids = Annotated[
    int | None,
    typer.Option(metavar="C", help="Compare with C k-means centroids of the references (dn2)."),
]
Subsample = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Take only N references, evenly spread over the folder or video. Of a video 5000 "
        "are taken if this is left out.",
    ),
]
_REFERENCES = typer.Option(metavar="FOLDER|VIDEO", help="Pictures of good parts to compare with.")
References = Annotated[Path, _REFERENCES]
SomeReferences = Annotated[Path | None, _REFERENCES]
Protocol = Annotated[
    str | None,
    typer.Option(
        metavar="one-class|multimodal|groups",
        help="Measure a folder of class folders (dn2): every class in turn normal; all but one "
        "normal; groups with one picture of each class normal.",
    ),
]
GroupSize = Annotated[
    int | None,
    typer.Option(metavar="M", help="Pictures in a group; all classes once if left out."),
]
Json = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", help="Write the results as JSON.")
]
Progress = Annotated[
    ProgressStyle,
    typer.Option(
        help="Bars on stderr, nothing, or JSON lines on stdout in place of all other output."
    ),
]
