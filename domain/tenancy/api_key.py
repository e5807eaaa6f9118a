"""An API key. The secret is shown once; the row keeps its hash."""

import hashlib
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from domain.kernel.ids import AppUuid
from domain.tenancy.caller import KeyType


class ApiKey(Struct, frozen=True, kw_only=True):
    uuid: UUID
    app_uuid: AppUuid
    key_type: KeyType
    name: str
    hint: str
    """The secret's last four characters, to tell keys apart."""
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    created_at: datetime

    def is_alive(self, at: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)


def hash_secret(secret: str) -> bytes:
    """What is kept of a secret. It is random and long, so one plain SHA-256 is enough."""
    return hashlib.sha256(secret.encode()).digest()
