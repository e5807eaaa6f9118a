"""The command that `kontor dev` prints works as pasted: a shell reads from it what was meant."""

import json
import shlex

from app.cli.dev_screen import checkout

FACTS = {
    "apiUrl": "http://127.0.0.1:8000",
    "appUuid": "0197-app",
    "tenantUuid": "0197-tenant",
    "prices": {"oneTime": "0197-price"},
    "taxRates": {"exclusive19": "0197-rate"},
    "tokens": {"tenant": "ey.a'b.c"},
}


def test_the_printed_command_survives_the_shell():
    words = shlex.split(checkout(FACTS).replace("\\\n", " "))
    assert words[2] == (
        "http://127.0.0.1:8000/api/v1/apps/0197-app/payment-providers/mollie/checkout-sessions"
    )
    assert "Authorization: Bearer ey.a'b.c" in words
    body = json.loads(words[words.index("-d") + 1])
    assert body["tenantUuid"] == "0197-tenant"
    assert body["successUrl"].startswith("http://localhost:8000/")
    assert "{CHECKOUT_SESSION_UUID}" in body["successUrl"]
