"""What an order is checked against: every rule, by itself."""

import dataclasses
from datetime import timedelta
from typing import Any, Final

import pytest
from msgspec.structs import replace

from domain.catalog.quote import Tax, quote
from domain.checkout.order import (
    Ask,
    Order,
    OrderFacts,
    PricedOrder,
    PriceFacts,
    TaxFacts,
)
from domain.checkout.price_order import price_order
from domain.checkout.session import Mode
from domain.kernel.errors import DomainError, Forbidden, Invalid, NotFound, Refused, Violation
from domain.kernel.ids import TenantUuid
from domain.kernel.percent import Percent
from domain.payments.payment_provider import ProviderMode, ProviderName
from domain.payments.ports import Provider
from domain.tenancy.admission import AdmissionFacts
from domain.tenancy.caller import Actor, Scope
from domain.tenancy.tenant import Role
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.provider import FakeProvider
from tests.make import OTHER_TENANT, TENANT, a_tenant, a_uuid, an_account, an_actor, money
from tests.make_checkout import PRICE, TERMS

ONCE: Final = PriceFacts(
    product_name="Pro Plan",
    unit_amount=money(9_99),
    is_recurring=False,
    trial_days=0,
    is_archived=False,
)
MONTHLY: Final = replace(ONCE, is_recurring=True)
VAT: Final = TaxFacts(Tax(Percent(190_000), inclusive=False), False)
MEMBER: Final = an_actor(tenants={TENANT: Role.MEMBER})


def an_order(**said: Any) -> Order:
    usual = {"tenant_uuid": TENANT, "provider": ProviderName.MOLLIE, "mode": Mode.PAYMENT}
    more = {"price_uuid": PRICE, "tax_rate_uuid": None, "currency": None, "terms": TERMS}
    return Order(**usual | more | said)


def the_facts(**said: Any) -> OrderFacts:
    usual = {"admission": AdmissionFacts(app_is_disabled=False), "tenant": a_tenant()}
    return OrderFacts(**usual | {"account": an_account(), "price": ONCE} | said)


PROVIDER: Final = FakeProvider(FakeClock()).provider
"""Takes cards, and stores them by a small payment."""
THRIFTY: Final = dataclasses.replace(
    PROVIDER,
    payment_methods=frozenset({"card", "konbini"}),
    storable_methods=frozenset({"card"}),
    stores_without_charge=True,
)


def priced(
    order: Order | None = None,
    *,
    actor: Actor = MEMBER,
    provider: Provider = PROVIDER,
    **facts: Any,
) -> PricedOrder:
    return price_order(order or an_order(), the_facts(**facts), actor, provider, at=NOON)


def test_the_amount_is_computed_here():
    order = priced(an_order(quantity=3, tax_rate_uuid=a_uuid(7)), tax=VAT)
    assert order.amount.subtotal == money(29_97)
    assert order.amount.tax == money(5_69)
    assert order.amount.total == money(35_66)
    assert order.description == "3 x Pro Plan"
    assert priced().description == "Pro Plan"


def test_a_subscription_takes_a_recurring_price():
    order = priced(an_order(mode=Mode.SUBSCRIPTION), price=MONTHLY)
    assert order.amount.total == money(9_99)


def test_a_trial_costs_what_a_setup_costs():
    trial = replace(MONTHLY, trial_days=14, unit_amount=money(500, "JPY"))
    order = priced(an_order(mode=Mode.SUBSCRIPTION, quantity=3), price=trial)
    assert (order.amount.total, order.amount.tax) == (money(1, "JPY"), money(0, "JPY"))
    assert order.trial_days == 14
    assert order.description == "3 x Pro Plan: card verification, refunded at once"


def test_a_free_price_can_be_tried_out_but_not_bought():
    free = replace(MONTHLY, trial_days=14, unit_amount=money(0))
    assert priced(an_order(mode=Mode.SUBSCRIPTION), price=free).amount.total == money(1_00)
    with pytest.raises(Refused, match="free"):
        priced(an_order(mode=Mode.SUBSCRIPTION), price=replace(free, trial_days=0))


