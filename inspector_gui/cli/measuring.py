"""The part of the table of commands that measures: on data sets with known answers."""

from pathlib import Path
from typing import Annotated

import typer

from inspector_gui.cli import options
from inspector_gui.cli.endings import ends_in_words, stops_when_ended
from inspector_gui.cli.options import ProgressStyle, examples
from inspector_gui.core.errors import KnownError

_NETWORKS_OF: dict[str, tuple[str | None, ...]] = {
    "dn2": (
        "efficientnet_lite0",
        "efficientnet_lite1",
        "efficientnet_lite2",
        "resnet50",
        "resnet101",
        "resnet152",
    ),
    "spade": (None,),
    "simplenet": (
        None,
        "efficientnet_lite0",
        "efficientnet_lite1",
        "efficientnet_lite2",
        "resnet18",
        "resnet50",
        "resnet101",
        "wide_resnet50_2",
    ),
}
"""That ablations compare where none are named; None: that of the preset."""

app = typer.Typer()


@app.command(
    epilog=examples(
        "inspector-gui evaluate datasets/screw",
        "inspector-gui evaluate datasets/screw datasets/cable --method dn2 --method spade",
        "inspector-gui evaluate datasets/screw --preset paper --json screw.json",
        "inspector-gui evaluate datasets/screw --method dn2 --contaminate 0.1 --clean 0.5",
        "inspector-gui evaluate datasets/screw --method dn2 --shots 5,10,20",
        "inspector-gui evaluate parts_by_kind --protocol one-class --centroids 3",
        "inspector-gui evaluate torchvision_data --protocol groups --group-size 4",
    )
)
@ends_in_words
@stops_when_ended
def evaluate(
    datasets: Annotated[
        list[Path],
        typer.Argument(
            metavar="DATASET...", help="Folders in MVTec layout; with --protocol, of classes."
        ),
    ],
    method: options.Methods = None,
    contaminate: options.Contaminate = None,
    clean: options.Clean = None,
    shots: options.Shots = None,
    centroids: options.Centroids = None,
    protocol: options.Protocol = None,
    group_size: options.GroupSize = None,
    subsample: options.Subsample = None,
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
    sigma: options.Sigma = None,
    coreset: options.Coreset = None,
    reweight: options.Reweight = None,
    training: options.Set = None,
    seed: options.Seed = 0,
    json: options.Json = None,
    progress: options.Progress = ProgressStyle.BAR,
) -> int:
    """Measure how well methods tell good from bad on data sets with known answers.

    A data set has the folders train/good, test/good, test/<defect> and, for pixel metrics,
    ground_truth/<defect>/<picture>_mask.png. With --contaminate or --clean there are rows for
    clean, contaminated and cleaned references, on the same test pictures.

    With --protocol a data set is a folder of class folders, below train and test or split 80/20 in
    order, or the folder of torchvision's CIFAR-10, CIFAR-100 (by its 20 coarse labels) or
    FashionMNIST; nothing is downloaded. Groups are compared mean-pooled, max-pooled and
    concatenated; a last row has the covariance trace of groups of one class.

    --seed is that of everything drawn at random and of the bootstrap interval.
    """
    from inspector_gui.cli import evaluate as command
    from inspector_gui.cli import protocols
    from inspector_gui.cli.recipe import scoring_from
    from inspector_gui.core.measuring.variation import Variation

    variation = Variation(contaminate, clean, _numbers(shots or [], "--shots"), centroids)
    scorings = [
        scoring_from(
            name, preset, runtime, backbone=backbone, precision=precision, size=size,
            height=height, fit=fit, crop=crop, tiles=tiles, k=k, kappa=kappa, sigma=sigma,
            levels=levels, weights=weights, pool=pool, scales=scales, coreset=coreset,
            reweight=reweight, training=training, seed=seed,
        )
        for name in method or ["default" if protocol is None else "dn2"]
    ]  # fmt: skip
    if protocol is None:
        if group_size is not None:
            raise KnownError("--group-size belongs to --protocol groups.")
        return command.run(
            tuple(datasets), scorings, variation=variation, subsample=subsample, seed=seed,
            json=json, style=progress,
        )  # fmt: skip
    if subsample is not None:
        raise KnownError("--subsample is for data sets in MVTec layout; classes have --shots.")
    if len(scorings) > 1:
        raise KnownError("The protocols compare global features; give --method dn2 alone.")
    return protocols.run(
        tuple(datasets), scorings[0], protocol=protocol, group_size=group_size,
        variation=variation, seed=seed, json=json, style=progress,
    )  # fmt: skip


