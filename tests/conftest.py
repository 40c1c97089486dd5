"""One PostgreSQL a run: DATABASE_URL's when it is set, else the embedded one on throw-away data."""

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

import django
import pytest

from clinic.local import postgres

# Nothing here outlives the run, so nothing need survive a power cut.
THROW_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


_running = ExitStack()


def _prepare():
    """The settings read the environment once, so everything is there before Django is set up."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
    os.environ.setdefault("SECRET_KEY", "for-tests-only-" + "0123456789abcdef" * 3)
    os.environ.setdefault("ALLOWED_HOSTS", "testserver,localhost,127.0.0.1")
    os.environ.setdefault("PLAIN_HTTP", "1")
    # Workers of pytest-xdist inherit what the controller has set, its server included.
    if "DATABASE_URL" not in os.environ:
        folder = Path(_running.enter_context(tempfile.TemporaryDirectory(prefix="clinic-tests-")))
        os.environ.setdefault("CLINIC_DATA_DIR", str(folder))
        os.environ["DATABASE_URL"] = _running.enter_context(postgres.running(folder, settings=THROW_AWAY))
    django.setup()


# While this file is imported: the conftest files of folders below import the models.
_prepare()


def pytest_configure(config):
    config.add_cleanup(_running.close)


@pytest.fixture(scope="session", autouse=True)
def static_files_straight_from_the_sources():
    """The hashed names of production need a collectstatic; tests read static/ as it is."""
    from django.test import override_settings  # noqa: PLC0415 - see pytest_configure

    storages = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    with override_settings(STORAGES=storages, WHITENOISE_AUTOREFRESH=True, WHITENOISE_USE_FINDERS=True):
        yield


@pytest.fixture(autouse=True)
def no_address_is_refused_yet():
    """What a worker process remembers of refused addresses outlives a test's database."""
    from clinic.access import guessing  # noqa: PLC0415 - see pytest_configure

    guessing._refused_until.clear()
