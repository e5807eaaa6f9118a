"""What goes wrong with a deed: its process dies, or a call to the provider is lost.

Points are passed before and after every commit and every call; the seed says at which one.
"""

import random
from typing import Final

import httpx

KILLS_PERMILLE: Final = 25
LOSSES_PERMILLE: Final = 25
POINTS: Final = 12
"""About as many as a deed passes."""
CALLS: Final = 3


class Killed(BaseException):
    """The process ends here, as by SIGKILL: nothing of it catches this."""


class Fate:
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.is_kind = False
        """From then on nothing goes wrong."""
        self.rest()
        self.kills = self.losses = 0

    def decide(self, *, is_brief: bool = False) -> None:
        """For the next deed. A brief one passes two points and calls nobody."""
        self.rest()
        drawn = 1000 if self.is_kind else self._chance.randrange(1000)
        if is_brief:
            self._dies_at = self._chance.randint(1, 2) if drawn < 2 else 0
        elif drawn < KILLS_PERMILLE:
            self._dies_at = self._chance.randint(1, POINTS)
        elif drawn < KILLS_PERMILLE + LOSSES_PERMILLE:
            self._loses_at = self._chance.randint(1, CALLS)

    def rest(self) -> None:
        """Between deeds nothing goes wrong."""
        self._dies_at = self._loses_at = 0

    def point(self) -> None:
        """Before or after a commit. Raises Killed."""
        if self._dies_at:
            self._dies_at -= 1
            if not self._dies_at:
                self.kills += 1
                raise Killed

    def call(self, *, is_answered: bool) -> None:
        """Before a call is sent, or once it is answered. Raises Killed, or what a client sees."""
        self.point()
        if self._loses_at:
            self._loses_at -= 1
            if not self._loses_at:
                self.losses += 1
                if is_answered:
                    raise httpx.ReadTimeout("the answer was lost")
                raise httpx.ConnectError("the call did not arrive")
