"""How pytest-xdist distributes the tests: a file, or a folder whose tests share a server, goes to one worker.

What they share takes seconds to make: collected static files, a browser, a database, pages that were read. Marks would
say so as well (`xdist_group` with `--dist=loadgroup`), but pytest-xdist 3.8 passes them on by changing node ids, which
pytest 9.2 does not let it: without a word, each test goes to a worker of its own (pytest-dev/pytest-xdist#1386).
"""

from xdist.scheduler import LoadScopeScheduling

FOLDERS = ("tests/browser/", "tests/server/")
# These begin first, the longest at the top: the run lasts until the end of whatever has begun last.
LONG = (
    *FOLDERS,
    "tests/test_plans.py",
    "tests/test_every_word.py",
    "tests/api/test_schemathesis.py",
    "tests/test_migrations.py",
    "tests/test_start.py",
    "tests/booking/test_state_machine.py",
    "tests/test_backup.py",
    "tests/api/test_killed.py",
    "tests/api/test_together.py",
    "tests/test_database.py",
    "tests/test_guessing.py",
    "tests/api/imagemais/test_appointments.py",
    "tests/test_bundles.py",
    "tests/test_access_log.py",
    "tests/exchange/test_killed.py",
    "tests/reports/test_counted_slowly.py",
    "tests/api/test_generated_clients.py",
    "tests/test_commands.py",
    "tests/test_architecture.py",
    "tests/web/test_patient_pages.py",
    "tests/test_admin.py",
    "tests/test_two_windows.py",
    "tests/test_seeds.py",
    "tests/test_races.py",
    "tests/test_time_zone_races.py",
)


def unit(node_id: str) -> str:
    """Return the file of a test, or its folder."""
    file = node_id.partition("::")[0]
    return next((folder for folder in FOLDERS if file.startswith(folder)), file)


def place(node_id: str) -> int:
    """Return the place of a test's unit in the order in which units begin."""
    return LONG.index(unit(node_id)) if unit(node_id) in LONG else len(LONG)


class ByUnit(LoadScopeScheduling):
    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)
