"""A provider that merchants let us in at: it counts what it is asked, and answers when told to.

Implements `ConnectPort`. It refuses to be asked while a transaction of the world is open.
"""

import asyncio

from domain.kernel.errors import DomainError
from domain.payments.connect import Merchant, Tokens

FLOWERS = Merchant(
    organization_ref="org_1",
    organization_name="Flowers",
    profile_refs=("pfl_1", "pfl_2"),
    onboarding_status="completed",
    can_receive_payments=True,
    can_receive_settlements=True,
    onboarding_url="https://provider.example/onboarding",
)


class FakeConnect:
    def __init__(self) -> None:
        self.asked: list[str] = []
        self.merchants = {"access-1": FLOWERS}
        """By access token; the first that is given out is `access-1`."""
        self.codes = {"code-1"}
        self.is_shut_out = False
        self.fails: DomainError | None = None
        self.unset: str | None = None
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.is_asked = asyncio.Event()
        self.lives_s = 3600
        self._made = 0

    def unset_setting(self) -> str | None:
        return self.unset

    def address(self, state: str) -> str:
        return f"https://provider.example/authorize?state={state}"

    async def exchange(self, code: str) -> Tokens | None:
        await self._take(f"exchange {code}")
        if code not in self.codes:
            return None
        self.codes.remove(code)
        return self._tokens()

    async def merchant(self, access: str) -> Merchant:
        await self._take(f"merchant {access}")
        return self.merchants.get(access, FLOWERS)

    async def refresh(self, refresh: str) -> Tokens | None:
        await self._take(f"refresh {refresh}")
        return None if self.is_shut_out else self._tokens()

    async def revoke(self, refresh: str) -> None:
        await self._take(f"revoke {refresh}")

    async def _take(self, what: str) -> None:
        self.asked.append(what)
        self.is_asked.set()
        await self.may_answer.wait()
        if self.fails is not None:
            raise self.fails

    def _tokens(self) -> Tokens:
        self._made += 1
        return Tokens(access=f"access-{self._made}", refresh="refresh", lives_s=self.lives_s)
