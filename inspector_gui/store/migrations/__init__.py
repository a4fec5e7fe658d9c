"""The versions of the database's tables, oldest first in `versions`."""

HEAD = "0003"
"""The version this program reads and writes."""
