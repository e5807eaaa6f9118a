"""House rules that neither ruff nor import-linter can express."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.architecture.tree import PROGRAM, ROOT, imported, parsed, project_files, python_files

# The edge of the program and the loop that must not die: they log and carry on.
MAY_CATCH_ANYTHING: Final = {"app/http/errors.py", "app/worker.py"}
OUTSIDE_WORLD: Final = ("asyncio", "socket", "sqlite3", "http", "urllib.request", "subprocess")
# Names end in their unit: a float may count seconds, and nothing else.
COUNTS_SECONDS: Final = re.compile(r"(?:_S|_s|seconds)\b")
# A path on somebody's machine; where packages come from is the machine's business too.
MACHINE_PATH: Final = re.compile(r"(?<![\w.}>)-])/(?:home|Users|root|work|mnt)/[\w.-]")
PACKAGE_INDEX: Final = re.compile(r"pypi[.]org|pythonhosted[.]|index[-]url|find[-]links|[/]simple/")
BINARY: Final = {".png", ".ico", ".woff2", ".pdf", ".jpg"}


def test_the_domain_needs_nothing_but_python_and_msgspec():
    allowed = sys.stdlib_module_names | {"msgspec", "domain"}
    foreign = [
        f"{path} imports {name}"
        for path in python_files("domain")
        for name in imported(path)
        if name.split(".")[0] not in allowed or name.startswith(OUTSIDE_WORLD)
    ]
    assert foreign == []


def floats_in(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield node.lineno
        if isinstance(node, ast.Name) and node.id == "float":
            yield node.lineno


def test_no_float_gets_near_money():
    floats = []
    for path in python_files("domain"):
        lines = (ROOT / path).read_text().splitlines()
        found = {lines[number - 1].strip() for number in floats_in(parsed(path))}
        floats += [f"{path}: {line}" for line in found if not COUNTS_SECONDS.search(line)]
    assert floats == []


def broad_handlers(path: Path) -> Iterator[int]:
    """Handlers of everything; not those that only clean up and let it pass."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ExceptHandler) and ast.unparse(node.body[-1]) != "raise":
            caught = "" if node.type is None else ast.unparse(node.type)
            if not caught or re.search(r"\b(Base)?Exception\b", caught):
                yield node.lineno


def test_only_the_edge_and_the_worker_catch_everything():
    broad = [
        f"{path}:{line}"
        for path in python_files(*PROGRAM)
        if path.as_posix() not in MAY_CATCH_ANYTHING
        for line in broad_handlers(path)
    ]
    assert broad == []


def test_tests_use_fakes_not_mocks():
    mocking = [
        str(path)
        for path in python_files("tests")
        for name in imported(path)
        if name.startswith(("unittest.mock", "mock", "pytest_mock"))
    ]
    assert mocking == []


def test_nothing_depends_on_somebodys_machine():
    found = []
    for path in project_files():
        if path.suffix in BINARY:
            continue
        for number, line in enumerate((ROOT / path).read_text().splitlines(), start=1):
            if MACHINE_PATH.search(line) or PACKAGE_INDEX.search(line):
                found.append(f"{path}:{number}: {line.strip()[:80]}")
    assert found == []
