"""Lots: parts that belong together and are judged together."""
