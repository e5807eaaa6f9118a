"""`kontor worker`: what is due, and what must be told to others."""

import asyncio
import signal

import click
import uvloop

from app.main import build_worker
from app.settings import BadSetting, Settings, load


@click.command(epilog="Example: kontor worker")
def worker() -> None:
    """Run a worker until Ctrl-C or SIGTERM. Run as many as you like, on any machine."""
    try:
        settings = load()
    except BadSetting as error:
        raise click.ClickException(str(error)) from None
    uvloop.run(_run(settings))


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    program, beside, parts = build_worker(settings)
    async with parts.open(), parts.sender.open(), asyncio.TaskGroup() as group:
        for each in (program, *beside):
            group.create_task(each.run(stop))
