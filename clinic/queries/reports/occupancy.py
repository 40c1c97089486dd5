"""How much of the time that doctors work is booked, by doctor, weekday and hour. Reads only."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta

from django.utils.translation import gettext as _

from clinic.models import Doctor, WorkingHours
from clinic.models.appointment import STANDING_SQL
from clinic.queries.reports.tables import Column, Report, Table, Unit, Values, percent
from clinic.queries.reports.wanted import Wanted
from clinic.schedule import WeekdayHour, clock_changes, load_schedules, worked_minutes

# Appointments are counted once by doctor and once by their span. Weeks are alike while the clock is not changed: the
# spans are laid upon seven days, and the few that differ are cut into hours of the clinic's clock. `{stretch}` keeps
# what lies beside a change apart. A row is a doctor's minutes, or those of an hour of a weekday.
OCCUPANCY_SQL = f"""
    WITH span AS (
        SELECT visit.doctor_id AS doctor, greatest(visit.starts_at, %(since)s::timestamptz) AS starts_at,
            least(visit.ends_at, %(until)s::timestamptz) AS ends_at
        FROM clinic_appointment AS visit
        WHERE visit.clinic_id = %(clinic)s AND visit.starts_at > %(earliest)s AND visit.starts_at < %(until)s
          AND visit.ends_at > %(since)s AND {STANDING_SQL} AND encaixe_by_id IS NULL AND {{chosen}}
    ), counted AS MATERIALIZED (
        SELECT doctor, starts_at, ends_at, count(*) AS times, sum(ends_at - starts_at) AS length
        FROM span GROUP BY GROUPING SETS ((doctor), (starts_at, ends_at))
    ), cut AS (
        SELECT starts_at - date_bin('7 days', starts_at, %(since)s::timestamptz) AS place,
            ends_at - starts_at AS length, {{stretch}} AS stretch, min(starts_at) AS starts_at, sum(times)::int AS times
        FROM counted WHERE doctor IS NULL GROUP BY 1, 2, 3
    )
    SELECT doctor, NULL::int AS weekday, NULL::int AS hour, (extract(epoch FROM length) / 60)::bigint AS minutes
    FROM counted WHERE doctor IS NOT NULL
    UNION ALL
    SELECT NULL, extract(isodow FROM hour.local)::int, extract(hour FROM hour.local)::int,
        sum(cut.times * (extract(epoch FROM least(cut.starts_at + cut.length, hour.begins + interval '1 hour')
            - greatest(cut.starts_at, hour.begins)) / 60)::int)::bigint
    FROM cut
    CROSS JOIN LATERAL (
        SELECT begins, begins AT TIME ZONE %(zone)s AS local
        FROM generate_series(
            date_trunc('hour', cut.starts_at, %(zone)s), cut.starts_at + cut.length - interval '1 microsecond',
            interval '1 hour'
        ) AS each (begins)
    ) AS hour
    GROUP BY 2, 3
"""  # noqa: S608 - no input in it
ONE_DAY = timedelta(days=1)
OCCUPIED = 3  # the place of the percentage in a row


@dataclass
class Minutes:
    """Minutes by the id of a doctor, and the same by weekday and hour of the clinic's clock."""

    of_doctors: Counter[int] = field(default_factory=Counter)
    of_hours: Counter[WeekdayHour] = field(default_factory=Counter)

    @property
    def of_days(self) -> Counter[int]:
        """The same by ISO weekday."""
        days: Counter[int] = Counter()
        for (day, _hour), minutes in self.of_hours.items():
            days[day] += minutes
        return days


def occupancy(wanted: Wanted) -> Report:
    """Return the report. Two queries."""
    booked = _booked(wanted)
    worked = _worked(wanted, booked.of_doctors)
    tables = [_by_doctor(wanted, booked, worked), _by_weekday(booked, worked), _heat(booked, worked)]
    return Report(
        tables,
        [_("Vale o horário de cada data, como está escrito hoje: o que foi trocado sem “vale de” conta como é agora.")],
    )


def _booked(wanted: Wanted) -> Minutes:
    booked = Minutes()
    for doctor, weekday, hour, minutes in wanted.fetch(OCCUPANCY_SQL, stretch=_stretch(wanted)):
        if doctor is None:
            booked.of_hours[weekday, hour] = minutes
        else:
            booked.of_doctors[doctor] = minutes
    return booked


def _stretch(wanted: Wanted) -> str:
    """Return the expression that numbers what lies before, beside and after each change of the clock: two days around
    one are a stretch of their own, in which no two spans are a week apart."""
    days = clock_changes(wanted.clinic, wanted.first, wanted.last)
    edges = sorted({edge for day in days for edge in (wanted.clinic.day(day - ONE_DAY)[0], wanted.clinic.day(day)[1])})
    if not edges:
        return "0"
    listed = ", ".join(f"'{edge.isoformat()}'" for edge in edges)
    return f"width_bucket(starts_at, ARRAY[{listed}]::timestamptz[])"


def _worked(wanted: Wanted, booked: Collection[int]) -> Minutes:
    """Return the minutes of work of active doctors, and of those who are booked."""
    chosen: list[Doctor] = [
        doctor
        for pk, doctor in wanted.doctors.items()
        if wanted.doctor in (None, pk) and (doctor.active or pk in booked)
    ]
    schedules = load_schedules(wanted.clinic, chosen, wanted.first, wanted.last)
    worked = Minutes()
    for doctor in chosen:
        minutes = worked_minutes(schedules, doctor.pk, wanted.first, wanted.last)
        worked.of_doctors[doctor.pk] = minutes.total()
        worked.of_hours += minutes
    return worked


def _columns() -> tuple[Column, ...]:
    return (
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


def _total(booked: Minutes, worked: Minutes) -> Values:
    return (_("Total"), *_values(booked.of_doctors.total(), worked.of_doctors.total()))


def _by_doctor(wanted: Wanted, booked: Minutes, worked: Minutes) -> Table:
    of_booked, of_worked = booked.of_doctors, worked.of_doctors
    rows = [
        (doctor.full_name, *_values(of_booked[pk], of_worked[pk]))
        for pk, doctor in wanted.doctors.items()
        if of_booked[pk] or of_worked[pk]
    ]
    columns = (Column(_("Médico(a)"), Unit.WORDS), *_columns())
    return Table("medicos", _("Por médico(a)"), columns, rows, _total(booked, worked), charted=OCCUPIED)


def _by_weekday(booked: Minutes, worked: Minutes) -> Table:
    of_booked, of_worked = booked.of_days, worked.of_days
    rows = [
        (str(weekday.label), *_values(of_booked[weekday], of_worked[weekday]))
        for weekday in WorkingHours.Weekday
        if of_booked[weekday] or of_worked[weekday]
    ]
    columns = (Column(_("Dia da semana"), Unit.WORDS), *_columns())
    return Table("dias", _("Por dia da semana"), columns, rows, _total(booked, worked), charted=OCCUPIED)


def _heat(booked: Minutes, worked: Minutes) -> Table:
    """Return the occupancy of every hour of every weekday, from the first hour with any work or booking to the last."""
    of_booked, of_worked = booked.of_hours, worked.of_hours
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
