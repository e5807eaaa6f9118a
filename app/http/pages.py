"""The query parameters of lists: which page, and how many rows on it; or those after a row."""

from typing import Annotated
from uuid import UUID

from litestar.params import QueryParameter

PageNumber = Annotated[
    int,
    QueryParameter(
        ge=0, le=1_000_000, description="Zero-based number of the page", schema_extra={"default": 0}
    ),
]
"""Use as `page: PageNumber = 0`."""

PageLimit = Annotated[
    int,
    QueryParameter(ge=1, le=100, description="Rows per page", schema_extra={"default": 10}),
]
"""Use as `limit: PageLimit = 10`."""

After = Annotated[UUID | None, QueryParameter(description="those older than this one, not counted")]
"""Use as `after: After = None`, in lists that grow while they are read."""
