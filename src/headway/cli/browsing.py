"""Opening pages in the user's browser."""

import os
import sys
from typing import Annotated, TypeAlias

import typer

BrowserOption: TypeAlias = Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")]


def open_page(url: str) -> bool:
    """Open a page if the user sits at a terminal and has windows; returns whether that was tried.

    Elsewhere the system might start a text browser, which would take the terminal over.
    """
    has_windows = sys.platform in ("darwin", "win32") or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
    if not sys.stderr.isatty() or not has_windows:
        return False
    import threading
    import webbrowser

    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
    return True
