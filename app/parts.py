"""What the API and the worker both stand on: ports plugged in, use cases put together.

Half of the composition root; app/main.py makes programs of it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from app.pages.checkout_page import CheckoutPage
from app.pages.portal import PortalPages
from app.settings import Settings
from domain.checkout.collect_details import CollectDetails
from domain.checkout.conclude_attempt import ConcludeAttempt
from domain.checkout.conclude_recovered import ConcludeRecovered
from domain.checkout.continue_payment import ContinuePayment
from domain.checkout.draft import Drafts
from domain.checkout.expire_session import ExpireSession
from domain.checkout.links import Links
from domain.checkout.look_into_form import LookIntoForm
from domain.checkout.open_session import OpenSession
from domain.checkout.record_sighting import RecordSighting
from domain.checkout.show_checkout import ShowCheckout
from domain.kernel.clock import Clock
from domain.kernel.ids import AppUuid, Ids
from domain.orchestration.choose_account import ChooseAccount
from domain.orchestration.fail_over import FailOver
from domain.orchestration.open_payment_session import OpenPaymentSession
from domain.orchestration.ports import Chance
from domain.payments.attempt import OwnerKind
from domain.payments.connect_service import ConnectService
from domain.payments.ensure_customer import EnsureCustomer
from domain.payments.finish_connecting import FinishConnecting
from domain.payments.observe_payment import ObservePayment, Recorder
from domain.payments.recover_attempt import Conclusion, RecoverAttempt
from domain.payments.submit_attempt import SubmitAttempt
from domain.payments.submit_capture import SubmitCapture
from domain.payments.sweep_account import SweepAccount
from domain.subscriptions.advance_clock import AdvanceClock
from domain.subscriptions.advance_subscription import AdvanceSubscription
from domain.subscriptions.conclude_charge import ConcludeCharge
from domain.subscriptions.deliver_purchase import DeliverPurchase
from domain.subscriptions.portal import PortalPass, PortalService
from domain.subscriptions.record_charge import RecordCharge
from domain.subscriptions.recover_link import RecoverLink
from domain.subscriptions.wish_service import WishService
from domain.subscriptions.write import WriteBook
from domain.tenancy.app import JwtIssuer
from domain.webhooks.receive import ReceiveMessage
from domain.webhooks.receive_signed import ReceiveSigned
from infrastructure.addresses import GoogleAddressRules
from infrastructure.mollie.connect import MollieApp
from infrastructure.postgres.database import Database
from infrastructure.postgres.due_work import PostgresDirectory
from infrastructure.postgres.transaction import PostgresTx
from infrastructure.providers import clients
from infrastructure.sealed import Sealed
from infrastructure.secrets import AesGcmVault
from infrastructure.system import SystemChance, SystemClock, SystemIds, pause
from infrastructure.tax_ids import StdnumTaxIds
from infrastructure.terms import HttpTermsReader
from infrastructure.webhooks.sender import HttpWebhookSender


def mollie_app(settings: Settings) -> MollieApp:
    return MollieApp(
        client_id=settings.mollie_connect_client_id,
        client_secret=settings.mollie_connect_client_secret,
        redirect_url=settings.mollie_connect_redirect_url,
        authorize_url=settings.mollie_connect_authorize_url,
    )


class Parts:
    """What the API and the worker both stand on: ports plugged in, use cases put together."""

    def __init__(self, settings: Settings) -> None:
        self.plug_in(settings)
        lease = timedelta(seconds=settings.lease_s)
        self.directory = PostgresDirectory(self.database)
        self.clients.keep_tokens(self.database, self.vault, self.clock, pause)
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
        self.look_into_form = LookIntoForm(self.database, self.providers, self.observe)
        self.expire = ExpireSession(
            self.database, self.observe, self.look_into_form, self.providers, self.clock
        )
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
        self.chance: Chance = SystemChance()
        self.database = Database(
            settings.database_url, PostgresTx, pool_size=settings.database_pool_size
        )
        self.vault = AesGcmVault(settings.secret_key)
        self.clients = clients(
            self.vault,
            (settings.mollie_url, settings.komoju_url),
            settings.provider_timeout_s,
            settings.provider_calls_per_s,
            mollie_app(settings),
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        async with self.database.open(), self.clients.open(), self.terms_reader.open():
            yield

    async def issuers(self, app_uuid: AppUuid) -> tuple[JwtIssuer, ...]:
        async with self.database.begin(app_uuid) as tx:
            return await tx.apps.issuers()

    def connect_accounts(self) -> ConnectService:
        return ConnectService(self.providers, self.vault, self.clock, self.ids)

    def finish_connecting(self) -> FinishConnecting:
        return FinishConnecting(self.database, self.providers, self.vault, self.clock)

    def ensure_customer(self) -> EnsureCustomer:
        return EnsureCustomer(
            self.database, self.providers, self.clock, self.ids, pause, self.lease
        )

    def open_session(self) -> OpenSession:
        return OpenSession(
            self.database,
            self.ensure_customer(),
            self.drafts,
            self.submit,
            self.conclude,
            self.clock,
            pause,
        )

    def open_payment_session(self) -> OpenPaymentSession:
        return OpenPaymentSession(
            self.database,
            self.open_session(),
            ChooseAccount(self.providers, self.chance, self.ids, self.lease),
            FailOver(self.expire, self.clock, self.ids, self.lease),
            self.clock,
            self.ids,
            self.lease,
        )

    def submit_capture(self) -> SubmitCapture:
        return SubmitCapture(self.database, self.providers, self.clock, self.lease)

    def recover(self) -> RecoverAttempt:
        conclusions: dict[OwnerKind, Conclusion] = {
            OwnerKind.SESSION: ConcludeRecovered(self.conclude, self.expire),
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
            ShowCheckout(self.database),
            self.continue_payment(),
            collect,
            rules,
            tax_ids,
            self.links,
            self.clock,
        )

    def portals(self) -> PortalService:
        return PortalService(Sealed(self.vault, PortalPass), self.clock, self.ids)

    def portal_pages(self) -> PortalPages:
        return PortalPages(
            self.database,
            self.portals(),
            WishService(self.write, self.recover(), self.clock, self.ids),
            RecoverLink(self.database, self.expire, self.clock),
            self.open_session(),
            self.links,
            self.clock,
        )

    def continue_payment(self) -> ContinuePayment:
        return ContinuePayment(
            self.database,
            self.ensure_customer(),
            self.observe,
            self.drafts,
            self.submit,
            self.conclude,
            self.look_into_form,
            self.clock,
        )
