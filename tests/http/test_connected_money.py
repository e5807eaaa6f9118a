"""Money on an account that a merchant has connected: all as with a key, and what is different."""

from typing import Any, Final
from uuid import UUID

import pytest

from app.cli.audit_provider import ProviderAudit
from app.parts import Parts
from app.settings import Settings
from bench.request import checkout
from bench.round_trips import counter
from domain.kernel.errors import CredentialRefused
from domain.payments.application_fee import ApplicationFee
from infrastructure.postgres.audit import AuditTx
from infrastructure.postgres.database import Database
from tests.http.house import CLOCK, House, Json, code, problems
from tests.http.merchant import Merchant
from tests.http.street import HOOK, Street
from tests.http.test_audit import WEEK
from tests.http.test_round_trips import facts_of
from tests.http.till import ASKED, Till

FEE: Final = ApplicationFee(basis_points=150, fixed_minor={"EUR": 25}, description="Platform fee")


async def at_mollie(till: Till | Street, ref: str) -> Json:
    found = (await till.sandbox.get("/_control/payments")).json()["items"]
    (payment,) = [payment for payment in found if payment["id"] == ref]
    return dict(payment)


async def takes_a_fee(house: House, fee: ApplicationFee) -> None:
    async with house.database.begin(house.app.app_uuid) as tx:
        account = await tx.payment_providers.get_for_update(UUID(house.app.ids["account"]))
        changed = {name: getattr(account, name) for name in account.__struct_fields__}
        await tx.payment_providers.save(type(account)(**changed | {"application_fee": fee}))


async def recovers(parts: Parts, house: House) -> None:
    """As a worker does, with what nobody has concluded, once its lease is over."""
    before = "now() - interval '1 second'"
    found = await house.connection.fetch(
        f"""
        update payment_attempts set lease_until = {before}, due_at = {before}
         where status = 'submitting' returning uuid
        """
    )
    assert len(found) == 1
    assert await parts.recover()(house.app.app_uuid, found[0]["uuid"]) is None


async def test_what_is_sold_refunded_renewed_and_charged_back_is_as_with_a_key(
    merchant: Merchant, till: Till, settings: Settings
):
    account = await merchant.connects()
    sold = await till.sold()
    assert sold["paymentProviderUuid"] == account["uuid"]
    refund = await till.send(await till.refunded(sold, "a-key", amount=1000))
    assert refund["status"] in ("queued", "pending", "refunded")
    first = await till.subscribed()
    renewed = await till.renewed()
    assert (first["status"], renewed["status"]) == ("paid", "paid")
    assert renewed["sequenceType"] == "recurring"
    await till.charged_back(renewed)
    (taken,) = await till.all(f"/payments/{renewed['uuid']}/chargebacks")
    assert taken["amount"] == renewed["amount"]
    for payment in (sold, renewed):
        seen = await at_mollie(till, payment["paymentId"])
        assert (seen["mode"], seen["profileId"]) == ("test", account["profileId"])
    sweep = till.parts.sweep()
    assert await sweep(till.house.app.app_uuid, UUID(account["uuid"])) is None
    audit: Database[AuditTx] = Database(settings.database_url, AuditTx, pool_size=1)
    async with audit.open():
        async with audit.begin(till.house.app.app_uuid) as tx:
            connected = await tx.payment_providers.get(UUID(account["uuid"]))
        compare = ProviderAudit(audit, till.parts.providers, CLOCK)
        assert await compare.differences(connected, WEEK) == []


async def test_a_charge_goes_on_when_the_hour_of_the_token_is_over(merchant: Merchant, till: Till):
    await merchant.connects()
    await till.subscribed()
    await till.control("/clock", {"advanceSeconds": 3700})
    assert (await till.renewed())["status"] == "paid"
    (grant,) = await merchant.grants()
    assert len(grant["accessTokens"]) == 2


async def test_a_fee_is_taken_of_what_is_sold_and_renewed_and_not_of_what_is_given_back(
    merchant: Merchant, till: Till
):
    await merchant.connects()
    await takes_a_fee(till.house, FEE)
    sold, first = await till.sold(), await till.subscribed()
    renewed = await till.renewed()
    setup = {"mode": "setup", "productPriceUuid": ..., "currency": "EUR"}
    stored = await till.house.bought(**setup)

    async def fee_of(ref: str) -> Any:
        return (await at_mollie(till, ref)).get("applicationFee")

    def said(value: str) -> Json:
        amount = {"currency": "EUR", "value": value}
        return {"amount": amount, "description": "Platform fee"}

    assert sold["amount"] == 5831  # 1.5 % of it are 0.87465
    assert await fee_of(sold["paymentId"]) == said("1.12")
    # 1.5 % of 11.89 are 0.17835, of each of them.
    assert await fee_of(first["paymentId"]) == said("0.43")
    assert await fee_of(renewed["paymentId"]) == said("0.43")
    assert await fee_of(stored["sessionId"]) is None


