"""Who may vouch for an app's users, remembered for half a minute.

Bounded in memory (the least used app is forgotten) and in questions to the database: a stranger's
token costs at most one a second per app, however many there are.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import httpx

from domain.kernel.clock import Clock
from domain.kernel.errors import Unauthenticated
from domain.kernel.ids import AppUuid
from domain.tenancy.app import JwtIssuer
from infrastructure.identity.jwks import KeySource, source_of

FRESH: Final = timedelta(seconds=30)
AGAIN: Final = timedelta(seconds=1)
"""Between two questions because of an issuer that is not registered, or an app without any."""

APPS_MAX: Final = 10_000

LoadIssuers = Callable[[AppUuid], Awaitable[tuple[JwtIssuer, ...]]]


@dataclass(frozen=True, slots=True)
class _Known:
    loaded_at: datetime
    sources: Mapping[str, KeySource]


class Issuers:
    """By app and `iss`. Key sources live on while the issuer's row stays the same."""

    def __init__(self, load: LoadIssuers, client: httpx.AsyncClient, clock: Clock) -> None:
        self._load, self._client, self._clock = load, client, clock
        self._apps: OrderedDict[AppUuid, _Known] = OrderedDict()
        self._loading: dict[AppUuid, asyncio.Task[_Known]] = {}

    async def find(self, app_uuid: AppUuid, name: str) -> KeySource:
        """Raises Unauthenticated when the app knows no such issuer; the loader's errors too."""
        known = self._apps.get(app_uuid)
        if known is None or self._is_due(known, name):
            known = await self._loaded(app_uuid)
        else:
            self._apps.move_to_end(app_uuid)
        if (source := known.sources.get(name)) is None:
            raise Unauthenticated("the token's issuer is not registered for the app")
        return source

    def _is_due(self, known: _Known, name: str) -> bool:
        age = self._clock.now() - known.loaded_at
        return age >= (FRESH if name in known.sources else AGAIN)

    async def _loaded(self, app_uuid: AppUuid) -> _Known:
        """One question at a time; whoever asks meanwhile shares it, also its failure."""
        if (task := self._loading.get(app_uuid)) is None:
            task = asyncio.create_task(self._reload(app_uuid))
            self._loading[app_uuid] = task
            task.add_done_callback(lambda _: self._loading.pop(app_uuid, None))
        # Shielded: the first caller may hang up, and the others still want the answer.
        return await asyncio.shield(task)

    async def _reload(self, app_uuid: AppUuid) -> _Known:
        now = self._clock.now()
        issuers = await self._load(app_uuid)
        before = self._apps.get(app_uuid)
        kept = {} if before is None else before.sources
        known = _Known(now, {i.issuer: self._source(i, kept) for i in issuers})
        self._apps[app_uuid] = known
        self._apps.move_to_end(app_uuid)
        if len(self._apps) > APPS_MAX:
            self._apps.popitem(last=False)
        return known

    def _source(self, issuer: JwtIssuer, kept: Mapping[str, KeySource]) -> KeySource:
        source = kept.get(issuer.issuer)
        if source is not None and source.issuer == issuer:
            return source
        return source_of(issuer, self._client, self._clock)