def test_what_is_open_is_charged_as_it_stands():
    owed = quote(money(20_00), 1, VAT.tax)
    recovery = an_order(mode=Mode.RECOVERY, price_uuid=None, open_amount=owed)
    assert priced(recovery, price=None).amount == owed


@pytest.mark.parametrize(("code", "minor"), [("EUR", 1_00), ("JPY", 1)])
def test_a_setup_charges_one_whole_unit(code: str, minor: int):
    setup = an_order(mode=Mode.SETUP, price_uuid=None, currency=code)
    assert priced(setup, price=None).amount.total == money(minor, code)


def test_a_setup_charges_what_the_account_says():
    setup = an_order(mode=Mode.SETUP, price_uuid=None, currency="EUR")
    account = an_account(verification_amount_minor=5)
    assert priced(setup, price=None, account=account).amount.total == money(5)


def test_a_setup_costs_nothing_where_nothing_has_to_be_charged():
    setup = an_order(mode=Mode.SETUP, price_uuid=None, currency="EUR")
    account = an_account(verification_amount_minor=5)
    order = priced(setup, price=None, account=account, provider=THRIFTY)
    assert (order.amount.total, order.description) == (
        money(0),
        "Card verification, nothing is charged",
    )
    trial = an_order(mode=Mode.SUBSCRIPTION)
    order = priced(trial, price=replace(MONTHLY, trial_days=14), provider=THRIFTY)
    assert (order.amount.total, order.trial_days) == (money(0), 14)


@pytest.mark.parametrize(
    ("method", "mode", "provider", "message"),
    [
        ("konbini", Mode.PAYMENT, PROVIDER, "mollie does not take konbini"),
        ("konbini", Mode.SETUP, THRIFTY, "konbini cannot be charged again, as mode setup needs"),
        (
            "konbini",
            Mode.SUBSCRIPTION,
            THRIFTY,
            "konbini cannot be charged again, as mode subscription needs",
        ),
    ],
)
def test_a_payment_method_is_one_that_the_provider_takes(
    method: str, mode: Mode, provider: Provider, message: str
):
    order = an_order(mode=mode, terms=replace(TERMS, payment_method=method), currency="EUR")
    with pytest.raises(Invalid) as caught:
        priced(order, provider=provider, price=MONTHLY)
    assert caught.value.violations == (Violation(message, "paymentMethod"),)


def test_cash_buys_once():
    order = an_order(terms=replace(TERMS, payment_method="konbini"))
    assert priced(order, provider=THRIFTY).amount.total == money(9_99)


@pytest.mark.parametrize(
    ("order", "facts", "error", "field"),
    [
        ({}, {"tenant": None}, NotFound, None),
        ({}, {"account": None}, NotFound, None),
        ({}, {"price": None}, NotFound, None),
        ({}, {"price": replace(ONCE, is_archived=True)}, Refused, "productPriceUuid"),
        ({}, {"price": MONTHLY}, Refused, "productPriceUuid"),
        ({"mode": Mode.SUBSCRIPTION}, {}, Refused, "productPriceUuid"),
        ({}, {"price": replace(ONCE, unit_amount=money(0))}, Refused, "productPriceUuid"),
        ({"currency": "USD"}, {}, Refused, "currency"),
        ({"tax_rate_uuid": a_uuid(7)}, {}, NotFound, None),
        ({"tax_rate_uuid": a_uuid(7)}, {"tax": TaxFacts(VAT.tax, True)}, Refused, "taxRateUuid"),
    ],
)
def test_every_rule_refuses_by_itself(
    order: dict[str, Any], facts: dict[str, Any], error: type[DomainError], field: str | None
):
    with pytest.raises(error) as refused:
        priced(an_order(**order), **facts)
    assert getattr(refused.value, "field", None) == field


def test_naming_the_prices_own_currency_is_fine():
    assert priced(an_order(currency="EUR")).amount.total == money(9_99)


def test_another_tenant_does_not_exist_for_a_member():
    with pytest.raises(NotFound, match="tenant"):
        priced(an_order(tenant_uuid=TenantUuid(OTHER_TENANT)))


