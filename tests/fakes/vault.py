"""A vault without a lock: it only checks that what is opened was sealed for the same place."""


class FakeVault:
    def __init__(self) -> None:
        self.opened = 0

    def seal(self, secret: str, *, context: str) -> bytes:
        return f"{context}\n{secret}".encode()

    def open(self, sealed: bytes, *, context: str) -> str:
        self.opened += 1
        sealed_for, _, secret = sealed.decode().partition("\n")
        assert sealed_for == context, "opened for another place than it was sealed for"
        return secret
