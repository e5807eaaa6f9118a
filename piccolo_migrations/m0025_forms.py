"""Attempts that ask for a payment form to be embedded in a page of the app's."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from infrastructure.postgres.ddl import migration

ID = "2026-11-29T00:25:00"
VERSION = "1.38.0"
DESCRIPTION = "embedded forms"

# The default is for a program of the version before.
UP = """
alter table payment_attempts
    add column kind text not null default 'payment' check (kind in ('payment', 'form')),
    add column form_ref text,
    add column form_token text,
    add constraint payment_attempts_form_check
        check ((form_ref is null) = (form_token is null) and (kind = 'form' or form_ref is null));
"""


async def forwards() -> MigrationManager:
    return migration(ID, DESCRIPTION, UP)
