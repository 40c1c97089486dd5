"""The history of each visit, executed step by step through `clinic.booking` as if each happened at its own time."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random

from clinic import booking, registry
from clinic.management.demo.visits import Fate, Registry, Visit
from clinic.models import Appointment, AppointmentEvent, Patient, StaffUser
from clinic.models.appointment import Status

Source = Appointment.Source
Channel = AppointmentEvent.Channel

SOURCES = {Source.MANUAL: 62, Source.VOICE_AI: 14, Source.SELF_SERVICE: 14, Source.SYNC_EXTERNAL: 10}
MACHINES = {
    Source.VOICE_AI: (Channel.MIVICALL, "Assistente de voz (demonstração)"),
    Source.SELF_SERVICE: (Channel.IMAGEMAIS, "Bot do WhatsApp (demonstração)"),
    Source.SYNC_EXTERNAL: (Channel.MIVICALL, "Integração do laboratório (demonstração)"),
}
NOTES = {
    "BR": ("Trazer exames anteriores.", "Jejum de 8 horas.", "Primeira vez na clínica.", "Vem com acompanhante.",
           "Ligar se houver horário mais cedo.", "Pediu recibo em nome da empresa.", "Chegar 15 minutos antes."),
    "PT": ("Trazer exames anteriores.", "Jejum de 8 horas.", "Primeira vez na clínica.", "Vem com acompanhante.",
           "Telefonar se houver vaga mais cedo.", "Pediu fatura em nome da empresa.", "Chegar 15 minutos antes.",
           "Traz relatório do médico de família."),
}  # fmt: skip
CANCEL_REASONS = {
    "BR": ("viagem", "não conseguiu sair do trabalho", "melhorou", "vai fazer em outro lugar", ""),
    "PT": ("viagem", "não conseguiu sair do trabalho", "já está melhor", "vai fazer noutro sítio", ""),
}
CLINICS_REASONS = ("médico em cirurgia de urgência", "equipamento em manutenção")
DOUBTFUL_CPF = "12345678900"
FIRST_GUIA = 800_000


type Act = Callable[[Visit, datetime], None]


@dataclass(frozen=True, order=True)
class Step:
    """An act at its time. `number` orders steps of the same time."""

    at: datetime
    number: int
    visit: Visit = field(compare=False)
    act: Act = field(compare=False)


class Story:
    """The acts on a clinic's visits up to `now`."""

    def __init__(self, registry: Registry, staff: StaffUser, now: datetime, rng: Random) -> None:
        self.registry, self.clinic, self.now, self.rng = registry, registry.clinic, now, rng
        self.desk = booking.Author(Channel.BROWSER, user=staff)
        self.steps: list[Step] = []

    def write(self, visits: list[Visit]) -> None:
        """Add the steps of all visits."""
        for visit in visits:
            self._before_the_day(visit)
        by_shift: defaultdict[tuple[int, date], list[Visit]] = defaultdict(list)
        for visit in visits:
            if visit.fate is Fate.ATTENDED:
                by_shift[visit.doctor.pk, self.clinic.local(visit.starts_at).date()].append(visit)
        attended = [attendance for shift in by_shift.values() for attendance in self._attendances(shift)]
        for attendance in leave_some_open(attended, self.now):
            self._on_the_day(attendance)

    def run(self) -> Iterator[Step]:
        """Execute every step up to now, in order of time, and yield it."""
        for step in sorted(self.steps):
            if step.at <= self.now:
                step.act(step.visit, step.at)
                yield step

    def _add(self, at: datetime, visit: Visit, act: Act) -> None:
        self.steps.append(Step(at, len(self.steps), visit, act))

    # Before the day -------------------------------------------------------------------------------------------------

    def _before_the_day(self, visit: Visit) -> None:
        first_start = visit.first_time.starts_at if visit.first_time else visit.starts_at
        source = self.rng.choices(list(SOURCES), list(SOURCES.values()))[0]
        latest = min(first_start, visit.starts_at) - timedelta(minutes=40)
        booked_at = self._while_open(latest, timedelta(days=self.rng.expovariate(1 / 6)))
        self._add(booked_at, visit, self._booking(source))
        settled_at = booked_at
        if visit.first_time:
            settled_at = self._between(booked_at, latest)
            self._add(settled_at, visit, self._move)
        if visit.fate is Fate.CANCELLED:
            self._add(self._between(settled_at, visit.starts_at - timedelta(minutes=20)), visit, self._cancel)
            return
        reminder = visit.starts_at - timedelta(hours=self.rng.triangular(16, 110, 26))
        if settled_at < reminder and self.rng.random() < (0.3 if visit.ends_at < self.now else 0.75):
            self._add(reminder, visit, self._becomes(Status.CONFIRMED))
            settled_at = reminder
        if visit.fate is Fate.MISSED:
            noticed_at = visit.starts_at + timedelta(minutes=self.rng.randint(12, 18))
            self._add(noticed_at, visit, self._becomes(Status.NO_SHOW))
        elif self.rng.random() < 0.03:
            self._add(self._between(settled_at, visit.starts_at), visit, self._edit_notes)

    def _while_open(self, latest: datetime, ahead: timedelta) -> datetime:
        """Return a time in the desk's hours, about `ahead` before `latest` and before now."""
        latest = min(latest, self.now - timedelta(minutes=5))
        day = self.clinic.local(latest - ahead).date()
        wall = time(self.rng.randint(8, 17), self.rng.randint(0, 59), self.rng.randint(0, 59))
        return min(self.clinic.nearest_instant(day, wall), latest - timedelta(minutes=self.rng.randint(0, 90)))

    def _between(self, earliest: datetime, latest: datetime) -> datetime:
        """Return a time after `earliest` and before `latest`; before now as well if there is room."""
        if earliest < self.now:
            latest = min(latest, self.now)
        return earliest + max(latest - earliest, timedelta(0)) * self.rng.uniform(0.1, 0.9)

    # On the day -----------------------------------------------------------------------------------------------------

    def _attendances(self, shift: list[Visit]) -> Iterator["Attendance"]:
        """Yield arrival, begin and end of one doctor's visits of a day: one at a time, slightly late."""
        free_at: datetime | None = None
        for visit in sorted(shift, key=lambda visit: visit.starts_at):
            arrives = visit.starts_at + timedelta(minutes=self.rng.triangular(-25, 6, -8))
            begins = max(visit.starts_at + timedelta(minutes=self.rng.uniform(-2, 4)), arrives + timedelta(minutes=2))
            if free_at:
                begins = max(begins, free_at + timedelta(minutes=1))
            free_at = begins + (visit.ends_at - visit.starts_at) * self.rng.uniform(0.7, 0.98)
            yield Attendance(visit, arrives, begins, free_at)

    def _on_the_day(self, attendance: "Attendance") -> None:
        self._add(attendance.arrives, attendance.visit, self._becomes(Status.CHECKED_IN))
        if attendance.begins:
            self._add(attendance.begins, attendance.visit, self._becomes(Status.IN_SERVICE))
        if attendance.ends:
            self._add(attendance.ends, attendance.visit, self._becomes(Status.FINISHED))

    # Acts -----------------------------------------------------------------------------------------------------------

    def _booking(self, source: Source) -> Act:
        doubts_cpf = self.clinic.country == "BR" and source in MACHINES and self.rng.random() < 0.06
        notes = self.rng.choice(NOTES[self.clinic.country]) if self.rng.random() < 0.18 else ""
        is_typed = source == Source.MANUAL
        call = {"call_id": f"demo-{self.rng.getrandbits(32):08x}"} if source == Source.VOICE_AI else {}

        def book(visit: Visit, at: datetime) -> None:
            patient = visit.patient
            details = registry.PatientDetails(name=patient.name, phone=str(patient.phone), cpf=DOUBTFUL_CPF)
            first_time = visit.first_time or visit
            discount = visit.discount.pk if visit.discount and visit.procedures[0].price else None
            lines = [booking.LineRequest(procedure.pk) for procedure in visit.procedures[1:]]
            proposal = booking.Proposal(
                clinic=self.clinic,
                doctor=visit.doctor.pk,
                lines=(booking.LineRequest(visit.procedures[0].pk, discount), *lines),
                starts_at=first_time.starts_at,
                ends_at=first_time.ends_at,
                notes=notes,
                source=source,
                metadata=call,
                patient=None if doubts_cpf else patient.pk,
                details=details if doubts_cpf else None,
                payer=_wish(patient) if is_typed else booking.PayerWish(),
                policy=registry.Policy.LENIENT if doubts_cpf else registry.Policy.STRICT,
            )
            visit.appointment_id = booking.book(proposal, by=self._author(source), now=at).pk

        return book

    def _author(self, source: Source) -> booking.Author:
        if source not in MACHINES:
            return self.desk
        channel, credential = MACHINES[source]
        return booking.Author(channel, credential=credential)

    def _move(self, visit: Visit, at: datetime) -> None:
        booking.reschedule(
            visit.booked_id,
            clinic=self.clinic,
            doctor=visit.doctor.pk,
            starts_at=visit.starts_at,
            by=self.desk,
            now=at,
        )

    def _becomes(self, status: Status) -> Act:
        def change(visit: Visit, at: datetime) -> None:
            booking.change_status(visit.booked_id, status, clinic=self.clinic, by=self.desk, now=at)

        return change

    def _cancel(self, visit: Visit, at: datetime) -> None:
        whose = self.rng.choice(("patient", "patient", "patient", "clinic"))
        reasons = CLINICS_REASONS if whose == "clinic" else CANCEL_REASONS[self.clinic.country]
        booking.change_status(
            visit.booked_id,
            Status.CANCELLED,
            clinic=self.clinic,
            by=self.desk,
            now=at,
            cancelled_by=whose,
            reason=self.rng.choice(reasons),
        )

    def _edit_notes(self, visit: Visit, at: datetime) -> None:
        notes = self.rng.choice(NOTES[self.clinic.country])
        booking.edit_notes(visit.booked_id, clinic=self.clinic, by=self.desk, notes=notes, now=at)


