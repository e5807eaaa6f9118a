"""The catalog's routes: products, their prices, tax rates, countries. Decode, one call, encode."""

from typing import Final
from uuid import UUID

from litestar import Controller, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from app.catalog.price_schemas import CreatePriceBody, PriceView, UpdatePriceBody
from app.catalog.product_schemas import CreateProductBody, ProductView, UpdateProductBody
from app.catalog.tax_rate_schemas import (
    CountryView,
    CreateTaxRateBody,
    TaxRateView,
    UpdateTaxRateBody,
)
from app.http.caller import bearer_or_key
from app.http.desk import Desk
from app.http.envelope import Envelope, many, one
from app.http.pages import PageLimit, PageNumber
from domain.catalog.ports import CatalogTx
from domain.catalog.price_service import PriceService
from domain.catalog.product_service import ProductService
from domain.catalog.tax_rate_service import TaxRateService
from domain.kernel.pages import PageRequest
from domain.tenancy.caller import Actor

PRODUCTS: Final = "products"
PRICES: Final = "productPrices"
TAX_RATES: Final = "taxRates"
COUNTRIES: Final = "countries"


class ProductsController(Controller):
    path = "/api/v1/apps/{app_uuid:uuid}/products"
    tags = ("Products",)
    guards = (bearer_or_key,)

    @get("/", operation_id="listProducts")
    async def page(
        self,
        app_uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        products: NamedDependency[ProductService],
        page: PageNumber = 0,
        limit: PageLimit = 10,
    ) -> Envelope[ProductView]:
        """The active products, newest first, each with its images and active prices."""
        async with desk.read() as (tx, actor):
            found = await products.page(tx, actor, PageRequest(page, limit))
        return many(PRODUCTS, found, ProductView.of)

    @post("/", operation_id="createProduct", status_code=201)
    async def create(
        self,
        app_uuid: FromPath[UUID],
        data: JSONBody[CreateProductBody],
        desk: NamedDependency[Desk],
        products: NamedDependency[ProductService],
    ) -> Response[Envelope[ProductView]]:
        """Create a product, with prices and images in one go: all of it or nothing."""

        async def work(tx: CatalogTx, actor: Actor) -> ProductView:
            return ProductView.of(await products.create(tx, actor, data.new()))

        return await desk.write(work, kind=PRODUCTS, status=201)

    @get("/{uuid:uuid}", operation_id="getProduct")
    async def read(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        products: NamedDependency[ProductService],
    ) -> Envelope[ProductView]:
        """One product, archived or not."""
        async with desk.read() as (tx, actor):
            found = await products.get(tx, actor, uuid)
        return one(PRODUCTS, ProductView.of(found))

    @put("/{uuid:uuid}", operation_id="updateProduct")
    async def update(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        data: JSONBody[UpdateProductBody],
        desk: NamedDependency[Desk],
        products: NamedDependency[ProductService],
    ) -> Response[Envelope[ProductView]]:
        """Change the fields that are sent; the others stay. An archived product: 409."""

        async def work(tx: CatalogTx, actor: Actor) -> ProductView:
            return ProductView.of(await products.update(tx, actor, uuid, data.change()))

        return await desk.write(work, kind=PRODUCTS)

    @delete("/{uuid:uuid}", operation_id="archiveProduct", status_code=200)
    async def archive(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        products: NamedDependency[ProductService],
    ) -> Response[Envelope[ProductView]]:
        """Archive a product and its prices. Both stay readable by uuid."""

        async def work(tx: CatalogTx, actor: Actor) -> ProductView:
            return ProductView.of(await products.archive(tx, actor, uuid))

        return await desk.write(work, kind=PRODUCTS)


