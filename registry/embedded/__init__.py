"""PostgreSQL and Redis for the first run, development and tests, without installing.

The settings import the three functions below, which compute and never start a server.
``registry.embedded.postgres`` and ``registry.embedded.redis`` start and stop them.
"""

from registry.embedded.places import (
    choose_local_mode,
    local_database_url,
    local_key,
    local_redis_url,
)

__all__ = [
    "choose_local_mode",
    "local_database_url",
    "local_key",
    "local_redis_url",
]
