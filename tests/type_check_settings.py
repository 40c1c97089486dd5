"""The settings as the type checker's plugin loads them: no environment has been prepared, and no database is asked."""

import os

for name, value in {
    "SECRET_KEY": "x" * 50,
    "ALLOWED_HOSTS": "localhost",
    "DATABASE_URL": "postgres://localhost",
}.items():
    os.environ.setdefault(name, value)

from clinic.settings import *  # noqa: E402, F403 - after the environment is set; all of them are these settings
