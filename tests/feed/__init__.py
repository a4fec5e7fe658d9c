"""Tests of `inspector_gui.feed`."""
