"""The composition root: everything is plugged together here. Read it from top to bottom."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import httpx
from litestar import Litestar, Request
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException, ValidationException

from app.catalog.http import (
    CountriesController,
    PricesController,
    ProductsController,
    TaxRatesController,
)
from app.checkout.http import CheckoutSessionsController, OpenCheckoutSessionController
from app.courier import Courier
from app.docs.http import DocsController, publisher
from app.http.bodies import BODY_MAX, StrictRequest, strict_json
from app.http.desk import Desk
from app.http.errors import domain_error, http_error, invalid_request, unforeseen
from app.http.health import HealthController
from app.http.telemetry import configure_logging, telemetry
from app.invoices.http import InvoicesController
from app.invoices.schemas import InvoiceViews
from app.jobs import (
    Attempts,
    Captures,
    Clocks,
    Events,
    Expiry,
    Housekeeping,
    Job,
    Looks,
    Messages,
    Refunds,
    Renewals,
    Sweeps,
)
from app.ledger.http import LedgerController
from app.orchestration.http import PaymentSessionsController
from app.orchestration.routing_http import RoutingController
from app.pages.http import CheckoutLinksController, CheckoutStyleController
from app.pages.portal_http import BillingPortalsController, PortalController
from app.parts import Parts
from app.payments.accounts_http import AccountsController
from app.payments.captures_http import HeldPaymentsController
from app.payments.customer_payments_http import CustomerPaymentsController
from app.payments.http import TenantPaymentsController
from app.payments.methods_http import (
    PaymentMethodsController,
    TenantPaymentMethodsController,
)
from app.payments.money_back_http import PaymentsController, RefundsController
from app.payments.providers_http import PaymentProvidersController
from app.settings import Settings
from app.subscriptions.changes_http import SubscriptionChangesController
from app.subscriptions.clocks_http import TestClocksController
from app.subscriptions.collecting_http import CollectingController
from app.subscriptions.http import SubscriptionsController, TenantSubscriptionsController
from app.subscriptions.policy_http import BillingPolicyController
from app.tenancy.http import TenantsController
from app.webhooks.endpoints_http import WebhookEndpointsController
from app.webhooks.events_http import EventsController, EventTypesController
from app.webhooks.http import WebhooksController
from app.worker import Worker
from domain.catalog.price_service import PriceService
from domain.catalog.product_service import ProductService
from domain.catalog.tax_rate_service import TaxRateService
from domain.kernel.errors import DomainError
from domain.orchestration.refund_session import RefundSession
from domain.orchestration.routing_service import RoutingService
from domain.payments.cancel_payment import CancelPayment
from domain.payments.cancel_refund import CancelRefund
from domain.payments.mandate_service import MandateService
from domain.payments.provider_service import ProviderService
from domain.payments.request_capture import RequestCapture
from domain.payments.request_refund import RequestRefund
from domain.payments.submit_refund import SubmitRefund
from domain.subscriptions.change_quote import ChangeQuote
from domain.subscriptions.change_service import ChangeService
from domain.subscriptions.policy_service import PolicyService
from domain.subscriptions.recover_link import RecoverLink
from domain.subscriptions.start_subscription import StartSubscription
from domain.subscriptions.test_clock_service import TestClockService
from domain.subscriptions.wish_service import WishService
from domain.tenancy.tenant_service import TenantService
from domain.webhooks.deliver import DeliverWebhooks
from domain.webhooks.endpoint_service import EndpointService
from domain.webhooks.publish import PublishEvents
from domain.webhooks.replay import ReplayEvents
from infrastructure.identity.tokens import JwtVerifier
from infrastructure.postgres.readiness import PostgresReadiness
from infrastructure.providers import CREDENTIALS
from infrastructure.sealed import Sealed
from infrastructure.system import SystemJitter, webhook_secret

T = TypeVar("T")
SWEEPER_POLL_S: Final = 60.0
"""Sweeps are due once an hour."""


CONTROLLERS: Final = [
    OpenCheckoutSessionController,
    CheckoutSessionsController,
    ProductsController,
    PricesController,
    TaxRatesController,
    CountriesController,
    TenantsController,
    PaymentProvidersController,
    AccountsController,
    TenantPaymentsController,
    PaymentMethodsController,
    TenantPaymentMethodsController,
    InvoicesController,
    PaymentsController,
    CustomerPaymentsController,
    HeldPaymentsController,
    RefundsController,
    PaymentSessionsController,
    RoutingController,
    TenantSubscriptionsController,
    SubscriptionsController,
    CollectingController,
    SubscriptionChangesController,
    BillingPolicyController,
    BillingPortalsController,
    TestClocksController,
    LedgerController,
    EventsController,
    WebhookEndpointsController,
    EventTypesController,
    WebhooksController,
    CheckoutLinksController,
    PortalController,
    CheckoutStyleController,
    HealthController,
    DocsController,
]


def build(settings: Settings) -> Litestar:
    configure_logging()
    parts = Parts(settings)
    jwks_client = httpx.AsyncClient(trust_env=False)

    def desk(request: Request[Any, Any, Any]) -> Desk:
        return Desk(parts.database, parts.clock, request)

    @asynccontextmanager
    async def resources(_: Litestar) -> AsyncIterator[None]:
        async with parts.open(), jwks_client:
            yield

    app = Litestar(
        route_handlers=CONTROLLERS,
        dependencies={"desk": Provide(desk, sync_to_thread=False), **dependencies(parts)},
        exception_handlers={
            DomainError: domain_error,
            ValidationException: invalid_request,
            HTTPException: http_error,
            Exception: unforeseen,
        },
        request_class=StrictRequest,
        before_request=strict_json,
        request_max_body_size=BODY_MAX,
        state=State({"token_verifier": JwtVerifier(parts.issuers, jwks_client, parts.clock)}),
        openapi_config=None,  # app/docs writes it
        logging_config=None,  # configure_logging() has done it
        on_startup=[publisher(settings.public_url)],
        lifespan=[resources],
    )
    # Around everything: Litestar's own middleware never sees what has no route.
    app.asgi_handler = telemetry(app.asgi_handler, parts.ids)
    return app


def dependencies(parts: Parts) -> dict[str, Provide]:
    """What handlers ask for by name."""
    clock, ids = parts.clock, parts.ids
    return {
        "links": value(parts.links),
        "open_session": value(parts.open_session()),
        "invoice_views": value(InvoiceViews(parts.providers)),
        "expire_session": value(parts.expire),
        "portals": value(parts.portals()),
        "portal_pages": value(parts.portal_pages()),
        "checkout_page": value(parts.checkout_page()),
        "continue_payment": value(parts.continue_payment()),
        "receive": value(parts.receive),
        "receive_signed": value(parts.receive_signed),
        "products": value(ProductService(clock, ids)),
        "prices": value(PriceService(clock, ids)),
        "tax_rates": value(TaxRateService(clock, ids)),
        "tenants": value(TenantService(clock, ids)),
        "changes": value(
            ChangeService(
                Sealed(parts.vault, ChangeQuote), parts.write, parts.recover(), clock, ids
            )
        ),
        "billing_policies": value(PolicyService(clock)),
        "test_clocks": value(TestClockService(clock, ids)),
        "start_subscription": value(StartSubscription(parts.write, parts.recover(), clock, ids)),
        "subscription_wishes": value(WishService(parts.write, parts.recover(), clock, ids)),
        "recover_link": value(RecoverLink(parts.database, parts.expire, clock)),
        "payment_providers": value(ProviderService(parts.vault, CREDENTIALS, clock, ids)),
        "connect_accounts": value(parts.connect_accounts()),
        "finish_connecting": value(parts.finish_connecting()),
        "mandates": value(MandateService(parts.providers, clock)),
        "request_refund": value(RequestRefund(parts.providers, clock, ids)),
        "open_payment_session": value(parts.open_payment_session()),
        "refund_session": value(RefundSession(RequestRefund(parts.providers, clock, ids), clock)),
        "routing": value(RoutingService(parts.providers, clock)),
        "cancel_refund": value(CancelRefund(clock)),
        "request_capture": value(RequestCapture(parts.providers, clock, ids)),
        "submit_capture": value(parts.submit_capture()),
        "cancel_payment": value(
            CancelPayment(parts.database, parts.providers, parts.observe, clock)
        ),
        "webhook_endpoints": value(
            EndpointService(parts.vault, webhook_secret, clock, ids, parts.near_targets)
        ),
        "replay_events": value(ReplayEvents(clock, ids)),
        "readiness": value(PostgresReadiness(parts.database)),
    }


def value(thing: T) -> Provide:
    """A dependency that is the same for every request."""
    give: Callable[[], T] = lambda: thing  # noqa: E731  # a def would need a name for nothing
    return Provide(give, sync_to_thread=False)


def jobs_of(parts: Parts) -> tuple[Job, ...]:
    """What a worker does, in this order."""
    database, lease = parts.database, parts.lease
    return (
        Messages(database, parts.receive, lease),
        Attempts(database, parts.recover()),
        Renewals(database, parts.advance(), lease),
        Clocks(database, parts.advance_clock(), lease),
        Refunds(database, SubmitRefund(database, parts.providers, parts.clock, lease)),
        Captures(database, parts.submit_capture()),
        Looks(database, parts.observe, parts.clock),
        Expiry(database, parts.expire, lease),
        Events(PublishEvents(database, parts.clock, parts.ids)),
        Housekeeping(database),
    )


def sweeps_of(parts: Parts) -> tuple[Job, ...]:
    """What a worker does beside that: reading long lists must hold up nothing that is due."""
    return (Sweeps(parts.database, parts.sweep()),)


def build_worker(settings: Settings) -> tuple[Worker, tuple[Worker | Courier, ...], Parts]:
    """The worker, who works beside it, and what must be open while they run."""
    configure_logging()
    parts = Parts(settings)
    directory, clock, poll_s = parts.directory, parts.clock, settings.worker_poll_s
    worker = Worker(jobs_of(parts), directory.apps_with_due_work, clock, poll_s)
    sweeper = Worker(sweeps_of(parts), directory.apps_with_due_sweeps, clock, SWEEPER_POLL_S)
    deliver = DeliverWebhooks(
        parts.database, parts.sender, parts.vault, parts.clock, SystemJitter()
    )
    courier = Courier(deliver, parts.directory, parts.clock, settings.worker_poll_s)
    return worker, (sweeper, courier), parts
