"""What the client for KOMOJU sends, and what it makes of everything that can be answered."""

import asyncio
import base64
import json
from typing import Any, Final

import pytest
from msgspec.structs import replace

from domain.kernel.errors import (
    CredentialRefused,
    ProviderBusy,
    ProviderUnavailable,
    ProviderUnreadable,
)
from domain.kernel.money import Money, currency
from domain.payments.answers import Declined, ProviderPayment
from domain.payments.payment_provider import ProviderMode
from infrastructure.komoju.client import API_VERSION, KEY_CHARS_MAX, key_of
from tests.infrastructure.komoju_setting import (
    CHARGE,
    IDS,
    ORDER,
    SECRET,
    SHORT_S,
    komoju_answers,
    payment,
    problem,
    session,
)
from tests.infrastructure.mollie_setting import outcome_of
from tests.infrastructure.scripted_server import Script, answer, hang_up, raw, silence

HTML: Final = b"<html><body>Bad gateway, or a hotel's wireless network</body></html>"
NOT_AVAILABLE: Final[dict[str, Script]] = {
    "hangs up": hang_up,
    "speaks no HTTP": raw(b"SSH-2.0-OpenSSH\r\n\r\n"),
    **{f"says {status}": answer(status, problem()) for status in (408, 409, 425)},
    **{f"says {status}": answer(status, HTML) for status in (500, 502, 503, 504)},
}
NO_SENSE: Final[dict[str, Script]] = {
    "redirects": answer(302, b"", "Location: http://127.0.0.1:1/"),
    "says that the key is another request's": answer(
        422, problem(message="This X-KOMOJU-IDEMPOTENCY has been used for another request")
    ),
    "says 404 in HTML": answer(404, HTML),
    "says 422 in HTML": answer(422, HTML),
    "says 422 without a word": answer(422, b"{}"),
    "is empty": answer(200),
    "says 204": raw(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "is HTML": answer(200, HTML),
    "is cut JSON": answer(200, session()[:-20]),
    "is not UTF-8": answer(200, session().replace(b"credit_card", b"\xff\xfe")),
    "is a list": answer(200, b"[]"),
    "is deep": answer(200, session(metadata="?").replace(b'"?"', b"[" * 9000 + b"]" * 9000)),
    "has a float for an amount": answer(200, session(amount=4900.5)),
    "has a text for an amount": answer(200, session(amount="4900")),
    "has a negative amount": answer(200, session(amount=-1)),
    "has no currency": answer(200, session(currency="-")),
    "has an unknown currency": answer(200, session(currency="XTS")),
    "has an unknown status": answer(200, session(status="teleported")),
    "has an unknown mode": answer(200, session(mode="gift")),
    "does not say whether it has expired": answer(200, session(expired="-")),
    "has no time zone": answer(200, session(created_at="2026-03-20T12:00:00")),
    "links to a script": answer(200, session(session_url="javascript:alert(1)")),
    "is another amount's": answer(200, session(amount=1)),
    "is another currency's": answer(200, session(currency="KRW")),
    "is another mode's": answer(200, session(mode="customer_payment")),
    "is another attempt's": answer(200, session(metadata={"attempt": str(IDS.new())})),
    "is nobody's": answer(200, session(metadata={})),
}


@pytest.mark.parametrize("fault", sorted(NOT_AVAILABLE))
async def test_what_became_of_it_is_not_known(fault: str):
    async with komoju_answers(NOT_AVAILABLE[fault]) as setting:
        assert await outcome_of(setting.create()) is ProviderUnavailable
        assert await outcome_of(setting.get()) is ProviderUnavailable


async def test_nobody_waits_for_longer_than_the_time_that_there_is():
    async with komoju_answers(silence, timeout_s=SHORT_S) as setting:
        assert await outcome_of(setting.create()) is ProviderUnavailable


@pytest.mark.parametrize("fault", sorted(NO_SENSE))
async def test_what_makes_no_sense_is_no_answer(fault: str):
    async with komoju_answers(NO_SENSE[fault]) as setting:
        assert await outcome_of(setting.create()) is ProviderUnreadable


@pytest.mark.parametrize("status", [401, 403])
async def test_who_is_not_let_in_is_told_so(status: int):
    async with komoju_answers(answer(status, problem())) as setting:
        assert await outcome_of(setting.create()) is CredentialRefused
        assert await outcome_of(setting.provider.access.check(setting.account)) is CredentialRefused


@pytest.mark.parametrize(("header", "seconds"), [("Retry-After: 7", 7), ("X: y", 1)])
async def test_too_much_is_not_a_no(header: str, seconds: int):
    async with komoju_answers(answer(429, problem(), header)) as setting:
        with pytest.raises(ProviderBusy) as busy:
            await setting.create()
        assert busy.value.retry_after_s == seconds
        # The next call of this account waits; another's does not.
        assert setting.provider.budget.wait_s(setting.account.uuid) > 0
        assert setting.provider.budget.wait_s(IDS.new()) == 0


@pytest.mark.parametrize(("status", "param"), [(400, None), (422, "amount"), (422, None)])
async def test_a_considered_no_is_an_answer(status: int, param: str | None):
    no = answer(status, problem(message="Too little", param=param))
    async with komoju_answers(no) as setting:
        assert await setting.create() == Declined("Too little", param)


async def test_what_is_not_there_is_gone():
    async with komoju_answers(answer(404, problem("not_found", "There is none"))) as setting:
        assert await setting.get() is None
        assert await setting.create() == Declined("There is none", is_gone=True)


async def test_a_charge_of_a_customer_who_is_not_there_is_gone():
    no = answer(422, problem(message="There is no customer", param="customer"))
    async with komoju_answers(no) as setting:
        assert await setting.create(CHARGE) == Declined(
            "There is no customer", "customer", is_gone=True
        )


async def test_a_long_excuse_is_cut():
    async with komoju_answers(answer(422, problem(message="x" * 5000))) as setting:
        said = await setting.create()
    assert isinstance(said, Declined) and len(said.reason) == 200


async def test_a_currency_that_is_not_taken_is_not_asked_about():
    async with komoju_answers(answer(200, session())) as setting:
        said = await setting.create(replace(ORDER, amount=Money(500, currency("HUF"))))
    assert said == Declined("komoju takes no payments in HUF", "currency")
    assert setting.server.requests == []


def sent(request: bytes) -> tuple[list[str], Any]:
    head, _, body = request.partition(b"\r\n\r\n")
    return head.decode().lower().split("\r\n"), json.loads(body)


async def test_a_session_is_asked_for_as_it_was_rendered():
    async with komoju_answers(answer(200, session())) as setting:
        made = await setting.create()
        rendered = setting.provider.payments.render(ORDER)
    lines, body = sent(setting.server.requests[0])
    assert isinstance(made, ProviderPayment) and made.ref == "session_ses1"
    assert setting.server.requests[0].endswith(b"\r\n\r\n" + rendered)
    basic = base64.b64encode(f"{SECRET}:".encode()).decode().lower()
    assert lines[0] == "post /api/v1/sessions http/1.1"
    assert f"authorization: basic {basic}" in lines
    assert f"x-komoju-api-version: {API_VERSION}" in lines
    assert f"x-komoju-idempotency: session:{ORDER.attempt_uuid}" in lines
    assert body["expires_in_seconds"] == 3600


async def test_a_charge_is_asked_for_under_a_key_of_its_own():
    made = payment(session=None, customer="cus1")
    async with komoju_answers(answer(200, made)) as setting:
        seen = await setting.create(CHARGE)
    lines, body = sent(setting.server.requests[0])
    assert isinstance(seen, ProviderPayment) and seen.ref == "payment_pay1"
    assert lines[0] == "post /api/v1/payments http/1.1"
    assert f"x-komoju-idempotency: charge:{CHARGE.attempt_uuid}" in lines
    assert (body["customer"], body["external_order_num"]) == ("cus1", str(CHARGE.attempt_uuid))


async def test_a_charge_of_somebody_else_is_not_believed():
    async with komoju_answers(answer(200, payment(session=None, customer="cus2"))) as setting:
        assert await outcome_of(setting.create(CHARGE)) is ProviderUnreadable


@pytest.mark.parametrize("operation", ["session", "charge", "refund"])
def test_a_key_is_short_and_ascii(operation: str):
    key = key_of(operation, IDS.new())
    assert key.isascii() and len(key) <= KEY_CHARS_MAX


@pytest.mark.parametrize(
    "ref",
    ["", ".", "session_", "payment_../x", "session_a/b", "session_a?b", "tr_1", "customer_1",
     "session_a\n", "session_" + "a" * 65],
)  # fmt: skip
async def test_a_reference_cannot_bend_the_path(ref: str):
    async with komoju_answers(answer(200, session())) as setting:
        payments, account = setting.provider.payments, setting.account
        assert await payments.get(account, ref) is None
        assert isinstance(await payments.cancel(account, ref), Declined)
        assert await setting.provider.mandates.get(account, "x", f"../{ref}") is None
    assert setting.server.requests == []


async def test_a_credential_of_the_other_mode_is_not_even_sent():
    async with komoju_answers(answer(200, session())) as setting:
        live = replace(setting.account, mode=ProviderMode.LIVE)
        assert await outcome_of(setting.provider.payments.get(live, "session_ses1")) is (
            CredentialRefused
        )
    assert setting.server.requests == []


async def test_another_object_than_was_asked_for_is_not_believed():
    async with komoju_answers(answer(200, session(id="ses2"))) as setting:
        assert await outcome_of(setting.get()) is ProviderUnreadable


async def test_of_several_tries_the_one_that_tells_most_is_found():
    """Even where the shopper paid in a currency that we do not know."""
    tries = [
        json.loads(payment(id="pay3", status="failed")),
        json.loads(payment(id="pay2", status="captured", currency="VND", session="ses2")),
        json.loads(payment(id="pay1", status="expired")),
    ]
    asked: list[bytes] = []

    async def script(writer: asyncio.StreamWriter) -> None:
        page = json.dumps({"page": 1, "last_page": 1, "data": tries}).encode()
        await answer(200, page if not asked else session(id="ses2"))(writer)
        asked.append(b"")

    async with komoju_answers(script) as setting:
        found = await setting.provider.payments.find(
            setting.account, ORDER.attempt_uuid, since=setting.account.created_at
        )
    assert found is not None and found.ref == "session_ses2"


@pytest.mark.parametrize(
    "page",
    [
        {"page": 1, "data": []},
        {"page": 2, "last_page": 2, "data": []},
        {"last_page": 1, "data": []},
        {"page": 1, "last_page": 1},
        [],
    ],
)
async def test_a_list_that_does_not_say_how_far_it_goes_is_not_read(page: Any):
    async with komoju_answers(answer(200, json.dumps(page).encode())) as setting:
        find = setting.provider.payments.find(
            setting.account, ORDER.attempt_uuid, since=setting.account.created_at
        )
        assert await outcome_of(find) is ProviderUnreadable


async def test_a_list_without_an_end_is_given_up():
    """It says on every page that there is another; each is asked for by its own number."""
    endless = json.dumps({"page": 1, "last_page": 9, "data": []}).encode()
    async with komoju_answers(answer(200, endless)) as setting:
        find = setting.provider.payments.find(
            setting.account, ORDER.attempt_uuid, since=setting.account.created_at
        )
        assert await outcome_of(find) is ProviderUnreadable
    assert len(setting.server.requests) == 2
