from collections.abc import Iterator
from pathlib import Path

import pytest

from inspector_gui.core.types import ReferenceSet, Scoring
from inspector_gui.store.database import Workspace
from inspector_gui.store.inspections import Inspections
from inspector_gui.store.references import References


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.open(tmp_path / "workspace") as workspace:
        yield workspace


@pytest.fixture
def references(workspace: Workspace) -> References:
    return References(workspace)


@pytest.fixture
def inspections(workspace: Workspace) -> Inspections:
    return Inspections(workspace)


@pytest.fixture
def screws(references: References) -> ReferenceSet:
    return references.create_set("Screws", Scoring())
