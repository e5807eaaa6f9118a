"""Mollie's pages: the ones all stand-ins share, with Mollie's templates."""

from pathlib import Path
from typing import Final

from app.sandbox.html import STATIC, Pages, see_other

__all__ = ["STATIC", "page", "see_other"]

page: Final = Pages(Path(__file__).parent / "templates", "Mollie")
