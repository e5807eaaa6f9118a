"""Identity comes from outside too. Every id is a UUIDv7: sorted by birth, made before the row."""

from typing import NewType, Protocol
from uuid import UUID

AppUuid = NewType("AppUuid", UUID)
TenantUuid = NewType("TenantUuid", UUID)
UserUuid = NewType("UserUuid", UUID)


class Ids(Protocol):
    def new(self) -> UUID:
        """A fresh UUIDv7. Unique, but guessable in part: never a secret."""
        ...

    def secret(self) -> str:
        """At least 128 random bits, URL-safe: for links that work without a login."""
        ...
