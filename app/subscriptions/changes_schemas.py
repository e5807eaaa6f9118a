"""Quotes for changes of a subscription, and what became of them, as clients see them."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from app.http.bodies import Body
from app.http.envelope import Timestamp, stamp
from app.subscriptions.schemas import SubscriptionView, subscription_view
from domain.catalog.quote import QUANTITY_MAX, Quote
from domain.kernel.errors import Violation
from domain.subscriptions.bill import Bill, Line
from domain.subscriptions.change_quote import ChangeMode, ChangeQuote
from domain.subscriptions.change_service import Asked, Outcome, outcome_of
from domain.subscriptions.policy import BillingPolicy
from domain.subscriptions.subscription import Subscription

SealedQuote = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=8192,
        description="The `quote` of an answer to `change-quotes`, as it was given",
    ),
]

_CHANGEABLE: Final = ("product_price_uuid", "tax_rate_uuid", "quantity")


class QuoteChangeBody(Body, frozen=True, kw_only=True):
    """What is not sent stays as it is."""

    mode: Annotated[
        ChangeMode,
        Meta(
            description="`now_prorated`: at once, the rest of the period at the new price. "
            "`now_full`: at once, a new period. `next_period`. `no_bill`: at once, and free until "
            "the next period"
        ),
    ]
    product_price_uuid: UUID | UnsetType = UNSET
    tax_rate_uuid: UUID | UnsetType | None = UNSET
    quantity: Annotated[int, Meta(ge=1, le=QUANTITY_MAX)] | UnsetType = UNSET

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[Violation]:
        if all(given.get(name) is UNSET for name in _CHANGEABLE):  # what is wrong is not there
            message = "send what is to change: productPriceUuid, taxRateUuid or quantity"
            yield Violation(message)

    def asked(self) -> Asked:
        return Asked(
            mode=self.mode,
            price_uuid=self.product_price_uuid,
            tax_rate_uuid=self.tax_rate_uuid,
            quantity=self.quantity,
        )


class AcceptChangeBody(Body, frozen=True, kw_only=True):
    quote: SealedQuote


class LineView(Struct, frozen=True, kw_only=True, rename="camel"):
    """Credits are negative."""

    description: str
    quantity: int
    amount_subtotal: int
    amount_tax: int
    amount_total: int
    starts_at: Timestamp
    ends_at: Timestamp


def line_view(line: Line) -> LineView:
    return LineView(
        description=line.description,
        quantity=line.quantity,
        amount_subtotal=line.subtotal_minor,
        amount_tax=line.tax_minor,
        amount_total=line.total_minor,
        starts_at=stamp(line.starts_at),
        ends_at=stamp(line.ends_at),
    )


class ChangeQuoteView(Struct, frozen=True, kw_only=True, rename="camel"):
    uuid: UUID
    subscription_uuid: UUID
    mode: ChangeMode
    product_price_uuid: UUID
    tax_rate_uuid: UUID | None
    quantity: int
    currency: str
    lines: list[LineView]
    amount_subtotal: int
    amount_tax: int
    amount_total: int
    """To be billed, with its tax."""
    balance_applied: int
    """As much of it as the tenant's credit pays."""
    amount_due: int
    """To be charged."""
    credit: int
    """What the tenant gets as credit, when the change makes it cheaper."""
    takes_effect_at: Timestamp
    starts_new_period: bool
    expires_at: Timestamp
    quote: SealedQuote


def quote_view(quote: ChangeQuote, sealed: str) -> ChangeQuoteView:
    amount: Quote = quote.amount
    return ChangeQuoteView(
        uuid=quote.uuid,
        subscription_uuid=quote.subscription_uuid,
        mode=quote.mode,
        product_price_uuid=quote.change.price_uuid,
        tax_rate_uuid=quote.change.tax_rate_uuid,
        quantity=quote.change.quantity,
        currency=amount.total.currency,
        lines=[line_view(line) for line in quote.lines],
        amount_subtotal=amount.subtotal.minor,
        amount_tax=amount.tax.minor,
        amount_total=amount.total.minor,
        balance_applied=quote.balance_applied.minor,
        amount_due=quote.due.minor,
        credit=quote.credit.total.minor,
        takes_effect_at=stamp(quote.takes_effect_at),
        starts_new_period=quote.change.restarts_at is not None,
        expires_at=stamp(quote.expires_at),
        quote=sealed,
    )


class ChangeView(Struct, frozen=True, kw_only=True, rename="camel"):
    """What has become of an accepted quote."""

    uuid: UUID
    """The quote's, and its bill's."""
    outcome: Outcome
    failure_reason: str | None
    subscription: SubscriptionView


def change_view(
    uuid: UUID, subscription: Subscription, bill: Bill | None, policy: BillingPolicy
) -> ChangeView:
    return ChangeView(
        uuid=uuid,
        outcome=outcome_of(subscription, bill),
        failure_reason=None if bill is None else bill.failure_reason,
        subscription=subscription_view(subscription, policy),
    )
