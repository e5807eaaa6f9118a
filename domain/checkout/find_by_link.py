"""A shopper shows a link instead of a credential: who has its secret may see the session."""

import hmac
from uuid import UUID

from domain.checkout.book import Book
from domain.checkout.ports import CheckoutTx
from domain.kernel.errors import NotFound


async def find_by_link(tx: CheckoutTx, session_uuid: UUID, token: str) -> Book:
    """Raises NotFound, also for a wrong secret."""
    book = await tx.checkout.get(session_uuid)
    if not hmac.compare_digest(book.session.link_token.encode(), token.encode()):
        raise NotFound("checkout session", session_uuid)
    return book
