"""The two query parameters of every list: which page, and how many rows on it."""

from typing import Annotated

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
