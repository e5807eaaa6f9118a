"""Where an app sends its shoppers: which addresses may be named."""

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from domain.kernel.errors import Invalid, Violation
from domain.payments.payment_provider import PaymentProvider, ProviderMode

_LOCALHOST: Final = frozenset({"localhost", "127.0.0.1", "::1"})
Urls = Mapping[str, str | None]
"""By the field that they stand in."""


def need_hosts(urls: Urls, allowed: tuple[str, ...], account: PaymentProvider) -> None:
    """Raises Invalid."""
    if found := list(host_mistakes(urls, allowed, account)):
        raise Invalid(found)


def host_mistakes(
    urls: Urls, allowed: tuple[str, ...], account: PaymentProvider
) -> Iterator[Violation]:
    for field, url in urls.items():
        if url is None:
            continue
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        if parts.scheme == "http" and (
            host not in _LOCALHOST or account.mode is not ProviderMode.TEST
        ):
            message = "must be https (http is for localhost, with a test account)"
            yield Violation(message, field)
        elif allowed and host not in allowed:
            yield Violation("this host is not on the app's list", field)
