"""After a charge has failed: what the reason says, and when to try again. Pure.

The payment method decides how: some failures pass with time, some with the next salary, some never.
The app's policy decides when. Whether a subscription survives is decided elsewhere.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from domain.catalog.price import Interval, Recurrence
from domain.subscriptions.period import boundary
from domain.subscriptions.policy import BillingPolicy


class Verdict(StrEnum):
    RETRY = "retry"
    """It may pass by itself."""
    WAIT = "wait"
    """There was too little money: try when there is likely to be more."""
    NEW_METHOD = "new_method"
    """This method will not work again; the tenant is to give another."""
    STOP = "stop"
    """The payer has said no, or cannot be asked."""


_R, _W, _N, _S = Verdict.RETRY, Verdict.WAIT, Verdict.NEW_METHOD, Verdict.STOP

# Sources: [M] `details.failureReason` of Mollie's payments API; [C] its `statusReason.code`;
# [E] reason codes of SEPA direct debit R-transactions (ISO 20022, European Payments Council),
# which Mollie gives as `details.bankReasonCode` and as the `reason.code` of chargebacks.
VERDICTS: Final[Mapping[str, Verdict]] = {
    "insufficient_funds": _W,  # [M]
    "card_declined": _R,  # [M] the issuer gives no reason; limits and risk scores change
    "refused_by_issuer": _R,  # [M] the same, from the issuer itself
    "unknown_reason": _R,  # [M]
    "authentication_unavailable_acs": _R,  # [M] the issuer's 3-D Secure server was down
    "authentication_required": _N,  # [M] the cardholder must be there: a charge by us never is
    "authentication_failed": _N,  # [M] as above
    "authentication_abandoned": _N,  # [M] as above
    "card_expired": _N,  # [M]
    "inactive_card": _N,  # [M] not activated yet, or closed
    "invalid_cvv": _N,  # [M] what was entered is wrong, and stays so
    "invalid_card_holder_name": _N,  # [M] as above
    "invalid_card_number": _N,  # [M] as above
    "invalid_card_type": _N,  # [M] the account does not take such cards
    "possible_fraud": _N,  # [M] schemes fine repeats; an honest payer can still give another card
    "do_not_honor": _R,  # [C] no reason given
    "expired_card": _N,  # [C]
    "lost_card": _N,  # [C] the cardholder has a new one
    "stolen_card": _N,  # [C] as above
    "additional_customer_authentication_required": _N,  # [C] as authentication_required
    "revocation_of_authorization": _S,  # [C] the cardholder told the bank to refuse this charge
    "revocation_of_all_authorizations": _S,  # [C] and all others of ours
    "AM04": _W,  # [E] insufficient funds
    "AC01": _N,  # [E] account number incorrect
    "AC04": _N,  # [E] account closed
    "AC06": _N,  # [E] account blocked, for direct debits at least
    "AC13": _N,  # [E] not the type of account that the scheme debits
    "AG01": _N,  # [E] direct debits are forbidden on this account, such as a savings account
    "RC01": _N,  # [E] bank identifier incorrect
    "DNOR": _N,  # [E] the payer's bank does not take part in direct debits
    "RR04": _N,  # [E] regulation forbids it for this payer
    "MD01": _N,  # [E] no valid mandate: canceled, or never known to the bank
    "MD02": _N,  # [E] the mandate's data is wrong: it must be signed again
    "BE05": _N,  # [E] the payer's bank knows the mandate under another creditor
    "SL01": _N,  # [E] the payer has us blocked, or set a limit that the amount is above
    "MS03": _R,  # [E] no reason, by the bank: privacy rules make it stand for lack of money, too
    "AG02": _R,  # [E] the bank did not understand the message: not the payer's doing
    "FF01": _R,  # [E] as above
    "AM05": _S,  # [E] collected twice, says the bank: another try might be the third
    "MS02": _S,  # [E] refused by the payer beforehand
    "MD06": _S,  # [E] paid, and taken back at the payer's word: a charge again would be against it
    "MD07": _S,  # [E] the payer has died
}  # fmt: skip

_PAYDAYS: Final = (1, 15)
"""Days of the month on or soon after which salaries arrive."""
_DAY: Final = timedelta(days=1)
_DAILY: Final = Recurrence(Interval.DAY)


def verdict(failure_reason: str | None) -> Verdict:
    """A reason that nobody has heard of is tried again: the retry days bound the harm."""
    return VERDICTS.get(failure_reason or "", Verdict.RETRY)


def next_try(
    policy: BillingPolicy,
    failed_first_at: datetime,
    tries_done: int,
    verdict: Verdict,
    zone: ZoneInfo,
) -> datetime | None:
    """None: it is not tried again. `tries_done`: charges that have failed, the first one too."""
    assert tries_done >= 1, tries_done
    plan = planned_tries(policy, failed_first_at, verdict, zone)
    return plan[tries_done - 1] if tries_done <= len(plan) else None


def planned_tries(
    policy: BillingPolicy, failed_first_at: datetime, verdict: Verdict, zone: ZoneInfo
) -> tuple[datetime, ...]:
    """All retries that the verdict allows, in order, at the hour of the first failure.

    Waiting for a payday can bring two of them together: they are one then.
    """
    if verdict in (Verdict.NEW_METHOD, Verdict.STOP):
        return ()
    days = policy.retry_days
    if verdict is Verdict.WAIT and days:
        failed_on = failed_first_at.astimezone(zone).date()
        days = tuple(sorted({_after_payday(failed_on, day, days[-1]) for day in days}))
    return tuple(boundary(failed_first_at, _DAILY, day, zone) for day in days)


def gives_up_at(
    policy: BillingPolicy, unpaid_since: datetime, failed_first_at: datetime
) -> datetime:
    """When the policy's final action is due: retries are used up, and grace is over."""
    last_day = max(policy.retry_days, default=0)
    return max(
        boundary(unpaid_since, _DAILY, policy.grace_days, policy.zone),
        boundary(failed_first_at, _DAILY, last_day, policy.zone),
    )


def _after_payday(failed_on: date, day: int, last_day: int) -> int:
    """The first retry day from `day` on that is a payday. None until the last: `day` itself."""
    paydays = (d for d in range(day, last_day + 1) if (failed_on + d * _DAY).day in _PAYDAYS)
    return next(paydays, day)
