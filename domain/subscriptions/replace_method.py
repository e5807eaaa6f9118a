"""A new payment method for a subscription, and with it the end of what stood open."""

from uuid import UUID

from msgspec.structs import replace

from domain.payments.mandate import Mandate
from domain.payments.payment import Payment
from domain.payments.sighting import PaymentFile
from domain.subscriptions.pen import Pen
from domain.subscriptions.record_charge import receive
from domain.subscriptions.subscription import SubscriptionStatus


def replace_method(pen: Pen, file: PaymentFile) -> None:
    """A shopper has given it at a checkout. One that has ended needs none."""
    if file.mandate is None or pen.subscription.has_ended:
        return
    pen.book = pen.book.with_file(file)
    charge_on(pen, file.mandate)


def charge_on(pen: Pen, mandate: Mandate) -> None:
    """It is charged from now on. What still waits for a retry is tried at once."""
    pen.change(mandate_uuid=mandate.uuid)
    pen.say("payment_method_replaced", at=pen.now, mandateUuid=str(mandate.uuid))
    if pen.subscription.status is SubscriptionStatus.PAST_DUE:
        for bill in pen.book.collectable:
            pen.write_bill(replace(bill, next_try_at=pen.now))


def settle_open(pen: Pen, file: PaymentFile, bill_uuids: tuple[UUID, ...]) -> Payment:
    """One payment for all that was open. What was settled otherwise meanwhile is given back."""
    bills = [bill for bill in pen.book.bills if bill.uuid in bill_uuids]
    replace_method(pen, file)
    return receive(pen, file, bills).payment
