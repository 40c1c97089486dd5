"""Every number of every report, beside what is counted by hand in a case of a few appointments."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.models import Absence, AppliedDiscount, Appointment, AppointmentProcedure, ClinicHoliday
from clinic.queries.reports import REPORTS
from tests.days import MONDAY, hours, put
from tests.factories import (
    make_clinic,
    make_discount,
    make_doctor,
    make_lisbon,
    make_manager,
    make_payer,
    make_procedure,
    make_user,
)
from tests.reports.cases import cells, event, read, table, wanted

pytestmark = pytest.mark.django_db
TUESDAY = MONDAY + timedelta(days=1)
WEEK = MONDAY, MONDAY + timedelta(days=6)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def clinic():
    return make_clinic()


@pytest.fixture
def doctor(clinic):
    return make_doctor(clinic, name="Dra. Ana Sá", hours=hours(("08:00", "12:00")))


@pytest.fixture
def other(clinic):
    return make_doctor(clinic, name="Dr. Zeno Luz", hours=hours(("08:00", "10:00")), days=[1])


# Occupancy ------------------------------------------------------------------------------------------------------------


def test_occupancy_is_of_the_time_that_is_worked(doctor, other):
    put(doctor, "08:30", 60)
    put(doctor, "10:00", 30, status="finished")
    put(doctor, "11:00", 30, status="cancelled")
    put(doctor, "11:00", 30, status="no_show")
    put(doctor, "09:00", 30, encaixe_by=make_user(doctor.clinic), encaixe_reason="dor")
    put(other, "09:45", 30, day=TUESDAY)  # outside the hours
    report = read("ocupacao", doctor.clinic, WEEK)
    assert cells(report, "medicos") == {
        "Dra. Ana Sá": (90, 1200, 7.5),
        "Dr. Zeno Luz": (30, 120, 25.0),
        "Total": (120, 1320, 9.1),
    }
    assert cells(report, "dias")["Segunda-feira"] == (90, 360, 25.0)
    assert cells(report, "dias")["Terça-feira"] == (30, 240, 12.5)
    heat = table(report, "horas")
    assert [column.label for column in heat.columns] == ["Dia da semana", "8h", "9h", "10h", "11h"]
    assert heat.rows[0] == ("Segunda-feira", 25.0, 25.0, 50.0, 0.0)
    assert heat.rows[1] == ("Terça-feira", 0.0, 25.0, 25.0, 0.0)


def test_absences_and_holidays_are_no_time_that_is_worked(doctor):
    clinic = doctor.clinic
    ClinicHoliday.objects.create(clinic=clinic, name="Padroeira", falls_on="24/11")
    since = clinic.instant(MONDAY, time(9, 30))
    Absence.objects.create(clinic=clinic, doctor=doctor, starts_at=since, ends_at=since + 60 * MINUTE, reason="curso")
    assert cells(read("ocupacao", clinic, WEEK), "medicos")["Total"] == (0, 5 * 240 - 240 - 60, 0.0)


def test_who_has_left_counts_only_where_they_are_booked(doctor, other):
    type(other).objects.filter(pk=other.pk).update(active=False)
    assert list(cells(read("ocupacao", doctor.clinic, WEEK), "medicos")) == ["Dra. Ana Sá", "Total"]
    put(other, "08:00")
    assert cells(read("ocupacao", doctor.clinic, WEEK), "medicos")["Dr. Zeno Luz"] == (30, 120, 25.0)


def test_a_night_is_cut_at_the_ends_of_the_period(clinic):
    nurse = make_doctor(clinic, name="Dra. Noite", hours=[(time(22), time(2))], days=[1])
    put(nurse, "23:30", 60)
    assert cells(read("ocupacao", clinic, (MONDAY, MONDAY)), "medicos")["Dra. Noite"] == (30, 120, 25.0)
    assert cells(read("ocupacao", clinic, (TUESDAY, TUESDAY)), "medicos")["Dra. Noite"] == (30, 120, 25.0)
    assert table(read("ocupacao", clinic, (MONDAY, TUESDAY)), "horas").rows[1][:3] == ("Terça-feira", 50.0, 0.0)


def test_the_hour_that_comes_twice_has_both_its_passes():
    """On 25 October 2026 Lisbon has the hour from one to two twice."""
    sunday = date(2026, 10, 25)
    clinic = make_lisbon()
    nurse = make_doctor(clinic, hours=[(time(0), time(4))], days=[7])
    put(nurse, "00:30", 120, day=sunday)  # to the second 01:30
    report = read("ocupacao", clinic, (sunday, sunday))
    assert cells(report, "medicos")["Total"][:2] == (120, 300)
    assert table(report, "horas").rows == [("Domingo", 50.0, 75.0, 0.0, 0.0)]


# No-shows and cancellations -------------------------------------------------------------------------------------------


def test_no_shows_and_cancellations_by_doctor_and_source(doctor, other):
    put(doctor, "08:00", status="finished")
    put(doctor, "08:30", status="no_show", source="self_service")
    put(doctor, "09:00", status="in_service")
    put(doctor, "09:30", status="checked_in")
    put(doctor, "10:00", status="cancelled")
    put(doctor, "10:30")
    put(other, "08:00", status="no_show")
    put(other, "08:30", status="finished", deleted_at=datetime(2026, 11, 1, tzinfo=UTC))
    report = read("faltas", doctor.clinic)
    assert cells(report, "medicos") == {
        "Dra. Ana Sá": (6, 3, 1, 1, 1, 25.0, 16.7),
        "Dr. Zeno Luz": (1, 0, 1, 0, 0, 100.0, 0.0),
        "Total": (7, 3, 2, 1, 1, 40.0, 14.3),
    }
    assert cells(report, "origens")["Bot"] == (1, 0, 1, 0, 0, 100.0, 0.0)
    assert cells(read("faltas", doctor.clinic, doctor=other.pk), "medicos")["Total"] == (1, 0, 1, 0, 0, 100.0, 0.0)


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (timedelta(days=8), "Mais de 7 dias antes"),
        (timedelta(days=7), "Mais de 7 dias antes"),
        (timedelta(days=4), "De 3 a 7 dias antes"),
        (timedelta(days=3) - MINUTE, "De 24 horas a 3 dias antes"),
        (timedelta(hours=24), "De 24 horas a 3 dias antes"),
        (timedelta(hours=24) - MINUTE, "De 2 a 24 horas antes"),
        (119 * MINUTE, "Menos de 2 horas antes"),
        (timedelta(0), "Menos de 2 horas antes"),
        (-MINUTE, "Depois da hora"),
    ],
)
def test_a_cancellation_is_counted_by_how_long_before_it_was(doctor, before, words):
    cancelled = put(doctor, "09:00", status="cancelled")
    Appointment.objects.filter(pk=cancelled.pk).update(status_since=cancelled.starts_at - before, cancelled_by="clinic")
    found = cells(read("faltas", doctor.clinic), "cancelamentos")
    assert found == {words: (1, 0, 1, 100.0), "Total": (1, 0, 1, 100.0)}


def test_months_are_those_of_the_clinics_dates():
    """Lisbon changes its clock in October: 23:30 on the 31st is 23:30 in UTC, and on the 1st it was 22:30."""
    doctor = make_doctor(make_lisbon())
    put(doctor, "00:15", day=date(2026, 10, 1))
    put(doctor, "23:30", day=date(2026, 10, 31))
    put(doctor, "00:00", day=date(2026, 11, 1))
    dates = date(2026, 10, 1), date(2026, 10, 31)
    months = [row[:2] for row in table(read("faltas", doctor.clinic, dates), "meses").rows]
    assert months == [("outubro de 2026", 2)]
    dates = date(2026, 10, 25), date(2026, 11, 1)
    months = [row[:2] for row in table(read("faltas", doctor.clinic, dates), "meses").rows]
    assert months == [("outubro de 2026", 1), ("novembro de 2026", 1)]


# Sources --------------------------------------------------------------------------------------------------------------


def test_a_program_is_named_with_what_came_of_its_bookings(doctor):
    """A key by its name; tokens by who released them, since each lives an hour."""
    manager = make_manager(doctor.clinic, name="Gil Gestor")
    at = datetime(2026, 11, 10, 12, tzinfo=UTC)
    by_bot = put(doctor, "08:00", status="no_show", source="self_service")
    event(by_bot, at, kind="booked", channel="mivicall", credential="robô")
    for number, credential in enumerate(("token 1", "token 2")):
        synced = put(doctor, f"09:{number * 30:02}", status="finished", source="sync_external", created_by=manager)
        event(synced, at, kind="booked", channel="imagemais", credential=credential, user=manager)
    by_desk = put(doctor, "10:00", created_by=manager)
    event(by_desk, at, kind="booked", user=manager)
    report = read("origem", doctor.clinic)
    assert cells(report, "origens")["Recepção"][:3] == (1, 0, 0)
    assert cells(report, "programas") == {
        "API ImageMais · Gil Gestor": (2, 2, 0, 0, 0, 0.0, 0.0),
        "API MiviCall · robô": (1, 0, 1, 0, 0, 100.0, 0.0),
        "Total": (3, 2, 1, 0, 0, 33.3, 0.0),
    }


def test_acts_of_programs_count_when_they_were_done(doctor):
    visit = put(doctor, "08:00", day=date(2027, 1, 11))
    at = datetime(2026, 11, 10, 12, tzinfo=UTC)
    bot = {"channel": "mivicall", "credential": "robô"}
    event(visit, at, kind="booked", **bot)
    event(visit, at, kind="rescheduled", **bot)
    event(visit, at, "confirmed", **bot)
    event(visit, at, "cancelled", "confirmed", **bot)
    event(visit, at, kind="annotated", **bot)
    event(visit, at, "confirmed")  # the desk's
    event(visit, at + timedelta(days=30), "cancelled", **bot)
    found = cells(read("origem", doctor.clinic), "atos")
    assert found == {"API MiviCall · robô": (1, 1, 1, 1, 1), "Total": (1, 1, 1, 1, 1)}
    assert cells(read("origem", doctor.clinic, doctor=make_doctor(doctor.clinic).pk), "atos") == {"Total": (0,) * 5}


# Waiting and delay ----------------------------------------------------------------------------------------------------


def served(doctor, at, arrived, began, status="finished", **fields):
    """A visit whose patient arrived, and which began, so many minutes after its hour; None for not recorded."""
    visit = put(doctor, at, status=status, **fields)
    if arrived is not None:
        event(visit, visit.starts_at + arrived * MINUTE, "checked_in")
    if began is not None:
        event(visit, visit.starts_at + began * MINUTE, "in_service", "checked_in")
    return visit


def test_median_and_ninth_of_ten_of_waits_and_delays(doctor, other):
    for at, arrived, began in (("08:00", -10, 0), ("08:30", -5, 10), ("09:00", 0, 30), ("09:30", None, 4)):
        served(doctor, at, arrived, began)
    served(other, "08:00", -20, -8)
    served(other, "08:30", 0, 15, status="cancelled")  # began by mistake, say
    found = cells(read("espera", doctor.clinic), "medicos")
    # Waits of 10, 15 and 30 minutes; delays of 0, 10, 30 and 4.
    assert found["Dra. Ana Sá"] == (4, 3, 15.0, 27.0, 30, 7.0, 24.0, 30)
    assert found["Dr. Zeno Luz"] == (1, 1, 12.0, 12.0, 12, 0.0, 0.0, 0)
    assert found["Todos"] == (5, 4, 13.5, 25.5, 30, 4.0, 22.0, 30)


def test_a_step_back_is_no_arrival_and_no_beginning(doctor):
    visit = served(doctor, "08:00", -10, 5)
    at = visit.starts_at
    event(visit, at + 6 * MINUTE, "checked_in", "in_service", more={"undo": True})
    event(visit, at + 20 * MINUTE, "in_service", "checked_in")
    event(visit, at + 40 * MINUTE, "finished", "in_service")
    event(visit, at + 50 * MINUTE, "in_service", "finished", more={"undo": True})
    event(visit, at + 55 * MINUTE, "finished", "in_service")
    assert cells(read("espera", doctor.clinic), "medicos")["Todos"] == (1, 1, 30.0, 30.0, 30, 20.0, 20.0, 20)


# Revenue --------------------------------------------------------------------------------------------------------------


def priced(doctor, at, price, off=0, status="finished", discount=None, procedure=None, **fields):
    visit = put(doctor, at, status=status, **fields)
    line = AppointmentProcedure.objects.get(appointment=visit)
    line.price, line.procedure = Decimal(price), procedure or line.procedure
    line.save()
    if off:
        AppliedDiscount.objects.create(
            clinic=doctor.clinic, line=line, discount=discount, discount_name=discount.name, value=Decimal(off)
        )
    return visit


def test_revenue_is_net_of_discounts_by_what_came_of_it(doctor):
    clinic, discount = doctor.clinic, make_discount(doctor.clinic, name="Idoso")
    user = make_user(clinic, name="Rita")
    payer = make_payer(clinic, name="Unimed")
    priced(doctor, "08:00", "100.00", "10.10", discount=discount, created_by=user)
    priced(doctor, "08:30", "50.50", status="no_show", payer=payer)
    late = priced(doctor, "09:00", "30.00", "5.00", status="cancelled", discount=discount, source="voice_ai")
    early = priced(doctor, "09:30", "20.00", status="cancelled")
    priced(doctor, "10:00", "40.00", status="confirmed")
    for visit, before in ((late, timedelta(hours=24) - MINUTE), (early, timedelta(hours=24))):
        Appointment.objects.filter(pk=visit.pk).update(status_since=visit.starts_at - before)
    report = read("receita", clinic)
    money = [Decimal(each) for each in ("225.40", "89.90", "50.50", "25.00")]
    rest = [Decimal(each) for each in ("20.00", "40.00", "15.10")]
    assert cells(report, "medicos")["Dra. Ana Sá"] == (*money, 33.5, *rest)
    assert cells(report, "medicos")["Total"] == (*money, 33.5, *rest)
    assert cells(report, "convenios")["Unimed"][:3] == (Decimal("50.50"), 0, Decimal("50.50"))
    assert cells(report, "convenios")["Particular"][0] == Decimal("174.90")
    assert cells(report, "descontos") == {"Idoso": (2, Decimal("15.10")), "Total": (2, Decimal("15.10"))}
    assert cells(report, "autores") == {
        "Rita": (1, Decimal("10.10")),
        "Voz": (1, Decimal("5.00")),
        "Total": (2, Decimal("15.10")),
    }


def test_of_a_chosen_procedure_only_its_lines_are_revenue(doctor):
    visit, other = priced(doctor, "08:00", "100.00"), make_procedure(doctor.clinic, name="Eco")
    AppointmentProcedure.objects.create(
        clinic=doctor.clinic, appointment=visit, position=1, procedure=other, procedure_name="Eco", price=60
    )
    assert cells(read("receita", doctor.clinic), "medicos")["Total"][0] == 160
    report = read("receita", doctor.clinic, procedure=other.pk)
    assert cells(report, "medicos")["Total"][0] == 60
    assert list(cells(report, "procedimentos")) == ["Eco", "Total"]


def test_two_discounts_on_a_line_do_not_double_its_price(doctor):
    discount = make_discount(doctor.clinic)
    visit = priced(doctor, "08:00", "100.00", "10.00", discount=discount)
    line = AppointmentProcedure.objects.get(appointment=visit)
    AppliedDiscount.objects.create(
        clinic=doctor.clinic, line=line, discount=discount, discount_name="outro", value=Decimal(5)
    )
    assert cells(read("receita", doctor.clinic), "medicos")["Total"][0] == 85


# Encaixes -------------------------------------------------------------------------------------------------------------


def test_encaixes_by_author_and_by_who_approved(doctor, other):
    rita, rosa = make_user(doctor.clinic, name="Rita"), make_user(doctor.clinic, name="Rosa")
    gil = make_manager(doctor.clinic, name="Gil")
    put(doctor, "08:00", encaixe_by=rita, encaixe_reason="dor")
    put(doctor, "08:10", encaixe_by=rita, encaixe_reason="dor", encaixe_approved_by=gil)
    put(other, "08:20", encaixe_by=rosa, encaixe_reason="dor", encaixe_approved_by=gil, status="no_show")
    put(other, "09:20")
    report = read("encaixes", doctor.clinic)
    assert cells(report, "medicos") == {
        "Dra. Ana Sá": (2, 1, 1, 0, 50.0),
        "Dr. Zeno Luz": (1, 1, 0, 1, 100.0),
        "Total": (3, 2, 1, 1, 66.7),
    }
    assert cells(report, "autores")["Rita"] == (2, 1, 1, 0, 50.0)
    assert cells(report, "aprovacoes") == {"Gil": (2,), "Total": (2,)}


# Confirmations --------------------------------------------------------------------------------------------------------


def test_results_of_calls_by_who_made_them(doctor):
    rita = make_user(doctor.clinic, name="Rita")
    at = datetime(2026, 11, 20, 12, tzinfo=UTC)
    visit = put(doctor, "08:00")
    for _number in range(2):
        event(visit, at, kind="not_reached", user=rita)
    event(visit, at, kind="call_later", user=rita, more={"call_at": "x"})
    event(visit, at, kind="call_later", user=rita, more={"call_at": "", "undo": True})
    event(visit, at, "confirmed", user=rita)
    event(visit, at, "scheduled", "confirmed", user=rita, more={"undo": True})
    event(visit, at, "cancelled", user=rita, more={"cancelled_by": "patient"})
    event(visit, at, "cancelled", user=rita, more={"cancelled_by": "clinic"})
    event(visit, at, "confirmed", "checked_in", user=rita)  # a step back
    event(visit, at, "confirmed", channel="mivicall", credential="robô")
    assert cells(read("confirmacoes", doctor.clinic), "ligacoes") == {
        "Rita": (5, 1, 1, 2, 1, 20.0),
        "API MiviCall · robô": (1, 1, 0, 0, 0, 100.0),
        "Total": (6, 2, 1, 2, 1, 33.3),
    }


def test_no_shows_of_those_who_had_confirmed_beside_others(doctor):
    for at, status, before in (
        ("08:00", "finished", "confirmed"),
        ("08:30", "no_show", "confirmed"),
        ("09:00", "checked_in", "confirmed"),
        ("09:30", "no_show", "scheduled"),
        ("10:00", "finished", "rescheduled"),
    ):
        visit = put(doctor, at, status=status)
        event(visit, visit.starts_at, "no_show" if status == "no_show" else "checked_in", before)
    put(doctor, "10:30", status="confirmed")
    assert cells(read("confirmacoes", doctor.clinic), "faltas") == {
        "Confirmado": (3, 2, 1, 33.3),
        "Não confirmado": (2, 1, 1, 50.0),
        "Total": (5, 3, 2, 40.0),
    }


def test_an_arrival_taken_back_does_not_say_who_had_confirmed(doctor):
    visit = put(doctor, "08:00", status="no_show")
    event(visit, visit.starts_at + MINUTE, "no_show", "scheduled")
    event(visit, visit.starts_at, "checked_in", "confirmed")
    assert cells(read("confirmacoes", doctor.clinic), "faltas") == {
        "Não confirmado": (1, 0, 1, 100.0),
        "Total": (1, 0, 1, 100.0),
    }


# All of them ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REPORTS)
def test_nothing_of_another_clinic_is_counted(name):
    doctor = make_doctor()
    visit = served(doctor, "08:00", 0, 5)
    event(visit, visit.starts_at, kind="booked", channel="mivicall", credential="robô")
    elsewhere = make_doctor(hours=[])
    assert not any(table.rows for table in read(name, elsewhere.clinic).tables)


@pytest.mark.parametrize("name", REPORTS)
def test_queries_do_not_grow_with_the_rows(name, clinic):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            REPORTS[name].read(asked)
        return len(captured)

    doctor = make_doctor(clinic)
    served(doctor, "08:00", 0, 5)
    asked = wanted(clinic)
    few = queries()
    for number in range(3):
        served(make_doctor(clinic), f"{9 + number:02}:00", 0, 5, payer=make_payer(clinic))
    asked = wanted(clinic)
    assert queries() == few <= 4


@pytest.mark.parametrize("name", REPORTS)
def test_every_number_has_its_definition(name, doctor):
    served(doctor, "08:00", 0, 5)
    for each in read(name, doctor.clinic).tables:
        for column in each.columns[1:]:
            assert column.definition or each.is_heat, (each.title, column.label)
        assert all(len(row) == len(each.columns) for row in each.rows)
