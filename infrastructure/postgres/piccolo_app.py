"""Registers the migrations with Piccolo.

No table classes: Piccolo knows one primary key column per table, ours have `app_uuid` and one
more. docs/schema.sql is the declaration, and a test proves it equal to the migrations.
"""

from pathlib import Path

from piccolo.conf.apps import AppConfig

import piccolo_migrations

APP_CONFIG = AppConfig(
    app_name="kontor",
    migrations_folder_path=str(Path(piccolo_migrations.__file__).parent),
    table_classes=[],
)
