"""The routes of test clocks."""

from typing import Final
from uuid import UUID

from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from app.http.caller import bearer_or_key
from app.http.desk import Desk
from app.http.envelope import Envelope, many, one
from app.http.pages import PageLimit, PageNumber
from app.subscriptions.clock_schemas import (
    AdvanceTestClockBody,
    CreateTestClockBody,
    TestClockView,
)
from domain.kernel.pages import PageRequest
from domain.subscriptions.test_clock_service import TestClockService, TestClocksTx
from domain.tenancy.caller import Actor

KIND: Final = "testClocks"


class TestClocksController(Controller):
    path = "/api/v1/apps/{app_uuid:uuid}/test-clocks"
    tags = ("Test clocks",)
    guards = (bearer_or_key,)

    @get("/", operation_id="listTestClocks")
    async def page(
        self,
        app_uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        test_clocks: NamedDependency[TestClockService],
        page: PageNumber = 0,
        limit: PageLimit = 10,
    ) -> Envelope[TestClockView]:
        """The newest first."""
        async with desk.read() as (tx, actor):
            found = await test_clocks.list(tx, actor, PageRequest(page, limit))
        return many(KIND, found, TestClockView.of)

    @post("/", operation_id="createTestClock", status_code=201)
    async def create(
        self,
        app_uuid: FromPath[UUID],
        data: JSONBody[CreateTestClockBody],
        desk: NamedDependency[Desk],
        test_clocks: NamedDependency[TestClockService],
    ) -> Response[Envelope[TestClockView]]:
        """Make a clock that stands still. Put tenants on it as you make them: `testClockUuid`."""

        async def work(tx: TestClocksTx, actor: Actor) -> TestClockView:
            return TestClockView.of(await test_clocks.create(tx, actor, data.new()))

        return await desk.write(work, kind=KIND, status=201)

    @get("/{uuid:uuid}", operation_id="getTestClock")
    async def read(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        test_clocks: NamedDependency[TestClockService],
    ) -> Envelope[TestClockView]:
        """What it shows. While it is `advancing`, `now` moves: ask until it is `ready`."""
        async with desk.read() as (tx, actor):
            found = await test_clocks.get(tx, actor, uuid)
        return one(KIND, TestClockView.of(found))

    @delete("/{uuid:uuid}", operation_id="deleteTestClock", status_code=200)
    async def remove(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        desk: NamedDependency[Desk],
        test_clocks: NamedDependency[TestClockService],
    ) -> Response[Envelope[TestClockView]]:
        """Give it up, once no subscription lives by it. Its tenants can begin no more."""

        async def work(tx: TestClocksTx, actor: Actor) -> TestClockView:
            return TestClockView.of(await test_clocks.delete(tx, actor, uuid))

        return await desk.write(work, kind=KIND)

    @post("/{uuid:uuid}/advance", operation_id="advanceTestClock", status_code=200)
    async def advance(
        self,
        app_uuid: FromPath[UUID],
        uuid: FromPath[UUID],
        data: JSONBody[AdvanceTestClockBody],
        desk: NamedDependency[Desk],
        test_clocks: NamedDependency[TestClockService],
    ) -> Response[Envelope[TestClockView]]:
        """Let its time pass. Everything that is due on the way happens, in order, at its instant.

        The answer is `advancing`: ask for the clock until it is `ready`. Charges are made at the
        test account, and what that decides within two seconds is taken in before time goes on.
        While the account cannot be reached the clock waits, and `failure` says for what.
        """

        async def work(tx: TestClocksTx, actor: Actor) -> TestClockView:
            return TestClockView.of(await test_clocks.advance(tx, actor, uuid, data.now))

        return await desk.write(work, kind=KIND)
