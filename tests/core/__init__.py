"""Tests of `inspector_gui.core`."""
