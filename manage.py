#!/usr/bin/env python
"""Django's command line. What a laptop does not set, the PostgreSQL included, `clinic.local` puts around a command."""

import os
import sys

from clinic import local


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
    with local.environment(sys.argv[1:]):
        from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415 - the settings are ready only now
        from django.core.management import execute_from_command_line  # noqa: PLC0415
        from environs import EnvError  # noqa: PLC0415

        try:
            execute_from_command_line(sys.argv)
        except (ImproperlyConfigured, EnvError) as error:
            sys.exit(str(error))


if __name__ == "__main__":
    main()
