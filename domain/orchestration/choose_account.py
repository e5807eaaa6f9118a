"""Chooses the account of a new payment session, inside the transaction that writes it down.

Two statements find out what is known; a third one only when the choice is a probe.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from domain.checkout.hosts import need_hosts
from domain.kernel.errors import NotFound
from domain.kernel.ids import Ids
from domain.orchestration.circuit import CircuitState
from domain.orchestration.decide import DRAWS, Situation, decide, held
from domain.orchestration.decision import Decision, Query
from domain.orchestration.payment_session import PaymentSession, Try, Wanted
from domain.orchestration.ports import Chance, OrchestrationTx
from domain.payments.ports import Providers


@dataclass(frozen=True, slots=True)
class ChooseAccount:
    providers: Providers
    chance: Chance
    ids: Ids
    lease: timedelta

    async def __call__(
        self, tx: OrchestrationTx, session: PaymentSession, wanted: Wanted
    ) -> tuple[Decision, Try]:
        """Raises NotFound, Invalid, Refused, and ProviderUnavailable when only circuits are in the
        way."""
        amount, now = session.amount.total, session.created_at
        facts = await tx.routing.facts(
            session.tenant_uuid, (wanted.payment_method, amount.currency), self.providers, at=now
        )
        if facts.tenant is None:
            raise NotFound("tenant", session.tenant_uuid)
        query = Query(
            method=wanted.payment_method,
            amount=amount,
            country=None if wanted.billing is None else wanted.billing.country,
            pinned=wanted.pinned,
            provider=wanted.provider,
            is_on_test_clock=facts.tenant.test_clock_uuid is not None,
        )
        uuid = self.ids.new()
        decision, is_probe = await self._decision(tx, query, facts.situation, uuid)
        accounts = {s.account.uuid: s.account for s in facts.situation.standings}
        account = accounts[decision.selected]
        urls = {
            "redirectUrls.success": wanted.success_url,
            "redirectUrls.failure": wanted.failure_url,
        }
        need_hosts(urls, facts.allowed_hosts, account)
        live = Try(uuid=uuid, number=1, account=account, is_probe=is_probe, created_at=now)
        return decision, live

    async def _decision(
        self, tx: OrchestrationTx, query: Query, situation: Situation, try_uuid: UUID
    ) -> tuple[Decision, bool]:
        """Whether the try is a probe, too. A probe that somebody else was faster to take is none
        of ours: then the next best account it is."""
        uuid, draw, now = self.ids.new(), self.chance.draw(DRAWS), situation.at
        while True:
            decision = decide(query, situation, self.providers, uuid=uuid, draw=draw)
            selected = decision.selected
            if decision.candidate(selected).health is not CircuitState.HALF_OPEN:
                return decision, False
            until = now + self.lease
            if await tx.routing.lease_probe(selected, try_uuid, now=now, until=until):
                return decision, True
            situation = held(situation, selected, until=until)
