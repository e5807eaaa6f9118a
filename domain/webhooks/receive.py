"""Takes in a provider's call: store it, then try to act on it at once.

Storing is what the provider is told about. What the request cannot finish, the worker does.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from domain.kernel.clock import Clock
from domain.kernel.errors import DomainError, ProviderUnavailable, ProviderUnreadable
from domain.kernel.ids import Ids
from domain.kernel.unit_of_work import UnitOfWork
from domain.payments.attempt import backoff
from domain.payments.observe_payment import ObservePayment
from domain.payments.payment import Payment
from domain.webhooks.inbox import Directory, InboxTx, Message, Outcome

GIVE_UP_AFTER: Final = timedelta(days=3)
"""A message is only a hint; the payment's own planned looks go on."""

HEAD_START: Final = timedelta(seconds=5)
"""How long the request has before a worker may take the message up."""


@dataclass(frozen=True, slots=True)
class ReceiveMessage:
    unit_of_work: UnitOfWork[InboxTx]
    directory: Directory
    observe: ObservePayment
    clock: Clock
    ids: Ids

    async def store(self, account_uuid: UUID, provider_ref: str) -> Message | None:
        """None: no such account. Once this returns, nothing of the message is lost."""
        app_uuid = await self.directory.app_of_account(account_uuid)
        if app_uuid is None:
            return None
        now = self.clock.now()
        message = Message(
            uuid=self.ids.new(),
            app_uuid=app_uuid,
            payment_provider_uuid=account_uuid,
            provider_ref=provider_ref,
            due_at=now + HEAD_START,
            received_at=now,
        )
        async with self.unit_of_work.begin(app_uuid) as tx:
            await tx.inbox.add(message)
        return message

    async def act(self, message: Message) -> Payment | None:
        """The payment as it is now. None: not one of ours; the message is done either way.

        Raises ProviderUnavailable and ProviderUnreadable: the message stays, for later.
        """
        payment = await self.observe(
            message.app_uuid, message.payment_provider_uuid, message.provider_ref
        )
        outcome = Outcome.IGNORED if payment is None else Outcome.OBSERVED
        async with self.unit_of_work.begin(message.app_uuid) as tx:
            await tx.inbox.done(message.uuid, outcome, at=self.clock.now())
        return payment

    async def act_later(self, message: Message) -> DomainError | None:
        """What a worker does with a message. A provider that is away is asked again.

        Returns what kept us from it, if anything did.
        """
        try:
            await self.act(message)
        except (ProviderUnavailable, ProviderUnreadable) as error:
            now = self.clock.now()
            async with self.unit_of_work.begin(message.app_uuid) as tx:
                if now - message.received_at > GIVE_UP_AFTER:
                    await tx.inbox.done(message.uuid, Outcome.IGNORED, at=now)
                else:
                    await tx.inbox.postpone(message.uuid, due_at=now + backoff(message.tries))
            return error
        return None
