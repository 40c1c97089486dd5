"""Random appointments, counted by reports as by a slow computation that reads every row and shares no code with it."""

from collections import defaultdict
from datetime import date, time, timedelta
from decimal import Decimal
from math import floor

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.models import Absence, AppliedDiscount, Appointment, AppointmentEvent, AppointmentProcedure, ClinicHoliday
from clinic.queries.reports import REPORTS
from clinic.schedule import load_schedules
from tests.factories import make_clinic, make_discount, make_doctor, make_manager, make_patient, make_user
from tests.reports.cases import cells, event, read, table

pytestmark = pytest.mark.django_db
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
# Weeks in which clocks are changed, and one in which they are not.
PLACES = [
    ("Europe/Lisbon", "PT", "pt-pt", date(2026, 10, 22)),
    ("Europe/Lisbon", "PT", "pt-pt", date(2026, 3, 26)),
    ("Atlantic/Azores", "PT", "pt-pt", date(2026, 10, 22)),
    ("America/Recife", "BR", "pt-br", date(2026, 10, 29)),  # over the end of a month, with Finados
]
STATUSES = ["scheduled", "confirmed", "rescheduled", "checked_in", "in_service", "finished", "no_show", "cancelled"]
VISITS = st.lists(
    st.fixed_dictionaries({
        "doctor": st.integers(0, 1),
        "at": st.integers(-6 * 4, (7 * 24 + 6) * 4),  # quarters of an hour from the first midnight on
        "minutes": st.sampled_from([5, 15, 30, 50, 95, 180]),
        "status": st.sampled_from([*STATUSES, "finished", "finished"]),
        "source": st.sampled_from(["manual", "voice_ai", "self_service", "sync_external"]),
        "cancelled_by": st.sampled_from(["patient", "clinic"]),
        "hours_before": st.sampled_from([-1, 0, 1, 2, 23, 24, 25, 71, 72, 167, 168, 500]),
        "cents": st.integers(0, 50_000),
        "off": st.integers(0, 2),
        "encaixe": st.sampled_from([None, None, "plain", "approved"]),
        "arrived": st.none() | st.integers(-40, 40),
        "began": st.none() | st.integers(-20, 90),
        "confirmed": st.booleans(),
        "is_deleted": st.sampled_from([False] * 9 + [True]),
    }),
    max_size=25,
)  # fmt: skip


class Stored:
    """A clinic with two doctors, one of whom works at night, and the visits that are drawn."""

    def __init__(self, where, drawn, away):
        zone, country, language, self.first = where
        currency = "EUR" if country == "PT" else "BRL"
        self.clinic = make_clinic(
            time_zone=zone, country=country, language=language, currency=currency, observes_holidays=True
        )
        night = [(time(22), time(6)), (time(10, 20), time(12))]
        self.doctors = [
            make_doctor(self.clinic, name="Ana"),
            make_doctor(self.clinic, name="Bia", hours=night, days=range(1, 8)),
        ]
        self.user, self.manager = make_user(self.clinic, name="Rita"), make_manager(self.clinic, name="Gil")
        self.discount = make_discount(self.clinic, name="Idoso")
        self.last, self.midnight = self.first + 6 * DAY, self.clinic.day(self.first)[0]
        ClinicHoliday.objects.create(
            clinic=self.clinic, name="Tarde", falls_on=f"{self.first + 2 * DAY:%d/%m}", starts=time(11), ends=time(16)
        )
        for start, minutes in away:
            starts_at = self.midnight + start * 15 * MINUTE
            ends_at = starts_at + minutes * MINUTE
            Absence.objects.create(
                clinic=self.clinic, doctor=self.doctors[0], starts_at=starts_at, ends_at=ends_at, reason="curso"
            )
        taken = defaultdict(list)
        for each in drawn:
            starts_at = self.midnight + each["at"] * 15 * MINUTE
            span = starts_at, starts_at + each["minutes"] * MINUTE
            if all(span[1] <= starts or ends <= span[0] for starts, ends in taken[each["doctor"]]):
                taken[each["doctor"]].append(span)
                self._store(each, *span)

    def _store(self, each, starts_at, ends_at):
        doctor = self.doctors[each["doctor"]]
        if each["status"] == "in_service" and Appointment.objects.in_service().filter(doctor=doctor).exists():
            each = each | {"status": "finished"}
        is_cancelled = each["status"] == "cancelled"
        visit = Appointment.objects.create(
            clinic=self.clinic,
            doctor=doctor,
            doctor_name=doctor.full_name,
            patient=make_patient(self.clinic),
            starts_at=starts_at,
            ends_at=ends_at,
            status=each["status"],
            source=each["source"],
            status_since=starts_at - timedelta(hours=each["hours_before"]),
            cancelled_by=each["cancelled_by"] if is_cancelled else "",
            encaixe_by=self.user if each["encaixe"] else None,
            encaixe_reason="dor" if each["encaixe"] else "",
            encaixe_approved_by=self.manager if each["encaixe"] == "approved" else None,
            created_by=self.user if each["source"] == "manual" else None,
            deleted_at=starts_at if each["is_deleted"] else None,
        )
        procedure = doctor.procedures.get()
        line = AppointmentProcedure.objects.create(
            clinic=self.clinic,
            appointment=visit,
            position=0,
            procedure=procedure,
            procedure_name=procedure.name,
            price=Decimal(each["cents"]) / 100,
        )
        for number in range(each["off"]):
            value = (line.price / (number + 3)).quantize(Decimal("0.01"))
            AppliedDiscount.objects.create(
                clinic=self.clinic, line=line, discount=self.discount, discount_name="Idoso", value=value
            )
        before = "confirmed" if each["confirmed"] else "scheduled"
        if each["confirmed"]:
            event(visit, starts_at - DAY, "confirmed", user=self.user)
        if each["arrived"] is not None:
            event(visit, starts_at + each["arrived"] * MINUTE, "checked_in", before)
        if each["began"] is not None:
            event(visit, starts_at + each["began"] * MINUTE, "in_service", "checked_in")

    @property
    def dates(self):
        return self.first, self.last

    def of_period(self):
        """The appointments that begin on the dates, one by one."""
        for visit in Appointment.objects.of(self.clinic).select_related("doctor"):
            if self.first <= self.clinic.local(visit.starts_at).date() <= self.last and not visit.deleted_at:
                yield visit


