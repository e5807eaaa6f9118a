"""What orchestration needs from outside."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from domain.checkout.ports import CheckoutTx
from domain.kernel.idempotency import RequestKey
from domain.kernel.ids import TenantUuid
from domain.kernel.pages import Page, PageRequest
from domain.orchestration.circuit import Circuit, ProviderCall, Recent
from domain.orchestration.decide import Situation, Standing
from domain.orchestration.decision import Decision
from domain.orchestration.payment_session import PaymentSession, Told, Try, Undertaking
from domain.orchestration.routing_policy import RoutingPolicies
from domain.payments.ports import Providers
from domain.tenancy.admission import Admissions
from domain.tenancy.tenant import Tenant


class Chance(Protocol):
    def draw(self, below: int) -> int:
        """A number from 0 to one less than `below`, each as likely as the others."""
        ...


class RoutingFacts(Struct, frozen=True, kw_only=True):
    allowed_hosts: tuple[str, ...]
    tenant: Tenant | None
    situation: Situation


class KeptDecision(Struct, frozen=True, kw_only=True):
    """With what came of it."""

    decision: Decision
    session_uuid: UUID
    tries: tuple[Try, ...]


class RoutingLedger(Protocol):
    """What routing knows: how accounts stand, and what was decided. Decisions are only added."""

    async def facts(
        self, tenant_uuid: TenantUuid, kind: tuple[str, str], providers: Providers, *, at: datetime
    ) -> RoutingFacts:
        """All that a decision is made from, in two statements. `kind`: method and currency."""
        ...

    async def standings(
        self, kind: tuple[str, str], providers: Providers, *, at: datetime
    ) -> tuple[Standing, ...]:
        """Of all accounts in use."""
        ...

    async def standing(self, account_uuids: Sequence[UUID]) -> Mapping[UUID, Standing]:
        """Those of them that are still in use; without evidence."""
        ...

    async def lease_probe(
        self, account_uuid: UUID, try_uuid: UUID, *, now: datetime, until: datetime
    ) -> bool:
        """False: the circuit is not half open, or another try is the probe."""
        ...

    async def add_call(self, call: ProviderCall) -> None:
        """The first call of a try counts, and no other."""
        ...

    async def lock_circuit(self, account_uuid: UUID) -> Circuit:
        """The row is locked until the transaction ends; a new one is closed."""
        ...

    async def recent(self, circuit: Circuit) -> tuple[Recent, ...]:
        """Results since the circuit changed, the newest first; a hundred at most."""
        ...

    async def save_circuit(self, circuit: Circuit) -> None: ...

    async def decision(self, uuid: UUID) -> KeptDecision:
        """Raises NotFound."""
        ...

    async def decisions(self, request: PageRequest, *, after: UUID | None) -> Page[KeptDecision]:
        """The newest first. `after`: those older than this one; the total is then not counted."""
        ...


class PaymentSessions(Protocol):
    async def add(
        self, session: PaymentSession, decision: Decision, live: Try, key: RequestKey
    ) -> None:
        """And note it under the key, in one round trip."""
        ...

    async def lock(self, uuid: UUID) -> Undertaking:
        """Its row locked until the transaction ends. Raises NotFound."""
        ...

    async def get(self, uuid: UUID) -> Told:
        """Raises NotFound."""
        ...

    async def link(self, live: Try, key: RequestKey, *, failure: str | None = None) -> bool:
        """To the checkout session that was opened under this key, if one was. False: the try was
        given up, and its page must not leave us: this is the lock that decides it.

        `failure`: why it came to nothing for good.
        """
        ...

    async def abandon(
        self, old: Try, new: Try, *, session_uuid: UUID, checkout_uuid: UUID | None
    ) -> None:
        """`checkout_uuid`: what has expired for the old one."""
        ...


class OrchestrationTx(CheckoutTx, Protocol):
    """The part of a transaction that orchestration may touch."""

    @property
    def admissions(self) -> Admissions: ...
    @property
    def routing(self) -> RoutingLedger: ...
    @property
    def routing_policies(self) -> RoutingPolicies: ...
    @property
    def payment_sessions(self) -> PaymentSessions: ...
