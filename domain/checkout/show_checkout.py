"""What a shopper is shown of a checkout: who sells what, at which price, and how it stands."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from domain.catalog.ports import Products
from domain.catalog.price import Price
from domain.catalog.product import Product
from domain.catalog.tax_rate import TaxRate
from domain.checkout.book import Book
from domain.checkout.collect_details import CollectTx
from domain.checkout.find_by_link import find_by_link
from domain.checkout.session import CheckoutSession
from domain.kernel.ids import AppUuid
from domain.kernel.unit_of_work import UnitOfWork
from domain.tenancy.app import App


class Apps(Protocol):
    async def get(self) -> App: ...


class ShowTx(CollectTx, Protocol):
    @property
    def apps(self) -> Apps: ...
    @property
    def products(self) -> Products: ...


class Shown(Struct, frozen=True, kw_only=True):
    book: Book
    seller: str
    product_name: str | None
    """Or the app's own words. None: nothing is bought, a payment method is stored."""
    price: Price | None
    tax_rate: TaxRate | None


@dataclass(frozen=True, slots=True)
class ShowCheckout:
    unit_of_work: UnitOfWork[ShowTx]

    async def __call__(self, app_uuid: AppUuid, session_uuid: UUID, token: str) -> Shown:
        """Raises NotFound."""
        async with self.unit_of_work.begin(app_uuid) as tx:
            book = await find_by_link(tx, session_uuid, token)
            session = book.session
            price = None if session.price_uuid is None else await tx.prices.get(session.price_uuid)
            product = None if price is None else await tx.products.get(price.product_uuid)
            rate = session.tax_rate_uuid
            return Shown(
                book=book,
                seller=(await tx.apps.get()).name,
                product_name=_name(product, session),
                price=price,
                tax_rate=None if rate is None else await tx.tax_rates.get(rate),
            )


def _name(product: Product | None, session: CheckoutSession) -> str | None:
    if session.terms.direct is not None:
        return session.terms.direct.description
    return None if product is None else product.name
