"""What can go wrong, as the domain says it. HTTP statuses live in app/http/errors.py, not here.

Every leaf has a permanent public `code`. Facts are attributes; the message is for people.
A foreign exception's text never becomes part of one of these.
"""

from collections.abc import Sequence

from msgspec import Struct


class DomainError(Exception):
    """The root. Only its descendants are raised."""

    code = "error"


class Unauthenticated(DomainError):
    """No credential, or one that proves nothing for this app."""

    code = "unauthenticated"


class WrongKeyType(Unauthenticated):
    """A read key on a write route, or a key announced as the other type."""

    code = "wrong_key_type"


class Forbidden(DomainError):
    """We know who it is, and the answer is still no."""

    code = "forbidden"


class AppDisabled(Forbidden):
    code = "app_disabled"


class NotFound(DomainError):
    """Not there, or somebody else's: the caller must not be able to tell which."""

    code = "not_found"

    def __init__(self, kind: str, uuid: object) -> None:
        super().__init__(f"no {kind} {uuid}")
        self.kind, self.uuid = kind, uuid


class Conflict(DomainError):
    """Right request, wrong moment."""

    code = "conflict"


class StillRunning(Conflict):
    """The same idempotency key is being worked on right now. Ask again in a second."""

    code = "still_running"


class Refused(DomainError):
    """Understood, and against a rule. `field` names the body's field to blame, if there is one."""

    code = "refused"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class KeyReused(Refused):
    """The idempotency key was used before with another request."""

    code = "key_reused"


class Violation(Struct, frozen=True):
    """One mistake in a request: which field (None: the request as a whole), and what is wrong."""

    message: str
    field: str | None = None


class Invalid(DomainError):
    """The request does not say anything we could do. Lists every mistake at once."""

    code = "invalid"

    def __init__(self, violations: Sequence[Violation]) -> None:
        super().__init__("; ".join(f"{v.field}: {v.message}" for v in violations))
        self.violations = tuple(violations)


class ProviderUnreadable(DomainError):
    """The payment provider answered something unusable, or refused our credentials."""

    code = "provider_unreadable"


class CredentialRefused(ProviderUnreadable):
    """The provider does not let us in. Nothing was done, and nothing will be until the app has
    given the account a valid credential."""

    code = "provider_credential_refused"


class Unavailable(DomainError):
    """Something we depend on did not answer in time. Safe to repeat with the same key."""

    code = "unavailable"


class ProviderUnavailable(Unavailable):
    """The provider is unreachable, or we do not know what it did with our call."""

    code = "provider_unavailable"


class ProviderUnreachable(ProviderUnavailable):
    """There was no connection, so nothing was sent."""

    code = "provider_unreachable"


class ProviderBusy(ProviderUnavailable):
    """Too much is being asked of one account at the provider. Nothing was done."""

    code = "provider_busy"

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ProviderNotAsked(ProviderUnavailable):
    """Somebody of ours is at it. Nothing was asked, so it says nothing about the provider."""

    code = "provider_not_asked"


class RefundTooSoon(ProviderUnavailable):
    """The provider takes a refund for a repetition of another. In an hour it will not."""

    code = "refund_too_soon"


class DatabaseUnavailable(Unavailable):
    code = "database_unavailable"
