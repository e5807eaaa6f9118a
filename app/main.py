"""The composition root: everything is plugged together here. Read it from top to bottom."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
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
from app.jobs import (
    Attempts,
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
from app.pages.checkout_page import CheckoutPage
from app.pages.http import CheckoutLinksController, CheckoutStyleController
from app.payments.http import TenantPaymentsController
from app.payments.methods_http import PaymentMethodsController
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
from domain.checkout.collect_details import CollectDetails
from domain.checkout.conclude_attempt import ConcludeAttempt
from domain.checkout.continue_payment import ContinuePayment
from domain.checkout.draft import Drafts
from domain.checkout.expire_session import ExpireSession
from domain.checkout.links import Links
from domain.checkout.open_session import OpenSession
from domain.checkout.record_sighting import RecordSighting
from domain.checkout.show_checkout import ShowCheckout
from domain.kernel.clock import Clock
from domain.kernel.errors import DomainError
from domain.kernel.ids import AppUuid, Ids
from domain.payments.attempt import OwnerKind
from domain.payments.cancel_refund import CancelRefund
from domain.payments.ensure_customer import EnsureCustomer
from domain.payments.mandate_service import MandateService
from domain.payments.observe_payment import ObservePayment, Recorder
from domain.payments.provider_service import ProviderService
from domain.payments.recover_attempt import Conclusion, RecoverAttempt
from domain.payments.request_refund import RequestRefund
from domain.payments.submit_attempt import SubmitAttempt
from domain.payments.submit_refund import SubmitRefund
from domain.payments.sweep_account import SweepAccount
from domain.subscriptions.advance_clock import AdvanceClock
from domain.subscriptions.advance_subscription import AdvanceSubscription
from domain.subscriptions.change_service import ChangeService
from domain.subscriptions.conclude_charge import ConcludeCharge
from domain.subscriptions.deliver_purchase import DeliverPurchase
from domain.subscriptions.policy_service import PolicyService
from domain.subscriptions.record_charge import RecordCharge
from domain.subscriptions.recover_link import RecoverLink
from domain.subscriptions.start_subscription import StartSubscription
from domain.subscriptions.test_clock_service import TestClockService
from domain.subscriptions.wish_service import WishService
from domain.subscriptions.write import WriteBook
from domain.tenancy.app import JwtIssuer
from domain.tenancy.tenant_service import TenantService
from domain.webhooks.deliver import DeliverWebhooks
from domain.webhooks.endpoint_service import EndpointService
from domain.webhooks.publish import PublishEvents
from domain.webhooks.receive import ReceiveMessage
from domain.webhooks.receive_signed import ReceiveSigned
from domain.webhooks.replay import ReplayEvents
from infrastructure.addresses import GoogleAddressRules
from infrastructure.identity.tokens import JwtVerifier
from infrastructure.postgres.database import Database
from infrastructure.postgres.due_work import PostgresDirectory
from infrastructure.postgres.readiness import PostgresReadiness
from infrastructure.postgres.transaction import PostgresTx
from infrastructure.providers import CREDENTIALS, clients
from infrastructure.quotes import SealedQuotes
from infrastructure.secrets import AesGcmVault
from infrastructure.system import SystemClock, SystemIds, SystemJitter, pause, webhook_secret
from infrastructure.tax_ids import StdnumTaxIds
from infrastructure.terms import HttpTermsReader
from infrastructure.webhooks.sender import HttpWebhookSender

T = TypeVar("T")


class Parts:
    """What the API and the worker both stand on: ports plugged in, use cases put together."""

    def __init__(self, settings: Settings) -> None:
        self.plug_in(settings)
        lease = timedelta(seconds=settings.lease_s)
        self.directory = PostgresDirectory(self.database)
        self.providers = self.clients.providers(self.vault)
        self.links = Links(settings.public_url)
        self.near_targets = settings.webhook_targets_private
        self.sender = HttpWebhookSender(self.clock, near=self.near_targets)
        self.terms_reader = HttpTermsReader(near=self.near_targets)

        self.write = WriteBook(self.providers, self.links, self.ids)
        self.record = RecordSighting(DeliverPurchase(self.write, self.ids), self.ids)
        self.record_charge = RecordCharge(self.write, self.ids)
        recorders: dict[OwnerKind, Recorder] = {
            OwnerKind.SESSION: self.record,
            OwnerKind.BILL: self.record_charge,
        }
        self.observe = ObservePayment(self.database, self.providers, recorders, self.clock)
        self.submit = SubmitAttempt(self.providers, self.clock, lease)
        self.conclude = ConcludeAttempt(self.database, self.record, self.clock)
        self.conclude_charge = ConcludeCharge(
            self.database, self.record_charge, self.write, self.clock
        )
        self.drafts = Drafts(self.providers, self.links, self.ids, lease)
        self.expire = ExpireSession(self.database, self.observe, self.providers, self.clock)
        self.receive = ReceiveMessage(
            self.database, self.directory, self.observe, self.clock, self.ids
        )
        self.receive_signed = ReceiveSigned(
            self.database, self.directory, self.providers, self.clock, self.ids
        )
        self.lease = lease

    def plug_in(self, settings: Settings) -> None:
        """Time, chance, the database and the providers: what a simulation has of its own."""
        self.clock: Clock = SystemClock()
        self.ids: Ids = SystemIds()
        self.database = Database(
            settings.database_url, PostgresTx, pool_size=settings.database_pool_size
        )
        self.vault = AesGcmVault(settings.secret_key)
        self.clients = clients(
            self.vault,
            (settings.mollie_url, settings.komoju_url),
            settings.provider_timeout_s,
            settings.provider_calls_per_s,
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        async with self.database.open(), self.clients.open(), self.terms_reader.open():
            yield

    async def issuers(self, app_uuid: AppUuid) -> tuple[JwtIssuer, ...]:
        async with self.database.begin(app_uuid) as tx:
            return await tx.apps.issuers()

    def open_session(self) -> OpenSession:
        ensure_customer = EnsureCustomer(
            self.database, self.providers, self.clock, self.ids, pause, self.lease
        )
        return OpenSession(
            self.database,
            ensure_customer,
            self.drafts,
            self.submit,
            self.conclude,
            self.clock,
            pause,
        )

    def recover(self) -> RecoverAttempt:
        conclusions: dict[OwnerKind, Conclusion] = {
            OwnerKind.SESSION: self.conclude,
            OwnerKind.BILL: self.conclude_charge,
        }
        return RecoverAttempt(self.database, self.submit, conclusions, self.clock, self.lease)

    def sweep(self) -> SweepAccount:
        return SweepAccount(self.database, self.providers, self.observe, self.clock)

    def advance(self) -> AdvanceSubscription:
        return AdvanceSubscription(
            self.database,
            self.submit,
            self.conclude_charge,
            self.write,
            self.clock,
            self.ids,
            self.lease,
        )

    def advance_clock(self) -> AdvanceClock:
        return AdvanceClock(
            self.database,
            self.advance(),
            self.observe,
            self.recover(),
            self.clock,
            pause,
            self.lease,
        )

    def checkout_page(self) -> CheckoutPage:
        rules, tax_ids = GoogleAddressRules(), StdnumTaxIds()
        collect = CollectDetails(self.database, rules, tax_ids, self.terms_reader, self.clock)
        return CheckoutPage(
            ShowCheckout(self.database), collect, rules, tax_ids, self.links, self.clock
        )

    def continue_payment(self) -> ContinuePayment:
        return ContinuePayment(
            self.database, self.observe, self.drafts, self.submit, self.conclude, self.clock
        )


CONTROLLERS: Final = [
    OpenCheckoutSessionController,
    CheckoutSessionsController,
    ProductsController,
    PricesController,
    TaxRatesController,
    CountriesController,
    TenantsController,
    PaymentProvidersController,
    TenantPaymentsController,
    PaymentMethodsController,
    PaymentsController,
    RefundsController,
    TenantSubscriptionsController,
    SubscriptionsController,
    CollectingController,
    SubscriptionChangesController,
    BillingPolicyController,
    TestClocksController,
    LedgerController,
    EventsController,
    WebhookEndpointsController,
    EventTypesController,
    WebhooksController,
    CheckoutLinksController,
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
        "expire_session": value(parts.expire),
        "checkout_page": value(parts.checkout_page()),
        "continue_payment": value(parts.continue_payment()),
        "receive": value(parts.receive),
        "receive_signed": value(parts.receive_signed),
        "products": value(ProductService(clock, ids)),
        "prices": value(PriceService(clock, ids)),
        "tax_rates": value(TaxRateService(clock, ids)),
        "tenants": value(TenantService(clock, ids)),
        "changes": value(
            ChangeService(SealedQuotes(parts.vault), parts.write, parts.recover(), clock, ids)
        ),
        "billing_policies": value(PolicyService(clock)),
        "test_clocks": value(TestClockService(clock, ids)),
        "start_subscription": value(StartSubscription(parts.write, parts.recover(), clock, ids)),
        "subscription_wishes": value(WishService(parts.write, parts.recover(), clock, ids)),
        "recover_link": value(RecoverLink(parts.database, parts.expire, clock)),
        "payment_providers": value(ProviderService(parts.vault, CREDENTIALS, clock, ids)),
        "mandates": value(MandateService(parts.providers, clock)),
        "request_refund": value(RequestRefund(parts.providers, clock, ids)),
        "cancel_refund": value(CancelRefund(clock)),
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
        Looks(database, parts.observe, parts.clock),
        Sweeps(database, parts.sweep()),
        Expiry(database, parts.expire, lease),
        Events(PublishEvents(database, parts.clock, parts.ids)),
        Housekeeping(database),
    )


def build_worker(settings: Settings) -> tuple[Worker, Courier, Parts]:
    """The worker and the courier, and what must be open while they run."""
    configure_logging()
    parts = Parts(settings)
    worker = Worker(jobs_of(parts), parts.directory, parts.clock, settings.worker_poll_s)
    deliver = DeliverWebhooks(
        parts.database, parts.sender, parts.vault, parts.clock, SystemJitter()
    )
    courier = Courier(deliver, parts.directory, parts.clock, settings.worker_poll_s)
    return worker, courier, parts
