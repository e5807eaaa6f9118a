"""A tenancy whose plan is changed: quoted and accepted by the real service."""

from typing import Any
from uuid import UUID

from domain.catalog.price import Price
from domain.subscriptions.change_quote import ChangeMode, ChangeQuote
from domain.subscriptions.change_service import Asked, ChangeService, Outcome, outcome_of
from domain.tenancy.caller import Scope
from infrastructure.sealed import Sealed
from infrastructure.secrets import AesGcmVault, new_key
from tests.domain.subscriptions.tenancy import Tenancy
from tests.make import APP, an_actor, money
from tests.make_changes import NOW_PRORATED, YEAR

VAULT = AesGcmVault(new_key())


class Changing(Tenancy):
    """A subscription of 31.00 and 19 % a month, and dearer and cheaper ones beside it."""

    def __init__(self, **how: Any) -> None:
        super().__init__(unit_minor=31_00, **how)
        self.team = self.add_price(unit_amount=money(62_00))
        self.lite = self.add_price(unit_amount=money(15_50))
        self.yearly = self.add_price(unit_amount=money(310_00), recurring=YEAR)
        recover = self.jobs[0].recover
        self.service = ChangeService(
            Sealed(VAULT, ChangeQuote), self.write, recover, self.clock, self.ids
        )
        self.actor = an_actor(Scope.BILLING_WRITE)

    async def quote(
        self, price: Price | None = None, mode: ChangeMode = NOW_PRORATED, **asked: Any
    ) -> tuple[ChangeQuote, str]:
        if price is not None:
            asked["price_uuid"] = price.uuid
        async with self.database.begin(APP) as tx:
            uuid, wish = self.subscription.uuid, Asked(mode=mode, **asked)
            return await self.service.quote(tx, self.actor, uuid, wish)

    async def accept(self, text: str) -> Outcome:
        async with self.database.begin(APP) as tx:
            uuid = self.subscription.uuid
            quote_uuid, call = await self.service.accept(tx, self.actor, uuid, text)
        self.audit()
        if call is not None:
            await call()
            self.audit()
        return outcome_of(self.subscription, self.rows.bills.get(quote_uuid))

    async def change(
        self, price: Price | None = None, mode: ChangeMode = NOW_PRORATED, **asked: Any
    ) -> Outcome:
        _, text = await self.quote(price, mode, **asked)
        return await self.accept(text)

    def payment_uuid(self, ref: str) -> UUID:
        return next(p.uuid for p in self.rows.payments.values() if p.provider_ref == ref)

    @property
    def worth(self) -> int:
        return self.subscription.current_period.amount.total.minor