class PricesController(Controller):
    path = "/api/v1/apps/{app_uuid:uuid}"
    tags = ("Prices",)
    guards = (bearer_or_key,)

    @get("/products/{product_uuid:uuid}/prices", operation_id="listPrices")
    async def page(
        self,
        product_uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        prices: NamedDependency[PriceService],
        page: PageNumber = 0,
        limit: PageLimit = 10,
    ) -> Envelope[PriceView]:
        """The active prices of a product, oldest first."""
        async with desk.read() as (tx, actor):
            found = await prices.page(tx, actor, product_uuid, PageRequest(page, limit))
        return many(PRICES, found, PriceView.of)

    @post("/products/{product_uuid:uuid}/prices", operation_id="createPrice", status_code=201)
    async def create(
        self,
        app_uuid: FromPath[UUID],
        product_uuid: FromPath[UUID],
        data: JSONBody[CreatePriceBody],
        desk: NamedDependency[Desk],
        prices: NamedDependency[PriceService],
    ) -> Response[Envelope[PriceView]]:
        """Add a price to a product. Amount, currency and interval are final."""

        async def work(tx: CatalogTx, actor: Actor) -> PriceView:
            return PriceView.of(await prices.create(tx, actor, product_uuid, data.new()))

        return await desk.write(work, kind=PRICES, status=201)

    @get("/prices/{uuid:uuid}", operation_id="getPrice")
    async def read(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        prices: NamedDependency[PriceService],
    ) -> Envelope[PriceView]:
        """One price, archived or not."""
        async with desk.read() as (tx, actor):
            found = await prices.get(tx, actor, uuid)
        return one(PRICES, PriceView.of(found))

    @put("/prices/{uuid:uuid}", operation_id="updatePrice")
    async def update(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        data: JSONBody[UpdatePriceBody],
        desk: NamedDependency[Desk],
        prices: NamedDependency[PriceService],
    ) -> Response[Envelope[PriceView]]:
        """Change the fields that are sent. Another amount, currency or interval: 422."""

        async def work(tx: CatalogTx, actor: Actor) -> PriceView:
            return PriceView.of(await prices.update(tx, actor, uuid, data.edit()))

        return await desk.write(work, kind=PRICES)

    @delete("/prices/{uuid:uuid}", operation_id="archivePrice", status_code=200)
    async def archive(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        prices: NamedDependency[PriceService],
    ) -> Response[Envelope[PriceView]]:
        """Archive a price. It stays readable by uuid; nobody can buy at it any more."""

        async def work(tx: CatalogTx, actor: Actor) -> PriceView:
            return PriceView.of(await prices.archive(tx, actor, uuid))

        return await desk.write(work, kind=PRICES)


class TaxRatesController(Controller):
    path = "/api/v1/apps/{app_uuid:uuid}/tax-rates"
    tags = ("Tax rates",)
    guards = (bearer_or_key,)

    @get("/", operation_id="listTaxRates")
    async def page(
        self,
        app_uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        tax_rates: NamedDependency[TaxRateService],
        page: PageNumber = 0,
        limit: PageLimit = 10,
    ) -> Envelope[TaxRateView]:
        """The active tax rates, newest first."""
        async with desk.read() as (tx, actor):
            found = await tax_rates.page(tx, actor, PageRequest(page, limit))
        return many(TAX_RATES, found, TaxRateView.of)

    @post("/", operation_id="createTaxRate", status_code=201)
    async def create(
        self,
        app_uuid: FromPath[UUID],
        data: JSONBody[CreateTaxRateBody],
        desk: NamedDependency[Desk],
        tax_rates: NamedDependency[TaxRateService],
    ) -> Response[Envelope[TaxRateView]]:
        """Create a tax rate. Percentage, inclusiveness and country are final."""

        async def work(tx: CatalogTx, actor: Actor) -> TaxRateView:
            return TaxRateView.of(await tax_rates.create(tx, actor, data.new()))

        return await desk.write(work, kind=TAX_RATES, status=201)

    @get("/{uuid:uuid}", operation_id="getTaxRate")
    async def read(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        tax_rates: NamedDependency[TaxRateService],
    ) -> Envelope[TaxRateView]:
        """One tax rate, archived or not."""
        async with desk.read() as (tx, actor):
            found = await tax_rates.get(tx, actor, uuid)
        return one(TAX_RATES, TaxRateView.of(found))

    @put("/{uuid:uuid}", operation_id="updateTaxRate")
    async def update(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        data: JSONBody[UpdateTaxRateBody],
        desk: NamedDependency[Desk],
        tax_rates: NamedDependency[TaxRateService],
    ) -> Response[Envelope[TaxRateView]]:
        """Change the fields that are sent. Another percentage, inclusiveness or country: 422."""

        async def work(tx: CatalogTx, actor: Actor) -> TaxRateView:
            return TaxRateView.of(await tax_rates.update(tx, actor, uuid, data.edit()))

        return await desk.write(work, kind=TAX_RATES)

    @delete("/{uuid:uuid}", operation_id="archiveTaxRate", status_code=200)
    async def archive(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        tax_rates: NamedDependency[TaxRateService],
    ) -> Response[Envelope[TaxRateView]]:
        """Archive a tax rate. It stays readable by uuid."""

        async def work(tx: CatalogTx, actor: Actor) -> TaxRateView:
            return TaxRateView.of(await tax_rates.archive(tx, actor, uuid))

        return await desk.write(work, kind=TAX_RATES)


class CountriesController(Controller):
    path = "/api/v1/apps/{app_uuid:uuid}/countries"
    tags = ("Tax rates",)
    guards = (bearer_or_key,)

    @get("/", operation_id="listCountries")
    async def page(
        self,
        app_uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        tax_rates: NamedDependency[TaxRateService],
        page: PageNumber = 0,
        limit: PageLimit = 10,
    ) -> Envelope[CountryView]:
        """All countries, by their two letters: where a tax rate's `countryUuid` comes from."""
        async with desk.read() as (tx, actor):
            found = await tax_rates.countries(tx, actor, PageRequest(page, limit))
        return many(COUNTRIES, found, CountryView.of)
