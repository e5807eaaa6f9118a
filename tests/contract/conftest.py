"""Every contract test of a provider is played on each of the stages."""

from collections.abc import AsyncIterator

import pytest

from domain.payments.payment_provider import ProviderName
from tests.contract.play import Play
from tests.contract.stages import KEYS, NAMES, STAGES, an_account, open_stage
from tests.fakes.ids import FakeIds
from tests.fakes.vault import FakeVault


@pytest.fixture(params=sorted(STAGES))
async def play(request: pytest.FixtureRequest) -> AsyncIterator[Play]:
    ids, vault = FakeIds(), FakeVault()
    async with open_stage(request.param, vault) as stage:
        key = KEYS.get(request.param, "test_")
        name = {"name": NAMES.get(request.param, ProviderName.MOLLIE)}
        account = an_account(ids, vault, f"{key}oneoneoneoneoneoneoneoneoneone", **name)
        other = an_account(ids, vault, f"{key}twotwotwotwotwotwotwotwotwotwo", **name)
        yield Play(stage, ids, account, other)
