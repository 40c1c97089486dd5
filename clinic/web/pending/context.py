"""What the page of pending appointments shows."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import groupby
from math import ceil
from urllib.parse import urlencode

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic import booking
from clinic.models import Absence, Appointment, AppointmentEvent, Clinic, Doctor
from clinic.models.titles import in_sentence
from clinic.queries import history, pending
from clinic.queries.moved_from import is_move_to
from clinic.registry import Author
from clinic.schedule import Opening, Span
from clinic.spoken import day_in_brief
from clinic.web.whatsapp import conversation

ROWS_A_PAGE = 25
MAX_NAMED = 500  # rows in the address of a page; of more, the first ones are shown again


@dataclass(frozen=True)
class Proposal:
    """A free time as a button: `value` is the place that is posted; `doctor` is None for the appointment's own."""

    value: str
    starts_at: datetime
    doctor: Doctor | None


@dataclass(frozen=True)
class Row:
    """A pending appointment as it is drawn; `calls` are the instants of those without an answer."""

    clinic: Clinic
    appointment: Appointment
    cause: pending.Cause
    proposals: Sequence[Proposal] = ()
    calls: Sequence[datetime] = ()

    @property
    def seen(self) -> str:
        return booking.state(self.appointment)

    @property
    def shown(self) -> str:
        """What a refresh compares with the row as it would be drawn now."""
        return shown_as(self.appointment, self.calls)

    @property
    def place(self) -> str:
        return booking.place(self.appointment)

    @property
    def is_movable(self) -> bool:
        return booking.is_movable(self.appointment)

    @property
    def procedures(self) -> str:
        return self.appointment.procedures_as_booked

    @property
    def whatsapp(self) -> str:
        """The address that opens a conversation with the patient, who is asked for another time; "" for none."""
        appointment, patient = self.appointment, self.appointment.patient
        words = {
            "patient": patient.first_name,
            "clinic": self.clinic.name,
            "time": when(self.clinic, appointment.starts_at),
            **in_sentence(appointment.doctor_name, appointment.doctor.title),
        }
        text = _("Olá, %(patient)s! Aqui é da %(clinic)s. O seu horário de %(time)s com %(the_doctor)s precisa mudar.")
        if patient.answers_phone:  # it is not the patient who reads it
            text = _("Olá! Aqui é da %(clinic)s. O horário de %(patient)s, %(time)s com %(the_doctor)s, precisa mudar.")
        text %= words
        if times := _(" ou ").join(self._in_words(proposal) for proposal in self.proposals):
            text += " " + _("Podemos remarcar para %(times)s. Qual prefere?") % {"times": times}
        return conversation(patient, text)

    def _in_words(self, proposal: Proposal) -> str:
        time = when(self.clinic, proposal.starts_at)
        if proposal.doctor is None:
            return time
        return _("%(time)s com %(the_doctor)s") % {"time": time, **proposal.doctor.in_sentence}


@dataclass(frozen=True)
class Done:
    """An appointment that is no longer pending; `event` is the move or cancellation of today that resolved it, None
    where there is none, and `is_undoable` whether the reader can undo it at the instant it is drawn."""

    clinic: Clinic
    appointment: Appointment
    event: AppointmentEvent | None
    is_undoable: bool = False

    @property
    def sentence(self) -> str:
        if self.event is None:
            return _("Não está mais pendente.")
        return history.sentence(self.event, self.clinic.zone)

    @property
    def whatsapp(self) -> str:
        """The address that opens a conversation with the patient, who is given the new time; "" for none, and for what
        is no move to the present place."""
        appointment, move = self.appointment, self.event
        if move is None or not is_move_to(move, appointment):
            return ""
        patient, before = appointment.patient, datetime.fromisoformat(move.before["starts_at"])
        text = _("Olá, %(patient)s! Aqui é da %(clinic)s. O seu horário de %(before)s passou para %(time)s.")
        if patient.answers_phone:  # it is not the patient who reads it
            text = _("Olá! Aqui é da %(clinic)s. O horário de %(patient)s, %(before)s, passou para %(time)s.")
        words = {
            "patient": patient.first_name,
            "clinic": self.clinic.name,
            "before": when(self.clinic, before),
            "time": _("%(time)s com %(the_doctor)s")
            % {
                "time": when(self.clinic, appointment.starts_at),
                **in_sentence(appointment.doctor_name, appointment.doctor.title),
            },
        }
        return conversation(patient, text % words)

    @property
    def author(self) -> str:
        return str(self.event.user or self.event.credential) if self.event else ""

    @property
    def undo_verb(self) -> str:
        """What the button says that undoes the event; "" where the reader cannot."""
        return booking.undo_verb(self.event) if self.event and self.is_undoable else ""

    @property
    def is_movable(self) -> bool:
        return booking.is_movable(self.appointment)


