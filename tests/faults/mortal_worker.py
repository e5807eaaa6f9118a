"""A worker that kills itself with SIGKILL at one step of a charge. The product knows no such hook.

`python -m tests.faults.mortal_worker` reads lines of JSON, each the death of one worker, and says
how each ended. Every worker is a process of its own, forked from this one: starting Python anew
would take far longer than dying.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import Final
from uuid import UUID

import httpx
import msgspec
from msgspec import Struct

from app.main import jobs_of
from app.parts import Parts
from app.settings import Settings
from app.worker import Worker
from domain.kernel.ids import AppUuid
from domain.payments.answers import Declined, ProviderPayment
from domain.payments.attempt import PaymentAttempt
from domain.payments.payment_provider import PaymentProvider, ProviderName
from domain.subscriptions.book import SubscriptionBook
from domain.subscriptions.subscription import HistoryRow
from infrastructure.mollie.client import MollieClient
from infrastructure.mollie.payments import MolliePayments
from infrastructure.postgres.attempts import PostgresAttempts
from infrastructure.postgres.database import Database
from infrastructure.postgres.due_work import PostgresDueWork
from infrastructure.postgres.subscriptions import PostgresSubscriptions
from infrastructure.postgres.transaction import PostgresTx
from infrastructure.providers import Clients
from tests.faults.charge_steps import FIRST_TRY, RECOVERY, Step

PATIENCE_S: Final = 10
"""A worker that has not died by then never came to its step."""


class Death(Struct, frozen=True):
    at: Step
    settings: Settings


class Doom:
    """Where this process is, and where it dies."""

    def __init__(self, dies_at: Step) -> None:
        self._dies_at = dies_at
        self.is_recovering = False

    def reach(self, step: Step) -> None:
        if self.is_recovering and step in _AGAIN:
            step = _AGAIN[step]
        if step is self._dies_at:
            os.kill(os.getpid(), signal.SIGKILL)


_AGAIN: Final = dict(zip(FIRST_TRY[FIRST_TRY.index(Step.SENDING) :], RECOVERY[1:], strict=True))


class MortalDueWork(PostgresDueWork):
    has_claimed = False

    async def subscriptions(self, now: datetime, until: datetime) -> list[UUID]:
        found = await super().subscriptions(now, until)
        self.has_claimed = bool(found)
        return found


class MortalAttempts(PostgresAttempts):
    has_leased = False

    async def lease(self, uuid: UUID, *, now: datetime, until: datetime) -> PaymentAttempt | None:
        found = await super().lease(uuid, now=now, until=until)
        self.has_leased = found is not None
        return found


class MortalSubscriptions(PostgresSubscriptions):
    has_intent = has_outcome = False

    async def save(
        self, before: SubscriptionBook, after: SubscriptionBook, history: Sequence[HistoryRow]
    ) -> None:
        await super().save(before, after, history)
        self.has_intent = len(after.attempts) > len(before.attempts)
        self.has_outcome = not self.has_intent and after.attempts != before.attempts


class MortalTx(PostgresTx):
    """Knows what it has written."""

    @cached_property
    def due_work(self) -> MortalDueWork:
        return MortalDueWork(*self._on)

    @cached_property
    def attempts(self) -> MortalAttempts:
        return MortalAttempts(*self._on)

    @cached_property
    def subscriptions(self) -> MortalSubscriptions:
        return MortalSubscriptions(*self._on)

    def steps(self) -> tuple[Step | None, Step | None]:
        """Reached before the commit, and after it."""
        if self.subscriptions.has_intent:
            return Step.INTENT_WRITTEN, Step.INTENT_COMMITTED
        if self.subscriptions.has_outcome:
            return Step.OUTCOME_WRITTEN, Step.OUTCOME_COMMITTED
        if self.due_work.has_claimed:
            return None, Step.CLAIMED
        return None, Step.LEASED_AGAIN if self.attempts.has_leased else None


class MortalDatabase(Database[PostgresTx]):
    doom: Doom

    @asynccontextmanager
    async def begin(self, app_uuid: AppUuid) -> AsyncIterator[PostgresTx]:
        async with super().begin(app_uuid) as tx:
            assert isinstance(tx, MortalTx)
            yield tx
            written, committed = tx.steps()
            if written:
                self.doom.reach(written)
        self.doom.is_recovering |= committed is Step.LEASED_AGAIN
        if committed:
            self.doom.reach(committed)


def plain_http() -> httpx.AsyncHTTPTransport:
    """All that the sandbox speaks. Reading certificates would take half of a short life."""
    return httpx.AsyncHTTPTransport(verify=False, trust_env=False)


class MortalTransport(httpx.AsyncBaseTransport):
    """Sees that an answer begins, which is when all has been done, and reads nothing of it."""

    def __init__(self, doom: Doom) -> None:
        self._inner, self._doom = plain_http(), doom

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        if request.method == "POST":
            assert answer.status_code == 201, answer
            self._doom.reach(Step.SENT)
        return answer

    async def aclose(self) -> None:
        await self._inner.aclose()


class MortalPayments(MolliePayments):
    def __init__(self, client: MollieClient, doom: Doom) -> None:
        super().__init__(client)
        self._doom = doom

    async def create(
        self, account: PaymentProvider, request: bytes, *, key: UUID
    ) -> ProviderPayment | Declined:
        self._doom.reach(Step.SENDING)
        answer = await super().create(account, request, key=key)
        self._doom.reach(Step.ANSWERED)
        return answer


class MortalParts(Parts):
    def __init__(self, death: Death) -> None:
        self._doom = Doom(death.at)
        super().__init__(death.settings)
        payments = MortalPayments(self.clients.mollie, self._doom)
        whole = self.providers[ProviderName.MOLLIE]
        self.providers[ProviderName.MOLLIE] = replace(whole, payments=payments)

    def plug_in(self, settings: Settings) -> None:
        super().plug_in(settings)
        self.database = MortalDatabase(
            settings.database_url, MortalTx, pool_size=settings.database_pool_size
        )
        self.database.doom = self._doom
        mollie = MollieClient(
            settings.mollie_url,
            self.vault,
            settings.provider_timeout_s,
            MortalTransport(self._doom),
            budget=self.clients.mollie.budget,
        )
        self.clients = Clients(mollie, self.clients.komoju)


async def live(death: Death) -> None:
    """Until the step is reached. A worker that comes through has not died, which is its failure."""
    parts = MortalParts(death)
    async with parts.open(), asyncio.timeout(PATIENCE_S):
        due = parts.directory.apps_with_due_work
        worker = Worker(jobs_of(parts), due, parts.clock, poll_s=0.02)
        await worker.run(asyncio.Event())


async def warm_up(settings: Settings) -> None:
    """What is only imported when it is used, before the first fork and not after each."""
    async with plain_http() as transport:
        await transport.handle_async_request(httpx.Request("GET", settings.mollie_url))


def die(death: Death) -> str:
    """How a worker of its own ended: `killed`, or what went wrong instead."""
    pid = os.fork()
    if pid == 0:
        os.dup2(2, 1)  # stdout is for answers, and the logs of a worker go there
        try:
            asyncio.run(live(death))
        finally:
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    by_signal = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    return "killed" if by_signal else f"never came to {death.at!r}"


def main() -> None:
    is_warm = False
    for line in sys.stdin.buffer:
        death = msgspec.json.decode(line, type=Death)
        if not is_warm:
            asyncio.run(warm_up(death.settings))
            is_warm = True
        ended = die(death)
        sys.stdout.buffer.write(msgspec.json.encode(ended) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
