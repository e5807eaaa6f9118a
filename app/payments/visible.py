"""Who may see a payment, and what hangs on it."""

from uuid import UUID

from app.http.desk import Tx
from domain.kernel.errors import Forbidden, NotFound
from domain.payments.payment import Payment
from domain.tenancy.caller import Actor, Scope


async def visible_payment(tx: Tx, actor: Actor, uuid: UUID) -> Payment:
    """Whoever gives money back may see what of; and so may those whom the payment is of."""
    payment = await tx.payments.get(uuid)
    if actor.may(Scope.REFUNDS_READ):
        return payment
    try:
        actor.need_tenant(payment.tenant_uuid, Scope.BILLING_READ)
    except (NotFound, Forbidden):
        raise NotFound("payment", uuid) from None
    return payment
