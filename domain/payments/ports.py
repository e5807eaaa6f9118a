"""What a payment provider gives, in our words. One port per ability; an adapter file for each.

Every method makes one HTTP call or two (or pages through a list), each bounded in time, and never
runs inside a transaction. All raise ProviderUnavailable when the outcome is unknown (no answer,
5xx, still running), its ProviderBusy when too much is being asked of an account (429, or our own
budget for it), and ProviderUnreadable when the answer makes no sense, is not about what was asked,
or our credential was refused (401, 403).
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from msgspec import Struct

from domain.kernel.errors import Violation
from domain.kernel.money import Money
from domain.payments.answers import (
    Declined,
    ProviderCapture,
    ProviderChargeback,
    ProviderForm,
    ProviderMandate,
    ProviderPayment,
    ProviderRefund,
    SequenceType,
)
from domain.payments.connect import ConnectPort
from domain.payments.payment_details import PaymentDetails
from domain.payments.payment_provider import PaymentProvider, ProviderMode, ProviderName


class ShopperMethod(StrEnum):
    """What a shopper may ask to pay with. Which of them there are is each provider's to say."""

    CARD = "card"
    PAYPAY = "paypay"
    KONBINI = "konbini"
    BANK_TRANSFER = "bank_transfer"
    PAY_EASY = "pay_easy"


class NewCustomer(Struct, frozen=True, kw_only=True):
    uuid: UUID
    """Ours: the idempotency key, and in the provider's metadata for finding it again."""
    tenant_uuid: UUID
    name: str
    email: str | None


class NewPayment(Struct, frozen=True, kw_only=True):
    """Everything a payment's request is rendered from: a shopper's visit, or a charge."""

    attempt_uuid: UUID
    app_uuid: UUID
    checkout_session_uuid: UUID | None = None
    bill_uuid: UUID | None = None
    """What it pays for: exactly one of the two."""
    amount: Money
    description: str
    sequence_type: SequenceType
    customer_ref: str
    mandate_ref: str | None = None
    """What a recurring payment charges."""
    payment_method: str | None = None
    """Our word, for example `card`. None: as the mandate says."""
    return_url: str | None = None
    """None: nobody is there to be sent back."""
    webhook_url: str
    lifetime_s: int | None = None
    """For how long it is on offer, where the provider lets us say. None: as long as it likes."""
    locale: str | None = None
    details: PaymentDetails | None = None
    application_fee: Money | None = None
    """What the platform takes of it, where the provider lets it."""
    application_fee_description: str | None = None
    parameters: Mapping[str, Any] = {}
    """More of the provider's own, checked by its adapter."""

    def __post_init__(self) -> None:
        owners = (self.checkout_session_uuid, self.bill_uuid)
        assert owners.count(None) == 1, "a payment is for a session or for a bill"
        is_recurring = self.sequence_type is SequenceType.RECURRING
        assert is_recurring or self.mandate_ref is None, "only a recurring payment names a mandate"


class CustomersPort(Protocol):
    async def create(self, account: PaymentProvider, customer: NewCustomer) -> str | Declined:
        """Returns the provider's reference. Asking twice with the same uuid makes one."""
        ...

    async def find(self, account: PaymentProvider, uuid: UUID, *, since: datetime) -> str | None:
        """The customer that carries our uuid in its metadata, created at `since` or later."""
        ...


class PaymentsPort(Protocol):
    def render(self, payment: NewPayment) -> bytes:
        """The request's body. Stored with the intent, so that a retry sends the same bytes."""
        ...

    async def create(
        self, account: PaymentProvider, request: bytes, *, key: UUID
    ) -> ProviderPayment | Declined:
        """Asking twice with the same key within the provider's window makes one payment."""
        ...

    async def get(self, account: PaymentProvider, ref: str) -> ProviderPayment | None:
        """None: the provider knows no such payment (404)."""
        ...

    async def find(
        self, account: PaymentProvider, attempt_uuid: UUID, *, since: datetime
    ) -> ProviderPayment | None:
        """Read the list back to `since` for the payment that carries our attempt's uuid.

        None only when the list was read to that point and it was not there.
        """
        ...

    def since(self, account: PaymentProvider, since: datetime) -> AsyncIterator[ProviderPayment]:
        """All that the provider holds, ours or not, created at `since` (its clock) or later.

        Newest first. Ends only when it was read to that point; a list that is too long to be read
        ends in ProviderUnavailable.
        """
        ...

    async def cancel(self, account: PaymentProvider, ref: str) -> ProviderPayment | Declined: ...


