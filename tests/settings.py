"""The project's settings on the tests' own PostgreSQL.

Nothing else differs but the cost of passwords and where log lines go. The environment is
set here, before the settings read it, because pytest-django loads them before any
conftest.
"""

import os

from registry.embedded.places import database_url, var_folder

os.environ["MYELON_LOCAL"] = "true"
os.environ["DATABASE_URL"] = database_url(var_folder() / "test-postgres")
# Walks over all routes ask more often than people may; tests of the limits set theirs.
os.environ["API_RATE_USER"] = os.environ["API_RATE_ANONYMOUS"] = "1000000/min"

from registry.settings import *  # noqa: F403, TID251
from registry.settings import DATABASES, LOGGING, PASSWORD_HASHERS  # noqa: TID251

# Named after the process, so that two runs at a time do not meet.
DATABASES["default"]["TEST"] = {"NAME": f"test_{os.getpid()}"}
PASSWORD_HASHERS = ["tests.hashing.QuickArgon2", *PASSWORD_HASHERS]
# pytest collects what is logged; the own writer would print between its lines.
LOGGING["handlers"]["stderr"] = {"class": "logging.NullHandler"}
# Each test has its own trail: it agrees with no head of another.
AUDIT_HEADS = ""
