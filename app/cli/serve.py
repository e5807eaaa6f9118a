"""`kontor serve`: the API."""

import click
import uvicorn

from app.settings import BadSetting, load


@click.command(epilog="Example: kontor serve --port 8000")
@click.option("--host", default=None, help="Address to listen on (KONTOR_HOST).")
@click.option("--port", default=None, type=int, help="Port to listen on (KONTOR_PORT).")
@click.option("--workers", default=1, show_default=True, help="Processes; one per core is plenty.")
def serve(host: str | None, port: int | None, workers: int) -> None:
    """Run the API. Settings come from the environment: see `kontor settings`."""
    try:
        settings = load()
    except BadSetting as error:
        raise click.ClickException(str(error)) from None
    uvicorn.run(
        "app.asgi:create",
        factory=True,
        host=host or settings.host,
        port=settings.port if port is None else port,
        workers=workers,
        loop="uvloop",
        http="httptools",
        access_log=False,  # costs a third of the throughput; telemetry.py writes its own line
        log_level="warning",
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=25,
    )
