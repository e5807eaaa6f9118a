"""Customers at KOMOJU: there is nothing to make.

KOMOJU makes one whenever a shopper lets a way to pay be stored, so that what it calls a customer is
our mandate. A tenant is known there by our own uuid, as a session's `external_customer_id`.
"""

from datetime import datetime
from uuid import UUID

from domain.payments.answers import Declined
from domain.payments.payment_provider import PaymentProvider
from domain.payments.ports import NewCustomer


class KomojuCustomers:
    async def create(self, account: PaymentProvider, customer: NewCustomer) -> str | Declined:
        return str(customer.uuid)

    async def find(self, account: PaymentProvider, uuid: UUID, *, since: datetime) -> str | None:
        """None, always: nobody has been made, and asking for one makes nobody twice."""
        return None