def share(part, whole):
    return round(float(100 * part / whole), 1) if whole else None


def outcomes(visits):
    """What the columns of outcomes should hold."""
    visits = list(visits)
    counts = {status: sum(visit.status == status for visit in visits) for status in STATUSES}
    came = counts["checked_in"] + counts["in_service"] + counts["finished"]
    missed, cancelled = counts["no_show"], counts["cancelled"]
    undecided = counts["scheduled"] + counts["confirmed"] + counts["rescheduled"]
    rates = share(missed, missed + came), share(cancelled, len(visits))
    return (len(visits), came, missed, cancelled, undecided, *rates)


def grouped(visits, key):
    groups = defaultdict(list)
    for visit in visits:
        groups[key(visit)].append(visit)
    return groups


def interpolated(values, part):
    """A percentile as statistics books have it: between the two values that lie around the place."""
    values = sorted(values)
    if not values:
        return None
    place = part * (len(values) - 1)
    low = floor(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)


def about(value):
    return value if value is None else pytest.approx(value, abs=0.06)


@settings(max_examples=40)
@given(
    where=st.sampled_from(PLACES),
    drawn=VISITS,
    away=st.lists(st.tuples(st.integers(-30, 700), st.sampled_from([30, 400, 3000])), max_size=3),
)
def test_reports_hold_what_is_counted_row_by_row(where, drawn, away):
    with transaction.atomic():
        stored = Stored(where, drawn, away)
        check_outcomes(stored)
        check_occupancy(stored)
        check_waits(stored)
        check_revenue(stored)
        check_encaixes(stored)
        check_confirmations(stored)
        for kind in REPORTS.values():
            for each in read(kind.name, stored.clinic, stored.dates, doctor=stored.doctors[0].pk).tables:
                assert not any(row[0] == "Bia" for row in each.rows)
        transaction.set_rollback(True)


@pytest.mark.parametrize("where", PLACES)
def test_weeks_around_a_change_of_the_clock_are_not_alike(where):
    """The same times of every second day for six weeks, some over midnight; the clock is changed in the third week."""
    *place, first = where
    blank = {
        "minutes": 95, "status": "finished", "source": "manual", "cancelled_by": "patient", "hours_before": 0, "off": 0,
        "cents": 0, "encaixe": None, "arrived": None, "began": None, "confirmed": False, "is_deleted": False,
    }  # fmt: skip
    quarters = [(day * 24 + hour) * 4 + 3 for day in range(0, 42, 2) for hour in (0, 9, 23)]
    drawn = [blank | {"at": at, "doctor": at % 7 % 2} for at in quarters]
    stored = Stored((*place, first - 14 * DAY), drawn, [])
    stored.last = stored.first + 41 * DAY
    check_occupancy(stored)
    for days in (3, 17, 20):  # a period that ends in the middle of it
        stored.last = stored.first + days * DAY
        check_occupancy(stored)


