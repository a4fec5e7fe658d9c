"""Several methods on the same parts, for the window that has it done by a child process.

Nothing of the workspace changes: features that it lacks are computed into a folder of the study.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from inspector_gui.cli.contending import Work
from inspector_gui.cli.progress import Report
from inspector_gui.cli.shared_by_methods import Asked, Network, Pictures, Steps
from inspector_gui.core.errors import KnownError
from inspector_gui.core.images import display_name, list_images
from inspector_gui.core.sets.side_by_side import (
    FEWEST_METHODS,
    MAPS,
    MOST_PARTS,
    Candidate,
    ComparedPart,
    Contender,
    Ran,
    SideBySide,
    map_name,
)
from inspector_gui.core.types import Floats
from inspector_gui.store.features_cache import networks_beside
from inspector_gui.store.images import ImageStore
from inspector_gui.store.map_archive import MapArchive


def run_side_by_side(asked: Asked, report: Report) -> SideBySide:
    """Score all parts by all methods; a method that fails says why, and the others still run.

    Maps are in a file of the study's folder (see `core.sets.side_by_side.MAPS`).
    Raises `KnownError` for fewer than two methods and where no picture is left.
    """
    if len(asked.contenders) < FEWEST_METHODS:
        raise KnownError("Choose at least two methods to compare.")
    if not asked.candidates:
        raise KnownError(
            "There is no part to compare on; inspect some, or choose a folder with pictures."
        )
    pictures = Pictures(ImageStore(asked.root.parent))
    found = pictures.look_up(asked.candidates, report)
    if not found:
        raise KnownError(
            f"None of {len(asked.candidates)} pictures can be read any more. {pictures.gone[0]}"
        )
    works = [Work(asked, contender, found, pictures) for contender in asked.contenders]
    steps = Steps(report, [work.planned for work in works])
    ran: dict[int, Ran] = {}
    network = Network(networks_beside(asked.root))
    # Those with the same features one after the other; maps have what the others need, too.
    with MapArchive(asked.folder / MAPS) as maps:
        for number in sorted(range(len(works)), key=lambda n: works[n].order):
            steps.begin(number, asked.contenders[number].name)
            ran[number] = works[number].run(network, steps, partial(_keep, maps, number))
    steps.end()
    parts = tuple(
        ComparedPart(candidate, tuple(work.opinions.get(candidate.key) for work in works))
        for candidate in found
    )
    return SideBySide(
        tuple(ran[number] for number in range(len(works))),
        tuple(part for part in parts if part.candidate.key not in pictures.undecodable),
        tuple(pictures.gone),
    )


def _keep(maps: MapArchive, method: int, key: str, patches: Floats | None) -> None:
    maps.add(map_name(method, key), patches)


def asked_of(
    parameters: Mapping[str, object], references: Sequence[str], root: Path, folder: Path
) -> Asked:
    """Return what a request asks: `methods`, `parts`, and all pictures in a `folder` ("": none).

    Raises `KnownError` where it is no request of this kind.
    """
    try:
        methods, parts = parameters["methods"], parameters["parts"]
        if not isinstance(methods, list) or not isinstance(parts, list):
            raise TypeError("no lists")
        contenders = tuple(Contender.from_json(one) for one in methods)
        candidates = tuple(Candidate(**one) for one in parts)
        chosen = str(parameters["folder"])
    except (KeyError, TypeError, ValueError) as error:
        raise KnownError(f"The request cannot be used: {error}. Start again.") from error
    more = _in_folder(Path(chosen)) if chosen else ()
    return Asked(contenders, (*candidates, *more), tuple(references), root, folder)


def _in_folder(folder: Path) -> tuple[Candidate, ...]:
    """Return the first pictures of a folder, in natural order; one that is gone is told of."""
    if not folder.is_dir():
        return (Candidate(display_name(folder), path=str(folder)),)
    found = list_images([folder])[:MOST_PARTS]
    return tuple(
        Candidate(display_name(path.relative_to(folder).as_posix()), path=str(path))
        for path in found
    )