async def test_a_fee_is_fixed_with_the_request_that_it_belongs_to(merchant: Merchant, till: Till):
    await merchant.connects()
    await till.house.bought()
    await takes_a_fee(till.house, FEE)
    await till.control("/faults", {"operation": "createPayment", "kind": "timeoutBeforeCommit"})
    assert (await till.house.buy(clientReferenceId="another")).status_code == 503
    await takes_a_fee(till.house, ApplicationFee(basis_points=0, fixed_minor={}, description="x"))
    await recovers(till.parts, till.house)
    newest, *_ = (await till.sandbox.get("/_control/payments")).json()["items"]
    assert newest["applicationFee"]["amount"]["value"] == "0.99"


async def test_a_checkout_has_the_same_budget_on_a_connected_account(
    merchant: Merchant, settings: Settings
):
    await merchant.connects()
    # Right after a token has come there is one call more: a look for what another was sent with.
    await merchant.house.connection.execute(
        "update provider_grants set access_since = access_since - interval '1 minute'"
    )
    async with counter(settings) as counting:
        count = await counting.count(checkout(facts_of(merchant.house), has_key=True), "test")
    assert count.is_within_budget
    assert (count.provider_calls, count.before.statements <= 2) == (1, True)


async def test_a_payment_that_is_open_when_the_account_is_disconnected_is_not_lost(
    merchant: Merchant, till: Till
):
    """Mollie goes on with it, and we hear of it when we are let in again."""
    await merchant.connects()
    session = await till.house.bought()
    await merchant.asks("DELETE")
    ref = session["sessionId"]
    await till.control(f"/payments/{ref}/status", {"status": "paid"})
    account = {"paymentProviderUuid": session["paymentProviderUuid"]}
    told = await till.house.door.post(HOOK, params=account, data={"id": ref})
    assert (told.status_code, told.json()["received"]) == (200, True)
    row = await till.get(f"/checkout-sessions/{session['uuid']}")
    assert row["status"] != "complete"
    assert code(await till.house.buy(clientReferenceId="new")) == "404 [E4040]"  # no default

    assert (await merchant.gets("PUT", await merchant.begins()))["connected"] is True
    await till.parts.observe(till.house.app.app_uuid, UUID(session["paymentProviderUuid"]), ref)
    row = await till.get(f"/checkout-sessions/{session['uuid']}")
    assert (row["status"], row["paymentStatus"]) == ("complete", "paid")


async def test_subscriptions_of_a_merchant_who_shut_us_out_wait_and_go_on_after_the_next_consent(
    merchant: Merchant, street: Street
):
    account = await merchant.connects()
    subscription = await street.subscribed()
    await merchant.shuts_us_out()
    await street.days_pass()
    waiting = await street.now(subscription)
    assert waiting["status"] == "collecting"  # asked for, and not answered
    row = await merchant.gets("GET")
    assert (row["connected"], row["disconnectedBy"]) == (False, "merchant")
    assert (row["uuid"], row["account"]) == (account["uuid"], account["account"])
    sweep = street.parts.sweep()
    with pytest.raises(CredentialRefused):
        raise await sweep(street.house.app.app_uuid, UUID(account["uuid"])) or AssertionError

    assert (await merchant.gets("PUT", await merchant.begins()))["disconnectedBy"] is None
    await recovers(street.parts, street.house)
    await street.bank_says("paid")
    assert (await street.now(subscription))["status"] == "active"
    assert await street.has_right_books()


async def test_held_money_is_captured_on_a_connected_account(merchant: Merchant, till: Till):
    await merchant.connects()
    held = await till.held()
    path = f"/payments/{held['uuid']}/captures"
    key = till.house.app.key("write")
    taken = await till.house.ask(key, "POST", path, {"amount": 4000}, Idempotency_Key="a-key")
    assert taken.status_code == 201, taken.text
    await till.control("/clock", {"advanceSeconds": 1})
    await till.told(held)
    assert (await till.get(f"/payments/{held['uuid']}"))["amountCaptured"] == 4000


