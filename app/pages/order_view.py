"""What a shopper's page says of the order: the seller, what is bought, and what it comes to."""

from msgspec import Struct

from app.pages.languages import Language
from domain.catalog.price import Recurrence
from domain.catalog.quote import quote
from domain.checkout.session import CheckoutSession, Mode
from domain.checkout.show_checkout import Shown
from domain.kernel.money import Money


class Sum(Struct, frozen=True):
    label: str
    amount: str


class OrderView(Struct, frozen=True, kw_only=True):
    seller: str
    title: str
    quantity: int | None
    """None: it goes without saying."""
    notes: tuple[str, ...]
    sums: tuple[Sum, ...]
    """The total last."""


def order_view(shown: Shown, language: Language) -> OrderView:
    session, say = shown.book.session, language.say
    is_owed = session.mode is Mode.RECOVERY
    return OrderView(
        seller=shown.seller,
        title=session.terms.name
        or shown.product_name
        or say("owed" if is_owed else "store_method"),
        quantity=session.quantity if session.quantity > 1 else None,
        notes=tuple(_notes(shown, language)),
        sums=tuple(_sums(shown, language)),
    )


def _notes(shown: Shown, language: Language) -> list[str]:
    session, notes = shown.book.session, []
    if session.trial_days:
        word = "trial_one" if session.trial_days == 1 else "trial"
        notes.append(language.say(word, days=session.trial_days))
    if shown.price is not None and shown.price.recurring is not None:
        notes.append(_each(shown.price.recurring, _period_total(shown), language))
    if not session.amount.total.minor:
        notes.append(language.say("free_now"))
    elif session.is_verification:
        notes.append(language.say("verification", amount=language.money(session.amount.total)))
    return notes


def _each(recurrence: Recurrence, amount: Money, language: Language) -> str:
    shown, count = language.money(amount), recurrence.count
    if count == 1:
        return language.say(f"each_{recurrence.interval}", amount=shown)
    return language.say(f"each_{recurrence.interval}s", amount=shown, count=count)


def _period_total(shown: Shown) -> Money:
    """What a period costs, also where the first payment is another amount."""
    session, price, rate = shown.book.session, shown.price, shown.tax_rate
    assert price is not None
    if not session.is_verification:
        return session.amount.total
    tax = None if rate is None else rate.tax
    if session.collected is not None:
        tax = session.collected.tax
    return quote(price.unit_amount, session.quantity, tax).total


def _sums(shown: Shown, language: Language) -> list[Sum]:
    session, money = shown.book.session, language.money
    total = Sum(language.say("total"), money(session.amount.total))
    if shown.tax_rate is None or session.is_verification:
        return [total]
    return [
        Sum(language.say("subtotal"), money(session.amount.subtotal)),
        Sum(_tax_label(shown, session, language), money(session.amount.tax)),
        total,
    ]


def _tax_label(shown: Shown, session: CheckoutSession, language: Language) -> str:
    rate, collected = shown.tax_rate, session.collected
    assert rate is not None
    if collected is not None and collected.tax is not None and collected.tax.is_reverse_charged:
        return language.say("reverse_charge")
    percentage = str(rate.percentage.decimal())
    if percentage in rate.name.replace(",", "."):
        return rate.name  # such as "VAT 19 %": it says so itself
    return language.say("tax_named", name=rate.name, percentage=percentage)
