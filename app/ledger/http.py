"""The books over HTTP: postings one by one, and what stands on the accounts. Nothing is written."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from app.http.caller import bearer_or_key
from app.http.desk import Desk, Tx
from app.http.envelope import Envelope, many, one
from app.http.pages import PageLimit
from app.ledger.schemas import (
    LedgerBalanceView,
    PostingView,
    balance_view,
    posting_view,
)
from domain.kernel.errors import Invalid, Violation
from domain.kernel.ids import TenantUuid
from domain.kernel.pages import Page
from domain.ledger.ports import PostingQuery
from domain.ledger.posting import Account, PostingKind
from domain.tenancy.caller import Actor, Scope

OneTenant = Annotated[
    UUID | None, QueryParameter(name="tenantUuid", description="of this tenant alone")
]


class LedgerController(Controller):
    path = "/api/v1/apps/{app_uuid:uuid}/ledger"
    tags = ("Ledger",)
    guards = [bearer_or_key]

    @get("/postings", operation_id="listPostings")
    async def postings(
        self,
        app_uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        limit: PageLimit = 10,
        after: Annotated[
            UUID | None,
            QueryParameter(description="those recorded after this posting, not counted"),
        ] = None,
        tenant: OneTenant = None,
        account: Annotated[
            Account | None, QueryParameter(description="those that move this account")
        ] = None,
        kind: Annotated[
            PostingKind | None, QueryParameter(description="those of this kind")
        ] = None,
        since: Annotated[
            datetime | None,
            QueryParameter(name="from", description="what happened at this moment or later"),
        ] = None,
        until: Annotated[
            datetime | None, QueryParameter(name="to", description="what happened before")
        ] = None,
    ) -> Envelope[PostingView]:
        """Money facts in the order in which they were recorded, the oldest first.

        The entries of each add up to zero; a positive amount is a debit. Postings never change.
        """
        query = PostingQuery(
            tenant_uuid=None if tenant is None else TenantUuid(tenant),
            account=account,
            kind=kind,
            since=_moment(since, "from"),
            until=_moment(until, "to"),
            after=after,
            limit=limit,
        )
        async with desk.read() as (tx, actor):
            await _need(tx, actor, query.tenant_uuid)
            found = await tx.ledger.list(query)
        return many("postings", found, lambda row: posting_view(row, actor.app_uuid))

    @get("/postings/{uuid:uuid}", operation_id="getPosting")
    async def posting(
        self, app_uuid: FromPath[UUID], uuid: FromPath[UUID], desk: NamedDependency[Desk]
    ) -> Envelope[PostingView]:
        """One posting; a user without scope sees those of its own tenants."""
        async with desk.read() as (tx, actor):
            only = actor.visible_tenants(Scope.BILLING_READ)
            found = await tx.ledger.get(uuid, only=only)
        return one("postings", posting_view(found, actor.app_uuid))

    @get("/balances", operation_id="listLedgerBalances")
    async def balances(
        self,
        app_uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        tenant: OneTenant = None,
        at: Annotated[
            datetime | None,
            QueryParameter(description="as of this moment; without it: everything"),
        ] = None,
    ) -> Envelope[LedgerBalanceView]:
        """What stands on every account, by currency. The accounts of a currency add up to zero."""
        moment = _moment(at, "at")
        tenant_uuid = None if tenant is None else TenantUuid(tenant)
        async with desk.read() as (tx, actor):
            await _need(tx, actor, tenant_uuid)
            found = await tx.ledger.balances(tenant_uuid=tenant_uuid, at=moment)
        return many("ledgerBalances", Page(found, len(found)), balance_view)


async def _need(tx: Tx, actor: Actor, tenant_uuid: TenantUuid | None) -> None:
    """The whole app's books need the scope; a tenant's are also for those who act for it."""
    if tenant_uuid is None:
        actor.need(Scope.BILLING_READ)
        return
    actor.need_tenant(tenant_uuid, Scope.BILLING_READ)
    await tx.tenants.get(tenant_uuid)


def _moment(given: datetime | None, field: str) -> datetime | None:
    """In UTC. Raises Invalid for a time without its offset: nobody could tell which moment it is,
    and for one that is past the end of the calendar."""
    if given is None:
        return None
    if given.tzinfo is None:
        raise Invalid([Violation("must have an offset, as in 2026-01-01T00:00:00Z", field)])
    try:
        return given.astimezone(UTC)
    except OverflowError:
        raise Invalid([Violation("must be within the years 1 to 9999", field)]) from None
