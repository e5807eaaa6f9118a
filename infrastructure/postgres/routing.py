"""What routing knows, and what it decided."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from domain.kernel.errors import NotFound
from domain.kernel.ids import AppUuid, TenantUuid
from domain.kernel.pages import Page, PageRequest
from domain.orchestration.circuit import CallResult, Circuit, ProviderCall, Recent
from domain.orchestration.decide import Situation, Standing
from domain.orchestration.ports import KeptDecision, RoutingFacts
from domain.payments.ports import Providers
from domain.tenancy.tenant import Tenant
from infrastructure.postgres.database import Connection
from infrastructure.postgres.payment_providers import ACCOUNT_COLUMNS, account_of
from infrastructure.postgres.routing_rows import (
    CIRCUIT,
    WINDOWS,
    circuit_of,
    decision_of,
    evidence_of,
    policy_of,
    try_of,
)

RECENT_MAX: Final = 100

_APP: Final = """
    select a.allowed_hosts, t.uuid as tenant_uuid, t.name, t.email, t.test_clock_uuid,
           t.created_at, t.updated_at,
           (select p.policy from routing_policies p
             where p.app_uuid = $1 order by p.version desc limit 1) as policy
      from apps a
      left join tenants t on t.app_uuid = $1 and t.uuid = $2
     where a.app_uuid = $1
"""


def _sums(what: str) -> str:
    """Of a window's outcomes, weighed: all, and the good ones."""
    narrower = ("is_method and is_currency", "is_method", "true")
    return ", ".join(
        f"""round(sum(weight) filter (where {kept})::numeric, 6) as {what}_{window}_all,
            round(sum(weight) filter (where {kept} and is_good)::numeric, 6)
                as {what}_{window}_good"""
        for window, kept in zip(WINDOWS, narrower, strict=True)
    )


# Seven days, the half-life a day; of an account that sells a lot, the last thousand payments: those
# that say nothing of the provider are left out of these, so that no flood of them costs more.
_STANDINGS: Final = f"""
    select a.*, c.*, k.*, p.*
      from (select {ACCOUNT_COLUMNS} from payment_providers
             where app_uuid = $1 and deleted_at is null) a
      left join (select {CIRCUIT} from routing_circuits where app_uuid = $1) c
        on c.payment_provider_uuid = a.uuid
     cross join lateral (
            select {_sums("created")},
                   percentile_disc(0.95) within group (order by took_ms)
                       filter (where is_good) as p95_ms
              from (select result = 'ok' as is_good, took_ms,
                           method = $2 as is_method, currency = $3 as is_currency,
                           power(2::float8,
                                 extract(epoch from at - $4::timestamptz)::float8 / 86400)
                               as weight
                      from provider_calls
                     where app_uuid = $1 and payment_provider_uuid = a.uuid
                       and at > $4 - interval '7 days'
                       and result in ('ok', 'failed', 'unreachable') and not is_probe
                     order by at desc limit 1000) calls) k
     cross join lateral (
            select {_sums("paid")}
              from (select status <> 'failed' as is_good,
                           method = $2 as is_method, currency = $3 as is_currency,
                           power(2::float8,
                                 extract(epoch from created_at - $4::timestamptz)::float8 / 86400)
                               as weight
                      from (select * from payments
                             where app_uuid = $1 and payment_provider_uuid = a.uuid
                               and checkout_session_uuid is not null
                               and created_at > $4 - interval '7 days'
                               and status in ('authorized', 'paid', 'failed')
                             order by created_at desc limit 1000) o
                     where not is_surplus
                       and (status <> 'failed'
                            or exists (select from unnest($5::text[], $6::text[]) f (name, why)
                                        where f.name = a.name and f.why = o.failure_reason))
                   ) outcomes) p
     order by a.uuid
"""


