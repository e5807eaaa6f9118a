"""New payments without a shopper: charges on a mandate, asked for or by a subscription."""

from datetime import datetime, timedelta
from typing import Any, Final

from app.sandbox.mollie.objects import Mandate, Payment
from app.sandbox.mollie.world import Universe

# Long enough for the caller to have its answer, short enough for nobody to wait.
OUTCOME_AFTER: Final = timedelta(milliseconds=200)


def recurring_payment(universe: Universe, mandate: Mandate, at: datetime, **given: Any) -> Payment:
    """A charge as it is created; `recurringOutcome` says what it will come to by itself."""
    outcome = universe.settings.recurring_outcome
    return Payment(
        id=universe.new_id("tr"),
        token=universe.new_id("3", 30),
        key=mandate.key,
        created_at=at,
        status="pending" if mandate.method == "directdebit" else "open",
        sequence_type="recurring",
        method=mandate.method,
        customer_id=mandate.customer_id,
        mandate_id=mandate.id,
        outcome=None if outcome == "open" else outcome,
        outcome_due=None if outcome == "open" else at + OUTCOME_AFTER,
        **given,
    )
