"""The program's entry: `inspector-gui`, which is `python -m inspector_gui`."""

import sys

from inspector_gui.cli.endings import ends_in_words


def main() -> None:
    """Open the window when nothing is asked for; otherwise run the command line.

    The window comes first: it appears without waiting for the command line's own imports.
    """
    if len(sys.argv) == 1:
        open_window()
    from inspector_gui.cli.application import app

    app()


@ends_in_words
def open_window() -> int:
    """Run the window on the default workspace."""
    from inspector_gui.app import run_gui

    return run_gui(None)


if __name__ == "__main__":
    main()
