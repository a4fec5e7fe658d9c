"""Where the program keeps things on this computer; every layer may ask.

`INSPECTOR_DATA` and `INSPECTOR_CACHE` in the environment replace the user's own folders.
"""

import os
from pathlib import Path

import platformdirs

APPLICATION = "inspector-gui"


def default_workspace() -> Path:
    """Return the workspace that opens when none is named: the user's data folder."""
    named = os.environ.get("INSPECTOR_DATA")
    return Path(named) if named else platformdirs.user_data_path(APPLICATION, appauthor=False)


def cache_folder() -> Path:
    """Return the folder of things that can be made or fetched again."""
    named = os.environ.get("INSPECTOR_CACHE")
    return Path(named) if named else platformdirs.user_cache_path(APPLICATION, appauthor=False)


def networks_folder() -> Path:
    """Return the folder of converted networks."""
    return cache_folder() / "networks"


def weights_folder() -> Path:
    """Return the folder of downloaded weights, and where to put them by hand."""
    return cache_folder() / "weights"


def settings_file() -> Path:
    """Return the file that remembers how the window was left."""
    named = os.environ.get("INSPECTOR_DATA")
    folder = Path(named) if named else platformdirs.user_config_path(APPLICATION, appauthor=False)
    return folder / "window.ini"


def log_file() -> Path:
    """Return the file that errors are written to with all their details."""
    return cache_folder() / "inspector.log"
