"""Inspector: find defects on parts from pictures of good parts alone."""

__version__ = "0.1.0"
