"""A try, as a checkout session: what is ordered, under which key, and what it answers."""

from collections.abc import Set
from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from domain.checkout.book import Book
from domain.checkout.direct import Direct
from domain.checkout.order import Order
from domain.checkout.session import SESSION_UUID_MARK, Mode, SessionStatus, Terms
from domain.kernel.errors import DomainError, Refused
from domain.kernel.idempotency import Answer, RequestKey
from domain.orchestration.payment_session import PaymentSession, Try, Wanted
from domain.payments.ports import Provider

TRY: Final = "openPaymentSessionTry"
"""No route has this operation: a caller's key cannot be one of these."""


class Page(Struct, frozen=True):
    """Where the shopper pays."""

    status: SessionStatus
    url: str | None


class _Refusal(Struct, frozen=True):
    refusal: str


class RenderTry:
    """Implements checkout's `Render`: kept under the try's key, and read by us alone."""

    def opened(self, book: Book) -> Answer:
        session = book.session
        return Answer(200, msgspec.json.encode(Page(session.status, session.next_action_url)))

    def refused(self, error: DomainError) -> Answer:
        return Answer(422, msgspec.json.encode(_Refusal(str(error))))


def page_in(answer: Answer) -> Page | Refused:
    """Refused: the provider's considered no."""
    if answer.status == 200:
        return msgspec.json.decode(answer.body, type=Page)
    return Refused(msgspec.json.decode(answer.body, type=_Refusal).refusal)


def key_of(live: Try, key: RequestKey) -> RequestKey:
    return replace(key, operation=TRY, key=str(live.uuid))


def order_for(
    wanted: Wanted, session: PaymentSession, live: Try, provider: Provider, *, at: datetime
) -> Order:
    description = f"Order {wanted.order_reference}"
    return Order(
        tenant_uuid=session.tenant_uuid,
        provider=live.account.name,
        mode=Mode.DIRECT,
        # So that it is found, whoever dies before it is linked to the try.
        session_uuid=live.uuid,
        account_uuid=live.account.uuid,
        url_fields=("redirectUrls.success", "redirectUrls.failure"),
        price_uuid=None,
        tax_rate_uuid=None,
        currency=None,
        direct=Direct(description=description, amount=session.amount, details=wanted.details),
        lifetime=session.expires_at - at,
        terms=Terms(
            payment_method=wanted.payment_method,
            description=description,
            success_url=_named(wanted.success_url, session),
            cancel_url=_named(wanted.failure_url, session),
            client_reference_id=wanted.order_reference,
            locale=closest(wanted.locale, provider.locales),
            metadata={"paymentSessionUuid": str(session.uuid)},
        ),
    )


def closest(wanted: str | None, spoken: Set[str]) -> str | None:
    """The locale, or another of its language; None: let the provider guess."""
    if wanted is None or wanted in spoken:
        return wanted
    language = wanted.partition("_")[0]
    at_home = f"{language}_{language.upper()}"
    if at_home in spoken:
        return at_home
    return max((code for code in spoken if code.startswith(f"{language}_")), default=None)


def _named(url: str, session: PaymentSession) -> str:
    """The app knows this session, and not the checkout behind it."""
    return url.replace(SESSION_UUID_MARK, str(session.uuid))
