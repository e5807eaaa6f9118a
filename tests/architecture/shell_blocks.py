"""The shell commands of a document: found, put back on one line each, and taken apart."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

FENCE: Final = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SAYS: Final = re.compile(r"#=> (.*)$", re.MULTILINE)
_KONTOR: Final = re.compile(r"(?:\.venv/bin/|`)kontor (?=[a-z-])([^|;&)`\n]*)")
_MAKE: Final = re.compile(r"(?:^|`)make ([a-z-]+)", re.MULTILINE)
_ADDRESS: Final = re.compile(r"(\$API|\$SANDBOX|\$CHECKOUT|http://127\.0\.0\.1:800[01])([\w$./-]*)")
# What the documents' variables stand for: a program, and the beginning of a path.
_STAND_FOR: Final = {
    "http://127.0.0.1:8000": ("API", ""),
    "http://127.0.0.1:8001": ("SANDBOX", ""),
    "$API": ("API", "/api/v1/apps/$APP"),
    "$CHECKOUT": ("API", "/api/v1/apps/$APP/payment-providers/mollie/checkout-sessions"),
    "$SANDBOX": ("SANDBOX", ""),
}
_METHOD: Final = re.compile(r"-X ([A-Z]+)")
_BODY: Final = re.compile(r"\s(?:-d|--data)\s")


class Request(NamedTuple):
    method: str
    program: str
    path: str


def blocks(document: Path, *, under: str = "") -> list[str]:
    """The fenced shell blocks, of one section or of all."""
    text = document.read_text()
    if under:
        text = text.partition(f"\n## {under}\n")[2].partition("\n## ")[0]
    return FENCE.findall(text)


def commands(block: str) -> Iterator[str]:
    """One command a line, however it was folded. Not a shell: good enough for documents."""
    line = ""
    for part in block.splitlines():
        line += part.removesuffix("\\") + " "
        if not part.endswith("\\") and _is_whole(line):
            yield line.strip()
            line = ""
    assert not line.strip(), f"unfinished: {line}"


def kontor_calls(text: str) -> Iterator[list[str]]:
    """The words after `kontor`, of each time it is called."""
    for call in _KONTOR.findall(text.replace("\\\n", " ")):
        yield shlex.split(_SUBSTITUTED.sub("x", call), comments=True)


def make_targets(text: str) -> set[str]:
    return set(_MAKE.findall(text))


def requests(command: str) -> Iterator[Request]:
    """The requests that a command line makes with curl, or with a function around it."""
    method = _METHOD.search(command)
    sent = "POST" if _BODY.search(command) else "GET"
    for found in _ADDRESS.finditer(command):
        if re.search(r"\w=\"?$", command[: found.start()]):
            continue  # an address that is put aside, not asked
        program, beginning = _STAND_FOR[found[1]]
        yield Request(method[1] if method else sent, program, beginning + found[2])


_SUBSTITUTED: Final = re.compile(r'"?\$\(.*$|"?\$\w+"?')


def _is_whole(line: str) -> bool:
    if line.count("{ ") > line.count("}"):
        return False
    try:
        shlex.split(line, comments=True)
    except ValueError:
        return False
    return True
