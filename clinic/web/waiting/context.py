"""What the page of the waiting list shows, and the strip under an appointment that gives its time up."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic import booking
from clinic.models import Appointment, Clinic, Doctor, Patient, WaitingEntry, WaitingEvent, shown
from clinic.queries import waiting
from clinic.refusals import Reason, Refused
from clinic.registry import patient_version
from clinic.schedule import Opening
from clinic.web.pending.context import when
from clinic.web.responses import version_of
from clinic.web.waiting.words import conditions, present_place
from clinic.web.whatsapp import conversation

ROWS_A_PAGE = 25
STRIP = 3


@dataclass(frozen=True)
class Offer:
    """A free time as a button: `value` is what is posted; `is_named` whether the doctor is not known from the row."""

    value: str
    starts_at: datetime
    doctor: Doctor
    is_named: bool


@dataclass(frozen=True)
class Row:
    """An entry of the list, open or closed a moment ago, with the free times that fit it. `is_fresh` is that of the row
    which answers an act: alone it reads who wants the time that a swap has given up."""

    listed: booking.WaitingList
    entry: WaitingEntry
    times: tuple[Opening, ...] = ()
    is_fresh: bool = False

    @property
    def patient(self) -> Patient:
        return self.entry.patient

    @property
    def is_open(self) -> bool:
        return self.entry.closed_at is None

    @property
    def is_waiting(self) -> bool:
        return self.is_open and self.listed.is_waiting(self.entry)

    @property
    def is_lost(self) -> bool:
        return self.listed.is_lost(self.entry)

    @property
    def has_run_out(self) -> bool:
        return self.entry.has_run_out(self.listed.now)

    @property
    def place(self) -> str:
        appointment = self.entry.appointment
        return booking.place(appointment) if appointment and self.is_open else ""

    @property
    def procedures(self) -> str:
        return ", ".join(self.entry.procedure_names)

    @property
    def doctors(self) -> str:
        """The names of the wanted doctors, as "Dra. Ana ou Dr. Rui"."""
        if not self.entry.wanted_doctors:
            return _("qualquer profissional")
        names = [doctor.full_name for doctor in self.listed.able(self.entry)]
        return _(" ou ").join(names) or _("profissional que não faz mais isto")

    @property
    def conditions(self) -> str:
        return " · ".join(conditions(self.entry)) or _("qualquer dia e hora")

    @property
    def present_place(self) -> str:
        return present_place(self.entry, self.listed.clinic)

    @property
    def moved_from(self) -> str:
        """When the appointment was before it was moved by hand, as "seg 12/01 10:00"; "" where it was not."""
        start = self.entry.moved_from if self.is_open else None
        return when(self.listed.clinic, start) if start else ""

    @property
    def why(self) -> str:
        """Why a time fits, in one line, as "ter/qui · manhã · tem seg 12/01 10:00"."""
        urgent = [_("urgente")] if self.entry.is_urgent else []
        return " · ".join([*urgent, *conditions(self.entry), self.present_place])

    @property
    def offers(self) -> list[Offer]:
        doctors, is_named = self.listed.doctors, len(self.entry.wanted_doctors) != 1
        return [
            Offer(booking.time_value(each.doctor_id, each.starts_at), each.starts_at, doctors[each.doctor_id], is_named)
            for each in self.times
        ]

    @property
    def calls(self) -> list[datetime]:
        """The instants of the calls that were not answered."""
        return [call.at for call in self.entry.calls if call.kind == WaitingEvent.Kind.NOT_REACHED]

    @property
    def declined(self) -> int:
        return len(self.entry.declined)

    @cached_property
    def follower(self) -> Patient | None:
        """Who would want the time that a swap gives up."""
        follower = self.listed.follower(self.entry) if self.is_waiting and self.times else None
        return follower.patient if follower else None

    @property
    def patients(self) -> list[Patient]:
        """The patients that the row names; those of `followers` are added by themselves."""
        return [self.patient, self.follower] if self.follower else [self.patient]

    @property
    def drawn(self) -> tuple[object, ...]:
        """Everything on which the row's look depends."""
        entry, offers = self.entry, [(offer.value, str(offer.doctor)) for offer in self.offers]
        state = self.is_lost, self.has_run_out, self.place, self.moved_from, self.calls, self.declined, offers
        words = self.procedures, self.doctors, self.present_place, self.whatsapp, str(self.follower or "")
        end = self.sentence if entry.closed_at else ""
        return entry.pk, entry.version, patient_version(self.patient), end, *state, *words

    @cached_property
    def followers(self) -> "Strip | None":
        """Who wants the time that the swap has given up."""
        booked = self.entry.booked
        is_swap = self.is_fresh and booked is not None and self.entry.appointment_id is not None
        return strip_of(booked, self.listed) if booked and is_swap else None

    @property
    def sentence(self) -> str:
        """How the entry ended."""
        booked = self.entry.booked
        if booked is None:
            return _("Retirado da fila de espera.")
        words = {"time": when(self.listed.clinic, booked.starts_at), **booked.doctor.in_sentence}
        if self.entry.appointment_id:
            return _("Trocado para %(time)s com %(the_doctor)s.") % words
        return _("Agendado para %(time)s com %(the_doctor)s.") % words

    @property
    def may_undo(self) -> bool:
        """Whether the end can be taken back here: who was booked anew is cancelled in the appointment."""
        return not self.is_open and (self.entry.booked_id is None or self.entry.appointment_id is not None)

    @property
    def whatsapp(self) -> str:
        """The address that opens a conversation with the patient, who is offered the times; "" for none."""
        if not self.times:
            return ""
        clinic, patient = self.listed.clinic, self.patient
        words = {
            "patient": patient.first_name,
            "clinic": clinic.name,
            "times": _(" ou ").join(self._in_words(offer) for offer in self.offers),
        }
        text = _("Olá, %(patient)s! Aqui é da %(clinic)s. Temos horário antes: %(times)s. Quer ficar com ele?")
        if patient.answers_phone:  # it is not the patient who reads it
            text = _("Olá! Aqui é da %(clinic)s. Temos horário antes para %(patient)s: %(times)s. Quer ficar com ele?")
        return conversation(patient, text % words)

    def _in_words(self, offer: Offer) -> str:
        return _("%(time)s com %(the_doctor)s") % {
            "time": when(self.listed.clinic, offer.starts_at),
            **offer.doctor.in_sentence,
        }