@dataclass(frozen=True)
class Group:
    """The rows of one cause on this page, in order of time, and the ids of all that have it, `whole`; `absence` is the
    one that the rows are all under, None for another cause."""

    cause: pending.Cause
    rows: list[Row]
    absence: Absence | None
    whole: list[int]

    @property
    def has_proposals(self) -> bool:
        return any(row.proposals for row in self.rows)


@dataclass
class Board:
    """What is pending in a clinic at the instant `now`. Each list is read when it is first asked for."""

    clinic: Clinic
    now: datetime
    known: int | None = None  # how many the page that asks has counted, done ones included
    before: Collection[int] = ()  # the ids that the pages before have shown
    by: Author | None = None  # who reads it, where there is something to undo

    @cached_property
    def found(self) -> list[pending.Pending]:
        """The pending by cause, the cause with the earliest appointment first."""
        rows = pending.pending(self.clinic, now=self.now)
        first = {row.cause: row.starts_at for row in reversed(rows)}
        return sorted(rows, key=lambda row: (first[row.cause], str(row.cause), row.starts_at, row.pk))

    @cached_property
    def resolved(self) -> list[Done]:
        still = {row.pk for row in self.found}
        found = pending.resolved_today(self.clinic, now=self.now, still=still)
        return [Done(self.clinic, row.appointment, row.event, self._is_undoable(row)) for row in found]

    @property
    def slip_seconds(self) -> int:
        """In how many seconds the reader can no longer take back one of the changes, the first of them; 0 for none."""
        own = [row.event for row in self.resolved if row.event and row.is_undoable and self._is_slip(row.event)]
        return ceil(min((booking.slip_left(event, self.now).total_seconds() for event in own), default=0))

    def _is_slip(self, event: AppointmentEvent) -> bool:
        return self.by is not None and booking.is_own_slip(event, self.by, self.now)

    def _is_undoable(self, row: pending.Resolved) -> bool:
        """Return whether `booking.undo` takes the event back at the instant the row is drawn, if the time is not taken.

        But for a procedure that the doctor performs no more, the cause is that the time is closed."""
        if not booking.is_reversible(row.event):
            return False
        return self._is_slip(row.event) or row.cause.why is pending.Why.NOT_PERFORMED

    @property
    def total(self) -> int:
        return len(self.found) + len(self.resolved)

    @property
    def has_new(self) -> bool:
        """Whether there are more than the page knows of."""
        return self.known is not None and self.total > self.known

    @cached_property
    def calls(self) -> dict[int, list[datetime]]:
        """The instants of the calls to those who are pending that were not answered, by the appointment's id."""
        return pending.calls_without_answer(self.clinic, [row.pk for row in self.found])

    @property
    def without_answer(self) -> int:
        """How many of the pending were called today and did not answer."""
        today = self.clinic.day(self.clinic.local(self.now).date())[0]
        return sum(times[-1] >= today for times in self.calls.values())

    @property
    def progress(self) -> str:
        """As "4 de 12 resolvidos · 2 não atenderam"."""
        done = len(self.resolved)
        words = ngettext("%(done)s de %(total)s resolvido", "%(done)s de %(total)s resolvidos", self.total)
        parts = [words % {"done": done, "total": self.total}]
        if self.without_answer:
            words = ngettext("%(n)s não atendeu", "%(n)s não atenderam", self.without_answer)
            parts.append(words % {"n": self.without_answer})
        return " · ".join(parts)

    @cached_property
    def _of_page(self) -> list[pending.Pending]:
        """The first rows that no page before has shown: what is done leaves the list, so that a page begins nowhere."""
        return [row for row in self.found if row.pk not in self.before][:ROWS_A_PAGE]

    @property
    def groups(self) -> list[Group]:
        """The groups of this page."""
        rows = self.rows(self._of_page)
        grouped = [(cause, list(of_cause)) for cause, of_cause in groupby(rows, key=lambda row: row.cause)]
        absences = pending.absences_ahead(self.clinic, now=self.now) if rows else []
        whole = defaultdict(list)
        for pending_row in self.found:
            whole[pending_row.cause].append(pending_row.pk)
        return [Group(cause, of_cause, _absence_over(of_cause, absences), whole[cause]) for cause, of_cause in grouped]

    @property
    def next_query(self) -> str:
        """The query of the address of the next page, with the ids of what was shown and is still pending; "" where
        there is none."""
        shown = {*self.before, *(row.pk for row in self._of_page)}
        still = [str(row.pk) for row in self.found if row.pk in shown]
        return urlencode({"depois": " ".join(still[-MAX_NAMED:])}) if len(still) < len(self.found) else ""

    def rows(self, found: Collection[pending.Pending]) -> list[Row]:
        """Return these of `found` as rows, with the times that are proposed. Seven queries, none for none."""
        if not found:
            return []
        ids = [row.pk for row in found]
        appointments = pending.with_patients(self.clinic, ids)
        kept = [row for row in found if row.pk in appointments]
        movable = [appointments[row.pk] for row in kept if booking.is_movable(appointments[row.pk])]
        times = booking.replacement_times(self.clinic, movable, now=self.now)
        doctors = _doctors(self.clinic, [opening for proposed in times.values() for opening in proposed])
        return [
            Row(
                clinic=self.clinic,
                appointment=appointments[row.pk],
                cause=row.cause,
                proposals=_proposals(appointments[row.pk], times.get(row.pk, []), doctors),
                calls=self.calls.get(row.pk, []),
            )
            for row in kept
        ]

    def as_they_are(self, ids: Collection[int]) -> list[Row | Done]:
        """Return these appointments as they are now: pending, resolved, or neither; without those that are gone."""
        rows = self.rows([row for row in self.found if row.pk in ids])
        resolved = [done for done in self.resolved if done.appointment.pk in ids]
        known = {row.appointment.pk for row in rows} | {done.appointment.pk for done in resolved}
        others = pending.with_patients(self.clinic, [pk for pk in ids if pk not in known])
        return [*rows, *resolved, *(Done(self.clinic, appointment, None) for appointment in others.values())]