async def test_what_the_operator_takes_leaves_no_room_for_a_fee_or_routes_of_the_apps(
    merchant: Merchant, till: Till
):
    await merchant.connects()
    fee = {"applicationFee": {"amount": 200, "description": "Ours"}}
    first = await till.asked(**fee)
    assert (await at_mollie(till, first["paymentId"]))["applicationFee"]["description"] == "Ours"
    await takes_a_fee(till.house, FEE)
    before = await till.house.rows()
    route = {"amount": 1, "destination": {"type": "organization", "organizationId": "org_9"}}
    path = f"/tenants/{till.house.app.ids['tenant']}/payment-providers/mollie/payments"
    for said, field in ((fee, "applicationFee"), ({"routing": [route]}, "routing")):
        body = ASKED | said | {"metadata": {"another": True}}
        answer = await till.house.ask(till.house.app.key("write"), "POST", path, body)
        assert (code(answer), problems(answer).keys()) == ("400 [E4000]", {field})
    assert await till.house.rows() == before
    second = await till.asked(metadata={"another": True})
    assert (await at_mollie(till, second["paymentId"]))["applicationFee"] == {
        "amount": {"currency": "EUR", "value": "1.75"},
        "description": "Platform fee",
    }


async def test_an_app_takes_no_fee_off_by_making_the_account_anew(merchant: Merchant, till: Till):
    row = await merchant.connects()
    await takes_a_fee(till.house, FEE)
    await till.house.ok(till.house.app.admin, "DELETE", f"/payment-providers/{row['uuid']}")
    again = await merchant.connects()
    assert (again["account"], again["uuid"] != row["uuid"]) == (row["account"], True)
    sold = await till.sold()
    assert (await at_mollie(till, sold["paymentId"]))["applicationFee"]["description"] == (
        "Platform fee"
    )


@pytest.mark.parametrize("why", ["shut out", "no profile"])
async def test_what_cannot_be_paid_is_refused_before_anything_is_written(
    merchant: Merchant, till: Till, why: str
):
    await merchant.connects()
    await till.house.bought()
    if why == "shut out":
        await merchant.shuts_us_out()
        assert (await till.house.buy(clientReferenceId="first")).status_code == 502  # we hear of it
    else:
        await merchant.house.connection.execute(
            "update payment_providers set profile_ref = null where connected_by = 'oauth'"
        )
    counting = "select count(*) from checkout_sessions"
    before = await till.house.connection.fetchval(counting)
    answer = await till.house.buy(clientReferenceId="another")
    assert (code(answer), problems(answer).keys()) == ("422 [E4220]", {None})
    assert "its merchant must connect it" in answer.text
    path = f"/tenants/{till.house.app.ids['tenant']}/payment-providers/mollie/payments"
    answer = await till.house.ask(till.house.app.key("write"), "POST", path, ASKED)
    assert code(answer) == "422 [E4220]"
    assert await till.house.connection.fetchval(counting) == before


async def test_a_form_is_embedded_on_a_connected_account(merchant: Merchant, till: Till):
    await merchant.connects()
    answer = await till.house.buy(uiMode="embedded")
    assert answer.status_code == 200, answer.text
    row = answer.json()["items"][0]["createdCheckoutSession"]
    assert row["sessionId"].startswith("sess_")
    body = {"status": "paid", "method": "creditcard"}
    await till.control(f"/sessions/{row['sessionId']}/status", body)
    newest, *_ = (await till.sandbox.get("/_control/payments")).json()["items"]
    told = {"paymentProviderUuid": row["paymentProviderUuid"], "paymentId": newest["id"]}
    await till.told(told)
    assert (await till.get(f"/checkout-sessions/{row['uuid']}"))["status"] == "complete"


async def test_a_form_is_no_way_around_the_operators_fee(merchant: Merchant, till: Till):
    await merchant.connects()
    await takes_a_fee(till.house, FEE)
    answer = await till.house.buy(uiMode="embedded")
    assert (code(answer), problems(answer).keys()) == ("422 [E4220]", {"uiMode"})
    setup = {"mode": "setup", "productPriceUuid": ..., "currency": "EUR"}
    answer = await till.house.buy(uiMode="embedded", **setup)
    assert answer.status_code == 200, answer.text  # nothing is taken of that anyway
