"""The bare loop: the same SQL and the same call of the provider, and nothing around them.

What the product costs is the distance to this. The statements are not written down here: the use
case itself is run twice on connections that take notes, and what differed between the two runs is
made anew for each turn of the loop.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import aiohttp
import asyncpg
import msgspec
from msgspec import Struct

from app.checkout.http import RenderSession
from app.checkout.schemas import TenantCheckoutSessionBody
from app.parts import Parts
from app.settings import Settings
from bench.errand import Errand, serve_errands
from bench.load import Outcome, Pace
from bench.request import PRODUCTS, Facts, checkout
from domain.checkout.order import Ask
from domain.kernel.ids import AppUuid, UserUuid
from domain.kernel.pages import PageRequest
from domain.payments.payment_provider import ProviderName
from domain.tenancy.caller import UserCaller
from infrastructure.postgres.database import Database
from infrastructure.postgres.ddl import APP_SETTING, ROLE
from infrastructure.postgres.transaction import PostgresTx
from infrastructure.system import SystemIds


class Statement(Struct, frozen=True):
    method: str
    sql: str
    arguments: tuple[Any, ...]


class NoteTaker:
    """A connection that remembers what was asked of it."""

    def __init__(self, connection: Any, notes: list[Statement]) -> None:
        self._connection, self._notes = connection, notes

    def __getattr__(self, method: str) -> Callable[..., Awaitable[Any]]:
        async def noted(sql: str, *arguments: Any) -> Any:
            self._notes.append(Statement(method, sql, arguments))
            return await getattr(self._connection, method)(sql, *arguments)

        return noted


class Turn(Struct, frozen=True):
    """One statement with its holes: position, and which fresh value goes there."""

    method: str
    sql: str
    arguments: tuple[Any, ...]
    holes: tuple[tuple[int, Any], ...]

    @classmethod
    def of(cls, statement: Statement, fresh: Sequence[Any]) -> "Turn":
        plain = tuple(json.dumps(a) if isinstance(a, dict) else a for a in statement.arguments)
        holes = tuple((at, a) for at, a in enumerate(plain) if a in fresh)
        return cls(statement.method, statement.sql, plain, holes)

    async def take(self, connection: Any, values: Mapping[Any, Any]) -> None:
        arguments = list(self.arguments)
        for position, old in self.holes:
            arguments[position] = values[old]
        await getattr(connection, self.method)(self.sql, *arguments)


class Score(Struct, frozen=True):
    """What one turn of the loop consists of."""

    app_uuid: UUID
    before: tuple[Turn, ...]
    after: tuple[Turn, ...] = ()
    key: str = ""
    ref: str = ""
    """The provider's reference in the first run."""
    uuids: tuple[UUID, ...] = ()
    payment: bytes = b""
    """The body for the provider; empty when it is not called."""
    attempt: UUID | None = None

    @property
    def begin(self) -> str:
        return f"begin; set local {APP_SETTING} = '{self.app_uuid}'"


async def score_of_checkout(settings: Settings, facts: Facts) -> Score:
    first, second = [await _rehearsed(settings, facts, run) for run in ("first", "second")]
    pairs = [
        (old, new)
        for one, other in zip(first, second, strict=True)
        for old, new in zip(one.arguments, other.arguments, strict=True)
        if old != new
    ]
    uuids = tuple({old for old, _ in pairs if isinstance(old, UUID)})
    body = next(old for old, _ in pairs if isinstance(old, bytes) and b'"sequenceType"' in old)
    key = next(old for old, _ in pairs if isinstance(old, str) and old.endswith("-first"))
    ref = next(old for old, _ in pairs if isinstance(old, str) and old.startswith("tr_"))
    fresh = [*uuids, body, key, ref]
    reading, writing, concluding = (Turn.of(statement, fresh) for statement in first)
    attempt = UUID(json.loads(body)["metadata"]["attempt"])
    return Score(
        app_uuid=UUID(facts.app_uuid),
        before=(reading, writing),
        after=(concluding,),
        key=key,
        ref=ref,
        uuids=uuids,
        payment=body,
        attempt=attempt,
    )


async def _rehearsed(settings: Settings, facts: Facts, run: str) -> list[Statement]:
    """The statements of one checkout, by running it."""
    notes: list[Statement] = []
    parts = Parts(settings)
    parts.database = _noting(settings, notes)
    key = f"{SystemIds().new()}-{run}"
    request = checkout(facts, has_key=True)
    body = msgspec.json.decode(request.body_for(key), type=TenantCheckoutSessionBody)
    ask = Ask(operation="openCheckoutSession", key=key, fingerprint=key.encode()[:32])
    async with parts.database.open(), parts.clients.open():
        order = body.order(body.tenant_uuid, ProviderName.MOLLIE)
        await parts.open_session()(_caller(facts), order, ask, RenderSession(parts.links))
    return notes