def check_outcomes(stored):
    visits = list(stored.of_period())
    report = read("faltas", stored.clinic, stored.dates)
    for name, group in grouped(visits, lambda visit: visit.doctor.full_name).items():
        assert cells(report, "medicos")[name] == outcomes(group)
    assert cells(report, "medicos")["Total"] == outcomes(visits)
    months = grouped(visits, lambda visit: stored.clinic.local(visit.starts_at).month)
    assert [row[1:] for row in table(report, "meses").rows] == [outcomes(months[month]) for month in sorted(months)]
    sources = grouped(visits, lambda visit: visit.source)
    labels = {"manual": "Recepção", "voice_ai": "Voz", "self_service": "Bot", "sync_external": "API"}
    expected = {labels[source]: outcomes(group) for source, group in sources.items()}
    for found in (cells(report, "origens"), cells(read("origem", stored.clinic, stored.dates), "origens")):
        assert {name: row for name, row in found.items() if name != "Total"} == expected
    limits = [(168, "Mais de 7"), (72, "De 3 a"), (24, "De 24"), (2, "De 2 a"), (0, "Menos"), (-9999, "Depois")]
    notices = defaultdict(list)
    for visit in visits:
        if visit.status == "cancelled":
            hours = (visit.starts_at - visit.status_since) / timedelta(hours=1)
            notices[next(words for limit, words in limits if hours >= limit)].append(visit.cancelled_by)
    found = {row[0]: row[1:4] for row in table(report, "cancelamentos").rows}
    assert len(found) == len(notices)
    for words, by in notices.items():
        (row,) = (row for name, row in found.items() if name.startswith(words))
        assert row == (len(by), by.count("patient"), by.count("clinic"))


