"""Demo tokens, signed with a key that lies in a file. For development, never for real users."""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from msgspec import Struct

from domain.kernel.ids import AppUuid, TenantUuid, UserUuid
from domain.tenancy.tenant import Role

DEV_ISSUER: Final = "kontor-dev"
"""Register it with the app, algorithm EdDSA, and `DevSigner.public_pem`."""


class Demo(Struct, frozen=True, kw_only=True):
    """What a demo token says."""

    app_uuid: AppUuid
    user_uuid: UserUuid
    tenants: Mapping[TenantUuid, Role] | None = None
    """None: the token has no such claim, and the registered memberships count."""
    scopes: Sequence[str] = ()
    issued_at: datetime
    expires_at: datetime


class DevSigner:
    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    @classmethod
    def of(cls, path: Path) -> "DevSigner":
        """The key in the file; made, for its owner alone, when there is none. Raises ValueError."""
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_suffix(".new")
            unfinished.touch(mode=0o600)
            unfinished.write_bytes(
                Ed25519PrivateKey.generate().private_bytes(
                    Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
                )
            )
            os.replace(unfinished, path)
        key = load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("not an Ed25519 key")
        return cls(key)

    @property
    def public_pem(self) -> str:
        public = self._key.public_key()
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def token(self, demo: Demo) -> str:
        claims: dict[str, Any] = {
            "iss": DEV_ISSUER,
            "aud": str(demo.app_uuid),
            "sub": str(demo.user_uuid),
            "iat": int(demo.issued_at.timestamp()),
            "exp": int(demo.expires_at.timestamp()),
            "scope": list(demo.scopes),
        }
        if demo.tenants is not None:
            claims["tenants"] = [
                {"uuid": str(uuid), "role": role.value} for uuid, role in demo.tenants.items()
            ]
        return jwt.encode(claims, self._key, algorithm="EdDSA")
