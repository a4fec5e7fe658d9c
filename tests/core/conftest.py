from pathlib import Path

import pytest

from inspector_gui import paths


@pytest.fixture(scope="session")
def networks() -> Path:
    """The user's own folder of converted networks: a conversion takes long, once is enough."""
    return paths.networks_folder()


@pytest.fixture(scope="session")
def weights() -> Path:
    """The user's own folder of downloaded weights."""
    return paths.weights_folder()
