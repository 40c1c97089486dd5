"""How much of the time that doctors work is booked, by doctor, weekday and hour. Reads only."""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

from django.utils.translation import gettext as _

from clinic.models import Doctor, WorkingHours
from clinic.models.appointment import STANDING_SQL
from clinic.queries.reports.tables import Column, Report, Table, Unit, Values, percent
from clinic.queries.reports.wanted import Wanted
from clinic.schedule import clock_changes, load_schedules, worked_minutes

# Weeks are alike while the clock is not changed: appointments are counted by where they lie in seven days, and the few
# spans that differ are cut into hours of the clinic's clock once. `{stretch}` keeps what lies beside a change apart.
OCCUPANCY_SQL = f"""
    WITH span AS (
        SELECT visit.doctor_id AS doctor, greatest(visit.starts_at, %(since)s::timestamptz) AS starts_at,
            least(visit.ends_at, %(until)s::timestamptz) AS ends_at
        FROM clinic_appointment AS visit
        WHERE visit.clinic_id = %(clinic)s AND visit.starts_at > %(earliest)s AND visit.starts_at < %(until)s
          AND visit.ends_at > %(since)s AND {STANDING_SQL} AND encaixe_by_id IS NULL AND {{chosen}}
    ), counted AS MATERIALIZED (
        SELECT doctor, starts_at - date_bin('7 days', starts_at, %(since)s::timestamptz) AS place,
            ends_at - starts_at AS length, {{stretch}} AS stretch, min(starts_at) AS starts_at, count(*) AS times
        FROM span GROUP BY 1, 2, 3, 4
    ), cut AS (
        SELECT place, length, stretch, min(starts_at) AS starts_at FROM counted GROUP BY 1, 2, 3
    ), part AS MATERIALIZED (
        SELECT cut.place, cut.length, cut.stretch,
            extract(isodow FROM hour.begins AT TIME ZONE %(zone)s)::int AS weekday,
            extract(hour FROM hour.begins AT TIME ZONE %(zone)s)::int AS hour,
            (extract(epoch FROM least(cut.starts_at + cut.length, hour.begins + interval '1 hour')
                - greatest(cut.starts_at, hour.begins)) / 60)::int AS minutes
        FROM cut
        CROSS JOIN LATERAL generate_series(
            date_trunc('hour', cut.starts_at, %(zone)s), cut.starts_at + cut.length - interval '1 microsecond',
            interval '1 hour'
        ) AS hour (begins)
    )
    SELECT counted.doctor, part.weekday, part.hour, sum(counted.times * part.minutes)::bigint
    FROM counted JOIN part USING (place, length, stretch)
    GROUP BY 1, 2, 3
"""  # noqa: S608 - no input in it
type DoctorHour = tuple[int, int, int]  # id of the doctor, ISO weekday, hour of the clinic's clock
ONE_DAY = timedelta(days=1)
OCCUPIED = 3  # the place of the percentage in a row


def occupancy(wanted: Wanted) -> Report:
    """Return the report. Two queries."""
    found = wanted.fetch(OCCUPANCY_SQL, stretch=_stretch(wanted))
    booked = Counter({(doctor, day, hour): minutes for doctor, day, hour, minutes in found})
    worked = _worked(wanted, {doctor for doctor, _day, _hour in booked})
    tables = [_by_doctor(wanted, booked, worked), _by_weekday(booked, worked), _heat(booked, worked)]
    return Report(
        tables,
        [_("Vale o horário de cada data, como está escrito hoje: o que foi trocado sem “vale de” conta como é agora.")],
    )


def _stretch(wanted: Wanted) -> str:
    """Return the expression that numbers what lies before, beside and after each change of the clock: two days around
    one are a stretch of their own, in which no two spans are a week apart."""
    days = clock_changes(wanted.clinic, wanted.first, wanted.last)
    edges = sorted({edge for day in days for edge in (wanted.clinic.day(day - ONE_DAY)[0], wanted.clinic.day(day)[1])})
    if not edges:
        return "0"
    listed = ", ".join(f"'{edge.isoformat()}'" for edge in edges)
    return f"width_bucket(starts_at, ARRAY[{listed}]::timestamptz[])"


