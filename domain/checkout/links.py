"""Our own addresses: where shoppers come back to, and where providers call."""

from uuid import UUID

from msgspec import Struct

from domain.checkout.session import CheckoutSession


class Links(Struct, frozen=True):
    public_url: str

    def came_back(self, session: CheckoutSession) -> str:
        return f"{self._of(session)}/return"

    def pay(self, session: CheckoutSession) -> str:
        """The `retryUrl`: leads to the provider's page as long as the session is open."""
        return f"{self._of(session)}/pay"

    def page(self, session: CheckoutSession) -> str:
        """Where the shopper tells us what the session asks for, tries again after a decline, and
        reads how it stands."""
        return self._of(session)

    def webhook(self, provider: str, account_uuid: UUID) -> str:
        return f"{self.public_url}/api/v1/webhooks/{provider}?paymentProviderUuid={account_uuid}"

    def _of(self, session: CheckoutSession) -> str:
        return f"{self.public_url}/checkout/{session.app_uuid}/{session.uuid}/{session.link_token}"
