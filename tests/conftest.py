"""One PostgreSQL a run, started when a test first asks for it: DATABASE_URL's if that is set, else the embedded one."""

import gc
import os
import sys
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import dj_database_url
import django
import pytest
from hypothesis import HealthCheck, settings

from tests import database, distribution, emptying, rewriting

_run = ExitStack()
# A busy machine takes longer for an example, and for making one, than hypothesis expects.
settings.register_profile("busy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy machine")


def _prepare():
    """Set what the settings read from the environment, before Django is set up."""
    # Where bytecode is not kept, the run and all processes that tests start compile Django anew, a second each.
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
    os.environ.setdefault("SECRET_KEY", "for-tests-only-" + "0123456789abcdef" * 3)
    os.environ.setdefault("ALLOWED_HOSTS", "testserver,localhost,127.0.0.1")
    os.environ.setdefault("PLAIN_HTTP", "1")
    # Workers of pytest-xdist inherit the environment of the process that starts them, and so share one folder.
    if "PYTEST_XDIST_WORKER" not in os.environ:
        os.environ["CLINIC_DATA_DIR"] = str(_run.enter_context(database.run_folder()))
    django.setup()


# While this file is imported: the conftest files of folders below import the models.
_prepare()


def pytest_configure(config):
    config.add_cleanup(_run.close)


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session):
    if "PYTEST_XDIST_WORKER" in os.environ:
        gc.disable()  # until the tests begin: hardly anything made before is garbage
        rewriting.import_own_share(session.config.args)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: distribution.place(item.nodeid))


def pytest_collection_finish():
    # Modules and tests stay until the end: to look through them again and again took a twentieth of the time.
    gc.freeze()
    # What the first tests load stays as well (templates, addresses, words): full collections took a tenth of the time.
    gc.set_threshold(10_000, 10, 50)
    gc.enable()


def pytest_runtest_teardown(nextitem):
    if nextitem is None:
        gc.collect()  # what is left open in a cycle is found while a test can still fail for it


def pytest_xdist_auto_num_workers():
    """One more than there are processors: a worker often waits, for a browser or for the end of a process."""
    return (os.cpu_count() or 1) + 1


def pytest_xdist_make_scheduler(config, log):
    return distribution.ByUnit(config, log)


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_keepdb):
    """Spare the embedded server the removal of a database that goes with the server's folder."""
    return django_db_keepdb or "DATABASE_URL" not in os.environ


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix, request):
    """Start the embedded PostgreSQL; the test database is then copied from the migrated one."""
    from django.core.management.commands import flush  # noqa: PLC0415 - see pytest_configure
    from django.db import connection  # noqa: PLC0415 - see pytest_configure
    from django.db.backends.postgresql.operations import DatabaseOperations  # noqa: PLC0415 - see pytest_configure

    if "DATABASE_URL" in os.environ:
        yield
        return
    kept = request.config.cache.mkdir("database")
    folder = Path(os.environ["CLINIC_DATA_DIR"])
    with database.running(folder, kept) as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", url)  # for the processes that tests start
        settings, address = connection.settings_dict, dj_database_url.parse(url)
        address["OPTIONS"] = settings["OPTIONS"] | address["OPTIONS"]
        settings |= {name: address[name] for name in ("HOST", "PORT", "USER", "PASSWORD", "OPTIONS")}
        settings["TEST"]["TEMPLATE"] = database.MIGRATED
        patch.setattr(DatabaseOperations, "sql_flush", emptying.sql_flush)
        patch.setattr(flush, "emit_post_migrate_signal", emptying.nothing_to_write_again)
        yield


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


@pytest.fixture(scope="session", autouse=True)
def no_permission_is_written_after_a_test():
    """Django writes all permissions again whenever a test has emptied the tables, which takes longer than to empty
    them. Nobody asks for one here."""
    from django.contrib.auth.management import create_permissions  # noqa: PLC0415 - see pytest_configure
    from django.db.models.signals import post_migrate  # noqa: PLC0415 - see pytest_configure

    name = "django.contrib.auth.management.create_permissions"
    assert post_migrate.disconnect(dispatch_uid=name)
    yield
    post_migrate.connect(create_permissions, dispatch_uid=name)


@pytest.fixture(scope="session", autouse=True)
def force_login_writes_one_row():
    """Half of the tests sign a user in: see tests/signed_in.py."""
    from django.test import Client  # noqa: PLC0415 - see pytest_configure

    from tests import signed_in  # noqa: PLC0415 - see pytest_configure

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Client, "_login", signed_in.login)
        yield


@pytest.fixture(scope="session", autouse=True)
def sentences_are_kept_as_they_are_translated():
    """As in the server's processes (clinic/wsgi.py). A sentence that no catalogue holds is looked up in each of eight
    otherwise, every time: a twentieth of a page's time."""
    from django.utils.translation.trans_real import DjangoTranslation  # noqa: PLC0415 - see pytest_configure

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DjangoTranslation, "gettext", cache(DjangoTranslation.gettext))
        yield


@pytest.fixture(autouse=True)
def no_address_is_refused_yet():
    """What a worker process remembers of refused addresses outlives a test's database."""
    from clinic.access import guessing  # noqa: PLC0415 - see pytest_configure

    guessing._refused_until.clear()


@pytest.fixture
def own_database(django_db_setup, django_db_blocker):
    """A test that migrates has databases of its own, which are dropped after it: see tests/migrated.py."""
    from tests.migrated import OwnDatabase  # noqa: PLC0415 - see pytest_configure

    own = OwnDatabase()
    with django_db_blocker.unblock():
        yield own
        own.drop()


@pytest.fixture
def manager(client):
    from tests.factories import make_manager  # noqa: PLC0415 - see pytest_configure

    manager = make_manager()
    client.force_login(manager)
    return manager
