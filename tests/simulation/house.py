"""The program as `kontor worker` and `kontor serve` put it together, on virtual time.

Only what the composition root takes from outside is another: clock, ids, a database that may die
around a commit, and a provider in this process.
"""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

from app.main import jobs_of, sweeps_of
from app.parts import Parts
from app.settings import Settings
from domain.kernel.ids import AppUuid
from domain.payments.payment_provider import ProviderName
from infrastructure.budget import RateBudget
from infrastructure.komoju.client import KomojuClient
from infrastructure.mollie.client import MollieClient
from infrastructure.postgres.database import Connection, Database
from infrastructure.postgres.transaction import PostgresTx
from infrastructure.providers import Clients
from infrastructure.secrets import AesGcmVault, new_key
from tests.simulation.bank import Bank
from tests.simulation.fate import Fate
from tests.simulation.virtual import VirtualClock, VirtualIds

NO_LIMIT: Final = 1e9
"""Budgets are counted in real time, which goes by a million times slower here."""


@dataclass(frozen=True)
class World:
    """All that outlives a process."""

    settings: Settings
    clock: VirtualClock
    ids: VirtualIds
    fate: Fate
    bank: Bank


def make_world(seed: str, database_url: str) -> World:
    clock, fate = VirtualClock(), Fate(random.Random(f"{seed} fate"))
    return World(
        settings=Settings(
            database_url=database_url,
            database_pool_size=2,
            secret_key=new_key(),
            mollie_url="http://sandbox.test",
            public_url="https://kontor.test",
        ),
        clock=clock,
        ids=VirtualIds(clock),
        fate=fate,
        bank=Bank(clock, fate, random.Random(f"{seed} bank")),
    )


class MortalDatabase(Database[PostgresTx]):
    fate: Fate

    @asynccontextmanager
    async def begin(self, app_uuid: AppUuid) -> AsyncIterator[PostgresTx]:
        async with super().begin(app_uuid) as tx:
            yield tx
            self.fate.point()
        self.fate.point()


class SimulatedParts(Parts):
    """One process: dropped when it dies, and made anew."""

    def __init__(self, world: World) -> None:
        self._world = world
        super().__init__(world.settings)
        # Mollie stores these too, whatever the API lets apps ask for.
        methods = frozenset({"card", "ideal", "paypal"})
        self.providers[ProviderName.MOLLIE] = replace(
            self.providers[ProviderName.MOLLIE], payment_methods=methods, storable_methods=methods
        )

    def plug_in(self, settings: Settings) -> None:
        world = self._world
        self.clock, self.ids = world.clock, world.ids

        def transaction(connection: Connection, app_uuid: AppUuid) -> PostgresTx:
            tx = PostgresTx(connection, app_uuid)
            tx._ids = world.ids
            return tx

        self.database = MortalDatabase(
            settings.database_url, transaction, pool_size=settings.database_pool_size
        )
        self.database.fate = world.fate
        self.vault = AesGcmVault(settings.secret_key)
        mollie = MollieClient(
            settings.mollie_url,
            self.vault,
            settings.provider_timeout_s,
            world.bank.transport(),
            budget=RateBudget(NO_LIMIT),
        )
        self.clients = Clients(mollie, KomojuClient(settings.komoju_url, self.vault, 1))

    @cached_property
    def jobs(self) -> tuple[Any, ...]:
        return jobs_of(self)

    @cached_property
    def sweeps(self) -> tuple[Any, ...]:
        return sweeps_of(self)
