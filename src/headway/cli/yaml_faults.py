"""What is wrong with a file that is not YAML, and what to do: the parser's own messages tell only of the parser."""

from typing import Final

import yaml

# For a tab the parser has one of three messages, by what it looked for there.
_TAB: Final = "a tab stands in the indentation; indent with spaces"
_UNCLOSED: Final = {
    "found unexpected end of stream": "a text in quotes is never closed; write its last quote",
    "did not find expected ',' or ']'": "a list in brackets goes on without a comma, or is never closed",
    "did not find expected ',' or '}'": "an object in braces goes on without a comma, or is never closed",
}
_FIXES: Final = {
    **_UNCLOSED,
    "found character that cannot start any token": "no value begins with this character; put a text into quotes",
    "found unknown escape character": "in double quotes a backslash begins an escape, and this is none; write two",
    "found undefined alias": "nothing is marked with that name; put a text that begins with * into quotes",
    "mapping values are not allowed in this context": (
        "a colon stands where none can; put a text that holds one into quotes, or line a key up with those around it"
    ),
    "block sequence entries are not allowed in this context": "a list begins on a line of its own, below its key",
    "could not find expected ':'": "a key lacks its colon, or a text runs on; end a key with a colon",
    "did not find expected key": (
        "this belongs to nothing above; line it up with the keys that it goes with, and put nothing behind a last quote"
    ),
    "did not find expected '-' indicator": "this is no item of the list above; begin items with - and line them up",
    "did not find expected node content": "a value is missing before this character; put a text into quotes",
    "but found another document": "a second document begins here, and a file holds one course; take it out",
    "did not find expected <document start>": "something stands behind the end of the document; take it out",
}


def told(error: yaml.MarkedYAMLError, text: str) -> str:
    """What is wrong, with the line on which something unclosed was opened; for unknown messages, the parser's own."""
    if _is_at_tab(error.problem_mark, text):
        return _TAB
    problem = error.problem or error.context or "this is no YAML"
    opened = f" (opened in line {error.context_mark.line + 1})" if problem in _UNCLOSED and error.context_mark else ""
    return f"{_FIXES.get(problem, problem)}{opened}"


def _is_at_tab(mark: yaml.Mark | None, text: str) -> bool:
    lines = text.split("\n")
    return mark is not None and mark.line < len(lines) and lines[mark.line][mark.column : mark.column + 1] == "\t"
