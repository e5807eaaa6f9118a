"""Bearer tokens: from text to a caller, or no.

Cheap checks come first, keys last: a token that is wrong in any other way never causes a question
to the database or to an issuer's server. Reasons are for the log and never repeat the token.
"""

import httpx

from domain.kernel.clock import Clock
from domain.kernel.errors import Unauthenticated
from domain.kernel.ids import AppUuid
from domain.tenancy.caller import UserCaller
from infrastructure.identity.claims import Token, app_in, caller, check, parse
from infrastructure.identity.issuers import Issuers, LoadIssuers
from infrastructure.identity.keys import is_signed


class JwtVerifier:
    """Implements `TokenVerifier`. Open `client` before, and close it after, the last `verify`."""

    def __init__(self, load_issuers: LoadIssuers, client: httpx.AsyncClient, clock: Clock) -> None:
        self._issuers = Issuers(load_issuers, client, clock)
        self._clock = clock

    async def verify(self, app_uuid: AppUuid, token: str) -> UserCaller:
        """Raises Unauthenticated for what is wrong with the token, Unavailable without keys."""
        return await self._verified(app_uuid, parse(token))

    async def identify(self, token: str) -> UserCaller:
        parsed = parse(token)
        return await self._verified(app_in(parsed.claims), parsed)

    async def _verified(self, app_uuid: AppUuid, parsed: Token) -> UserCaller:
        check(parsed.claims, app_uuid, self._clock.now())
        source = await self._issuers.find(app_uuid, parsed.claims.iss)
        algorithm = source.issuer.algorithm
        if parsed.header.alg is not algorithm:
            raise Unauthenticated("the token is signed with another algorithm than the issuer's")
        kid = parsed.header.kid
        keys = await source.candidates(kid if isinstance(kid, str) else None)
        if not any(is_signed(algorithm, key, parsed.signed, parsed.signature) for key in keys):
            raise Unauthenticated("no key of the issuer has signed the token")
        return caller(parsed.claims, app_uuid)
