"""The one place that imports OpenCV, so that its limits and its side effects are in one place.

`opencv-python` on Linux points Qt at its own plugins and fonts when it is imported; both
variables are removed again before a QApplication can read them.
"""

import os

MAX_IMAGE_PIXELS = 2**28
"""Largest picture that is decoded, in pixels (16384 x 16384)."""

os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MAX_IMAGE_PIXELS))
_QT_VARIABLES = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR")
_before = {name: os.environ.get(name) for name in _QT_VARIABLES}

import cv2

for _name, _value in _before.items():
    if _value is None:
        os.environ.pop(_name, None)
    else:
        os.environ[_name] = _value

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # errors become sentences

__all__ = ["MAX_IMAGE_PIXELS", "cv2"]
