"""Reads an embedded form at its provider, for a payment that nobody has told us of.

A form says that it was paid, and not by which payment: that one is found by our metadata.
"""

from dataclasses import dataclass

from domain.checkout.book import Book
from domain.checkout.ports import CheckoutTx
from domain.kernel.errors import ProviderUnavailable
from domain.kernel.unit_of_work import UnitOfWork
from domain.payments.answers import FormStatus
from domain.payments.observe_payment import ObservePayment
from domain.payments.ports import Providers


@dataclass(frozen=True, slots=True)
class LookIntoForm:
    unit_of_work: UnitOfWork[CheckoutTx]
    providers: Providers
    observe: ObservePayment

    async def __call__(self, book: Book) -> FormStatus | None:
        """None: the session has no form. Raises ProviderUnavailable, ProviderUnreadable."""
        attempt = book.attempts[0] if book.attempts else None
        if attempt is None or attempt.form is None:
            return None
        async with self.unit_of_work.begin(book.session.app_uuid) as tx:
            account = await tx.payment_providers.get(attempt.payment_provider_uuid)
        provider = self.providers[account.name]
        assert provider.forms is not None, account.name
        form = await provider.forms.get(account, attempt.form.ref)
        if form is None or form.status is not FormStatus.COMPLETED:
            return FormStatus.EXPIRED if form is None else form.status
        since = attempt.first_submitted_at
        paid = await provider.payments.find(account, attempt.uuid, since=since)
        if paid is None:
            raise ProviderUnavailable("the form's payment is not in the provider's list yet")
        await self.observe(book.session.app_uuid, account.uuid, paid.ref)
        return form.status
