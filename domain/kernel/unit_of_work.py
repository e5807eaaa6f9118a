"""A transaction in one app. Everything read and written inside belongs to that app."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar

from domain.kernel.ids import AppUuid

TxT_co = TypeVar("TxT_co", covariant=True)


class UnitOfWork(Protocol[TxT_co]):
    def begin(self, app_uuid: AppUuid) -> AbstractAsyncContextManager[TxT_co]:
        """Commits when the block ends, rolls back when it raises.

        Raises DatabaseUnavailable when there is no connection within two seconds.
        Never call a provider inside the block: the row locks would wait for the network.
        """
        ...
