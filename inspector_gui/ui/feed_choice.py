"""A source as the feed panel remembers it: what kind it is, where it is, and what it is called."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from inspector_gui.feed.source import FrameSource
from inspector_gui.ui.dropping import VIDEO_SUFFIXES

FOLDER = "folder"
CAMERA = "camera"


@dataclass(frozen=True)
class FeedChoice:
    """`kind` is `FOLDER` or `CAMERA`; `address` a path, a device number or a stream's address."""

    kind: str
    address: str

    @property
    def key(self) -> str:
        """The choice as one string, for the settings."""
        return f"{self.kind}:{self.address}"

    @property
    def short_name(self) -> str:
        """The address as it is shown: the end of a path; never a password."""
        if self.kind == FOLDER:
            path = Path(self.address)
            return "/".join(path.parts[-2:]) if len(path.parts) > 2 else self.address
        if "://" not in self.address:
            return self.address if self.address.isdecimal() else Path(self.address).name
        parts = urlsplit(self.address)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

    def make_source(self) -> FrameSource:
        """Return the source; the imports it needs come with it."""
        if self.kind == FOLDER:
            from inspector_gui.feed.folder import FolderSource

            return FolderSource(Path(self.address))
        from inspector_gui.feed.camera import CameraSource

        return CameraSource(self.address)


def choice_from_key(key: str) -> FeedChoice | None:
    """Return the choice that `key` names, None where it names none."""
    kind, _, address = key.partition(":")
    return FeedChoice(kind, address) if kind in (FOLDER, CAMERA) and address else None


def choice_from_path(path: Path) -> FeedChoice | None:
    """Return what a dropped path is as a source: a folder, or a video in place of a camera."""
    if path.suffix.lower() in VIDEO_SUFFIXES:
        return FeedChoice(CAMERA, str(path))
    return FeedChoice(FOLDER, str(path)) if path.is_dir() else None
