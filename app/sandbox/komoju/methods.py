"""Ways to pay: all that KOMOJU knows by name, and those this merchant has switched on."""

from typing import Any, Final

from msgspec import Struct

from app.sandbox.words import words

SLUGS: Final = words(
    "credit_card credit_card_korea credit_card_brazil konbini bank_transfer pay_easy paypay "
    "linepay merpay rakutenpay aupay epospay amazon_pay paidy docomo au softbank japan_mobile "
    "nanaco web_money bit_cash net_cash dospara kakaopay naverpay payco toss happy_money "
    "culture_voucher cvs mobile alipay alipay_hk wechatpay unionpay tng gcash dana ovo "
    "doku_wallet dragonpay enets fpx truemoney ideal bancontact eps giropay sofortbanking "
    "przelewy24 blik mybank multibanco paysafe_card payu paysera perlas narvesen paypost pix "
    "banrisul poli"
)


class Method(Struct, frozen=True):
    slug: str
    name: str
    is_cash: bool = False  # paid later, somewhere else; no refund by the API
    keeps: bool = False  # can be saved for later charges
    details: dict[str, Any] | None = None


_CARD: Final = {"brand": "visa", "last_four_digits": "1111", "month": 12, "year": 2040}
METHODS: Final = {
    method.slug: method
    for method in (
        Method("credit_card", "Card", keeps=True, details=_CARD),
        Method("paypay", "PayPay", keeps=True),
        Method("konbini", "Konbini", is_cash=True),
        Method("bank_transfer", "Bank transfer", is_cash=True),
        Method("pay_easy", "Pay-easy", is_cash=True),
    )
}


def offered(mode: str, wanted: tuple[str, ...]) -> list[Method]:
    """What the shopper may choose from; only some methods can be charged again later."""
    possible = [m for m in METHODS.values() if m.keeps or "customer" not in mode]
    return [method for method in possible if not wanted or method.slug in wanted]


def scrubbed(method: Method, email: str | None) -> dict[str, Any]:
    """`payment_details` as KOMOJU shows them: enough to recognise, nothing to misuse."""
    return {"type": method.slug, "email": email, **(method.details or {})}
