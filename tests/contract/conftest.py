"""Every contract test of a provider is played on each of the stages."""

from collections.abc import AsyncIterator

import pytest

from tests.contract.play import Play
from tests.contract.stages import STAGES, accounts_on, open_stage
from tests.fakes.ids import FakeIds
from tests.fakes.vault import FakeVault


@pytest.fixture(params=sorted(STAGES))
async def play(request: pytest.FixtureRequest) -> AsyncIterator[Play]:
    ids, vault = FakeIds(), FakeVault()
    async with open_stage(request.param, vault) as stage:
        account, other = await accounts_on(request.param, stage, ids, vault)
        yield Play(stage, ids, account, other)
