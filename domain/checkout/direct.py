"""A payment whose amount is the app's own word: nothing of the catalogue is sold.

Only who bills for the whole app may name an amount; a tenant's user never does.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from domain.catalog.quote import Quote
from domain.payments.answers import SequenceType
from domain.payments.payment_details import PaymentDetails


class Direct(Struct, frozen=True, kw_only=True):
    description: str
    """What the payer reads."""
    amount: Quote
    """The tax is as much as the app says is in it."""
    details: PaymentDetails = PaymentDetails()
    sequence_type: SequenceType = SequenceType.ONEOFF
    mandate_ref: str | None = None
    """What a recurring payment charges; None: the provider chooses among the tenant's."""
    parameters: Mapping[str, Any] | None = None
    """What else the provider is told, in its own words: its adapter checks them. None: nothing but
    what every provider takes."""
    is_single: bool = False
    """The app wants this one payment, and no second try: when it ends, so does the session."""