def test_an_admin_of_the_app_bills_every_tenant():
    assert priced(actor=an_actor(Scope.BILLING_WRITE)).amount.total == money(9_99)
    with pytest.raises(Forbidden, match="billing:write"):
        priced(actor=an_actor(Scope.BILLING_READ))


LIVE: Final = {"account": an_account(mode=ProviderMode.LIVE)}
LISTED: Final = {"allowed_hosts": ("app.test",)}


@pytest.mark.parametrize(
    ("url", "facts", "is_fine"),
    [
        ("https://anywhere.test/ok", {}, True),
        ("https://app.test/ok", LISTED, True),
        ("https://APP.TEST/ok", LISTED, True),
        ("https://app.test:8443/ok", LISTED, True),
        ("https://app.test.evil.test/ok", LISTED, False),
        ("https://sub.app.test/ok", LISTED, False),
        ("https://app.test@evil.test/ok", LISTED, False),
        ("http://localhost:3000/ok", {}, True),
        ("http://127.0.0.1/ok", {}, True),
        ("http://[::1]:3000/ok", {}, True),
        ("http://localhost:3000/ok", LIVE, False),
        ("http://app.test/ok", {}, False),
        ("http://app.test/ok", LISTED, False),
        ("http://localhost.evil.test/ok", {}, False),
    ],
)
def test_where_the_shopper_may_be_sent(url: str, facts: dict[str, Any], is_fine: bool):
    home = "https://app.test"
    for field, terms in (
        ("successUrl", replace(TERMS, success_url=url, cancel_url=home)),
        ("cancelUrl", replace(TERMS, success_url=home, cancel_url=url)),
    ):
        if is_fine:
            priced(an_order(terms=terms), **facts)
            continue
        with pytest.raises(Invalid) as invalid:
            priced(an_order(terms=terms), **facts)
        assert [violation.field for violation in invalid.value.violations] == [field]


def test_both_addresses_are_blamed_at_once():
    terms = replace(TERMS, success_url="http://a.test", cancel_url="http://b.test")
    with pytest.raises(Invalid) as invalid:
        priced(an_order(terms=terms))
    assert [v.field for v in invalid.value.violations] == ["successUrl", "cancelUrl"]


def test_a_request_without_a_key_is_known_by_what_it_says():
    ask = Ask(operation="open", key=None, fingerprint=b"\x01\x02")
    assert ask.stored_key == "·0102"
    assert replace(ask, key="mine").stored_key == "mine"
    assert an_order().lifetime == timedelta(hours=24)


@pytest.mark.parametrize(
    ("mode", "is_usable", "why"),
    [
        (ProviderMode.LIVE, True, "live account"),
        (ProviderMode.TEST, False, "deleted"),
    ],
)
def test_who_lives_by_a_test_clock_pays_at_a_test_account_while_there_is_the_clock(
    mode: ProviderMode, is_usable: bool, why: str
):
    by_clock = a_tenant(test_clock_uuid=a_uuid(91))
    account = an_account(mode=mode)
    for order in (an_order(), an_order(mode=Mode.SETUP, currency="EUR", price_uuid=None)):
        with pytest.raises(Refused, match=why) as refused:
            priced(order, tenant=by_clock, account=account, clock_is_usable=is_usable)
        assert refused.value.field == "tenantUuid"
    assert priced(tenant=by_clock, account=an_account(mode=ProviderMode.TEST))
    assert priced(account=account, clock_is_usable=is_usable)


def test_all_that_is_wrong_is_told_at_once():
    terms = replace(
        TERMS,
        success_url="https://elsewhere.test/ok",
        cancel_url="http://app.test/no",
        payment_method="barter",
        locale="xx_XX",
    )
    with pytest.raises(Invalid) as refused:
        priced(an_order(terms=terms), allowed_hosts=("app.test",))
    fields = {violation.field for violation in refused.value.violations}
    assert fields == {"successUrl", "cancelUrl", "paymentMethod", "locale"}