@app.command(
    epilog=examples(
        "inspector-gui ablate --paper dn2 datasets/screw",
        "inspector-gui ablate --paper dn2 parts_by_kind --json ablation.json --plots plots",
        "inspector-gui ablate --paper dn2 datasets/screw --backbones efficientnet_lite0,resnet50",
        "inspector-gui ablate --paper spade datasets/screw --json levels.json --plots plots",
        "inspector-gui ablate --paper spade datasets/screw --preset paper",
        "inspector-gui ablate --paper simplenet datasets/screw --json f.json --plots plots",
        "inspector-gui ablate --paper simplenet parts_by_kind --set epochs=10",
    )
)
@ends_in_words
@stops_when_ended
def ablate(
    dataset: Annotated[
        Path, typer.Argument(metavar="DATASET", help="A folder in MVTec layout, or of classes.")
    ],
    paper: Annotated[str, typer.Option(metavar="dn2|spade|simplenet", help="Whose ablations.")],
    backbones: Annotated[
        str | None,
        typer.Option(
            metavar="NAME[,NAME...]",
            help="Networks to compare (dn2, simplenet); the first that can be used serves all "
            "other ablations. For spade one network, that of its preset if left out.",
        ),
    ] = None,
    plots: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write a plot of each as PNG.")
    ] = None,
    preset: options.Preset = None,
    runtime: options.Runtime = None,
    precision: options.Precision = None,
    size: options.Size = None,
    height: options.Height = None,
    fit: options.Fit = None,
    crop: options.Crop = None,
    tiles: options.Tiles = None,
    k: options.K = None,
    kappa: options.Kappa = None,
    weights: options.Weights = None,
    pool: options.Pool = None,
    scales: options.Scales = None,
    sigma: options.Sigma = None,
    training: options.Set = None,
    seed: options.Seed = 0,
    json: options.Json = None,
    progress: options.Progress = ProgressStyle.BAR,
) -> int:
    """Repeat a paper's ablations on a data set: tables, and plots like its figures.

    dn2: depth of the network, number of neighbours, number of references, impurity with and
    without cleaning of half of them, k-means centroids. A network whose weights are missing and
    cannot be downloaded is skipped and said.

    spade: levels of the pyramid alone and together (table 6), the nearest K references against K
    drawn at random (table 7); metrics of the image and of its pixels.

    simplenet: levels (table 2), adaptor (3), network (4), noise (figure 5), neighbourhood (6), loss
    with and without adaptor (7), and how much dimensions vary before and after it (figure 4). Of a
    folder of classes table 5, every class normal in turn. Trained on all references; --seed is
    that of every training.
    """
    if paper not in _NETWORKS_OF:
        known = " or ".join(_NETWORKS_OF)
        raise KnownError(f"There are no ablations of {paper!r}; choose {known}.")
    from inspector_gui.cli.recipe import scoring_from

    names = _names(backbones) if backbones is not None else _NETWORKS_OF[paper]
    scorings = [
        scoring_from(
            paper, preset, runtime, backbone=name, precision=precision, size=size, height=height,
            fit=fit, crop=crop, tiles=tiles, k=k, kappa=kappa, weights=weights, pool=pool,
            scales=scales, sigma=sigma, training=training, seed=seed,
        )
        for name in names
    ]  # fmt: skip
    if paper == "simplenet":
        from inspector_gui.cli import ablate_training

        different = tuple({scoring.backbone: scoring for scoring in scorings}.values())
        if backbones is None and not (dataset / "train" / "good").is_dir():
            different = different[:1]
        return ablate_training.run(
            dataset, different, seed=seed, json=json, plots=plots, style=progress
        )
    if paper == "spade":
        from inspector_gui.cli import ablate_maps

        if len(scorings) > 1:
            raise KnownError("The ablations of spade are by one network; name one in --backbones.")
        return ablate_maps.run(
            dataset, scorings[0], seed=seed, json=json, plots=plots, style=progress
        )
    from inspector_gui.cli import ablate as command

    return command.run(dataset, scorings, seed=seed, json=json, plots=plots, style=progress)


def _names(text: str) -> tuple[str, ...]:
    """Return the networks that an option names, each once."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise KnownError("--backbones names no network.")
    return names


def _numbers(texts: list[str], option: str) -> tuple[int, ...]:
    """Return the whole numbers of an option that is a list or is given again, each once."""
    words = [word.strip() for text in texts for word in text.split(",")]
    try:
        return tuple(dict.fromkeys(int(word) for word in words))
    except ValueError:
        raise KnownError(f"{option} takes whole numbers, with commas between them.") from None
