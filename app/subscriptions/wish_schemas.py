"""What callers ask of subscriptions: to start, to end, to pause, to be paid."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta

from app.http.bodies import Body
from app.http.fields import Url, check_url
from domain.catalog.price import TRIAL_DAYS_MAX
from domain.catalog.quote import QUANTITY_MAX
from domain.kernel.errors import Violation
from domain.kernel.ids import TenantUuid
from domain.subscriptions.recover_link import LinkTerms
from domain.subscriptions.start_subscription import NewSubscription
from domain.subscriptions.wishes import When

Instant = Annotated[
    datetime, Meta(tz=True, extra_json_schema={"examples": ["2026-02-01T00:00:00.000Z"]})
]


class StartSubscriptionBody(Body, kw_only=True, frozen=True, rename="camel"):
    """What to subscribe to. The amount is computed here."""

    product_price_uuid: Annotated[UUID, Meta(description="a recurring price")]
    tax_rate_uuid: UUID | None = None
    quantity: Annotated[int, Meta(ge=1, le=QUANTITY_MAX)] = 1
    payment_method_uuid: Annotated[
        UUID | None,
        Meta(description="what to charge; null: the tenant's default, else its newest valid one"),
    ] = None
    trial_days: Annotated[
        Annotated[int, Meta(ge=0, le=TRIAL_DAYS_MAX)] | None,
        Meta(
            description="null: the price's, once per tenant and product. 0: none. More than the "
            "price's needs `billing:write`",
            examples=[14],
        ),
    ] = None

    def new(self, tenant_uuid: UUID) -> NewSubscription:
        return NewSubscription(
            tenant_uuid=TenantUuid(tenant_uuid),
            price_uuid=self.product_price_uuid,
            tax_rate_uuid=self.tax_rate_uuid,
            quantity=self.quantity,
            mandate_uuid=self.payment_method_uuid,
            trial_days=self.trial_days,
        )


class CancelSubscriptionBody(Body, kw_only=True, frozen=True, rename="camel"):
    """When it ends: `when`, or `at` an instant."""

    when: Annotated[
        When | None,
        Meta(
            description="`now`, or `period_end`: with what is paid for, or with the trial",
            examples=["period_end"],
        ),
    ] = None
    at: Annotated[
        Instant | None, Meta(description="an instant that lies ahead; instead of `when`")
    ] = None
    reason: Annotated[
        Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,63}$")] | None,
        Meta(
            description="a word of yours, told by events and history",
            examples=["too_expensive"],
        ),
    ] = None

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[Violation]:
        if not {"when", "at"} <= given.keys():
            return
        if (given["when"] is None) is (given["at"] is None):
            yield Violation("say when, or at: one of the two", "when")

    def wished(self) -> When | datetime:
        wished = self.when or self.at
        assert wished is not None, "a rule of the body"
        return wished


class PauseSubscriptionBody(Body, kw_only=True, frozen=True, rename="camel"):
    resumes_at: Annotated[
        Instant | None,
        Meta(description="when it goes on by itself; null: when it is resumed"),
    ] = None


class PaymentLinkBody(Body, kw_only=True, frozen=True, rename="camel"):
    """Where the shopper comes back to."""

    success_url: Annotated[
        Url,
        Meta(
            description="`{CHECKOUT_SESSION_UUID}` is replaced",
            examples=["https://app.example.com/billing/success"],
        ),
    ]
    cancel_url: Annotated[Url, Meta(examples=["https://app.example.com/billing/cancel"])]
    locale: Annotated[str, Meta(pattern="^[a-z]{2}_[A-Z]{2}$", examples=["de_DE"])] | None = None
    expires_in_seconds: Annotated[int, Meta(ge=300, le=86_400)] = 86_400

    @classmethod
    def rules(cls, given: Mapping[str, Any]) -> Iterator[Violation]:
        yield from check_url(given.get("success_url"), "successUrl")
        yield from check_url(given.get("cancel_url"), "cancelUrl")

    def terms(self) -> LinkTerms:
        return LinkTerms(
            success_url=self.success_url,
            cancel_url=self.cancel_url,
            locale=self.locale,
            lifetime=timedelta(seconds=self.expires_in_seconds),
        )


class ReplacePaymentMethodBody(Body, kw_only=True, frozen=True, rename="camel"):
    payment_method_uuid: Annotated[
        UUID, Meta(description="a valid one of the tenant, at the subscription's account")
    ]
