"""The life of a checkout session: every pair of states."""

from datetime import timedelta
from itertools import product
from typing import Final

import pytest
from msgspec.structs import replace

from domain.checkout.direct import Direct
from domain.checkout.session import IllegalMove, SessionStatus, move
from domain.payments.address import Address
from domain.payments.payment_details import PaymentDetails
from tests.fakes.clock import NOON
from tests.make_checkout import SESSION, TERMS, a_session

LATER: Final = NOON + timedelta(minutes=1)
LEGAL: Final = {
    ("open", "processing"): "checkout_session.processing",
    ("open", "complete"): "checkout_session.completed",
    ("open", "expired"): "checkout_session.expired",
    ("open", "failed"): "checkout_session.failed",
    ("processing", "open"): "checkout_session.reopened",
    ("processing", "complete"): "checkout_session.completed",
    ("processing", "expired"): "checkout_session.expired",
    ("processing", "failed"): "checkout_session.failed",
}


@pytest.mark.parametrize(("old", "new"), list(product(SessionStatus, repeat=2)))
def test_every_pair_of_states_is_decided(old: SessionStatus, new: SessionStatus):
    before = a_session(status=old)
    if old is new:
        assert move(before, new, at=LATER) == (before, ())
    elif (old, new) in LEGAL:
        after, (event,) = move(before, new, at=LATER)
        assert (after.status, after.updated_at) == (new, LATER)
        assert event.type == LEGAL[old, new]
        assert event.aggregate_uuid == SESSION
    else:
        with pytest.raises(IllegalMove, match=f"is {old}; it cannot become {new}"):
            move(before, new, at=LATER)


@pytest.mark.parametrize("to", SessionStatus)
def test_what_sold_nothing_forgets_the_payers_addresses(to: SessionStatus):
    address = Address(given_name="Jane", family_name="Smith", line1="Damrak 1", country="NL")
    amount, details = a_session().amount, PaymentDetails(billing=address)
    direct = Direct(description="Order 1", amount=amount, details=details)
    before = a_session(status=SessionStatus.PROCESSING, terms=replace(TERMS, direct=direct))
    after, _ = move(before, to, at=LATER)
    assert after.terms.direct is not None
    is_kept = to not in (SessionStatus.EXPIRED, SessionStatus.FAILED)
    assert (after.terms.direct.details.billing == address) is is_kept


def test_the_event_says_who_and_how_much_and_names_nobody():
    _, (event,) = move(a_session(), SessionStatus.COMPLETE, at=LATER)
    assert event.facts["amountTotal"] == 11_89
    assert event.facts["currency"] == "EUR"
    assert not {"email", "name", "success_url"} & set(event.facts)


def test_the_apps_urls_get_the_sessions_uuid():
    session = a_session()
    assert session.success_url == f"https://app.test/{SESSION}/ok"
    assert session.cancel_url == f"https://app.test/{SESSION}/no"
