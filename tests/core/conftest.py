from pathlib import Path

import pytest

from inspector_gui import paths
from inspector_gui.core.compiled import CompiledSearch, compile_search, load_search


@pytest.fixture(scope="session")
def networks() -> Path:
    """The user's own folder of converted networks: a conversion takes long, once is enough."""
    return paths.networks_folder()


@pytest.fixture(scope="session")
def weights() -> Path:
    """The user's own folder of downloaded weights."""
    return paths.weights_folder()


@pytest.fixture(scope="session")
def compiled_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of this version's compiled search: compiled once, which takes seconds."""
    return compile_search(tmp_path_factory.mktemp("code"))


@pytest.fixture(scope="session")
def compiled(compiled_file: Path) -> CompiledSearch:
    """The compiled search of this version."""
    search = load_search(compiled_file.parent)
    assert search is not None
    return search
