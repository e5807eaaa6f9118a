"""The vault: AES-256-GCM under keys that can be replaced one after the other.

The newest key seals; every listed key opens. What is sealed is bound to its place by the context,
so a row copied to another app opens for nobody. Says which key was missing, never what it was.

Sealed bytes: format (1) | key version (4, big endian) | nonce (12) | ciphertext and tag.
"""

import base64
import binascii
import os
import struct
from collections.abc import Mapping
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
FORMAT: Final = 1
_HEAD: Final = struct.Struct(">BI")
_TAG_BYTES: Final = 16
_VERSION_MAX: Final = 2**32 - 1


class BadKeys(ValueError):
    """The setting is not `version:base64 of 32 bytes`, newest first, separated by commas."""


class CannotOpen(Exception):
    """Sealed under a key that is not listed, for another place, or damaged."""


class AesGcmVault:
    """Implements `Vault`."""

    def __init__(self, keys: str) -> None:
        """Raises BadKeys."""
        parsed = _parsed(keys)
        self._newest = next(iter(parsed))
        self._keys = {version: AESGCM(key) for version, key in parsed.items()}

    def seal(self, secret: str, *, context: str) -> bytes:
        head = _HEAD.pack(FORMAT, self._newest)
        # Random nonces are safe for 2^32 seals under one key; an app rotates a handful.
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._keys[self._newest].encrypt(nonce, secret.encode(), _bound(head, context))
        return head + nonce + sealed

    def open(self, sealed: bytes, *, context: str) -> str:
        """Raises CannotOpen."""
        if len(sealed) < _HEAD.size + NONCE_BYTES + _TAG_BYTES or sealed[0] != FORMAT:
            raise CannotOpen("this was not sealed by this vault")
        head, rest = sealed[: _HEAD.size], sealed[_HEAD.size :]
        _, version = _HEAD.unpack(head)
        if (key := self._keys.get(version)) is None:
            raise CannotOpen(
                f"key version {version} is missing from KONTOR_SECRET_KEY: put it back"
            )
        nonce, ciphertext = rest[:NONCE_BYTES], rest[NONCE_BYTES:]
        try:
            return key.decrypt(nonce, ciphertext, _bound(head, context)).decode()
        except InvalidTag:
            raise CannotOpen(
                f"sealed for another place than this, damaged, or key version {version} has "
                "changed its bytes"
            ) from None


def new_key(version: int = 1) -> str:
    """A fresh key in the setting's form. Put it before the others, with the next version."""
    return f"{version}:{base64.b64encode(os.urandom(KEY_BYTES)).decode()}"


def _bound(head: bytes, context: str) -> bytes:
    # Format and version are authenticated too: nobody turns one key's seal into another's.
    return head + context.encode()


def _parsed(keys: str) -> Mapping[int, bytes]:
    parsed: dict[int, bytes] = {}
    for position, entry in enumerate(keys.split(","), start=1):
        version, colon, text = entry.strip().partition(":")
        if not (colon and version.isascii() and version.isdigit()):
            raise BadKeys(f"key {position} is not version:base64")
        number = int(version)
        if number > _VERSION_MAX or number in parsed:
            raise BadKeys(f"key {position}: a version is a number up to 4294967295, used once")
        try:
            key = base64.b64decode(text, validate=True)
        except binascii.Error:
            raise BadKeys(f"key {position} (version {number}) is not base64") from None
        if len(key) != KEY_BYTES:
            raise BadKeys(f"key {position} (version {number}) has {len(key)} bytes, not 32")
        parsed[number] = key
    return parsed
