"""A transaction's face: every repository, made when it is first asked for."""

from functools import cached_property

from domain.kernel.ids import AppUuid, Ids
from infrastructure.postgres.attempts import PostgresAttempts
from infrastructure.postgres.billing_policies import PostgresBillingPolicies
from infrastructure.postgres.billing_records import PostgresBillingRecords
from infrastructure.postgres.checkout import PostgresCheckout
from infrastructure.postgres.customers import PostgresCustomers
from infrastructure.postgres.database import Connection
from infrastructure.postgres.due_work import PostgresDueWork
from infrastructure.postgres.events import PostgresEventFeed
from infrastructure.postgres.grants import PostgresGrants
from infrastructure.postgres.idempotency import PostgresIdempotencyKeys
from infrastructure.postgres.ledger import PostgresLedger
from infrastructure.postgres.mandates import PostgresMandates
from infrastructure.postgres.messages import PostgresInbox, PostgresOutbox
from infrastructure.postgres.payment_providers import PostgresPaymentProviders
from infrastructure.postgres.payment_sessions import PostgresPaymentSessions
from infrastructure.postgres.payments import (
    PostgresCaptures,
    PostgresChargebacks,
    PostgresPayments,
    PostgresRefunds,
)
from infrastructure.postgres.prices import PostgresPrices
from infrastructure.postgres.products import PostgresProducts
from infrastructure.postgres.purchases import PostgresOneTimePayments
from infrastructure.postgres.routing import PostgresRouting
from infrastructure.postgres.routing_policies import PostgresRoutingPolicies
from infrastructure.postgres.subscriptions import PostgresSubscriptions
from infrastructure.postgres.sweeps import PostgresSweeps
from infrastructure.postgres.tax_rates import PostgresTaxRates
from infrastructure.postgres.tenancy import PostgresAdmissions, PostgresApps, PostgresTenants
from infrastructure.postgres.test_clocks import PostgresTestClocks
from infrastructure.postgres.webhook_deliveries import PostgresWebhookDeliveries
from infrastructure.postgres.webhook_endpoints import PostgresWebhookEndpoints
from infrastructure.system import SystemIds


class PostgresTx:
    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        self._on = (connection, app_uuid)
        self._ids: Ids = SystemIds()

    @cached_property
    def admissions(self) -> PostgresAdmissions:
        return PostgresAdmissions(*self._on)

    @cached_property
    def apps(self) -> PostgresApps:
        return PostgresApps(*self._on)

    @cached_property
    def tenants(self) -> PostgresTenants:
        return PostgresTenants(*self._on)

    @cached_property
    def products(self) -> PostgresProducts:
        return PostgresProducts(*self._on)

    @cached_property
    def prices(self) -> PostgresPrices:
        return PostgresPrices(*self._on)

    @cached_property
    def tax_rates(self) -> PostgresTaxRates:
        return PostgresTaxRates(*self._on)

    @cached_property
    def ledger(self) -> PostgresLedger:
        return PostgresLedger(*self._on, self._ids)

    @cached_property
    def payment_providers(self) -> PostgresPaymentProviders:
        return PostgresPaymentProviders(*self._on)

    @cached_property
    def grants(self) -> PostgresGrants:
        return PostgresGrants(*self._on)

    @cached_property
    def captures(self) -> PostgresCaptures:
        return PostgresCaptures(*self._on)

    @cached_property
    def sweeps(self) -> PostgresSweeps:
        return PostgresSweeps(*self._on)

    @cached_property
    def attempts(self) -> PostgresAttempts:
        return PostgresAttempts(*self._on)

    @cached_property
    def customers(self) -> PostgresCustomers:
        return PostgresCustomers(*self._on)

    @cached_property
    def checkout(self) -> PostgresCheckout:
        return PostgresCheckout(*self._on)

    @cached_property
    def payment_sessions(self) -> PostgresPaymentSessions:
        return PostgresPaymentSessions(*self._on)

    @cached_property
    def routing(self) -> PostgresRouting:
        return PostgresRouting(*self._on)

    @cached_property
    def routing_policies(self) -> PostgresRoutingPolicies:
        return PostgresRoutingPolicies(*self._on)

    @cached_property
    def payments(self) -> PostgresPayments:
        return PostgresPayments(*self._on)

    @cached_property
    def mandates(self) -> PostgresMandates:
        return PostgresMandates(*self._on)

    @cached_property
    def refunds(self) -> PostgresRefunds:
        return PostgresRefunds(*self._on)

    @cached_property
    def chargebacks(self) -> PostgresChargebacks:
        return PostgresChargebacks(*self._on)

    @cached_property
    def one_time_payments(self) -> PostgresOneTimePayments:
        return PostgresOneTimePayments(*self._on)

    @cached_property
    def billing_records(self) -> PostgresBillingRecords:
        return PostgresBillingRecords(*self._on)

    @cached_property
    def subscriptions(self) -> PostgresSubscriptions:
        return PostgresSubscriptions(*self._on)

    @cached_property
    def billing_policies(self) -> PostgresBillingPolicies:
        return PostgresBillingPolicies(*self._on)

    @cached_property
    def test_clocks(self) -> PostgresTestClocks:
        return PostgresTestClocks(*self._on)

    @cached_property
    def inbox(self) -> PostgresInbox:
        return PostgresInbox(*self._on)

    @cached_property
    def outbox(self) -> PostgresOutbox:
        return PostgresOutbox(*self._on, self._ids)

    @cached_property
    def events(self) -> PostgresEventFeed:
        return PostgresEventFeed(*self._on)

    @cached_property
    def webhook_endpoints(self) -> PostgresWebhookEndpoints:
        return PostgresWebhookEndpoints(*self._on)

    @cached_property
    def webhook_deliveries(self) -> PostgresWebhookDeliveries:
        return PostgresWebhookDeliveries(*self._on)

    @cached_property
    def idempotency(self) -> PostgresIdempotencyKeys:
        return PostgresIdempotencyKeys(*self._on)

    @cached_property
    def due_work(self) -> PostgresDueWork:
        return PostgresDueWork(*self._on)