def _wish(patient: Patient) -> booking.PayerWish:
    """Return the patient's payer, with a made-up guia where it requires one."""
    is_required = patient.payer is not None and patient.payer.requires_authorization
    return booking.PayerWish(patient.payer_id, f"{FIRST_GUIA + patient.pk}" if is_required else "")


@dataclass
class Attendance:
    """A visit that takes place. `begins` or `ends` is None while nobody has recorded it."""

    visit: Visit
    arrives: datetime
    begins: datetime | None
    ends: datetime | None

    def waits(self, now: datetime) -> bool:
        return self.begins is not None and self.arrives <= now < self.begins

    def is_in_service(self, now: datetime) -> bool:
        return self.begins is not None and self.begins <= now and (self.ends is None or now < self.ends)

    def is_over(self, now: datetime) -> bool:
        return self.ends is not None and self.ends <= now


def leave_some_open(attendances: list[Attendance], now: datetime) -> list[Attendance]:
    """Leave the last visits unfinished, so that one patient waits and one is in service at any time of the day."""
    over = sorted(
        (attendance for attendance in attendances if attendance.is_over(now)),
        key=lambda attendance: attendance.ends or now,
    )
    if over and not any(attendance.is_in_service(now) for attendance in attendances):
        over.pop().ends = None
    if over and not any(attendance.waits(now) for attendance in attendances):
        last = over.pop()
        last.begins = last.ends = None
    return attendances
