"""A pass to the billing portal: who holds it acts for one tenant, for an hour.

The app gives it to a customer that it knows. It is sealed, not stored: nobody can make one, and
nothing has to be kept or forgotten. Whoever was let in as a registered member is out as soon as the
app removes the membership; whom the app's token or key has vouched for, when the hour is over.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct

from domain.catalog.quote import quote
from domain.catalog.reverse_charge import charged_to
from domain.checkout.hosts import need_hosts
from domain.kernel.clock import Clock
from domain.kernel.errors import NotFound
from domain.kernel.ids import AppUuid, Ids, TenantUuid, UserUuid
from domain.kernel.money import Money
from domain.kernel.pages import PageRequest
from domain.payments.mandate import Mandate
from domain.payments.payment import Payment
from domain.payments.payment_provider import ProviderName
from domain.payments.repositories import PaymentsTx
from domain.subscriptions.book import Plan
from domain.subscriptions.ports import SubscriptionsTx
from domain.subscriptions.subscription import Subscription, access_until
from domain.tenancy.app import App
from domain.tenancy.caller import Actor, Caller, Scope, UserCaller
from domain.tenancy.tenant import Role, Tenant

PASS_LASTS: Final = timedelta(hours=1)
SHOWN_MAX: Final = 20
"""Of each kind, the newest."""
_CONTEXT: Final = "billing portal pass"
_NEWEST: Final = PageRequest(0, SHOWN_MAX)


class PortalPass(Struct, frozen=True, kw_only=True):
    app_uuid: AppUuid
    tenant_uuid: TenantUuid
    visitor_uuid: UserUuid
    """The user whom it was made for; for one made with an API key, an id of its own."""
    is_member: bool
    """Let in by a membership that the app has registered, which is looked up each time."""
    return_url: str
    expires_at: datetime

    @property
    def caller(self) -> UserCaller:
        """As somebody with a token without a scope, that names this tenant and no other."""
        return UserCaller(
            app_uuid=self.app_uuid,
            user_uuid=self.visitor_uuid,
            scopes=frozenset(),
            tenants=None if self.is_member else {self.tenant_uuid: Role.ADMIN},
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


class Holding(Struct, frozen=True, kw_only=True):
    """A subscription, and what its customer wants to know of it."""

    subscription: Subscription
    product_name: str
    price: Money
    """What a period costs, with its tax."""
    open: Money
    access_until: datetime | None


class Portal(Struct, frozen=True, kw_only=True):
    """What a tenant sees of itself. Each list the newest first."""

    seller: str
    zone: ZoneInfo
    tenant: Tenant
    now: datetime
    holdings: tuple[Holding, ...]
    mandates: tuple[Mandate, ...]
    payments: tuple[Payment, ...]


@dataclass(frozen=True, slots=True)
class PortalService:
    seals: PassSeal
    clock: Clock
    ids: Ids

    async def admit(self, tx: PortalTx, caller: Caller, actor: Actor, wanted: Wanted) -> str:
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
            is_member=_is_member(caller, actor, wanted.tenant_uuid),
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

    async def show(self, tx: PortalTx, actor: Actor, held: PortalPass) -> Portal:
        actor.need_tenant(held.tenant_uuid, Scope.BILLING_READ)
        policy = await tx.billing_policies.get()
        payments = await tx.payments.list(held.tenant_uuid, _NEWEST, after=None)
        return Portal(
            seller=(await tx.apps.get()).name,
            zone=policy.zone,
            now=self.clock.now(),
            tenant=await tx.tenants.get(held.tenant_uuid),
            holdings=await self._holdings(tx, held.tenant_uuid, timedelta(days=policy.grace_days)),
            mandates=(await tx.mandates.list(held.tenant_uuid, _NEWEST)).items,
            payments=payments.items,
        )

    async def _holdings(
        self, tx: PortalTx, tenant_uuid: TenantUuid, grace: timedelta
    ) -> tuple[Holding, ...]:
        only = frozenset({tenant_uuid})
        found = (await tx.subscriptions.list(_NEWEST, only=only)).items
        names = await tx.products.names({s.product_uuid for s in found})
        owed = await tx.subscriptions.open_amounts([s.uuid for s in found])
        wanted = {(s.price_uuid, s.tax_rate_uuid) for s in found}
        plans = {
            (p.price_uuid, p.tax_rate_uuid): p
            for p in await tx.subscriptions.plans(sorted(wanted, key=str))
        }
        return tuple(
            _holding(s, plans[s.price_uuid, s.tax_rate_uuid], names, owed, grace) for s in found
        )


def _holding(
    subscription: Subscription,
    plan: Plan,
    names: Mapping[UUID, str],
    owed: Mapping[UUID, int],
    grace: timedelta,
) -> Holding:
    tax = charged_to(plan.tax, subscription.tax_id_country)
    price = quote(plan.unit_amount, subscription.quantity, tax).total
    return Holding(
        subscription=subscription,
        product_name=names[subscription.product_uuid],
        price=price,
        open=Money(owed.get(subscription.uuid, 0), price.currency),
        access_until=access_until(subscription, grace),
    )


def _is_member(caller: Caller, actor: Actor, tenant_uuid: TenantUuid) -> bool:
    asks_memberships = isinstance(caller, UserCaller) and caller.tenants is None
    return asks_memberships and tenant_uuid in actor.tenants