class PostgresRouting:
    """Implements `RoutingLedger`."""

    def __init__(self, connection: Connection, app_uuid: AppUuid) -> None:
        self._connection, self._app_uuid = connection, app_uuid

    async def facts(
        self, tenant_uuid: TenantUuid, kind: tuple[str, str], providers: Providers, *, at: datetime
    ) -> RoutingFacts:
        app = await self._connection.fetchrow(_APP, self._app_uuid, tenant_uuid)
        assert app is not None, self._app_uuid
        return RoutingFacts(
            allowed_hosts=tuple(app["allowed_hosts"]),
            tenant=_tenant(app, self._app_uuid),
            situation=Situation(
                policy=policy_of(app["policy"]),
                standings=await self.standings(kind, providers, at=at),
                at=at,
            ),
        )

    async def standings(
        self, kind: tuple[str, str], providers: Providers, *, at: datetime
    ) -> tuple[Standing, ...]:
        faults = [(name, why) for name, p in providers.items() for why in p.own_faults]
        found = await self._connection.fetch(
            _STANDINGS,
            self._app_uuid,
            *kind,
            at,
            [name for name, _ in faults],
            [why for _, why in faults],
        )
        return tuple(
            Standing(account=account_of(r), circuit=circuit_of(r), evidence=evidence_of(r))
            for r in found
        )

    async def standing(self, account_uuids: Sequence[UUID]) -> Mapping[UUID, Standing]:
        found = await self._connection.fetch(
            f"""
            select a.*, c.*
              from (select {ACCOUNT_COLUMNS} from payment_providers
                     where app_uuid = $1 and uuid = any($2) and deleted_at is null) a
              left join (select {CIRCUIT} from routing_circuits where app_uuid = $1) c
                on c.payment_provider_uuid = a.uuid
            """,
            self._app_uuid,
            list(account_uuids),
        )
        return {r["uuid"]: Standing(account=account_of(r), circuit=circuit_of(r)) for r in found}

    async def lease_probe(
        self, account_uuid: UUID, try_uuid: UUID, *, now: datetime, until: datetime
    ) -> bool:
        done = await self._connection.fetchval(
            """
            update routing_circuits set probe_uuid = $3, probe_until = $5
             where app_uuid = $1 and payment_provider_uuid = $2 and open_until <= $4
               and (probe_until is null or probe_until <= $4)
            returning true
            """,
            self._app_uuid,
            account_uuid,
            try_uuid,
            now,
            until,
        )
        return done is not None

    async def add_call(self, call: ProviderCall) -> None:
        await self._connection.execute(
            """
            insert into provider_calls (app_uuid, try_uuid, payment_provider_uuid, method, currency,
                   result, took_ms, is_probe, at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            on conflict (app_uuid, try_uuid) do nothing
            """,
            self._app_uuid,
            call.try_uuid,
            call.account_uuid,
            call.method,
            call.currency,
            call.result,
            call.took_ms,
            call.is_probe,
            call.at,
        )

    async def lock_circuit(self, account_uuid: UUID) -> Circuit:
        row = await self._connection.fetchrow(
            f"""
            insert into routing_circuits as held
                   (app_uuid, payment_provider_uuid, opens, changed_at)
            values ($1, $2, 0, 'epoch')
            on conflict (app_uuid, payment_provider_uuid) do update set opens = held.opens
            returning {CIRCUIT}
            """,
            self._app_uuid,
            account_uuid,
        )
        circuit = circuit_of(row)
        assert circuit is not None
        return circuit

    async def recent(self, circuit: Circuit) -> tuple[Recent, ...]:
        found = await self._connection.fetch(
            """
            select result, at from provider_calls
             where app_uuid = $1 and payment_provider_uuid = $2 and at > $3
             order by at desc, try_uuid desc limit $4
            """,
            self._app_uuid,
            circuit.account_uuid,
            circuit.changed_at,
            RECENT_MAX,
        )
        return tuple(Recent(CallResult(row["result"]), row["at"]) for row in found)

    async def save_circuit(self, circuit: Circuit) -> None:
        await self._connection.execute(
            """
            update routing_circuits
               set opens = $3, open_until = $4, probe_uuid = $5, probe_until = $6,
                   refused_credential = $7, changed_at = $8
             where app_uuid = $1 and payment_provider_uuid = $2
            """,
            self._app_uuid,
            circuit.account_uuid,
            circuit.opens,
            circuit.open_until,
            circuit.probe_uuid,
            circuit.probe_until,
            circuit.refused_credential,
            circuit.changed_at,
        )

    async def decision(self, uuid: UUID) -> KeptDecision:
        found = await self._connection.fetch(
            """
            select uuid, payment_session_uuid, decision from routing_decisions
             where app_uuid = $1 and uuid = $2
            """,
            self._app_uuid,
            uuid,
        )
        for kept in await self._kept(found):
            return kept
        raise NotFound("routing decision", uuid)

    async def decisions(self, request: PageRequest, *, after: UUID | None) -> Page[KeptDecision]:
        found = await self._connection.fetch(
            """
            select uuid, payment_session_uuid, decision from routing_decisions
             where app_uuid = $1 and ($2::uuid is null or uuid < $2)
             order by uuid desc limit $3 offset $4
            """,
            self._app_uuid,
            after,
            request.limit,
            0 if after else request.offset,
        )
        total = 0
        if after is None:
            total = await self._connection.fetchval(
                "select count(*) from routing_decisions where app_uuid = $1", self._app_uuid
            )
        return Page(await self._kept(found), total)

    async def _kept(self, found: Sequence[Any]) -> tuple[KeptDecision, ...]:
        rows = await self._connection.fetch(
            f"""
            select a.*, t.payment_session_uuid, t.uuid as try_uuid, t.number, t.state, t.is_probe,
                   t.failure, t.created_at as try_created_at
              from payment_session_attempts t
              join (select {ACCOUNT_COLUMNS} from payment_providers where app_uuid = $1) a
                on a.uuid = t.payment_provider_uuid
             where t.app_uuid = $1 and t.payment_session_uuid = any($2)
             order by t.number
            """,
            self._app_uuid,
            [row["payment_session_uuid"] for row in found],
        )
        return tuple(
            KeptDecision(
                decision=decision_of(row["decision"]),
                session_uuid=row["payment_session_uuid"],
                tries=tuple(
                    try_of(r, account_of(r))
                    for r in rows
                    if r["payment_session_uuid"] == row["payment_session_uuid"]
                ),
            )
            for row in found
        )


def _tenant(row: Any, app_uuid: AppUuid) -> Tenant | None:
    if row["tenant_uuid"] is None:
        return None
    return Tenant(
        uuid=TenantUuid(row["tenant_uuid"]),
        app_uuid=app_uuid,
        name=row["name"],
        email=row["email"],
        test_clock_uuid=row["test_clock_uuid"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