class WayOn(NamedTuple):
    """Where an offered time that was refused can be given by hand, and the words of the link."""

    address: str
    label: str


def way_on(entry: WaitingEntry, offered: booking.OfferedTime, refused: Refused) -> WayOn | None:
    """Return how the offered time can be given by hand after the refusal, None for no way; the entry is `in_full`.

    Where the payer does not pay for the time, another one is chosen in the panel, or for the appointment that is to be
    exchanged."""
    starts_at = entry.clinic.local(offered.starts_at)
    place = {"medico": offered.doctor_id, "data": f"{starts_at:%Y-%m-%d}", "inicio": f"{starts_at:%H:%M}"}
    is_about_payer = any(refusal.field == "payer" for refusal in refused.refusals)
    if is_about_payer and entry.appointment_id:
        return WayOn(reverse("web:appointment-payer", args=[entry.appointment_id]), _("Mudar quem paga"))
    if is_about_payer or Reason.WAITING_ASK_WHO_PAYS in refused.reasons:
        query = place | {"paciente": entry.patient_id, "procedimento": entry.needed}
        return WayOn(reverse("web:appointment-book", query=query), _("Agendar pelo painel"))
    if Reason.DISCOUNT_LEFT_BEHIND in refused.reasons:
        address = reverse("web:appointment-reschedule", args=[entry.appointment_id], query=place)
        return WayOn(address, _("Remarcar para este horário"))
    return None


def address_of_row(pk: int) -> str:
    """Return the address of the list at the row of an entry, on whichever page it is."""
    return f"{reverse('web:waiting-list', query={'pedido': pk})}#w{pk}"


@dataclass(frozen=True)
class Strip:
    """The first STRIP of those who want a time that an appointment gave up, and how many there are."""

    freed: booking.Freed
    doctor: Doctor
    rows: list[Row]
    count: int
    address: str

    @property
    def numbers(self) -> str:
        return ngettext("%(n)s quer antes:", "%(n)s querem antes:", self.count) % {"n": self.count}


def strip(appointment: Appointment, *, now: datetime) -> Strip | None:
    """Return who wants the time that the appointment gave up, None where nobody does. One query for one that stands and
    was not moved lately, otherwise at most seven."""
    freed = booking.freed_by(appointment, now=now)
    clinic = appointment.clinic
    return strip_of(appointment, booking.WaitingList(clinic, waiting.open_entries(clinic), now=now)) if freed else None


def strip_of(appointment: Appointment, listed: booking.WaitingList) -> Strip | None:
    """Return the same of a list that is already read."""
    freed = booking.freed_by(appointment, now=listed.now)
    found = listed.fitting(freed) if freed else {}
    if not freed or not found:
        return None
    rows = [Row(listed, entry, (found[entry.pk],)) for entry in listed.entries if entry.pk in found]
    shown.add(row.patient for row in rows[:STRIP])
    address = reverse("web:waiting-list", query={"livre": appointment.pk})
    return Strip(freed, listed.doctors[freed.doctor_id], rows[:STRIP], len(rows), address)


