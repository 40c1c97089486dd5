"""PostgreSQL ends the connections that a server keeps: nobody who asks afterwards notices."""

from django.db import connection

from tests.factories import make_clinic, make_user
from tests.server.conftest import APPLICATION_NAME, eventually
from tests.server.test_held_rows import cookies_of

SESSIONS = "FROM pg_stat_activity WHERE application_name = %s AND datname = current_database()"


def sessions(what: str) -> list:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {what} {SESSIONS}", [APPLICATION_NAME])
        return cursor.fetchall()


def test_requests_after_connections_were_ended_are_answered(served):
    cookie = cookies_of(make_user(make_clinic()))
    for _ in range(5):
        assert {served.ask("/agenda/", Cookie=cookie)[0] for _ in range(8)} == {200}
        ended = {pid for pid, _ in sessions("pid, pg_terminate_backend(pid)")}
        assert ended
        eventually(lambda gone=ended: not gone & {pid for (pid,) in sessions("pid")})
        assert {served.ask("/agenda/", Cookie=cookie)[0] for _ in range(8)} == {200}
