"""Moments as Mollie writes them."""

from datetime import UTC, datetime


def stamp(moment: datetime) -> str:
    """Mollie's timestamps have whole seconds and a numeric zone."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")
