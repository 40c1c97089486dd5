"""How pytest-xdist distributes the tests: a file, or a folder whose tests share a server, goes to one worker.

What they share takes seconds to make: collected static files, a database, pages that were read. (A browser begins in
one second, and tests/browser as one unit would last as long as half of all other tests.) Marks would say so as well
(`xdist_group` with `--dist=loadgroup`), but pytest-xdist 3.8 passes them on by changing node ids, which pytest 9.2 does
not let it: without a word, each test goes to a worker of its own (pytest-dev/pytest-xdist#1386).

A fourth worker on two processors gains nothing: three leave them idle for little more than the beginning, and each
collects all tests for itself.
"""

from xdist.scheduler import LoadScopeScheduling

FOLDERS = ("tests/server/",)
# These begin first, the longest at the top: the run lasts until the end of whatever has begun last.
LONG = (
    "tests/test_plans.py",
    "tests/test_every_word.py",
    "tests/browser/test_every_page.py",
    "tests/test_start.py",
    *FOLDERS,
    "tests/api/test_schemathesis.py",
    "tests/test_migrations.py",
    "tests/exchange/test_archive.py",
    "tests/browser/test_morning.py",
    "tests/web/test_many_pending.py",
    "tests/web/test_rights.py",
    "tests/api/test_together.py",
    "tests/booking/test_state_machine.py",
    "tests/test_backup.py",
    "tests/exchange/test_killed.py",
    "tests/test_consents.py",
    "tests/web/test_agenda_as_of.py",
    "tests/test_guessing.py",
    "tests/api/imagemais/test_appointments.py",
    "tests/test_bundles.py",
    "tests/test_access_log.py",
    "tests/api/test_generated_clients.py",
    "tests/browser/test_importing.py",
    "tests/test_architecture.py",
    "tests/reports/test_counted_slowly.py",
    "tests/api/test_killed.py",
    "tests/test_commands.py",
    "tests/web/test_patient_pages.py",
    "tests/test_admin.py",
    "tests/test_two_windows.py",
    "tests/test_seeds.py",
    "tests/test_races.py",
    "tests/test_time_zone_races.py",
)
BROWSER = "tests/browser/"  # its other files come next


def unit(node_id: str) -> str:
    """Return the file of a test, or its folder."""
    file = node_id.partition("::")[0]
    return next((folder for folder in FOLDERS if file.startswith(folder)), file)


def place(node_id: str) -> int:
    """Return the place of a test's unit in the order in which units begin."""
    found = unit(node_id)
    if found in LONG:
        return LONG.index(found)
    return len(LONG) + (not found.startswith(BROWSER))


class ByUnit(LoadScopeScheduling):
    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)
