"""The steps of a charge, in order: where a worker can die, and what the provider then holds.

The one list of them. `mortal_worker.py` dies at a step, `test_charge_steps.py` at each in turn.
"""

from enum import StrEnum
from typing import Final


class Step(StrEnum):
    CLAIMED = "claimed"
    """The subscription is this worker's for a lease; nothing else is written."""
    INTENT_WRITTEN = "intent written"
    """Bill and attempt, not yet committed."""
    INTENT_COMMITTED = "intent committed"
    SENDING = "sending"
    """No byte has left."""
    SENT = "sent"
    """The provider has the charge; its answer is not read."""
    ANSWERED = "answered"
    OUTCOME_WRITTEN = "outcome written"
    """Not yet committed."""
    OUTCOME_COMMITTED = "outcome committed"

    LEASED_AGAIN = "leased again"
    """By whoever recovers the attempt. From here on the same steps once more."""
    SENDING_AGAIN = "sending again"
    SENT_AGAIN = "sent again"
    ANSWERED_AGAIN = "answered again"
    OUTCOME_WRITTEN_LATE = "outcome written late"
    OUTCOME_COMMITTED_LATE = "outcome committed late"


FIRST_TRY: Final = tuple(Step)[: list(Step).index(Step.LEASED_AGAIN)]
RECOVERY: Final = tuple(Step)[len(FIRST_TRY) :]
AT_PROVIDER: Final = FIRST_TRY[FIRST_TRY.index(Step.SENT) :]
"""After these the provider has the charge; before, it has none."""
AT_PROVIDER_AGAIN: Final = RECOVERY[RECOVERY.index(Step.SENT_AGAIN) :]