def _worked(wanted: Wanted, booked: Iterable[int]) -> Counter[DoctorHour]:
    """Return the minutes of work of active doctors, and of those who are booked."""
    booked = set(booked)
    chosen: list[Doctor] = [
        doctor
        for pk, doctor in wanted.doctors.items()
        if wanted.doctor in (None, pk) and (doctor.active or pk in booked)
    ]
    schedules = load_schedules(wanted.clinic, chosen, wanted.first, wanted.last)
    worked: Counter[DoctorHour] = Counter()
    for doctor in chosen:
        for (day, hour), minutes in worked_minutes(schedules, doctor.pk, wanted.first, wanted.last).items():
            worked[doctor.pk, day, hour] += minutes
    return worked


def _columns(first: Column) -> tuple[Column, ...]:
    return (
        first,
        Column(
            _("Minutos ocupados"),
            Unit.MINUTES,
            _(
                "De agendamentos que ocupam o horário: nem cancelados, nem faltas, nem encaixes. Só a parte dentro do"
                " período, também fora do horário de atendimento."
            ),
        ),
        Column(
            _("Minutos de atendimento"),
            Unit.MINUTES,
            _("O horário de atendimento nas datas do período, sem ausências, fechamentos e feriados."),
        ),
        Column(_("Ocupação"), Unit.PERCENT, _("Minutos ocupados ÷ minutos de atendimento. Sem atendimento, um traço.")),
    )


def _values(booked: int, worked: int) -> Values:
    return booked, worked, percent(booked, worked)


def _sums(minutes: Counter[DoctorHour], place: int) -> Counter[int]:
    """Add up by one part of the key."""
    sums: Counter[int] = Counter()
    for key, count in minutes.items():
        sums[key[place]] += count
    return sums


def _total(booked: Counter[DoctorHour], worked: Counter[DoctorHour]) -> Values:
    return (_("Total"), *_values(booked.total(), worked.total()))


def _by_doctor(wanted: Wanted, booked: Counter[DoctorHour], worked: Counter[DoctorHour]) -> Table:
    of_booked, of_worked = _sums(booked, 0), _sums(worked, 0)
    rows = [
        (doctor.full_name, *_values(of_booked[pk], of_worked[pk]))
        for pk, doctor in wanted.doctors.items()
        if of_booked[pk] or of_worked[pk]
    ]
    columns = _columns(Column(_("Médico(a)"), Unit.WORDS))
    return Table("medicos", _("Por médico(a)"), columns, rows, _total(booked, worked), charted=OCCUPIED)


def _by_weekday(booked: Counter[DoctorHour], worked: Counter[DoctorHour]) -> Table:
    of_booked, of_worked = _sums(booked, 1), _sums(worked, 1)
    rows = [
        (str(weekday.label), *_values(of_booked[weekday], of_worked[weekday]))
        for weekday in WorkingHours.Weekday
        if of_booked[weekday] or of_worked[weekday]
    ]
    columns = _columns(Column(_("Dia da semana"), Unit.WORDS))
    return Table("dias", _("Por dia da semana"), columns, rows, _total(booked, worked), charted=OCCUPIED)


def _heat(booked: Counter[DoctorHour], worked: Counter[DoctorHour]) -> Table:
    """Return the occupancy of every hour of every weekday, from the first hour with any work or booking to the last."""
    of_booked, of_worked = _by_hour(booked), _by_hour(worked)
    cells = {cell for cell in (*of_booked, *of_worked) if of_booked[cell] or of_worked[cell]}
    found = {hour for _day, hour in cells}
    hours = range(min(found), max(found) + 1) if found else range(0)
    days = {day for day, _hour in cells}
    rows = [
        (str(weekday.label), *(percent(of_booked[weekday, hour], of_worked[weekday, hour]) for hour in hours))
        for weekday in WorkingHours.Weekday
        if weekday in days
    ]
    definition = _("Minutos ocupados ÷ minutos de atendimento desse dia da semana, das :00 às :59 da hora.")
    columns = (
        Column(_("Dia da semana"), Unit.WORDS, definition),
        *(Column(f"{hour}h", Unit.PERCENT) for hour in hours),
    )
    return Table("horas", _("Por dia da semana e hora"), columns, rows, is_heat=True)


def _by_hour(minutes: Counter[DoctorHour]) -> Counter[tuple[int, int]]:
    sums: Counter[tuple[int, int]] = Counter()
    for (_doctor, day, hour), count in minutes.items():
        sums[day, hour] += count
    return sums
