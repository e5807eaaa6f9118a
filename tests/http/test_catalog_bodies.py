"""What catalog and account requests may say, and that every mistake in them is told at once."""

from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.catalog.price_schemas import CreatePriceBody, UpdatePriceBody
from app.catalog.product_schemas import CreateProductBody, UpdateProductBody
from app.catalog.tax_rate_schemas import CreateTaxRateBody, TaxRateView, UpdateTaxRateBody
from app.http.bodies import Body, mistakes
from app.http.envelope import ENCODER
from app.payments.providers_schemas import CreateProviderBody, ProviderView, UpdateProviderBody
from domain.catalog.price import Interval, Recurrence
from domain.kernel.change import given as fields_given
from domain.kernel.percent import HUNDRED, Percent
from tests.make import GERMANY, a_tax_rate, an_account, money

PRICE = {"unitAmount": 999, "currency": "EUR"}
RATE = {"name": "VAT", "percentage": 19, "inclusive": False, "countryCode": "DE"}


def wrong(kind: type[Body], body: dict[str, Any]) -> dict[str | None, str]:
    """Field and message of every mistake; the decoder must agree that there is one."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(body), type=kind)
    return {violation.field: violation.message for violation in mistakes(kind, body)}


def right(kind: type[Body], body: dict[str, Any]) -> Any:
    assert list(mistakes(kind, body)) == []
    return msgspec.json.decode(msgspec.json.encode(body), type=kind)


@pytest.mark.parametrize(
    ("said", "fields"),
    [
        ({"unitAmount": "999"}, {"unitAmount"}),
        ({"unitAmount": 9.99}, {"unitAmount"}),
        ({"unitAmount": 999.0}, {"unitAmount"}),
        ({"unitAmount": -1}, {"unitAmount"}),
        ({"unitAmount": 99_999_999_99 + 1}, {"unitAmount"}),
        ({"unitAmount": True}, {"unitAmount"}),
        ({"currency": "eur"}, {"currency"}),
        ({"currency": "XTS"}, {"currency"}),
        ({"recurring": True}, {"recurringInterval"}),
        ({"recurringInterval": "month"}, {"recurringInterval"}),
        ({"recurringIntervalCount": 2, "trialDays": 7}, {"recurringIntervalCount", "trialDays"}),
        ({"recurring": True, "recurringInterval": "fortnight"}, {"recurringInterval"}),
        (
            {"recurring": True, "recurringInterval": "day", "recurringIntervalCount": 366},
            {"recurringIntervalCount"},
        ),
        (
            {"recurring": True, "recurringInterval": "day", "recurringIntervalCount": 0},
            {"recurringIntervalCount"},
        ),
        ({"recurring": True, "recurringInterval": "day", "trialDays": 731}, {"trialDays"}),
        ({"metadata": {str(n): n for n in range(51)}}, {"metadata"}),
        ({"metadata": {"a": "x" * 1024}}, {"metadata"}),
        ({"metadata": [1]}, {"metadata"}),
        ({"lookupKey": ""}, {"lookupKey"}),
        ({"lookupKey": "x" * 201}, {"lookupKey"}),
        ({"paymentProviderUuid": "pp_1"}, {"paymentProviderUuid"}),
        ({"amount": 1}, {"amount"}),
    ],
)
def test_a_price_that_cannot_be_is_told_which_field_is_wrong(
    said: dict[str, Any], fields: set[str]
):
    assert wrong(CreatePriceBody, PRICE | said).keys() == fields


def test_a_recurring_price_recurs_every_single_interval_unless_told():
    body = right(CreatePriceBody, PRICE | {"recurring": True, "recurringInterval": "month"})
    assert body.new().recurring == Recurrence(Interval.MONTH, 1)
    assert body.new().unit_amount == money(9_99)


def test_the_largest_amount_and_a_full_metadata_are_fine():
    said = {"unitAmount": 99_999_999_99, "metadata": {str(n): n for n in range(50)}}
    assert right(CreatePriceBody, PRICE | said).new().unit_amount == money(99_999_999_99)


def test_all_mistakes_of_a_product_are_told_at_once_down_to_its_prices_and_images():
    body = {
        "name": "",
        "url": "ftp://a.example",
        "shippable": "yes",
        "packageDimensionWeight": -1,
        "prices": [{"currency": "EUR"}, PRICE | {"recurring": True}],
        "images": [{"url": "https://a.example"}, {"url": 1}, {"url": "https://a.example", "x": 1}],
        "colour": "red",
    }
    assert wrong(CreateProductBody, body).keys() == {
        "name",
        "url",
        "shippable",
        "packageDimensionWeight",
        "prices[0].unitAmount",
        "prices[1].recurringInterval",
        "images[1].url",
        "images[2].x",
        "colour",
    }


def test_one_request_cannot_ask_for_too_much():
    body = {
        "name": "Pro",
        "prices": [PRICE] * 51,
        "images": [{"url": "https://a.example"}] * 21,
    }
    assert wrong(CreateProductBody, body).keys() == {"prices", "images"}


def test_a_lookup_key_is_given_once():
    keyed = PRICE | {"lookupKey": "pro"}
    body = {"name": "Pro", "prices": [keyed, PRICE, keyed, PRICE]}
    assert wrong(CreateProductBody, body).keys() == {"prices[2].lookupKey"}


def test_a_product_needs_no_more_than_a_name():
    new = right(CreateProductBody, {"name": "Pro"}).new()
    assert (new.name, new.shippable, new.prices, new.image_urls) == ("Pro", False, (), ())


def test_an_update_carries_what_was_sent_and_nothing_else():
    body = right(UpdateProductBody, {"url": None, "images": [{"url": "https://a.example"}]})
    assert fields_given(body.change()) == {"url": None, "image_urls": ("https://a.example",)}
    assert fields_given(right(UpdatePriceBody, {"nickname": "x"}).edit().change) == {
        "nickname": "x"
    }
    assert fields_given(right(UpdatePriceBody, {"recurring": True}).edit().facts) == {
        "recurring": True
    }
    assert fields_given(right(UpdateProviderBody, {"isDefault": True}).change()) == {
        "is_default": True
    }


def test_an_update_has_rules_too():
    images = [{"url": "https://a.example"}, {"url": "javascript:alert(1)"}]
    body = {"name": None, "images": images, "prices": []}
    assert wrong(UpdateProductBody, body).keys() == {"name", "images[1].url", "prices"}


@pytest.mark.parametrize("number", [19, 8.1, 0, 100, 0.0001, 99.9999, 26.50])
def test_a_percentage_is_a_number_kept_exactly(number: float):
    new = right(CreateTaxRateBody, RATE | {"percentage": number}).new()
    assert str(new.percentage.decimal()) == f"{number:g}"
    assert new.country == "DE"


@pytest.mark.parametrize("number", ["19", -1, 100.0001, 8.12345, 1e-7, True, None, [19]])
def test_what_is_no_percentage_is_told(number: object):
    assert wrong(CreateTaxRateBody, RATE | {"percentage": number}).keys() == {"percentage"}
    assert wrong(UpdateTaxRateBody, {"percentage": number}).keys() == {"percentage"}


@pytest.mark.parametrize("text", [b"1e400", b"-1e400", b"NaN", b"Infinity"])
def test_what_is_not_even_a_json_number_does_not_decode(text: bytes):
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(b'{"percentage":' + text + b"}", type=UpdateTaxRateBody)


@given(st.integers(0, HUNDRED))
def test_every_percentage_comes_back_with_the_digits_that_were_sent(e4: int):
    view = ENCODER.encode(TaxRateView.of(a_tax_rate(percentage=Percent(e4))))
    sent = msgspec.json.decode(view, type=dict[str, msgspec.Raw])["percentage"]
    assert bytes(sent).decode() == f"{Percent(e4).decimal():f}"
    body = b'{"percentage":' + bytes(sent) + b"}"
    facts = msgspec.json.decode(body, type=UpdateTaxRateBody).edit().facts
    assert facts.percentage == Percent(e4)


def test_a_tax_rate_needs_a_country_said_in_one_way():
    nowhere = {name: value for name, value in RATE.items() if name != "countryCode"}
    assert wrong(CreateTaxRateBody, nowhere).keys() == {"countryUuid"}
    twice = RATE | {"countryUuid": str(GERMANY.uuid)}
    assert wrong(CreateTaxRateBody, twice).keys() == {"countryCode"}
    assert wrong(CreateTaxRateBody, RATE | {"countryCode": "Germany"}).keys() == {"countryCode"}
    by_uuid = right(CreateTaxRateBody, nowhere | {"countryUuid": str(GERMANY.uuid)})
    assert by_uuid.new().country == UUID(bytes=GERMANY.uuid.bytes)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (
            {"name": "komoju", "credential": "sk_123456789", "webhookSecret": "short"},
            {"webhookSecret"},
        ),
        ({"name": "paypal", "credential": "short"}, {"name", "credential"}),
        ({"name": "mollie", "credential": "test_12345 6789"}, {"credential"}),
        ({"name": "mollie"}, {"credential"}),
        (
            {"name": "mollie", "credential": "test_123456789", "verificationAmount": 0},
            {"verificationAmount"},
        ),
    ],
)
def test_an_account_that_cannot_be_is_told_which_field_is_wrong(
    body: dict[str, Any], fields: set[str]
):
    told = wrong(CreateProviderBody, body)
    assert told.keys() == fields
    assert "123456789" not in str(told)


def test_a_view_of_an_account_shows_four_letters_of_its_credential():
    view = ENCODER.encode(ProviderView.of(an_account(credential_sealed=b"sealed", id=3)))
    assert b"sealed" not in view
    assert msgspec.json.decode(view)["credentialHint"] == "...abcd"
