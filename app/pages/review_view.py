"""What a shopper is shown before paying: what was told, and after a decline why it did not work."""

from typing import Any, Final

from app.pages.languages import Language
from domain.checkout.book import Book
from domain.checkout.session import CheckoutSession
from domain.payments.address import Address

_WORDS: Final = {
    "insufficient_funds": "declined_funds",
    "card_expired": "declined_expired",
}
"""Of failure reasons that tell the shopper what to do. The bank's others are no concern of hers."""


def review_values(book: Book, language: Language) -> dict[str, Any]:
    session, say = book.session, language.say
    decline = _decline(book, language)
    amount = language.money(session.amount.total)
    if decline is not None:
        heading, label = say("declined"), say("try_again", amount=amount)
    elif not session.amount.total.minor:
        heading, label = say("review"), say("pay_store")
    elif session.trial_days:
        heading, label = say("review"), say("pay_trial", amount=amount)
    elif session.is_verification:
        heading, label = say("review"), say("pay_nothing_yet", amount=amount)
    else:
        heading, label = say("review"), say("pay", amount=amount)
    return {
        "heading": heading,
        "decline": decline,
        "pay_label": label,
        "facts": _facts(session, language),
    }


def _decline(book: Book, language: Language) -> str | None:
    if not book.was_declined:
        return None
    reason = book.newest_payment.failure_reason if book.newest_payment else None
    return language.say(_WORDS.get(reason or "", "declined_other"))


def _facts(session: CheckoutSession, language: Language) -> list[dict[str, Any]]:
    told, facts = session.collected, []
    if told is None:
        return []
    for name, address in (
        ("billing_address", told.billing_address),
        ("shipping_address", told.shipping_address),
    ):
        if address is not None:
            text = _lines(address, language)
            facts.append({"label": language.say(name), "text": text, "is_address": True})
    if told.tax_id is not None:
        facts.append({"label": language.say("tax_id"), "text": told.tax_id.number})
    if told.consent is not None:
        facts.append({"label": language.say("terms_label"), "text": language.say("agreed")})
    return [{"is_address": False, **fact} for fact in facts]


def _lines(address: Address, language: Language) -> str:
    lines = [
        address.organization_name,
        f"{address.given_name} {address.family_name}",
        address.line1,
        address.line2,
        " ".join(part for part in (address.postal_code, address.city) if part),
        address.state,
        language.country(address.country),
    ]
    return "\n".join(line for line in lines if line)
