"""Bodies and views of checkout sessions."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from app.checkout.collected_schemas import CollectedView, collected_view
from app.http.bodies import Body
from app.http.envelope import Timestamp, stamp
from app.http.fields import Metadata, Url, check_metadata, check_url
from domain.checkout.book import Book
from domain.checkout.links import Links
from domain.checkout.order import Order
from domain.checkout.session import Mode, SessionStatus, Terms, UiMode
from domain.kernel.errors import Violation
from domain.kernel.ids import TenantUuid
from domain.kernel.money import EXPONENTS, Currency
from domain.payments.attempt import PaymentAttempt
from domain.payments.payment_provider import ProviderName
from domain.payments.ports import ShopperMethod

_URL_FIELDS = {
    "success_url": "successUrl",
    "cancel_url": "cancelUrl",
    "terms_of_service_url": "termsOfServiceUrl",
}


class CheckoutSessionBody(Body, kw_only=True, frozen=True, rename="camel"):
    """What to buy, or that a payment method is to be stored. The amount is computed here."""

    mode: Annotated[
        Mode,
        Meta(
            description="setup stores a card, payment buys once, subscription "
            "starts a subscription",
            examples=["payment"],
        ),
    ]
    product_price_uuid: Annotated[
        UUID | None,
        Meta(description="required except in setup; recurring exactly in subscription"),
    ] = None
    tax_rate_uuid: UUID | None = None
    payment_method: Annotated[
        ShopperMethod,
        Meta(
            description="what the payment provider takes of these; only `card` and `paypay` can "
            "be charged again, as setup and subscription need",
            examples=["card"],
        ),
    ] = ShopperMethod.CARD
    quantity: Annotated[int, Meta(ge=1, le=10_000)] = 1
    currency: (
        Annotated[
            str,
            Meta(pattern="^[A-Z]{3}$", description="must equal the price's; required in setup"),
        ]
        | None
    ) = None
    success_url: Annotated[
        Url,
        Meta(
            description="`{CHECKOUT_SESSION_UUID}` is replaced",
            examples=["https://app.example.com/billing/success"],
        ),
    ]
    cancel_url: Annotated[Url, Meta(examples=["https://app.example.com/billing/cancel"])]
    terms_of_service_url: Url | None = None
    collect_terms_of_service_consent: bool = False
    billing_address_collection: bool = False
    shipping_address_collection: bool = False
    is_tax_id_collection_enabled: bool = False
    is_tax_id_collection_required: bool = False
    client_reference_id: Annotated[str, Meta(max_length=200)] | None = None
    locale: Annotated[str, Meta(pattern="^[a-z]{2}_[A-Z]{2}$", examples=["de_DE"])] | None = None
    metadata: Metadata = msgspec.field(default_factory=dict)
    expires_in_seconds: Annotated[int, Meta(ge=300, le=86_400)] = 86_400
    ui_mode: Annotated[
        UiMode,
        Meta(
            description="embedded (beta) answers with a `clientAccessToken` for a payment form of "
            "the provider's in a page of yours; not together with collecting details",
            examples=["hosted"],
        ),
    ] = UiMode.HOSTED

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[Violation]:
        yield from _price_rules(given)
        for name, field in _URL_FIELDS.items():
            yield from check_url(given.get(name), field)
        if given.get("collect_terms_of_service_consent") and not given.get("terms_of_service_url"):
            message = "is required when collectTermsOfServiceConsent is true"
            yield Violation(message, "termsOfServiceUrl")
        yield from check_metadata(given.get("metadata"))

    def order(self, tenant_uuid: UUID, provider: ProviderName) -> Order:
        return Order(
            tenant_uuid=TenantUuid(tenant_uuid),
            provider=provider,
            mode=self.mode,
            price_uuid=self.product_price_uuid,
            tax_rate_uuid=self.tax_rate_uuid,
            quantity=self.quantity,
            currency=None if self.currency is None else Currency(self.currency),
            lifetime=timedelta(seconds=self.expires_in_seconds),
            terms=Terms(
                payment_method=self.payment_method,
                description="",
                success_url=self.success_url,
                cancel_url=self.cancel_url,
                terms_of_service_url=self.terms_of_service_url,
                collect_terms_of_service_consent=self.collect_terms_of_service_consent,
                billing_address_collection=self.billing_address_collection,
                shipping_address_collection=self.shipping_address_collection,
                is_tax_id_collection_enabled=self.is_tax_id_collection_enabled
                or self.is_tax_id_collection_required,
                is_tax_id_collection_required=self.is_tax_id_collection_required,
                client_reference_id=self.client_reference_id,
                locale=self.locale,
                metadata=self.metadata,
                ui_mode=self.ui_mode,
            ),
        )


class TenantCheckoutSessionBody(CheckoutSessionBody, kw_only=True, frozen=True, rename="camel"):
    """What to buy, or that a payment method is to be stored, and for which tenant."""

    tenant_uuid: Annotated[UUID, Meta(description="the tenant to bill; the caller belongs to it")]


def _price_rules(given: Mapping[str, Any]) -> Iterator[Violation]:
    mode = given.get("mode")
    if mode is None:
        return
    if mode is Mode.RECOVERY:
        yield Violation("is opened with a subscription's payment-links", "mode")
        return
    if mode is Mode.DIRECT:
        yield Violation("is opened with a tenant's payments, or as a session", "mode")
        return
    if mode is Mode.SETUP:
        for name, field in (
            ("product_price_uuid", "productPriceUuid"),
            ("tax_rate_uuid", "taxRateUuid"),
        ):
            if given.get(name) is not None:
                yield Violation("has no meaning in mode setup", field)
        if "currency" in given and given["currency"] is None:
            yield Violation("is required in mode setup", "currency")
    elif "product_price_uuid" in given and given["product_price_uuid"] is None:
        yield Violation(f"is required in mode {mode}", "productPriceUuid")
    if given.get("currency") is not None and given["currency"] not in EXPONENTS:
        yield Violation("is not a currency we know", "currency")


class AttemptView(Struct, frozen=True, rename="camel"):
    session_id: str | None
    """The provider's payment id; null until the provider has answered."""
    status: str
    failure_reason: str | None
    created_at: Timestamp


