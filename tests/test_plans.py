"""At 100 000 appointments no statement of any address reads a large table from end to end, whichever plan is made.

A plan for the parameters of one request and a plan for all parameters (the one that a prepared statement keeps) may
differ: both are asked for what was really run, at every address that the resolver knows, of whatever the browser and
both APIs can do.
"""

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache

import psycopg
import pytest
from django.db import connection
from django.urls import resolve
from django.utils import timezone

from clinic.management.demo import bulk
from clinic.models import Absence
from tests.every_address import Asking, Call, calls, operations, routes

STORED, PATIENTS = 100_000, 50_000
LARGE = {"clinic_appointment", "clinic_appointmentprocedure", "clinic_appointmentevent", "clinic_patient"}
CUSTOM, GENERIC = "force_custom_plan", "force_generic_plan"
# The statements of the administration, of reports and of the audit, run by the ORM's cursors and in no booking's
# transaction: they are never planned for all parameters. What managers do seldom may read a table once, since an index
# for it would be written by every booking: filtering a list by what few rows have, asking before a deletion whether
# anything hangs on the row, and sending all patients, or the whole clinic, as a file. Imports are of the ORM too, but
# for the rules of a booking.
PLANNED_EACH_TIME = ("/admin/", "/relatorios/", "/auditoria/", "/exportar/", "/importar/")
SELDOM = re.compile(
    r"/delete/$|^/exportar/(pacientes|clinica-inteira)|\?.*(status|source|kind|channel|died)__exact|isempty"
)
PLANNED = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b", re.IGNORECASE)
PARAMETER = re.compile(r"%(?:\((\w+)\)s|(s)|(%))")
PASSED_ON = {"admin/(?P<url>.*)$"}  # the administration's own "not found"


@cache
def names_a_large_table(sql: str) -> bool:
    return bool(PLANNED.match(sql) and LARGE & set(re.findall(r"\w+", sql)))


@dataclass
class Ran:
    """What was run for the calls: by statement, the parameters of each time and the first call it served."""

    statements: dict[str, tuple[Call, list]] = field(default_factory=dict)
    served: set = field(default_factory=set)
    failed: list = field(default_factory=list)

    @contextmanager
    def during(self, call: Call):
        def note(execute, sql, parameters, many, context):
            assert isinstance(sql, str)
            if _modes(call) and names_a_large_table(sql):
                self.statements.setdefault(sql, (call, []))[1].append(parameters)
            return execute(sql, parameters, many, context)

        with connection.execute_wrapper(note):
            yield


@pytest.fixture(scope="module")
def full_database(django_db_setup, django_db_blocker):
    """A database of its own for this module, a copy of the tests', filled and known to the planner."""
    original = connection.settings_dict["NAME"]
    own = f"{original}_full"
    with django_db_blocker.unblock():
        _administer(
            f'DROP DATABASE IF EXISTS "{own}"',
            # The server of tests/server keeps its sessions to the end of the run.
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{original}'",  # noqa: S608 - our own name
            f'CREATE DATABASE "{own}" TEMPLATE "{original}"',
        )
        connection.settings_dict["NAME"] = own
        clinic = bulk.load_clinic()
        bulk.add_patients(clinic, PATIENTS)
        for _ in bulk.fill(clinic, STORED):
            pass
        # Of every row, and with nothing left in the lists of what indexes do not hold yet: no plan hangs on a sample.
        _administer("SET default_statistics_target = 1000", "VACUUM (ANALYZE)", dbname=own)
        yield clinic
        connection.settings_dict["NAME"] = original
        _administer(f'DROP DATABASE "{own}"')


def _administer(*statements, dbname="postgres"):
    """By a connection of its own, without a transaction; nobody may be connected to a database that is copied."""
    connection.close()
    connection.close_pool()
    parameters = connection.get_connection_params() | {"dbname": dbname}
    names = {"dbname", "user", "password", "host", "port"} & parameters.keys()
    with psycopg.connect(**{each: parameters[each] for each in names}, autocommit=True) as session:
        for statement in statements:
            session.execute(statement)


@pytest.fixture
def ran(full_database, db, settings):
    settings.API_REQUESTS_A_SECOND = settings.API_REQUESTS_A_MINUTE = 100_000
    with connection.cursor() as cursor:  # a busy machine may draw at a PDF for longer than a minute
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    now = timezone.now()
    Absence.objects.create(clinic=full_database, reason="obras", starts_at=now, ends_at=now + timedelta(days=1))
    asking, ran = Asking(full_database), Ran()
    for call in calls(asking):
        with ran.during(call):
            answer = asking(call)
        ran.served.add((call.method, resolve(call.path.split("?")[0]).route))
        if answer.status_code not in call.expected:
            ran.failed.append(f"{answer.status_code}: {call}")
    return ran


def test_no_address_reads_a_large_table_from_end_to_end(ran):
    assert ran.failed == []
    assert routes() - {route.removeprefix("^") for _, route in ran.served} - PASSED_ON == set()
    assert operations() - ran.served == set()
    assert "".join(_faults(ran)) == ""


def _faults(ran):
    for sql, (call, each) in ran.statements.items():
        for mode in _modes(call):
            for parameters in each[:2] if mode == CUSTOM else each[:1]:
                if read := LARGE & set(_read_whole(plan(sql, parameters, mode))):
                    yield f"\n{mode}, {', '.join(read)}: {call}\n{sql}\n{parameters}\n"
                    break


def _modes(call):
    if not call.path.startswith(PLANNED_EACH_TIME):
        return [CUSTOM, GENERIC]
    return [] if SELDOM.search(call.path) else [CUSTOM]


def plan(sql: str, parameters, mode: str) -> dict:
    """The plan that PostgreSQL makes of a statement in that mode."""
    values = []

    def numbered(found):
        name, positional, percent = found.groups()
        if percent:
            return "%"
        values.append(parameters[name] if name else parameters[len(values)])
        return f"${len(values)}"

    statement = PARAMETER.sub(numbered, sql) if parameters else sql
    with psycopg.ClientCursor(connection.connection) as cursor:
        cursor.execute(f"SET plan_cache_mode = {mode}")
        cursor.execute(f"PREPARE asked AS {statement}")
        marks = f"({', '.join(['%s'] * len(values))})" if values else ""
        cursor.execute(f"EXPLAIN (FORMAT JSON) EXECUTE asked {marks}", values)
        explained = cursor.fetchone()[0]
        cursor.execute("DEALLOCATE asked")
        cursor.execute("RESET plan_cache_mode")
    return (explained if isinstance(explained, list) else json.loads(explained))[0]["Plan"]


def _read_whole(node):
    if node["Node Type"] == "Seq Scan":
        yield node["Relation Name"]
    for below in node.get("Plans", []):
        yield from _read_whole(below)
