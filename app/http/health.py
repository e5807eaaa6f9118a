"""Is it alive, is it ready, how is it doing. Open to everyone, so they tell little."""

from typing import Literal, Protocol, runtime_checkable

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from msgspec import Struct
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from app.http.caller import public
from app.http.telemetry import REGISTRY

Check = Literal["ok", "failed"]


@runtime_checkable
class Readiness(Protocol):
    async def database(self) -> bool:
        """It answers, and we work there as a role that row-level security binds."""
        ...

    async def migrations(self) -> bool:
        """Those that ran are those that this code was written for."""
        ...


class Health(Struct, frozen=True):
    status: Literal["ok", "failed"]
    checks: dict[str, Check]


class HealthController(Controller):
    tags = ("Health",)
    guards = [public]

    @get("/livez", operation_id="livez", sync_to_thread=False)
    def livez(self) -> Health:
        """200 while the process answers. Touches nothing else."""
        return Health("ok", {})

    @get("/readyz", operation_id="readyz")
    async def readyz(self, readiness: NamedDependency[Readiness]) -> Response[Health]:
        """200 when requests can be served: the database answers and is up to date; else 503.

        Payment providers are not asked: their outage must not restart ours.
        """
        database = await readiness.database()
        migrations = database and await readiness.migrations()
        health = Health(
            "ok" if migrations else "failed",
            {
                "database": "ok" if database else "failed",
                "migrations": "ok" if migrations else "failed",
            },
        )
        return Response(health, status_code=200 if migrations else 503)

    @get("/metrics", operation_id="metrics", media_type=CONTENT_TYPE_LATEST, sync_to_thread=False)
    def metrics(self) -> bytes:
        """Prometheus' text format."""
        return generate_latest(REGISTRY)
