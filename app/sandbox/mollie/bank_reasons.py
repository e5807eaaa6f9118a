"""Why a bank turned a direct debit down, or took its money back: the codes of SEPA."""

from typing import Final

REASONS: Final = {
    "AC01": "The account number is wrong",
    "AC04": "The account is closed",
    "AC06": "The account is blocked",
    "AG01": "No direct debits from this account",
    "AM04": "Insufficient funds",
    "BE05": "The creditor is not known to the bank",
    "MD01": "No mandate",
    "MD06": "The account holder wants the money back",
    "MD07": "The account holder has died",
    "MS02": "The account holder does not want it",
    "MS03": "The bank gives no reason",
    "RR04": "The regulator does not allow it",
    "SL01": "The account holder's own limits",
}
# What a card would say, in a bank's words.
_OF_CARDS: Final = {"insufficient_funds": "AM04", "account_closed": "AC04"}


def bank_reason(said: str | None) -> tuple[str, str]:
    """Code and words. What is neither a code nor known is no reason given."""
    code = _OF_CARDS.get(said or "", said or "")
    return (code, REASONS[code]) if code in REASONS else ("MS03", REASONS["MS03"])


def chargeback_reason(said: str) -> tuple[str, str]:
    """A code, or words of somebody who wants the money back."""
    return (said, REASONS[said]) if said in REASONS else ("MD06", said)
