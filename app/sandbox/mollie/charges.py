"""New payments without a shopper: charges on a mandate, asked for or by a subscription.

What a charge will come to is settled as it is made: `recurringOutcomes` one after the other, and
`recurringOutcome` when they are used up.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from app.sandbox.mollie.objects import Mandate, Payment
from app.sandbox.mollie.world import Outcome, Settings, Universe

# Long enough for the caller to have its answer, short enough for nobody to wait.
OUTCOME_AFTER: Final = timedelta(milliseconds=200)


def recurring_payment(universe: Universe, mandate: Mandate, at: datetime, **given: Any) -> Payment:
    """A charge as it is created. One that stays `open` waits for the control plane."""
    is_debit, planned = mandate.method == "directdebit", _next_outcome(universe.settings)
    outcome = None if planned.outcome == "open" else planned.outcome
    days_off = timedelta(seconds=universe.settings.debit_delay_seconds if is_debit else 0)
    return Payment(
        id=universe.new_id("tr"),
        token=universe.new_id("3", 30),
        key=mandate.key,
        created_at=at,
        status="pending" if is_debit else "open",
        sequence_type="recurring",
        method=mandate.method,
        customer_id=mandate.customer_id,
        mandate_id=mandate.id,
        outcome=outcome,
        outcome_reason=planned.reason,
        outcome_due=None if outcome is None else at + (days_off or OUTCOME_AFTER),
        **given,
    )


def _next_outcome(settings: Settings) -> Outcome:
    if not settings.recurring_outcomes:
        return Outcome(settings.recurring_outcome)
    planned = settings.recurring_outcomes.pop(0)
    return planned if isinstance(planned, Outcome) else Outcome(planned)