@dataclass
class Board:
    """The waiting list of a clinic at the instant `now`; with `freed` only who wants that time, with `doctor`, an id,
    only who wants that one. Each list is read when it is first asked for."""

    clinic: Clinic
    now: datetime
    freed: booking.Freed | None = None
    doctor: int | None = None
    page: int = 1
    asked: int | None = None  # the appointment whose time is asked about

    @cached_property
    def _entries(self) -> waiting.Listed:
        return waiting.listed_entries(self.clinic, now=self.now)

    @cached_property
    def listed(self) -> booking.WaitingList:
        return booking.WaitingList(self.clinic, self._entries.open, now=self.now)

    @cached_property
    def found(self) -> list[Row]:
        """The open entries that are asked for: those about which a person has to decide come last."""
        if self.freed:
            fitting = self.listed.fitting(self.freed)
            return [Row(self.listed, each, (fitting[each.pk],)) for each in self.listed.entries if each.pk in fitting]
        rows = [Row(self.listed, each) for each in self.listed.entries if self._wants_doctor(each)]
        return sorted(rows, key=lambda row: not row.is_waiting)

    @cached_property
    def rows(self) -> list[Row]:
        """The rows of this page; of one beyond the last, those of the last."""
        first = (self.present_page - 1) * ROWS_A_PAGE
        rows = self.found[first : first + ROWS_A_PAGE]
        if not self.freed:
            times = self.listed.next_times([row.entry for row in rows], doctor=self.doctor)
            rows = [Row(self.listed, row.entry, tuple(times.get(row.entry.pk, ()))) for row in rows]
        return rows

    @cached_property
    def done(self) -> list[Row]:
        return [Row(self.listed, each) for each in self._entries.closed]

    @property
    def patients(self) -> list[Patient]:
        """The patients that the page names."""
        return [patient for row in [*self.rows, *self.done] for patient in row.patients]

    @property
    def query(self) -> dict[str, int]:
        """The parameters of the address of this page."""
        asked = {
            "livre": self.asked,
            "medico": self.doctor,
            "pagina": self.present_page if self.present_page > 1 else None,
        }
        return {name: value for name, value in asked.items() if value is not None}

    @property
    def version(self) -> str:
        """A short hash of everything drawn, the order of the rows included."""
        rows = [row.drawn for row in [*self.rows, *self.done]]
        content = [self.freed, self.next_page, self.progress, *rows]
        return version_of(content)

    @property
    def progress(self) -> str:
        """As "4 pedidos · 1 urgente"."""
        total, urgent = len(self.found), sum(row.entry.is_urgent for row in self.found)
        parts = [ngettext("%(n)s pedido", "%(n)s pedidos", total) % {"n": total}]
        if urgent:
            parts.append(ngettext("%(n)s urgente", "%(n)s urgentes", urgent) % {"n": urgent})
        return " · ".join(parts)

    @property
    def freed_words(self) -> str:
        """The freed time and its doctor, as "seg 30/11 09:00 com a Dra. Ana"; "" where none was asked about."""
        if not self.freed:
            return ""
        doctor = Doctor.objects.of(self.clinic).get(pk=self.freed.doctor_id)
        words = {"time": when(self.clinic, self.freed.starts_at), **doctor.in_sentence}
        return _("%(time)s com %(the_doctor)s") % words

    @property
    def next_page(self) -> int | None:
        return self.present_page + 1 if self.present_page * ROWS_A_PAGE < len(self.found) else None

    @property
    def previous_page(self) -> int | None:
        return self.present_page - 1 if self.present_page > 1 else None

    @property
    def present_page(self) -> int:
        """The page that is asked for, or the last one where there are fewer."""
        return min(self.page, max(len(self.found) - 1, 0) // ROWS_A_PAGE + 1)

    def page_of(self, pk: int) -> int:
        """Return the page that has the row of an entry, the first one where there is none."""
        positions = (position for position, row in enumerate(self.found) if row.entry.pk == pk)
        return next(positions, 0) // ROWS_A_PAGE + 1

    def row(self, pk: int) -> Row | None:
        """Return one entry as it is now, None if there is none."""
        entry = next((each for each in self.listed.entries if each.pk == pk), None)
        if entry is None:
            closed = waiting.entry(self.clinic, pk)
            return Row(self.listed, closed, is_fresh=True) if closed else None
        if self.freed:
            opening = self.listed.fitting(self.freed).get(pk)
            return Row(self.listed, entry, (opening,) if opening else ())
        return Row(self.listed, entry, tuple(self.listed.next_times([entry], doctor=self.doctor).get(pk, ())))

    def _wants_doctor(self, entry: WaitingEntry) -> bool:
        if self.doctor is None:
            return True
        return any(doctor.pk == self.doctor for doctor in self.listed.able(entry))