async def score_of_listing(settings: Settings, facts: Facts) -> Score:
    notes: list[Statement] = []
    database = _noting(settings, notes)
    async with database.open(), database.begin(AppUuid(UUID(facts.app_uuid))) as tx:
        await tx.admissions.facts(_caller(facts))
        await tx.products.page(PageRequest(0, PRODUCTS))
    return Score(UUID(facts.app_uuid), tuple(Turn.of(statement, []) for statement in notes))


def _noting(settings: Settings, notes: list[Statement]) -> Database[PostgresTx]:
    def repositories(connection: Any, app_uuid: AppUuid) -> PostgresTx:
        noting: Any = NoteTaker(connection, notes)
        return PostgresTx(noting, app_uuid)

    return Database(settings.database_url, repositories, pool_size=1)


def _caller(facts: Facts) -> UserCaller:
    return UserCaller(
        app_uuid=AppUuid(UUID(facts.app_uuid)),
        user_uuid=UserUuid(UUID(facts.user_uuid)),
        scopes=frozenset(),
        tenants=None,
    )


class _Connection(asyncpg.Connection):
    def get_reset_query(self) -> str:
        return ""  # as in the product: it would be one more round trip


class Created(Struct, frozen=True):
    """As much of the provider's answer as the loop needs."""

    id: str


_CREATED: Final = msgspec.json.Decoder(Created)


class Loop:
    def __init__(self, score: Score, pool: asyncpg.Pool, http: aiohttp.ClientSession) -> None:
        self._score, self._pool, self._http = score, pool, http
        self._ids = SystemIds()

    async def run(self, pace: Pace, payments_url: str) -> Outcome:
        marks, taken_s = pace.marks(), list[float]()
        started = time.perf_counter()

        async def turns() -> None:
            for mark in marks:
                turn_started = time.perf_counter()
                if turn_started >= started + pace.seconds:
                    break
                await self._turn(mark, payments_url)
                taken_s.append(time.perf_counter() - turn_started)

        await asyncio.gather(*(turns() for _ in range(pace.connections)))
        return Outcome.of(taken_s, time.perf_counter() - started)

    async def _turn(self, mark: str, payments_url: str) -> None:
        score = self._score
        values: dict[Any, Any] = {old: self._ids.new() for old in score.uuids}
        if score.payment:
            values[score.key] = mark
            values[score.payment] = _renamed(score.payment, values)
        await self._transaction(score.before, values)
        if not score.payment:
            return
        body, key = values[score.payment], str(values[score.attempt])
        headers = {"Idempotency-Key": key}
        async with self._http.post(payments_url, data=body, headers=headers) as answer:
            values[score.ref] = _CREATED.decode(await answer.read()).id
        await self._transaction(score.after, values)

    async def _transaction(self, turns: tuple[Turn, ...], values: Mapping[Any, Any]) -> None:
        async with self._pool.acquire() as connection:
            await connection.execute(self._score.begin)
            for turn in turns:
                await turn.take(connection, values)
            await connection.execute("commit")


def _renamed(body: bytes, values: Mapping[Any, Any]) -> bytes:
    for old, new in values.items():
        if isinstance(old, UUID):
            body = body.replace(str(old).encode(), str(new).encode())
    return body


class BareLoop(Errand, frozen=True, kw_only=True):
    what: str
    """`checkout` or `list`."""
    settings: Settings
    facts: Facts
    pace: Pace

    async def run(self) -> Outcome:
        make = score_of_checkout if self.what == "checkout" else score_of_listing
        if (known := _loops.get(self.what)) is None:
            score = await make(self.settings, self.facts)
            known = _loops[self.what] = Loop(score, await _pool(self.settings), _http(self.facts))
        return await known.run(self.pace, f"{self.settings.mollie_url}/v2/payments")


_loops: Final[dict[str, Loop]] = {}
"""Kept between errands: what is measured is a loop that has been running for a while."""


async def _pool(settings: Settings) -> asyncpg.Pool:
    return await asyncpg.create_pool(
        settings.database_url,
        min_size=0,
        max_size=settings.database_pool_size,
        connection_class=_Connection,
        server_settings={"role": ROLE},
    )


def _http(facts: Facts) -> aiohttp.ClientSession:
    headers = {
        "Authorization": f"Bearer {facts.mollie_api_key}",
        "Content-Type": "application/json",
    }
    return aiohttp.ClientSession(headers=headers, raise_for_status=True)


if __name__ == "__main__":
    serve_errands(BareLoop)
