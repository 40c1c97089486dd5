#!/usr/bin/env python
"""Django's command line. `clinic.local.environment` adds what a laptop does not set, PostgreSQL included."""

import os
import sys

from clinic.local import environment


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
    # What PostgreSQL notes as the author of a command's changes (clinic.models.row_change).
    os.environ.setdefault("PGAPPNAME", " ".join(["manage.py", *sys.argv[1:2]]))
    with environment.prepared(sys.argv[1:]):
        from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415 - the settings are ready only now
        from django.core.management import execute_from_command_line  # noqa: PLC0415
        from environs import EnvError  # noqa: PLC0415

        try:
            execute_from_command_line(sys.argv)
        except (ImproperlyConfigured, EnvError) as error:
            sys.exit(str(error))
        close_sessions()


def close_sessions() -> None:
    """End this process's sessions before the embedded PostgreSQL stops: the pool would go on connecting."""
    from django.db import connections  # noqa: PLC0415 - the settings are ready only now

    for connection in connections.all(initialized_only=True):
        connection.close()
        connection.close_pool()


if __name__ == "__main__":
    main()
