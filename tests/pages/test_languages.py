"""All languages say the same things, and every word is used."""

import re
import string
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.pages.languages import LANGUAGES, chosen, language
from domain.kernel.money import EXPONENTS, Currency, Money
from domain.payments.answers import PaymentStatus
from domain.subscriptions.subscription import SubscriptionStatus
from tests.architecture.tree import ROOT

ENGLISH = language("en").words
PAGES = ROOT / "app" / "pages"


def flat(words: Mapping[str, Any], owner: str = "") -> Iterator[tuple[str, str]]:
    for name, text in words.items():
        if isinstance(text, str):
            yield f"{owner}{name}", text
        else:
            yield from flat(text, f"{name}.")


def holes(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("code", LANGUAGES)
def test_each_language_has_the_same_words_with_the_same_holes(code: str):
    theirs = dict(flat(language(code).words))
    ours = dict(flat(ENGLISH))
    assert theirs.keys() == ours.keys()
    for name, text in theirs.items():
        assert holes(text) == holes(ours[name]), (code, name)
        assert text.strip() == text and text, (code, name)


def test_every_word_is_said_somewhere():
    said = "".join(path.read_text() for path in PAGES.rglob("*") if path.suffix in (".py", ".html"))
    made_up = re.compile(r"each_|_text$|_address$|^\w+_words\.")
    unsaid = [
        name for name, _ in flat(ENGLISH) if f'"{name}"' not in said and not made_up.search(name)
    ]
    assert unsaid == []


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_state_that_a_customer_may_see_has_a_word(code: str):
    words = language(code).words
    assert set(words["subscription_words"]) == set(SubscriptionStatus)
    assert set(words["payment_words"]) == {*PaymentStatus, "refunded"}


@given(st.text(max_size=300))
def test_any_header_leads_to_a_language(header: str):
    assert chosen(accepted=header).code in LANGUAGES


@pytest.mark.parametrize("currency", sorted(EXPONENTS))
def test_an_amount_has_the_decimals_that_are_charged(currency: str):
    shown = language("en").money(Money(123_456, Currency(currency)))
    exponent = EXPONENTS[currency]
    whole, _, rest = "".join(c for c in shown if c.isdigit() or c == ".").partition(".")
    assert (int(whole + rest), len(rest)) == (123_456, exponent)


@pytest.mark.parametrize(
    ("code", "shown"),
    [("en", "JP¥900"), ("de", "900 ¥"), ("nl", "JP¥ 900"), ("fr", "900 JPY")],
)
def test_a_currency_without_decimals_has_none(code: str, shown: str):
    text = language(code).money(Money(900, Currency("JPY")))
    assert re.sub(r"\s", " ", text) == shown
