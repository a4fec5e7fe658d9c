"""A bundle of a command: unpacked for as long as parts are judged by it."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

from inspector_gui.cli.judging import Basis
from inspector_gui.cli.progress import Report
from inspector_gui.cli.recipe import judging_extractor
from inspector_gui.cli.references import doubts
from inspector_gui.core.types import Scoring
from inspector_gui.store.bundle import BundleFile
from inspector_gui.store.bundle_facts import BundleFacts, versions_of


@contextmanager
def opened_bundle(
    path: Path,
) -> Iterator[tuple[Scoring, Callable[[Report], AbstractContextManager[Basis]]]]:
    """Yield the scoring of a bundle, and how what it judges by is made ready.

    Raises `KnownError` where it cannot be used.
    """
    with closing(BundleFile(path)) as bundle:
        yield bundle.facts.scoring, lambda report: _ready(bundle, report)


@contextmanager
def _ready(bundle: BundleFile, report: Report) -> Iterator[Basis]:
    with tempfile.TemporaryDirectory(prefix="inspector-", ignore_cleanup_errors=True) as folder:
        unpacked = bundle.unpack(Path(folder), report=report)
        facts = bundle.facts
        gallery = unpacked.gallery()
        method = unpacked.method(gallery)
        extractor = judging_extractor(method, report, quantised=unpacked.networks)
        elsewhere = _of_another_place(facts, extractor.device)
        yield Basis(
            facts.scoring,
            method,
            extractor,
            gallery,
            facts.names,
            facts.limits,
            unpacked.networks,
            (*doubts(method, gallery), *([elsewhere] if elsewhere else [])),
        )


def _of_another_place(facts: BundleFacts, device: str) -> str:
    """Return what is to be said where scores may differ in their last digits; "" where not."""
    runtime = facts.scoring.runtime
    then, now = facts.versions.get(runtime, "?"), versions_of(facts.scoring)[runtime]
    if (facts.device, then) == (device, now):
        return ""
    return (
        f"This bundle was made on {facts.device} with {runtime} {then} and is used on {device} "
        f"with {runtime} {now}: scores may differ slightly from those its limits were made from."
    )