def shown_as(appointment: Appointment, calls: Sequence[datetime]) -> str:
    """Return a text that is another one once a row of the appointment has to be drawn anew."""
    return f"{booking.state(appointment)}|{len(calls)}"


def when(clinic: Clinic, instant: datetime) -> str:
    """Return the instant on the clinic's clock, as "ter 01/12 14:00"."""
    local = clinic.local(instant)
    return f"{day_in_brief(local.date())} {local:%H:%M}"


def _absence_over(rows: Sequence[Row], absences: Collection[Absence]) -> Absence | None:
    """Return the only absence with the doctor and the reason of the rows' cause, if all of them overlap it."""
    cause = rows[0].cause
    if cause.why not in (pending.Why.ABSENCE, pending.Why.CLINIC):
        return None
    doctor = cause.doctor.pk if cause.doctor else None
    found = [absence for absence in absences if (absence.doctor_id, absence.reason) == (doctor, cause.detail)]
    spans = [Span(absence.starts_at, absence.ends_at) for absence in found]
    is_over_all = all(
        span.overlaps(row.appointment.starts_at, row.appointment.ends_at) for span in spans for row in rows
    )
    return found[0] if len(found) == 1 and is_over_all else None


def _doctors(clinic: Clinic, openings: Collection[Opening]) -> dict[int, Doctor]:
    return Doctor.objects.of(clinic).in_bulk({opening.doctor_id for opening in openings})


def _proposals(appointment: Appointment, openings: Collection[Opening], doctors: dict[int, Doctor]) -> list[Proposal]:
    return [
        Proposal(
            value=booking.time_value(opening.doctor_id, opening.starts_at),
            starts_at=opening.starts_at,
            doctor=None if opening.doctor_id == appointment.doctor_id else doctors[opening.doctor_id],
        )
        for opening in openings
    ]
