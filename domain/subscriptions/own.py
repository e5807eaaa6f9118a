"""Whose a subscription is: another tenant's does not exist for the caller."""

from uuid import UUID

from domain.kernel.errors import NotFound
from domain.subscriptions.ports import SubscriptionsTx
from domain.subscriptions.subscription import Subscription
from domain.tenancy.caller import Actor, Scope


async def need_own(tx: SubscriptionsTx, actor: Actor, uuid: UUID, scope: Scope) -> Subscription:
    """Raises NotFound, and Forbidden to whoever may only read it."""
    subscription = await tx.subscriptions.get(uuid)
    try:
        actor.need_tenant(subscription.tenant_uuid, scope)
    except NotFound:
        raise NotFound("subscription", uuid) from None
    return subscription
