"""Mollie's own client takes the sandbox for Mollie. It validates every field it must have."""

import httpx
import pytest
from mollie import ClientSDK, Security, models

URL = "http://mollie.test"


@pytest.fixture
async def mollie(sandbox):
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=sandbox), base_url=URL)
    async with client:
        # No retries: with them a refused call would be made again under a new key.
        yield ClientSDK(
            server_url=URL,
            security=Security(api_key="test_shop"),
            async_client=client,
            retry_config=None,
        )


def euros(value: str) -> models.Amount:
    return models.Amount(currency="EUR", value=value)


async def first_payment(mollie, customer_id: str, key: str = "first"):
    return await mollie.payments.create_async(
        payment_request={
            "amount": euros("49.00"),
            "description": "Kontor Pro",
            "redirect_url": "https://shop.example.org/back",
            "webhook_url": "https://shop.example.org/hook",
            "sequence_type": "first",
            "customer_id": customer_id,
            "method": "creditcard",
            "metadata": {"order": "7"},
        },
        idempotency_key=key,
    )


async def test_a_customer_pays_leaves_a_mandate_is_charged_and_refunded(mollie, shop):
    customer = await mollie.customers.create_async(
        entity_customer={"name": "Ada", "email": "ada@example.org"}, idempotency_key="customer"
    )
    first = await first_payment(mollie, customer.id)
    assert first.status == "open"
    assert first.links.checkout is not None

    await shop.settle(first.id, "paid")
    paid = await mollie.payments.get_async(payment_id=first.id)
    assert (paid.status, paid.metadata) == ("paid", {"order": "7"})

    mandate = await mollie.mandates.get_async(customer_id=customer.id, mandate_id=paid.mandate_id)
    assert (mandate.status, mandate.method) == ("valid", "creditcard")

    charge = await mollie.payments.create_async(
        payment_request={
            "amount": euros("9.99"),
            "description": "Kontor Pro, next month",
            "sequence_type": "recurring",
            "customer_id": customer.id,
            "mandate_id": mandate.id,
            "redirect_url": None,
        },
        idempotency_key="charge",
    )
    assert charge.redirect_url is None
    await shop.advance(seconds=1)
    assert (await mollie.payments.get_async(payment_id=charge.id)).status == "paid"

    refund = await mollie.refunds.create_async(
        payment_id=charge.id,
        refund_request={"amount": euros("9.99"), "description": "Sorry"},
        idempotency_key="refund",
    )
    assert refund.status == "pending"
    await shop.advance(days=2)
    again = await mollie.refunds.get_async(payment_id=charge.id, refund_id=refund.id)
    assert again.status == "refunded"


async def test_pages_of_a_list_are_followed_to_the_end(mollie):
    customer = await mollie.customers.create_async(entity_customer={}, idempotency_key="customer")
    made = [(await first_payment(mollie, customer.id, f"payment-{n}")).id for n in range(5)]

    seen, page = [], await mollie.payments.list_async(limit=2)
    while page is not None:
        seen += [payment.id for payment in page.result.embedded.payments]
        page = page.next()
        page = await page if hasattr(page, "__await__") else page

    assert seen == made[::-1]


async def test_a_subscription_is_made_charged_and_canceled(mollie, shop):
    customer_id, mandate = await shop.mandate()
    made = await mollie.subscriptions.create_async(
        customer_id=customer_id,
        subscription_request={
            "amount": euros("9.99"),
            "interval": "1 month",
            "description": "Kontor Pro",
            "mandate_id": mandate["id"],
        },
        idempotency_key="subscription",
    )
    await shop.advance(days=1)
    payments = await mollie.subscriptions.list_payments_async(
        customer_id=customer_id, subscription_id=made.id
    )
    assert [p.status for p in payments.result.embedded.payments] == ["paid"]

    canceled = await mollie.subscriptions.cancel_async(
        customer_id=customer_id, subscription_id=made.id
    )
    assert canceled.status == "canceled"


# The client warns about a parameter of its own that nobody gave.
@pytest.mark.filterwarnings("ignore:.*DEPRECATED.*:DeprecationWarning")
async def test_chargebacks_methods_and_the_profile_are_readable(mollie, shop):
    payment = await shop.pay()
    await shop.settle(payment["id"], "paid")
    await shop.control(f"payments/{payment['id']}/chargeback", reason="Not my doing")

    page = await mollie.chargebacks.list_async(payment_id=payment["id"])
    assert [c.amount.value for c in page.result.embedded.chargebacks] == ["49.00"]
    methods = await mollie.methods.list_async()
    assert "ideal" in [method.id for method in methods.embedded.methods]
    assert (await mollie.profiles.get_current_async()).status == "verified"


async def test_a_refusal_reaches_the_client_with_its_field(mollie):
    with pytest.raises(models.ErrorResponse) as refused:
        await mollie.payments.create_async(
            payment_request={
                "amount": {"currency": "EUR", "value": "49.0"},
                "description": "One decimal too few",
                "redirect_url": "https://shop.example.org/back",
            },
            idempotency_key="refused",
        )
    assert refused.value.data.status == 422
    assert refused.value.data.field == "amount.value"
