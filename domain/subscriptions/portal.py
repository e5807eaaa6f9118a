"""A pass to the billing portal: who holds it acts for one tenant, for an hour.

The app gives it to a customer that it knows. It is sealed, not stored: nobody can make one, and
nothing has to be kept or forgotten.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct

from domain.checkout.order import need_hosts
from domain.kernel.clock import Clock
from domain.kernel.errors import NotFound
from domain.kernel.ids import AppUuid, Ids, TenantUuid, UserUuid
from domain.kernel.pages import PageRequest
from domain.payments.mandate import Mandate
from domain.payments.payment import Payment
from domain.payments.payment_provider import ProviderName
from domain.payments.repositories import PaymentsTx
from domain.subscriptions.ports import SubscriptionsTx
from domain.subscriptions.subscription import Subscription
from domain.tenancy.app import App
from domain.tenancy.caller import Actor, Scope, UserCaller
from domain.tenancy.tenant import Role, Tenant

PASS_LASTS: Final = timedelta(hours=1)
SHOWN_MAX: Final = 20
"""Of each kind, the newest."""
_CONTEXT: Final = "billing portal pass"


class PortalPass(Struct, frozen=True, kw_only=True):
    app_uuid: AppUuid
    tenant_uuid: TenantUuid
    visitor_uuid: UserUuid
    """The user whom it was made for; for one made with an API key, an id of its own."""
    return_url: str
    expires_at: datetime

    @property
    def caller(self) -> UserCaller:
        """As somebody with a token that names this tenant and no other, and no scope."""
        return UserCaller(
            app_uuid=self.app_uuid,
            user_uuid=self.visitor_uuid,
            scopes=frozenset(),
            tenants={self.tenant_uuid: Role.ADMIN},
        )


class PassSeal(Protocol):
    def seal(self, facts: PortalPass, *, context: str) -> str: ...

    def open(self, text: str, *, context: str) -> PortalPass | None: ...


class Apps(Protocol):
    async def get(self) -> App: ...


class Tenants(Protocol):
    async def get(self, uuid: TenantUuid) -> Tenant: ...


class PortalTx(SubscriptionsTx, PaymentsTx, Protocol):
    @property
    def apps(self) -> Apps: ...
    @property
    def tenants(self) -> Tenants: ...


class Wanted(Struct, frozen=True, kw_only=True):
    """What a pass is asked for."""

    tenant_uuid: TenantUuid
    provider: ProviderName
    return_url: str


class Portal(Struct, frozen=True, kw_only=True):
    """What a tenant sees of itself. Each list the newest first."""

    seller: str
    zone: ZoneInfo
    tenant: Tenant
    subscriptions: tuple[Subscription, ...]
    product_names: Mapping[UUID, str]
    mandates: tuple[Mandate, ...]
    payments: tuple[Payment, ...]


@dataclass(frozen=True, slots=True)
class PortalService:
    seals: PassSeal
    clock: Clock
    ids: Ids

    async def admit(self, tx: PortalTx, actor: Actor, wanted: Wanted) -> str:
        """A pass, as text. Raises NotFound for another's tenant and for a provider that the app has
        no account at, and Invalid for an address that shoppers may not be sent to."""
        actor.need_tenant(wanted.tenant_uuid, Scope.BILLING_WRITE)
        await tx.tenants.get(wanted.tenant_uuid)
        account = await tx.payment_providers.default(wanted.provider)
        if account is None:
            raise NotFound("payment provider", wanted.provider)
        app = await tx.apps.get()
        need_hosts({"defaultReturnUrl": wanted.return_url}, app.allowed_hosts, account)
        made = PortalPass(
            app_uuid=actor.app_uuid,
            tenant_uuid=wanted.tenant_uuid,
            visitor_uuid=actor.user_uuid or UserUuid(self.ids.new()),
            return_url=wanted.return_url,
            expires_at=self.clock.now() + PASS_LASTS,
        )
        return self.seals.seal(made, context=_CONTEXT)

    def open(self, text: str) -> PortalPass:
        """Raises NotFound for what is no pass, or none any more."""
        held = self.seals.open(text, context=_CONTEXT)
        if held is None or held.expires_at <= self.clock.now():
            raise NotFound("billing portal", "with this pass")
        return held

    async def show(self, tx: PortalTx, held: PortalPass) -> Portal:
        only, newest = frozenset({held.tenant_uuid}), PageRequest(0, SHOWN_MAX)
        subscriptions = (await tx.subscriptions.list(newest, only=only)).items
        payments = await tx.payments.list(held.tenant_uuid, newest, after=None)
        return Portal(
            seller=(await tx.apps.get()).name,
            zone=(await tx.billing_policies.get()).zone,
            tenant=await tx.tenants.get(held.tenant_uuid),
            subscriptions=subscriptions,
            product_names=await tx.products.names({s.product_uuid for s in subscriptions}),
            mandates=(await tx.mandates.list(held.tenant_uuid, newest)).items,
            payments=payments.items,
        )