class CheckoutSessionView(Struct, frozen=True, kw_only=True, rename="camel"):
    id: int
    uuid: UUID
    app_uuid: UUID
    payment_provider_uuid: UUID
    session_id: str | None
    next_action_url: str | None
    user_uuid: UUID | None
    tenant_uuid: UUID
    created_at: Timestamp
    updated_at: Timestamp
    deleted_at: Timestamp | None
    mode: str
    status: str
    payment_status: str
    product_price_uuid: UUID | None
    tax_rate_uuid: UUID | None
    quantity: int
    currency: str
    amount_subtotal: int
    amount_tax: int
    amount_total: int
    payment_method: str
    success_url: str
    cancel_url: str
    terms_of_service_url: str | None
    collect_terms_of_service_consent: bool
    billing_address_collection: bool
    shipping_address_collection: bool
    is_tax_id_collection_enabled: bool
    is_tax_id_collection_required: bool
    client_reference_id: str | None
    locale: str | None
    metadata: dict[str, Any]
    expires_at: Timestamp
    retry_url: str
    ui_mode: str
    client_access_token: str | None
    """What the provider's script needs to show its form; null when there is none to fill in."""
    collected: CollectedView | None
    attempts: list[AttemptView]


class NextAction(Struct, frozen=True):
    url: str | None
    """Where to send the shopper."""


class OpenedSession(Struct, frozen=True, rename="camel"):
    created_checkout_session: CheckoutSessionView
    next_action: NextAction
    client_access_token: str | None = None
    """What the provider's script needs to show its form; null when the shopper pays on its page."""


def attempt_views(book: Book) -> list[AttemptView]:
    views = []
    for attempt in book.attempts:
        payment = book.payment_of(attempt)
        views.append(
            AttemptView(
                session_id=payment.provider_ref if payment else _form_ref(attempt),
                status=payment.status if payment else attempt.status,
                failure_reason=payment.failure_reason if payment else attempt.decline_reason,
                created_at=stamp(attempt.created_at),
            )
        )
    return views


def _form_ref(attempt: PaymentAttempt) -> str | None:
    return None if attempt.form is None else attempt.form.ref


def session_view(book: Book, links: Links) -> CheckoutSessionView:
    session, terms = book.session, book.session.terms
    return CheckoutSessionView(
        id=session.id,
        uuid=session.uuid,
        app_uuid=session.app_uuid,
        payment_provider_uuid=session.payment_provider_uuid,
        session_id=session.provider_ref,
        next_action_url=session.next_action_url,
        user_uuid=session.user_uuid,
        tenant_uuid=session.tenant_uuid,
        created_at=stamp(session.created_at),
        updated_at=stamp(session.updated_at),
        deleted_at=None,
        mode=session.mode,
        status=session.status,
        payment_status=session.payment_status,
        product_price_uuid=session.price_uuid,
        tax_rate_uuid=session.tax_rate_uuid,
        quantity=session.quantity,
        currency=session.amount.total.currency,
        amount_subtotal=session.amount.subtotal.minor,
        amount_tax=session.amount.tax.minor,
        amount_total=session.amount.total.minor,
        payment_method=terms.payment_method,
        success_url=terms.success_url,
        cancel_url=terms.cancel_url,
        terms_of_service_url=terms.terms_of_service_url,
        collect_terms_of_service_consent=terms.collect_terms_of_service_consent,
        billing_address_collection=terms.billing_address_collection,
        shipping_address_collection=terms.shipping_address_collection,
        is_tax_id_collection_enabled=terms.is_tax_id_collection_enabled,
        is_tax_id_collection_required=terms.is_tax_id_collection_required,
        client_reference_id=terms.client_reference_id,
        locale=terms.locale,
        metadata=dict(terms.metadata),
        expires_at=stamp(session.expires_at),
        retry_url=links.pay(session),
        ui_mode=terms.ui_mode,
        client_access_token=_client_token(book),
        collected=None if session.collected is None else collected_view(session.collected),
        attempts=attempt_views(book),
    )


def _client_token(book: Book) -> str | None:
    form = book.attempts[0].form if book.attempts else None
    is_open = book.session.status is SessionStatus.OPEN
    return form.client_token if form is not None and is_open else None
