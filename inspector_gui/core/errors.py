"""The one error type whose text is meant for the person in front of the program."""


class KnownError(Exception):
    """Something went wrong that the program understands; `str(error)` is a sentence to act on."""


class Cancelled(Exception):  # noqa: N818 - an outcome somebody asked for, not an error
    """A long piece of work was stopped on request; nothing of it was kept."""
