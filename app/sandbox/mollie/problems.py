"""Mollie's error envelope, and the one exception by which a call is refused."""

from http import HTTPStatus
from typing import Any, Final

# Mollie's titles are the reason phrases of HTTP, but for this one.
_TITLES: Final = {401: "Unauthorized Request", 422: "Unprocessable Entity"}

# Of calls that go wrong on order.
DETAILS: Final = {
    429: "You have exceeded the rate limit. Please slow down your requests.",
    503: "Payment platform for this payment method temporarily not available",
}


class ApiProblem(Exception):
    def __init__(self, status: int, detail: str, field: str | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.field = status, detail, field

    def json(self) -> dict[str, Any]:
        title = _TITLES.get(self.status) or HTTPStatus(self.status).phrase
        envelope: dict[str, Any] = {"status": self.status, "title": title, "detail": self.detail}
        if self.field is not None:
            envelope["field"] = self.field
        href = "https://docs.mollie.com/reference/handling-errors"
        envelope["_links"] = {"documentation": {"href": href, "type": "text/html"}}
        return envelope


def refused(detail: str, field: str | None = None) -> ApiProblem:
    return ApiProblem(422, detail, field)
