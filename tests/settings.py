"""The project's settings on the tests' own PostgreSQL.

Nothing else differs: the environment is set here, before the settings read it, because
pytest-django loads them before any conftest.
"""

import os

from registry.embedded.places import database_url, var_folder

os.environ["MYELON_LOCAL"] = "true"
os.environ["DATABASE_URL"] = database_url(var_folder() / "test-postgres")

from registry.settings import *  # noqa: F403, TID251
from registry.settings import DATABASES  # noqa: TID251

# Named after the process, so that two runs at a time do not meet.
DATABASES["default"]["TEST"] = {"NAME": f"test_{os.getpid()}"}
