"""Opening pages in the browser of whoever sits there."""

import os
import sys
from typing import Annotated, TypeAlias

import typer

BrowserOption: TypeAlias = Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")]


def open_page(url: str) -> bool:
    """Open a page where somebody sits at a terminal and has windows; whether that was tried.

    Elsewhere the system might take a browser of text, which would have the terminal to itself.
    """
    has_windows = sys.platform in ("darwin", "win32") or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
    if not sys.stderr.isatty() or not has_windows:
        return False
    import threading
    import webbrowser

    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
    return True
