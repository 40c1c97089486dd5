"""Recalls: those that are due or coming, those that were closed a moment ago, and those of a visit. Reads only."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db.models import Count, Exists, OuterRef, Q

from clinic.models import Appointment, Clinic, Doctor, Procedure, Recall, shown
from clinic.models.patient import OF_REACHABLE
from clinic.models.recall import RecallQuerySet

CLOSED_FOR = timedelta(minutes=10)  # so long a closed recall stays in the list, where its end can be undone
ROWS_A_PAGE = 50
# How procedures of another visit about the same are called, in Brazil and in Portugal.
OF_RETURN = Q(name__icontains="retorno") | Q(name__icontains="seguimento")


@dataclass(frozen=True)
class Listed:
    """A page of the open recalls, due first; how many there are in all, how many of these are due, and the number of
    the page, from 1. `closed` are those that were closed a moment ago, the last one first."""

    open: list[Recall]
    closed: list[Recall]
    total: int
    due: int
    page: int

    @property
    def has_more(self) -> bool:
        return self.page * ROWS_A_PAGE < self.total


def listed(clinic: Clinic, *, until: date, doctor: int | None = None, page: int = 1, now: datetime) -> Listed:
    """Return the recalls that are due until a local date, `in_full`; none of patients who are marked as deceased. With
    `doctor`, an id, those for this doctor, and those for anybody whose procedure this one performs. Of a page beyond
    the last one, the last. Three queries; the access log is the caller's."""
    wanted = _for_doctor(_of_reachable(clinic), doctor)
    coming = wanted.open().filter(due_on__lte=until)
    today = clinic.local(now).date()
    counts = coming.aggregate(total=Count("pk"), due=Count("pk", filter=Q(due_on__lte=today)))
    page = min(page, max(counts["total"] - 1, 0) // ROWS_A_PAGE + 1)
    rows = coming.in_full().order_by("due_on", "pk")[(page - 1) * ROWS_A_PAGE : page * ROWS_A_PAGE]
    just_closed = wanted.filter(closed_at__gt=now - CLOSED_FOR).in_full().order_by("-closed_at", "-pk")
    with shown.choosing():
        return Listed(_of(clinic, rows), _of(clinic, just_closed[:ROWS_A_PAGE]), page=page, **counts)


class Place(NamedTuple):
    """Where an open recall stands in the list: its local date, and the number of its page, from 1."""

    due_on: date
    page: int


def place_of(clinic: Clinic, pk: int, *, doctor: int | None = None) -> Place | None:
    """Return the place of a recall among those that `listed` returns for the same doctor, until its date or a later
    one; None for one that is not among them. Two queries."""
    wanted = _for_doctor(_of_reachable(clinic), doctor).open()
    due_on = wanted.filter(pk=pk).values_list("due_on", flat=True).first()
    if due_on is None:
        return None
    before = wanted.filter(Q(due_on__lt=due_on) | Q(due_on=due_on, pk__lt=pk)).count()
    return Place(due_on, before // ROWS_A_PAGE + 1)


def _of_reachable(clinic: Clinic) -> RecallQuerySet:
    """Return the recalls of patients who are neither marked as deceased nor blocked."""
    return Recall.objects.of(clinic).filter(OF_REACHABLE)


def get(clinic: Clinic, pk: int) -> Recall | None:
    """Return one recall `in_full`, open or closed; None for none. One query."""
    return next(iter(_of(clinic, Recall.objects.of(clinic).in_full().filter(pk=pk))), None)


def of_visit(appointment: Appointment) -> list[Recall]:
    """Return the open recalls that were written at the appointment, the first due first, with doctor and procedure. One
    query."""
    recalls = Recall.objects.of(appointment.clinic_id).open().filter(appointment=appointment)
    return list(recalls.select_related("doctor", "procedure").order_by("due_on", "pk"))


def proposed_procedure(appointment: Appointment) -> int | None:
    """Return the id of the procedure that a recall begins with: one of return that the doctor performs, else the first
    one of the visit that is still offered; None for neither. Two queries at most."""
    offered = Procedure.objects.of(appointment.clinic_id).filter(active=True)
    of_return = offered.filter(OF_RETURN, doctors=appointment.doctor_id).order_by("sort_name", "pk")
    of_visit = appointment.lines.filter(procedure__active=True).order_by("position")
    found = of_return.values_list("pk", flat=True).first()
    return found or of_visit.values_list("procedure", flat=True).first()


def _for_doctor(recalls: RecallQuerySet, doctor: int | None) -> RecallQuerySet:
    if doctor is None:
        return recalls
    performed = Doctor.procedures.through.objects.filter(doctor=doctor, procedure=OuterRef("procedure"))
    return recalls.filter(Q(doctor=doctor) | Q(Exists(performed), doctor=None))


def _of(clinic: Clinic, recalls: Iterable[Recall]) -> list[Recall]:
    found = list(recalls)
    for recall in found:
        recall.clinic = recall.patient.clinic = clinic
    return found
