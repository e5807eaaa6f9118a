"""What Piccolo looks for (PICCOLO_CONF). migrate.py puts the engine in."""

from piccolo.conf.apps import AppRegistry
from piccolo.engine.postgres import PostgresEngine

DB: PostgresEngine | None = None
APP_REGISTRY = AppRegistry(apps=["infrastructure.postgres.piccolo_app"])
