"""A temporary directory that PostgreSQL reaches too, when root runs the tests.

Run by root it works as `nobody`, and pytest's own temporary directories are closed to others.
"""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def open_place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="kontor-test-", dir="/tmp") as directory:
        Path(directory).chmod(0o711)
        yield Path(directory)
