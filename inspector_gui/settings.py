"""How the window was left: workspace, set, sources, docks and look."""

from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

from inspector_gui import paths

LONGEST_RECENT = 8


class Settings:
    """Typed access to the settings file. Damaged values read as their defaults."""

    def __init__(self, file: Path | None = None) -> None:
        self._store = QSettings(str(file or paths.settings_file()), QSettings.Format.IniFormat)

    @property
    def workspace(self) -> Path | None:
        """The workspace that was open last."""
        text = self._text("workspace")
        return Path(text) if text else None

    @workspace.setter
    def workspace(self, folder: Path) -> None:
        self._store.setValue("workspace", str(folder))

    @property
    def look(self) -> str:
        """`system`, `dark` or `light`."""
        text = self._text("look")
        return text if text in ("dark", "light") else "system"

    @look.setter
    def look(self, look: str) -> None:
        self._store.setValue("look", look)

    @property
    def recent_sources(self) -> list[str]:
        """Folders and camera addresses, the last one first."""
        value = self._store.value("recent_sources", [])
        found = value if isinstance(value, list) else [value] if value else []
        return [str(item) for item in found][:LONGEST_RECENT]

    @recent_sources.setter
    def recent_sources(self, sources: list[str]) -> None:
        self._store.setValue("recent_sources", sources[:LONGEST_RECENT])

    def current_set(self, workspace: Path) -> int | None:
        """Return the set that was current in a workspace."""
        text = self._text(f"current_set/{_key(workspace)}")
        return int(text) if text.isdecimal() else None

    def remember_set(self, workspace: Path, set_id: int) -> None:
        """Remember which set is current in a workspace."""
        self._store.setValue(f"current_set/{_key(workspace)}", set_id)

    def layout(self, name: str) -> QByteArray:
        """Return a saved geometry or dock layout, empty where there is none."""
        value = self._store.value(f"layout/{name}")
        return value if isinstance(value, QByteArray) else QByteArray()

    def remember_layout(self, name: str, state: QByteArray) -> None:
        """Remember a geometry or dock layout."""
        self._store.setValue(f"layout/{name}", state)

    def save(self) -> None:
        """Write everything to disk now."""
        self._store.sync()

    def _text(self, key: str) -> str:
        value = self._store.value(key, "")
        return value if isinstance(value, str) else str(value)


def _key(workspace: Path) -> str:
    return str(workspace).replace("/", "|").replace("\\", "|")
