"""KOMOJU's error envelope, and the one exception by which a call is refused."""

from typing import Any, Final

# The table of its documentation; what it says of 409 and 429 is not known, so those are ours.
_CODES: Final = {
    400: "bad_request",
    401: "unauthorized",
    402: "request_failed",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
    422: "unprocessable_entity",
    429: "too_many_requests",
    500: "internal_server_error",
    502: "bad_gateway",
    503: "service_unavailable",
    504: "gateway_timeout",
}


class ApiProblem(Exception):
    def __init__(
        self, status: int, message: str, param: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.param = status, message, param
        self.code = code or _CODES.get(status, "bad_request")

    def json(self) -> dict[str, Any]:
        said = {"code": self.code, "message": self.message, "param": self.param}
        return {"error": said}


def missing(param: str) -> ApiProblem:
    message = f"A required parameter ({param}) is missing"
    return ApiProblem(422, message, param, "missing_parameter")


def refused(message: str, param: str | None = None) -> ApiProblem:
    return ApiProblem(422, message, param)


def not_found(what: str, id: str) -> ApiProblem:
    return ApiProblem(404, f"There is no {what} {id}")