class FormsPort(Protocol):
    """Of a provider whose payment form can stand in a page of the app's."""

    def render(self, payment: NewPayment) -> bytes:
        """As PaymentsPort.render. Its details must have lines."""
        ...

    async def create(
        self, account: PaymentProvider, request: bytes, *, key: UUID
    ) -> ProviderForm | Declined: ...

    async def get(self, account: PaymentProvider, ref: str) -> ProviderForm | None: ...


class ParametersPort(Protocol):
    """Of a provider that takes more of a payment than all of them do."""

    def mistakes(
        self,
        parameters: Mapping[str, Any],
        amount: Money,
        sequence_type: SequenceType,
        *,
        account: PaymentProvider,
        at: datetime,
    ) -> Iterator[Violation]:
        """What it would say no to, by the names that the API has for its fields."""
        ...


class RefundsPort(Protocol):
    async def create(
        self, account: PaymentProvider, payment_ref: str, amount: Money, *, refund_uuid: UUID
    ) -> ProviderRefund | Declined:
        """The uuid is the idempotency key, and goes into the metadata.

        Raises RefundTooSoon when the provider takes it for a repetition.
        """
        ...

    def since(self, account: PaymentProvider, since: datetime) -> AsyncIterator[ProviderRefund]:
        """As PaymentsPort.since."""
        ...

    async def list(
        self, account: PaymentProvider, payment_ref: str
    ) -> tuple[ProviderRefund, ...]: ...


class NewCapture(Protocol):
    """What a capture's request is made of."""

    @property
    def uuid(self) -> UUID:
        """The idempotency key; goes into the metadata."""
        ...

    @property
    def amount(self) -> Money: ...
    @property
    def description(self) -> str | None: ...


class CapturesPort(Protocol):
    """Of a provider that can hold money and take it later."""

    async def create(
        self, account: PaymentProvider, payment_ref: str, capture: NewCapture
    ) -> ProviderCapture | Declined: ...

    async def list(
        self, account: PaymentProvider, payment_ref: str
    ) -> tuple[ProviderCapture, ...]: ...

    async def release(self, account: PaymentProvider, payment_ref: str) -> Declined | None:
        """Let go of what is held and not captured. None: it will be, by this call or before it."""
        ...


class ChargebacksPort(Protocol):
    def since(self, account: PaymentProvider, since: datetime) -> AsyncIterator[ProviderChargeback]:
        """As PaymentsPort.since."""
        ...

    async def list(
        self, account: PaymentProvider, payment_ref: str
    ) -> tuple[ProviderChargeback, ...]:
        """Of one payment, newest first."""
        ...


class MandatesPort(Protocol):
    async def get(
        self, account: PaymentProvider, customer_ref: str, mandate_ref: str
    ) -> ProviderMandate | None:
        """None: gone (404 or 410)."""
        ...

    async def revoke(
        self, account: PaymentProvider, customer_ref: str, mandate_ref: str
    ) -> Declined | None:
        """None: it is gone now, by this call or before it."""
        ...


class Budget(Protocol):
    """How much an account may be asked: per process, learned from what the provider says."""

    def wait_s(self, account_uuid: UUID) -> float:
        """Seconds until the account may be called; 0: now. Asking reserves nothing."""
        ...


class AccessPort(Protocol):
    async def check(self, account: PaymentProvider) -> None:
        """The cheapest call that needs the account's credential. Raises what all ports raise."""
        ...


