"""How large things may grow, and what they may be called."""

import ast
from collections.abc import Iterator
from typing import Final

import pytest

from tests.architecture.tree import PROGRAM, ROOT, parsed, project_files, python_files

FILE_LINES_MAX: Final = 400
FUNCTION_LINES_MAX: Final = 50
NAMES_THAT_SAY_NOTHING: Final = {"utils", "helpers", "common", "base", "misc", "manager"}


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    assert function.end_lineno is not None
    documented = (ast.get_docstring(function, clean=False) or "").count("\n")
    return function.end_lineno - function.lineno + 1 - documented


def test_no_file_has_grown_too_long():
    lengths = {
        path: (ROOT / path).read_text().count("\n") for path in python_files(*PROGRAM, "bench")
    }
    assert {str(p): n for p, n in lengths.items() if n > FILE_LINES_MAX} == {}


def test_no_function_has_grown_too_long():
    too_long = [
        f"{path}:{function.lineno}: {function.name} has {lines_of(function)} lines"
        for path in python_files(*PROGRAM, "bench", "tests")
        for function in functions(parsed(path))
        if lines_of(function) > FUNCTION_LINES_MAX
    ]
    assert too_long == []


def test_a_file_is_named_after_what_is_in_it():
    assert [str(p) for p in project_files() if p.stem in NAMES_THAT_SAY_NOTHING] == []


def test_packages_have_no_hidden_code():
    inits = [p for p in python_files(*PROGRAM, "tests", "bench") if p.name == "__init__.py"]
    assert [str(path) for path in inits if (ROOT / path).read_text() != ""] == []


@pytest.mark.parametrize("folder", [*PROGRAM, "bench", "tests"])
def test_every_module_says_what_it_is_for(folder: str):
    silent = [
        str(path)
        for path in python_files(folder)
        if path.name != "__init__.py" and not ast.get_docstring(parsed(path))
    ]
    assert silent == []
