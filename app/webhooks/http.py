"""What providers call. Nothing in a call is believed; it is stored, and answered with 200."""

import asyncio
import re
from typing import Annotated, Any, Final
from urllib.parse import parse_qs
from uuid import UUID

import msgspec
import structlog
from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from msgspec import UNSET, Struct, UnsetType

from app.http.bodies import any_body
from app.http.caller import public
from app.http.errors import unforeseen
from domain.kernel.errors import (
    DatabaseUnavailable,
    ProviderUnavailable,
    ProviderUnreadable,
    Unauthenticated,
)
from domain.payments.answers import PaymentStatus
from domain.payments.payment import Payment
from domain.webhooks.inbox import Message
from domain.webhooks.receive import ReceiveMessage
from domain.webhooks.receive_signed import ReceiveSigned

log = structlog.get_logger("webhooks")

ACT_WITHIN_S: Final = 1.5
"""The provider hears from us within two seconds, even while it is slow itself."""

BODY_MAX: Final = 4096  # Mollie sends about thirty bytes; what is longer is ignored

_PAYMENT_ID: Final = re.compile(r"tr_[A-Za-z0-9]{1,64}")


class Received(Struct, frozen=True, omit_defaults=True):
    received: bool
    ignored: bool | UnsetType = UNSET
    status: str | UnsetType = UNSET
    """The payment's status, while it has not succeeded."""


IGNORED = Received(received=True, ignored=True)


class WebhooksController(Controller):
    path = "/api/v1/webhooks"
    tags = ("Webhooks",)

    @post(
        "/mollie",
        operation_id="receiveMollieWebhook",
        guards=[public],
        status_code=200,
        before_request=any_body,
        exception_handlers={DatabaseUnavailable: unforeseen},  # so that Mollie calls again
    )
    async def mollie(
        self,
        request: Request[Any, Any, Any],
        receive: NamedDependency[ReceiveMessage],
        provider: Annotated[
            str | None,
            QueryParameter(name="paymentProviderUuid", description="the account it is about"),
        ] = None,
    ) -> Response[Received]:
        """Mollie's classic webhook: `id=tr_...` as a form, or `{"id": "tr_..."}`."""
        account_uuid, ref = _uuid(provider), payment_id(await request.body())
        if account_uuid is None or ref is None:
            log.info("webhook_ignored", reason="no account or no payment id")
            return Response(IGNORED)
        message = await receive.store(account_uuid, ref)
        if message is None:
            log.info("webhook_ignored", reason="no such account")
            return Response(IGNORED)
        return Response(await _act(receive, message))

    @post(
        "/komoju",
        operation_id="receiveKomojuWebhook",
        guards=[public],  # the signature is its credential
        status_code=200,
        before_request=any_body,  # the signature is over the bytes, whatever they are
        exception_handlers={DatabaseUnavailable: unforeseen},
    )
    async def komoju(
        self,
        request: Request[Any, Any, Any],
        receive: NamedDependency[ReceiveMessage],
        receive_signed: NamedDependency[ReceiveSigned],
        provider: Annotated[
            str | None,
            QueryParameter(name="paymentProviderUuid", description="the account it is about"),
        ] = None,
    ) -> Response[Received]:
        """KOMOJU's webhook. 401 unless it is signed with the account's `webhookSecret`; nothing
        of it is kept then."""
        account_uuid = _uuid(provider)
        if account_uuid is None:
            raise Unauthenticated("no account")
        body, headers = await request.body(), dict(request.headers)
        message = await receive_signed.store(account_uuid, body, headers)
        if message is None:
            log.info("webhook_ignored", reason="about nothing of ours, or told before")
            return Response(IGNORED)
        return Response(await _act(receive, message))


async def _act(receive: ReceiveMessage, message: Message) -> Received:
    """What the request cannot finish, the worker does: the message is stored."""
    try:
        async with asyncio.timeout(ACT_WITHIN_S):
            payment = await receive.act(message)
    except (TimeoutError, ProviderUnavailable, ProviderUnreadable, DatabaseUnavailable) as error:
        log.info("webhook_postponed", reason=type(error).__name__)
        return Received(received=True)
    if payment is None:
        log.info("webhook_ignored", reason="not a payment of ours")
        return IGNORED
    return _answer(payment)


def _answer(payment: Payment) -> Received:
    if payment.status is PaymentStatus.PAID:
        return Received(received=True)
    return Received(received=True, status=payment.status)


def payment_id(body: bytes) -> str | None:
    """From a form or from JSON. None: there is none that could be a payment's."""
    if len(body) > BODY_MAX:
        return None
    found: object
    try:
        if body.lstrip().startswith(b"{"):
            decoded = msgspec.json.decode(body)
            found = decoded.get("id") if isinstance(decoded, dict) else None
        else:
            found = parse_qs(body.decode(), max_num_fields=20).get("id", [None])[0]
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    return found if isinstance(found, str) and _PAYMENT_ID.fullmatch(found) else None


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
