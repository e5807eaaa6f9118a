"""What the fake provider can do beyond the contract: refuse, count, and watch for transactions."""

import pytest

from domain.kernel.errors import ProviderUnavailable, ProviderUnreadable
from domain.payments.answers import Declined
from domain.payments.ports import NewCustomer
from tests.contract.stages import an_account
from tests.fakes.clock import FakeClock
from tests.fakes.ids import FakeIds
from tests.fakes.provider import Asked, FakeProvider, Fault, Made
from tests.fakes.vault import FakeVault

IDS = FakeIds(series=4)
ACCOUNT = an_account(IDS, FakeVault(), "test_x")


def a_customer() -> NewCustomer:
    return NewCustomer(uuid=IDS.new(), tenant_uuid=IDS.new(), name="Ada", email=None)


async def test_it_must_not_be_called_while_a_transaction_is_open():
    fake = FakeProvider(FakeClock(), busy=lambda: True)
    with pytest.raises(AssertionError, match="while a transaction is open"):
        await fake.provider.payments.get(ACCOUNT, "tr_1")


async def test_faults_come_in_the_order_they_were_planned_and_then_it_works():
    fake, customer = FakeProvider(FakeClock()), a_customer()
    create = fake.provider.customers.create
    fake.fail_next("create_customer", Fault.UNAVAILABLE)
    fake.fail_next("create_customer", Fault.DECLINED)
    fake.fail_next("create_customer", Fault.LOST_ANSWER)
    fake.fail_next("create_customer", Fault.UNREADABLE)
    fake.fail_next("find_customer", Fault.UNAVAILABLE)

    with pytest.raises(ProviderUnavailable):
        await create(ACCOUNT, customer)
    assert isinstance(await create(ACCOUNT, customer), Declined)
    assert fake.ledger == []
    with pytest.raises(ProviderUnavailable):
        await create(ACCOUNT, customer)
    with pytest.raises(ProviderUnreadable):
        await create(ACCOUNT, customer)
    ref = await create(ACCOUNT, customer)

    assert fake.ledger == [Made("customer", ACCOUNT.uuid, str(ref), customer.uuid)]
    assert fake.calls == [Asked("create_customer", ACCOUNT.uuid, customer.uuid)] * 5