def check_occupancy(stored):
    """Minute by minute."""
    clinic, (since, until) = stored.clinic, (stored.midnight, stored.clinic.day(stored.last)[1])
    schedules = load_schedules(clinic, stored.doctors, stored.first - DAY, stored.last + DAY)
    worked, booked = defaultdict(int), defaultdict(int)
    for doctor in stored.doctors:
        opened = {
            span.starts_at + number * MINUTE
            for offset in range((stored.last - stored.first).days + 1)
            for span in schedules.open(doctor.pk, stored.first + offset * DAY)
            for number in range((span.ends_at - span.starts_at) // MINUTE)
        }
        for minute in opened:
            if since <= minute < until:
                local = clinic.local(minute)
                worked[doctor.full_name, local.isoweekday(), local.hour] += 1
    for visit in Appointment.objects.of(clinic).select_related("doctor"):
        if visit.status in {"cancelled", "no_show"} or visit.deleted_at or visit.encaixe_by_id:
            continue
        for number in range((visit.ends_at - visit.starts_at) // MINUTE):
            minute = visit.starts_at + number * MINUTE
            if since <= minute < until:
                local = clinic.local(minute)
                booked[visit.doctor.full_name, local.isoweekday(), local.hour] += 1
    report = read("ocupacao", clinic, stored.dates)
    for doctor in stored.doctors:
        taken = sum(count for key, count in booked.items() if key[0] == doctor.full_name)
        open_minutes = sum(count for key, count in worked.items() if key[0] == doctor.full_name)
        row = (taken, open_minutes, share(taken, open_minutes)) if taken or open_minutes else None
        assert cells(report, "medicos").get(doctor.full_name) == row
    heat = table(report, "horas")
    hours = [int(column.label.removesuffix("h")) for column in heat.columns[1:]]
    days = sorted({day for _doctor, day, _hour in (*worked, *booked)})
    assert len(heat.rows) == len(days)
    for day, row in zip(days, heat.rows, strict=True):
        for hour, value in zip(hours, row[1:], strict=True):
            taken = sum(booked[doctor.full_name, day, hour] for doctor in stored.doctors)
            assert value == share(taken, sum(worked[doctor.full_name, day, hour] for doctor in stored.doctors))


def check_waits(stored):
    waits, delays = defaultdict(list), defaultdict(list)
    for visit in stored.of_period():
        events = AppointmentEvent.objects.filter(appointment=visit, kind="status_changed")
        changes = list(events.order_by("at", "pk"))
        began = [each.at for each in changes if each.after["status"] == "in_service"]
        arrived = [each.at for each in changes if each.after["status"] == "checked_in"]
        if not began or visit.status not in {"in_service", "finished"} or began[-1] < stored.midnight:
            continue
        delays[visit.doctor.full_name].append(max((began[-1] - visit.starts_at) // MINUTE, 0))
        if arrived and stored.midnight <= arrived[-1] <= began[-1]:
            waits[visit.doctor.full_name].append((began[-1] - arrived[-1]) // MINUTE)
    found = cells(read("espera", stored.clinic, stored.dates), "medicos")
    if not delays:
        assert found == {}
        return
    groups = {name: (waits[name], delays[name]) for name in delays}
    groups["Todos"] = sum(waits.values(), []), sum(delays.values(), [])
    assert set(found) == set(groups)
    for name, (waited, late) in groups.items():
        expected = [len(late), len(waited)]
        for values in (waited, late):
            expected += [interpolated(values, 0.5), interpolated(values, 0.9), max(values, default=None)]
        assert found[name] == tuple(about(value) for value in expected)


def check_revenue(stored):
    sums = defaultdict(lambda: defaultdict(Decimal))
    given, given_by = [], defaultdict(Decimal)
    for visit in stored.of_period():
        (line,) = visit.lines.prefetch_related("discounts")
        off = [each.value for each in line.discounts.all()]
        given += off
        if off:
            given_by["Rita" if visit.created_by_id else visit.get_source_display()] += sum(off)
        kind = {"no_show": "missed", "checked_in": "came", "in_service": "came", "finished": "came"}.get(visit.status)
        if visit.status == "cancelled":
            kind = "late" if visit.starts_at - visit.status_since < DAY else "early"
        for name in (visit.doctor.full_name, "Total"):
            sums[name][kind or "open"] += line.price - sum(off)
            sums[name]["off"] += sum(off)
    report = read("receita", stored.clinic, stored.dates)
    for name, amounts in sums.items():
        booked = sum(amounts[kind] for kind in ("came", "missed", "late", "early", "open"))
        lost = share(amounts["missed"] + amounts["late"], booked)
        parts = [amounts[kind] for kind in ("came", "missed", "late")]
        expected = (booked, *parts, lost, *(amounts[kind] for kind in ("early", "open", "off")))
        assert cells(report, "medicos")[name] == expected
        if name == "Total":
            assert cells(report, "convenios")["Total"] == cells(report, "procedimentos")["Total"] == expected
    assert cells(report, "descontos")["Total"] == (len(given), sum(given, Decimal()))
    by = {row[0]: row[2] for row in table(report, "autores").rows}
    assert by == given_by


def check_encaixes(stored):
    encaixes = [visit for visit in stored.of_period() if visit.encaixe_by_id]
    approved = [visit for visit in encaixes if visit.encaixe_approved_by_id]
    freed = [visit for visit in encaixes if visit.status in {"cancelled", "no_show"}]
    counts = len(encaixes), len(approved), len(encaixes) - len(approved), len(freed)
    report = read("encaixes", stored.clinic, stored.dates)
    assert cells(report, "autores")["Total"] == (*counts, share(len(approved), len(encaixes)))
    assert cells(report, "aprovacoes")["Total"] == (len(approved),)


def check_confirmations(stored):
    confirmed = AppointmentEvent.objects.of(stored.clinic).filter(after__status="confirmed")
    times = [each.at for each in confirmed]
    until = stored.clinic.day(stored.last)[1]
    report = read("confirmacoes", stored.clinic, stored.dates)
    assert cells(report, "ligacoes")["Total"][0] == sum(stored.midnight <= at < until for at in times)
    arrivals = defaultdict(list)
    for visit in stored.of_period():
        if visit.status in {"checked_in", "in_service", "finished", "no_show"}:
            for each in AppointmentEvent.objects.filter(appointment=visit, after__status="checked_in"):
                arrivals["Confirmado" if each.before["status"] == "confirmed" else "Não confirmado"].append(visit)
    for name, visits in arrivals.items():
        missed = sum(visit.status == "no_show" for visit in visits)
        expected = (len(visits), len(visits) - missed, missed, share(missed, len(visits)))
        assert cells(report, "faltas")[name] == expected
