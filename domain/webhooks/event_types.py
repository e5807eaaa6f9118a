"""The catalogue of public events: what each type tells, and in which version of its payload.

A version grows when a fact is renamed, retyped or dropped; a fact more changes nothing. A test
holds every event of the domain to this list. Ids and amounts only, never names or addresses.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

TEST: Final = "webhook_endpoint.test"
"""Goes to the endpoint that it was asked for, and to no other."""


class EventType(Struct, frozen=True):
    type: str
    description: str
    facts: tuple[str, ...] = ()
    """The names in `data`; more may be added at any time."""
    version: int = 1


_SESSION: Final = ("checkoutSessionUuid", "tenantUuid", "mode", "currency", "amountTotal")
_ATTEMPT: Final = ("paymentAttemptUuid",)
_PAYMENT: Final = (
    "paymentUuid", "tenantUuid", "currency", "amount", "refunded", "chargedBack",
)  # fmt: skip
_CAPTURE: Final = ("captureUuid", "paymentUuid", "currency", "amount")
_REFUND: Final = ("refundUuid", "paymentUuid", "currency", "amount")
_CHARGEBACK: Final = ("chargebackUuid", "paymentUuid", "currency", "amount")
_MANDATE: Final = ("mandateUuid", "tenantUuid")
_SUBSCRIPTION: Final = ("subscriptionUuid", "tenantUuid", "status")
_BILL: Final = (
    *_SUBSCRIPTION, "billUuid", "periodNumber", "currency", "amountTotal", "amountOpen",
)  # fmt: skip
_CLOCK: Final = ("testClockUuid", "now", "advancingTo")
_PRODUCT: Final = ("productUuid", "productId")
_PRICE: Final = ("priceUuid", "productUuid")
_RATE: Final = ("taxRateUuid",)
_MEMBER: Final = ("tenantUuid", "userUuid")
_ACCOUNT: Final = ("paymentProviderUuid", "name", "mode", "isDefault")
_ENDPOINT: Final = ("webhookEndpointUuid",)

_ALL: Final = (
    EventType("checkout_session.processing", "A payment is under way at the provider", _SESSION),
    EventType("checkout_session.completed", "It is paid, or the method is stored", _SESSION),
    EventType("checkout_session.reopened", "The payment ended; it can be paid again", _SESSION),
    EventType("checkout_session.expired", "It ended by time, or by request", _SESSION),
    EventType("checkout_session.failed", "The provider refused for good", _SESSION),
    EventType("payment_attempt.declined", "The provider refused to make a payment", _ATTEMPT),
    EventType("payment_attempt.needs_review", "The provider's answer contradicts us", _ATTEMPT),
    EventType("payment.open", "It waits for the shopper again", _PAYMENT),
    EventType("payment.pending", "The bank is at work", _PAYMENT),
    EventType("payment.authorized", "The money is reserved", _PAYMENT),
    EventType("payment.paid", "The money is ours", _PAYMENT),
    EventType("payment.failed", "It was refused; it can be tried again", _PAYMENT),
    EventType("payment.canceled", "It was given up", _PAYMENT),
    EventType("payment.expired", "Nobody paid in time", _PAYMENT),
    EventType("payment.refunded_amount_changed", "More, or less, was given back", _PAYMENT),
    EventType("payment.charged_back_amount_changed", "The bank took money back", _PAYMENT),
    EventType("payment.surplus_received", "Money that buys nothing; it goes back",
              ("paymentUuid", "amount")),
    EventType("capture.requested", "Held money is to be taken", _CAPTURE),
    EventType("capture.accepted", "The provider is taking it", _CAPTURE),
    EventType("capture.declined", "The provider will not", _CAPTURE),
    EventType("capture.succeeded", "It is taken", _CAPTURE),
    EventType("capture.failed", "It could not be taken", _CAPTURE),
    EventType("refund.requested", "Money is to be given back", _REFUND),
    EventType("refund.accepted", "The provider will give it back", _REFUND),
    EventType("refund.declined", "The provider will not", _REFUND),
    EventType("refund.found", "Somebody gave money back at the provider itself", _REFUND),
    EventType("refund.refunded", "The money is back with the shopper", _REFUND),
    EventType("refund.failed", "It came back to us", _REFUND),
    EventType("refund.canceled", "It was called off in time", _REFUND),
    EventType("chargeback.received", "The shopper's bank took a payment back", _CHARGEBACK),
    EventType("chargeback.reversed", "And gave it to us again", _CHARGEBACK),
    EventType("mandate.pending", "A payment method is being checked", _MANDATE),
    EventType("mandate.valid", "The tenant can be charged with it", _MANDATE),
    EventType("mandate.invalid", "The tenant cannot be charged with it any more", _MANDATE),
    EventType("mandate.made_default", "The tenant is charged with it from now on", _MANDATE),
    EventType("mandate.made_default", "The tenant is charged with it from now on", _MANDATE),
    EventType("mandate.revoked", "A payment method was given up", _MANDATE),
    EventType("one_time_payment.created", "A tenant has bought something once",
              ("oneTimePaymentUuid", "tenantUuid")),
    EventType("subscription.started", "It exists, and access begins", _SUBSCRIPTION),
    EventType("subscription.trial_started", "It begins with days without charge", _SUBSCRIPTION),
    EventType("subscription.trial_ended", "The days without charge are over", _SUBSCRIPTION),
    EventType("subscription.activated", "It is paid for, or it was free to begin", _SUBSCRIPTION),
    EventType("subscription.collecting", "A charge is sent; its outcome is open", _SUBSCRIPTION),
    EventType("subscription.renewed", "The next period has begun", _SUBSCRIPTION),
    EventType("subscription.past_due", "A period is unpaid; it is tried again", _SUBSCRIPTION),
    EventType("subscription.period_skipped", "A period passed that is not billed", _SUBSCRIPTION),
    EventType("subscription.dunning_ended", "It is not tried again by itself", _SUBSCRIPTION),
    EventType("subscription.paused", "Nothing is charged until it is resumed", _SUBSCRIPTION),
    EventType("subscription.resumed", "It goes on", _SUBSCRIPTION),
    EventType("subscription.cancel_scheduled", "It ends with its period, or at an instant",
              (*_SUBSCRIPTION, "cancelAt", "reason")),
    EventType("subscription.uncanceled", "It does not end after all", _SUBSCRIPTION),
    EventType("subscription.canceled", "It has ended", _SUBSCRIPTION),
    EventType("subscription.expired", "It ended before it was ever paid", _SUBSCRIPTION),
    EventType("subscription.changed", "Another price, or another quantity", _SUBSCRIPTION),
    EventType("subscription.change_scheduled", "It changes with the next period", _SUBSCRIPTION),
    EventType("subscription.change_unscheduled", "It will not change after all", _SUBSCRIPTION),
    EventType("subscription.change_failed", "The change could not be paid", _SUBSCRIPTION),
    EventType("subscription.payment_method_replaced", "It is charged through another mandate",
              _SUBSCRIPTION),
    EventType("subscription.credited", "A bank gave back what was paid again: it is credit now",
              _SUBSCRIPTION),
    EventType("bill.issued", "A tenant owes for a period, or for a change", _BILL),
    EventType("bill.carried", "Too little to collect; the next bill takes it along", _BILL),
    EventType("bill.credited", "It gave back more than it asked; the rest is credit", _BILL),
    EventType("bill.paid", "Nothing of it is left to pay", _BILL),
    EventType("bill.payment_failed", "An attempt to collect it failed", _BILL),
    EventType("bill.voided", "It is owed no more", _BILL),
    EventType("bill.written_off", "It is not collected any more", _BILL),
    EventType("bill.reopened", "It is owed again", _BILL),
    EventType("billing_policy.updated", "The app bills by other rules from now on",
              ("timeZone", "retryDays", "graceDays", "finalAction", "missedPeriods",
               "chargebackAction", "minimumCharge")),
    EventType("test_clock.created", "A time for tenants of test accounts begins", _CLOCK),
    EventType("test_clock.advancing", "It is on its way", _CLOCK),
    EventType("test_clock.ready", "It is there, and all that was due is done", _CLOCK),
    EventType("test_clock.deleted", "Nobody can begin by it any more", _CLOCK),
    EventType("product.created", "It can be sold", _PRODUCT),
    EventType("product.updated", "Something about it changed", _PRODUCT),
    EventType("product.archived", "It is out of sale", _PRODUCT),
    EventType("price.created", "It can be bought", _PRICE),
    EventType("price.updated", "Its name, key or data changed; its amount never does", _PRICE),
    EventType("price.archived", "It is out of sale", _PRICE),
    EventType("tax_rate.created", "It can be used", _RATE),
    EventType("tax_rate.updated", "Its name or description changed", _RATE),
    EventType("tax_rate.archived", "It is out of use", _RATE),
    EventType("tenant.created", "An organisation was registered", ("tenantUuid",)),
    EventType("tenant.updated", "Something about it changed", ("tenantUuid",)),
    EventType("member.added", "A user may act for a tenant", _MEMBER),
    EventType("member.removed", "A user may not act for it any more", _MEMBER),
    EventType("payment_provider.created", "An account was connected", _ACCOUNT),
    EventType("payment_provider.updated", "Something about it changed", _ACCOUNT),
    EventType("payment_provider.credential_rotated", "It has another credential", _ACCOUNT),
    EventType("payment_provider.deleted", "It takes no new payments", _ACCOUNT),
    EventType("webhook_endpoint.created", "Events are sent to another address", _ENDPOINT),
    EventType("webhook_endpoint.updated", "Its address, filter or status changed", _ENDPOINT),
    EventType("webhook_endpoint.secret_rolled", "It has another secret", _ENDPOINT),
    EventType("webhook_endpoint.disabled", "Nothing is sent to it; it failed for too long, or it "
              "answered 410", (*_ENDPOINT, "reason")),
    EventType("webhook_endpoint.deleted", "Nothing is sent to it any more", _ENDPOINT),
    EventType(TEST, "You asked for it; nothing happened", _ENDPOINT),
)  # fmt: skip

EVENT_TYPES: Final[Mapping[str, EventType]] = {told.type: told for told in _ALL}


def version_of(type: str) -> int:
    """A type that somebody forgot to list is told all the same: an event is never lost."""
    return EVENT_TYPES[type].version if type in EVENT_TYPES else 1
