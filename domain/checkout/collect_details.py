"""Takes in what a shopper fills in on our page: addresses, a tax id, consent to the terms.

What it costs is worked out anew, since a tax id may say that the buyer owes the tax. With the first
payment everything is fixed: what a payment was made for never changes under it.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from msgspec.structs import replace

from domain.catalog.ports import Prices, TaxRates
from domain.catalog.quote import Quote, Tax, quote
from domain.catalog.reverse_charge import charged_to
from domain.checkout.book import Book
from domain.checkout.collection import (
    AddressRules,
    Collected,
    Consent,
    Fault,
    Reason,
    TaxId,
    TaxIds,
    TermsReader,
    Told,
)
from domain.checkout.find_by_link import find_by_link
from domain.checkout.ports import CheckoutTx
from domain.checkout.session import CheckoutSession, SessionStatus
from domain.kernel.clock import Clock
from domain.kernel.ids import AppUuid
from domain.kernel.unit_of_work import UnitOfWork
from domain.payments.address import Address


class CollectTx(CheckoutTx, Protocol):
    @property
    def prices(self) -> Prices: ...
    @property
    def tax_rates(self) -> TaxRates: ...


@dataclass(frozen=True, slots=True)
class CollectDetails:
    unit_of_work: UnitOfWork[CollectTx]
    addresses: AddressRules
    tax_ids: TaxIds
    terms: TermsReader
    clock: Clock

    async def __call__(
        self, app_uuid: AppUuid, session_uuid: UUID, token: str, told: Told
    ) -> Book | tuple[Fault, ...]:
        """The book with it, or what is wrong with what was told. Raises NotFound.

        A session that is over, or has a payment already, is returned as it is.
        """
        async with self.unit_of_work.begin(app_uuid) as tx:
            session = (await find_by_link(tx, session_uuid, token)).session
        checked = Checked(session, told, self.addresses, self.tax_ids)
        if checked.faults:
            return checked.faults
        collected = Collected(
            billing_address=checked.billing_address,
            shipping_address=checked.shipping_address,
            tax_id=checked.tax_id,
            taxed_in=taxed_in(checked.tax_id, checked.shipping_address),
            consent=await self._consent(session, told),
            at=self.clock.now(),
        )
        async with self.unit_of_work.begin(app_uuid) as tx:
            before = await tx.checkout.lock(session_uuid)
            if not may_collect(before, now=collected.at):
                return before
            session = await self._with(tx, before.session, collected)
            after = replace(before, session=session)
            await tx.checkout.save(before, after)
        return after

    async def _consent(self, session: CheckoutSession, told: Told) -> Consent | None:
        if not session.terms.asks.consent:
            return None
        url = session.terms.terms_of_service_url
        assert url is not None, "consent is asked for with a URL alone"
        return Consent(
            url=url,
            content_sha256=await self.terms.sha256(url),
            at=self.clock.now(),
            ip=told.ip,
            locale=told.locale,
        )

    async def _with(
        self, tx: CollectTx, session: CheckoutSession, collected: Collected
    ) -> CheckoutSession:
        tax = await _tax(tx, session, collected)
        collected = replace(collected, tax=tax)
        amount = await _amount(tx, session, tax)
        return replace(session, collected=collected, amount=amount, updated_at=collected.at)


def may_collect(book: Book, *, now: datetime) -> bool:
    session = book.session
    is_open = session.status is SessionStatus.OPEN and now < session.expires_at
    return is_open and not book.attempts


def taxed_in(tax_id: TaxId | None, sent_to: Address | None) -> str | None:
    """What is sent to another country than the tax id's is not that business's there."""
    if tax_id is None or (sent_to is not None and sent_to.country != tax_id.country):
        return None
    return tax_id.country


async def _tax(tx: CollectTx, session: CheckoutSession, collected: Collected) -> Tax | None:
    if session.tax_rate_uuid is None:
        return None
    rate = await tx.tax_rates.get(session.tax_rate_uuid)
    return charged_to(rate.tax, collected.taxed_in)


async def _amount(tx: CollectTx, session: CheckoutSession, tax: Tax | None) -> Quote:
    """A verification is no sale: it has no tax, and costs what it costs."""
    if session.price_uuid is None or session.is_verification:
        return session.amount
    price = await tx.prices.get(session.price_uuid)
    return quote(price.unit_amount, session.quantity, tax)


class Checked:
    """What was told, as far as the session asks for it, in its usual form; and what is wrong."""

    def __init__(
        self, session: CheckoutSession, told: Told, addresses: AddressRules, tax_ids: TaxIds
    ) -> None:
        self._terms, self._told = session.terms, told
        self._addresses, self._tax_ids = addresses, tax_ids
        self.billing_address: Address | None = None
        self.shipping_address: Address | None = None
        self.tax_id: TaxId | None = None
        self.faults = tuple(self._check())

    def _check(self) -> Iterator[Fault]:
        told, wanted = self._told, self._terms.asks
        if wanted.billing_address:
            self.billing_address = yield from self._address("billingAddress", told.billing_address)
        if wanted.shipping_address:
            if told.shipping_address is None and wanted.billing_address:
                self.shipping_address = self.billing_address
            else:
                self.shipping_address = yield from self._address(
                    "shippingAddress", told.shipping_address
                )
        if wanted.tax_id:
            yield from self._check_tax_id()
        if wanted.consent and not told.agrees:
            yield Fault("consent", Reason.REQUIRED)

    def _address(self, field: str, told: Address | None) -> Generator[Fault, None, Address | None]:
        if told is None:
            yield Fault(field, Reason.REQUIRED)
            return None
        found = self._addresses.check(told)
        if isinstance(found, Address):
            return found
        for name, reason in found.items():
            yield Fault(f"{field}.{name}", reason)
        return None

    def _check_tax_id(self) -> Iterator[Fault]:
        """Asked for where it can be checked: elsewhere nobody could say what one looks like."""
        number = self._told.tax_id_number.strip()
        billing = self._told.billing_address if self._terms.asks.billing_address else None
        if billing is not None and billing.country not in self._tax_ids.countries():
            return
        country = self._told.tax_id_country if billing is None else billing.country
        if number:
            self.tax_id = self._tax_ids.check(country, number) if country else None
        if number and self.tax_id is None:
            yield Fault("taxId", Reason.INVALID)
        elif not number and self._terms.is_tax_id_collection_required:
            yield Fault("taxId", Reason.REQUIRED)
