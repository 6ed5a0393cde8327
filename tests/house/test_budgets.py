"""Budgets of size: a part that outgrows its budget is two ideas."""

import ast
from functools import cache
from statistics import median

import pytest

from tests.house.tree import CODE, python_files, text_of

FUNCTION_LINES = 40
MEDIAN_LINES = 12
FILE_LINES = 400


def code_lines(source: str, tree: ast.AST) -> set[int]:
    """The numbers of the lines that hold code: no blanks, no comments, no docstrings."""
    lines = enumerate(map(str.strip, source.splitlines()), 1)
    return {number for number, line in lines if line and not line.startswith("#")} - docstring_lines(tree)


def docstring_lines(tree: ast.AST) -> set[int]:
    """The numbers of the lines of strings that stand alone as statements."""
    alone = (
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    )
    return {line for node in alone for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}


@cache
def function_sizes(source: str) -> list[tuple[str, int]]:
    """Each function's name and its lines of code, without decorators."""
    tree = ast.parse(source)
    held = code_lines(source, tree)
    functions = (one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))
    return [
        (one.name, sum(line in held for line in range(one.lineno, (one.end_lineno or one.lineno) + 1)))
        for one in functions
    ]


def function_of(lines: int) -> str:
    return 'def grown() -> None:\n    """Say why."""\n\n    # A comment.\n' + "    pass\n" * (lines - 1)


def test_no_function_is_longer_than_its_budget() -> None:
    long = [
        f"{path}: {name} has {lines} lines of code"
        for path in python_files()
        for name, lines in function_sizes(text_of(path))
        if lines > FUNCTION_LINES
    ]
    assert not long


@pytest.mark.parametrize("top", CODE)
def test_most_functions_are_short(top: str) -> None:
    sizes = [lines for path in python_files(top) for _, lines in function_sizes(text_of(path))]
    assert median(sizes or [0]) <= MEDIAN_LINES


def test_no_file_is_longer_than_its_budget() -> None:
    long = {str(path): len(text_of(path).splitlines()) for path in python_files()}
    assert not {path: lines for path, lines in long.items() if lines > FILE_LINES}


@pytest.mark.parametrize("lines", [1, FUNCTION_LINES, FUNCTION_LINES + 1])
def test_docstrings_comments_and_blanks_are_not_counted(lines: int) -> None:
    assert function_sizes(function_of(lines)) == [("grown", lines)]


def test_a_statement_over_many_lines_counts_each() -> None:
    assert function_sizes('def f():\n    return """a\n    b\n    c"""\n') == [("f", 4)]
