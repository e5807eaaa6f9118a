"""Takes in a call that its provider has signed: believed to be the provider's, and no further.

Who says it is proven before anything is stored. Each event is taken in once, however often it is
sent; what it says is read from the provider all the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from domain.kernel.clock import Clock
from domain.kernel.errors import Unauthenticated
from domain.kernel.ids import Ids
from domain.kernel.unit_of_work import UnitOfWork
from domain.payments.accounts import AccountsTx
from domain.payments.ports import Notice, Providers
from domain.payments.repositories import PaymentRepository
from domain.webhooks.inbox import Directory, InboxTx, Message
from domain.webhooks.receive import HEAD_START


class SignedTx(InboxTx, AccountsTx, Protocol):
    @property
    def payments(self) -> PaymentRepository: ...


@dataclass(frozen=True, slots=True)
class ReceiveSigned:
    unit_of_work: UnitOfWork[SignedTx]
    directory: Directory
    providers: Providers
    clock: Clock
    ids: Ids

    async def store(
        self, account_uuid: UUID, body: bytes, headers: Mapping[str, str]
    ) -> Message | None:
        """None: there is nothing to do, it is about nothing of ours or was told before.

        Raises Unauthenticated: also for an account that is not there, or whose provider signs
        nothing. Once this returns, nothing of the message is lost.
        """
        app_uuid = await self.directory.app_of_account(account_uuid)
        if app_uuid is None:
            raise Unauthenticated("no such account")
        async with self.unit_of_work.begin(app_uuid) as tx:
            account = await tx.payment_providers.get(account_uuid)
            notices = self.providers[account.name].notices
            if notices is None:
                raise Unauthenticated(f"{account.name} signs no webhooks")
            notice = notices.read(account, body, headers)
            ref = None if notice is None else await _ref(tx, account_uuid, notice)
            if notice is None or ref is None:
                return None
            now = self.clock.now()
            message = Message(
                uuid=self.ids.new(),
                app_uuid=app_uuid,
                payment_provider_uuid=account_uuid,
                provider_ref=ref,
                event_id=notice.event_id,
                due_at=now + HEAD_START,
                received_at=now,
            )
            return message if await tx.inbox.add(message) else None


async def _ref(tx: SignedTx, account_uuid: UUID, notice: Notice) -> str | None:
    if notice.payment_ref is not None or notice.attempt_uuid is None:
        return notice.payment_ref
    return await tx.payments.ref_of(account_uuid, notice.attempt_uuid)