class Notice(Struct, frozen=True, kw_only=True):
    """What a provider's call is about. Ids alone: whatever else it says is read from the provider.

    At least one of the last two is known.
    """

    event_id: str
    payment_ref: str | None = None
    attempt_uuid: UUID | None = None


class NoticesPort(Protocol):
    """Of a provider that signs what it tells us."""

    def read(
        self, account: PaymentProvider, body: bytes, headers: Mapping[str, str]
    ) -> Notice | None:
        """None: it is about nothing of ours. Raises Unauthenticated when it is not the provider
        who says so, or nobody can tell."""
        ...


class CredentialRules(Protocol):
    """What a provider's credentials look like."""

    @property
    def signs_webhooks(self) -> bool:
        """Whether an account has a secret that its webhooks are signed with."""
        ...

    def mode_of(self, credential: str) -> ProviderMode | None:
        """Test or live, where the credential tells."""
        ...

    def mistakes(self, credential: str, mode: ProviderMode | None) -> Iterator[Violation]:
        """What is wrong with a new account's credential, and with the mode claimed for it."""
        ...


Credentials = Mapping[ProviderName, CredentialRules]


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider's abilities."""

    customers: CustomersPort
    payments: PaymentsPort
    refunds: RefundsPort
    chargebacks: ChargebacksPort
    mandates: MandatesPort
    access: AccessPort
    budget: Budget
    key_window_s: int
    """How long the provider remembers an idempotency key, less a margin. A retry after that
    looks the payment up and never asks again."""
    locales: frozenset[str]
    currencies: frozenset[str]
    """What it takes payments in."""
    own_faults: frozenset[str] = frozenset()
    """Failure reasons that are the provider's, or a bank's system's, and not the payer's. Of the
    others, and of no reason, nothing follows about how well the provider works."""
    payment_methods: frozenset[str] = frozenset({ShopperMethod.CARD})
    """What shoppers can pay with, in our words."""
    storable_methods: frozenset[str] = frozenset({ShopperMethod.CARD})
    """Those of them that can be charged again without the shopper."""
    stores_without_charge: bool = False
    """A payment method is stored by a first payment of nothing, and not by a small amount that is
    given back."""
    refund_repeatable_after_s: int = 0
    """For how long it takes a refund of the same amount on the same payment for a repetition of
    the one before. 0: it never does."""
    chargebacks_change: bool = True
    """What a bank gives back changes a chargeback where it stands in the list, however old."""
    forms: FormsPort | None = None
    """None: shoppers pay on its own pages alone."""
    parameters: ParametersPort | None = None
    """None: what `NewPayment` says of a payment is all that it takes."""
    captures: CapturesPort | None = None
    """None: money is taken when it is paid, and never held."""
    payment_page: str | None = None
    """Where it shows a payment to the account's own people; `{ref}` is the payment's. None: nowhere
    that we know of."""
    notices: NoticesPort | None = None
    """None: what it tells us is not signed, and names a payment to look at."""
    connect: ConnectPort | None = None
    """None: its accounts are connected by their keys alone."""
    application_fee_max: Callable[[Money], Money] | None = None
    """How much of an amount the platform may take. None: nothing."""

    def application_fee(self, account: PaymentProvider, amount: Money) -> Money | None:
        fee, most = account.application_fee, self.application_fee_max
        return None if fee is None or most is None else fee.of(amount, most(amount))

    def page_of(self, payment_ref: str) -> str | None:
        return self.payment_page and self.payment_page.format(ref=payment_ref)


Providers = Mapping[ProviderName, Provider]


class Vault(Protocol):
    """Seals small secrets so that a stolen table is worth nothing."""

    def seal(self, secret: str, *, context: str) -> bytes:
        """`context` names app, table, column and row; opening needs the same."""
        ...

    def open(self, sealed: bytes, *, context: str) -> str: ...


def credential_context(account_uuid: UUID, app_uuid: UUID) -> str:
    return f"{app_uuid}|payment_providers|credential|{account_uuid}"


def webhook_secret_context(account_uuid: UUID, app_uuid: UUID) -> str:
    return f"{app_uuid}|payment_providers|webhook_secret|{account_uuid}"
