"""What `kontor dev` tells the developer once everything runs."""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def screen(facts: Mapping[str, Any], logs: Path) -> str:
    """Where to look, and a command that works as pasted."""
    api, sandbox = facts["apiUrl"], facts["sandboxUrl"]
    return f"""
Kontor runs. Ctrl-C stops all of it; the next start finds everything again.

  API             {api}
  Documentation   {api}/docs
  Mollie sandbox  {sandbox}
  KOMOJU sandbox  {sandbox}/komoju
  Database        {facts["databaseUrl"]}
  Logs            {logs}

Sell something: paste this into another terminal, open the `nextAction.url` of the answer in a
browser, and choose Paid.

{checkout(facts)}

Then see what became of it:

{newest(facts)}
"""


def newest(facts: Mapping[str, Any]) -> str:
    """A shell command that shows the newest checkout session."""
    address = f"{facts['apiUrl']}/api/v1/apps/{facts['appUuid']}/checkout-sessions?limit=1"
    words = [
        ["curl", "-sS", address],
        ["-H", f"Authorization: Bearer {facts['tokens']['tenant']}"],
    ]
    return _command(words)


def checkout(facts: Mapping[str, Any]) -> str:
    """A shell command that opens a checkout session for the demo product."""
    address = f"{facts['apiUrl']}/api/v1/apps/{facts['appUuid']}"
    back = f"{facts['apiUrl']}/docs".replace("127.0.0.1", "localhost")
    body = {
        "tenantUuid": facts["tenantUuid"],
        "mode": "payment",
        "productPriceUuid": facts["prices"]["oneTime"],
        "successUrl": f"{back}?paid={{CHECKOUT_SESSION_UUID}}",
        "cancelUrl": back,
    }
    words = [
        ["curl", "-sS", f"{address}/payment-providers/mollie/checkout-sessions"],
        ["-H", f"Authorization: Bearer {facts['tokens']['tenant']}"],
        ["-H", "Content-Type: application/json"],
        ["-d", json.dumps(body)],
    ]
    return _command(words)


def _command(lines: list[list[str]]) -> str:
    return " \\\n  ".join(shlex.join(line) for line in lines)
