"""Booking, moving, swapping, cancelling, undoing, merging patients, changing hours and recording absences in any order,
beside a model in plain Python."""

from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from itertools import combinations

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from clinic.booking import (
    Author,
    LineRequest,
    RecallWish,
    WaitingWish,
    book_recall,
    book_waiting,
    change_procedures,
    change_status,
    merge_patients,
    openings,
    put_on_waiting_list,
    reschedule,
    undo,
    undo_merge,
    write_recall,
)
from clinic.models import Absence, Appointment, Recall, WaitingEntry, WorkingHours
from clinic.queries import agenda
from clinic.queries.pending import Why, pending
from clinic.refusals import Reason
from clinic.registry import delete_absence, save_absence
from tests.booking.desk import MONDAY, open_desk, reasons
from tests.booking.test_statuses import ALLOWED, MOVABLE
from tests.factories import make_user

HALF_HOUR = timedelta(minutes=30)
FREED = {"cancelled", "no_show"}
CHANGEABLE = {"scheduled", "rescheduled", "confirmed", "checked_in", "in_service"}
DOCTORS, PATIENTS, SLOTS = range(2), range(3), range(8)
INTERVALS = [15, 20, 30, 45]  # most of them not the length of an appointment
FAR = MONDAY + timedelta(weeks=105)  # beyond two years
LIFTED = {Reason.DOCTOR_TAKEN, Reason.OUTSIDE_HOURS, Reason.ENDS_AFTER_HOURS, Reason.DAY_FULL}
WHY = {
    Reason.DOCTOR_ABSENT: Why.ABSENCE,
    Reason.CLINIC_CLOSED: Why.CLINIC,
    Reason.OUTSIDE_HOURS: Why.HOURS,
    Reason.ENDS_AFTER_HOURS: Why.HOURS,
}
SHIFTS = [((8, 12),), ((8, 10),), ((10, 12),), ((8, 9), (11, 12))]


@dataclass(frozen=True)
class Visit:
    """What the model knows of one appointment; `undo` is what undoing would bring back."""

    doctor: int
    patient: int
    starts_at: datetime
    ends_at: datetime
    status: str = "scheduled"
    encaixe: bool = False
    undo: object = field(default=None, compare=False)

    @property
    def stands(self):
        return self.status not in FREED

    def meets(self, other):
        return self.stands and self.starts_at < other.ends_at and self.ends_at > other.starts_at

    def given(self, patient):
        """The same as another patient's."""
        undo = self.undo.given(patient) if isinstance(self.undo, Visit) else self.undo
        return replace(self, patient=patient, undo=undo)


@dataclass(frozen=True)
class Merge:
    """What the model knows of a merge: the numbers of the patients, and the appointments that were moved."""

    pk: int
    kept: int
    merged: int
    moved: list
    is_undone: bool = False


@dataclass(frozen=True)
class TimeOff:
    """What the model knows of an absence of a doctor, or of the whole clinic where there is none."""

    doctor: int | None
    starts_at: datetime
    ends_at: datetime

    def is_over(self, visit):
        of_doctor = self.doctor is None or self.doctor == visit.doctor
        return of_doctor and self.starts_at < visit.ends_at and self.ends_at > visit.starts_at


class FrontDesk(RuleBasedStateMachine):
    visits = Bundle("visits")
    absences = Bundle("absences")
    entries = Bundle("entries")
    recalls = Bundle("recalls")

    @initialize(intervals=st.tuples(*[st.sampled_from(INTERVALS) for _ in DOCTORS]))
    def open(self, intervals):
        self.around = transaction.atomic()
        self.around.__enter__()
        self.desk = open_desk()
        self.doctors = [self.desk.doctor, self.desk.another_doctor()]
        self.patients = [self.desk.patient, self.desk.another_patient(), self.desk.another_patient()]
        for doctor, interval in zip(self.doctors, intervals, strict=True):
            doctor.interval_minutes = interval
            doctor.save()
        self.active = [True, True]
        self.by = Author(channel="browser", user=make_user(self.desk.clinic, may_squeeze_in=True))
        self.shifts = [SHIFTS[0], SHIFTS[0]]
        for number in DOCTORS:
            self.write_hours(number)
        self.now = self.desk.at(7, 59)
        self.model = {}
        self.absent = {}
        self.changed_at = {}
        self.waiting = {}  # by the entry's id the appointment's, and the visit it was moved to by closing the entry
        self.reminded = {}  # by the recall's id the visit's, that of the last booking of it, and whether it is closed
        self.stood = {}
        self.into = {}  # by the number of a merged patient the kept one's
        self.merges = []
        self.happened = 0

    def teardown(self):
        if hasattr(self, "around"):
            transaction.set_rollback(True)
            self.around.__exit__(None, None, None)

    # What is done

    @rule(
        target=visits,
        doctor=st.sampled_from(DOCTORS),
        patient=st.sampled_from(PATIENTS),
        slot=st.sampled_from(SLOTS),
        squeeze=st.booleans(),
    )
    def book(self, doctor, patient, slot, squeeze):
        """Who asks for a merged patient gets an appointment of the kept one."""
        wanted = Visit(doctor, self.who(patient), self.at(slot), self.at(slot) + HALF_HOUR)
        wanted = self.as_asked(wanted, squeeze=squeeze)
        asked = self.asked(replace(wanted, patient=patient))
        asked |= {"encaixe_reason": "dor" if squeeze else None, "by": self.by}
        if self.agree(self.refused_times(wanted), lambda: self.desk.book(now=self.now, **asked)):
            self.model[self.written.pk] = wanted
            return self.written.pk
        return multiple()

    @rule(target=entries, pk=visits)
    def put_on_the_waiting_list(self, pk):
        visit = self.model[pk]
        is_ahead = visit.status in MOVABLE and visit.starts_at > self.now
        foreseen = set() if is_ahead else {Reason.WAITING_NOT_AHEAD}
        if is_ahead and not any(self.active):
            foreseen |= {Reason.WAITING_NOT_PERFORMED}
        if self.is_waiting(pk):
            foreseen |= {Reason.WAITING_TWICE}
        patient, wish = self.patients[visit.patient].pk, WaitingWish(appointment=pk)
        if self.agree(foreseen, lambda: put_on_waiting_list(patient, wish, **self.acting())):
            self.happened -= 1  # no act on an appointment
            self.waiting[self.written.pk] = (pk, None)
            return self.written.pk
        return multiple()

    @rule(entry=entries, doctor=st.sampled_from(DOCTORS), slot=st.sampled_from(SLOTS))
    def swap(self, entry, doctor, slot):
        """The appointment stays where it is unless the wanted time is free: the rules of a move."""
        pk, closed_by = self.waiting[entry]
        visit = self.model[pk]
        wanted = self.placed(visit, doctor, self.at(slot))
        foreseen = self.refused_times(wanted, pk)
        if closed_by:
            foreseen = {Reason.WAITING_CLOSED}
        elif visit.status not in MOVABLE or visit.starts_at <= self.now:
            foreseen = {Reason.WAITING_APPOINTMENT_GONE}
        elif wanted.starts_at >= visit.starts_at:
            foreseen = {Reason.WAITING_NOT_EARLIER}
        target = {"doctor": self.doctors[doctor].pk, "starts_at": wanted.starts_at, **self.acting()}
        if self.agree(foreseen, lambda: book_waiting(entry, seen=None, place=None, **target)):
            self.model[pk] = replace(wanted, status="rescheduled", undo=visit)
            self.waiting[entry] = (pk, self.model[pk])
            self.changed_at[pk] = self.now

    @rule(pk=visits, slot=st.sampled_from(SLOTS))
    def swap_for_an_earlier_time(self, pk, slot):
        """By chance alone few wait for a time that is free."""
        entry = self.waiting_entry(pk)
        visit = self.model[pk]
        places = [(doctor, (slot + later) % len(SLOTS)) for doctor in DOCTORS for later in SLOTS]
        free = [
            place
            for place in places
            if self.at(place[1]) < visit.starts_at
            and not self.refused_times(self.placed(visit, place[0], self.at(place[1])), pk)
        ]
        if entry and free:
            self.swap(entry, *free[0])

    @rule(target=recalls, pk=visits)
    def remind(self, pk):
        """The patient of a visit that has begun is to be called for another one, with any doctor."""
        visit = self.model[pk]
        foreseen = set() if visit.status in {"in_service", "finished"} else {Reason.RECALL_NOT_SERVED}
        foreseen |= set() if any(self.active) else {Reason.RECALL_NOT_PERFORMED}
        foreseen |= {Reason.RECALL_TWICE} if self.is_reminded(pk) else set()
        wish = RecallWish(due_on=MONDAY + timedelta(weeks=8), procedure=self.desk.procedure.pk)
        if self.agree(foreseen, lambda: write_recall(pk, wish, **self.acting())):
            self.happened -= 1  # no act on an appointment
            self.reminded[self.written.pk] = (pk, None, False)
            return self.written.pk
        return multiple()

    @rule(target=visits, recall=recalls, doctor=st.sampled_from(DOCTORS), slot=st.sampled_from(SLOTS))
    def book_the_recall(self, recall, doctor, slot):
        of, _, is_closed = self.reminded[recall]
        wanted = Visit(doctor, self.model[of].patient, self.at(slot), self.at(slot) + HALF_HOUR)
        foreseen = {Reason.RECALL_BOOKED} if is_closed else self.refused_times(wanted)
        proposal = self.desk.proposal(**self.asked(wanted))
        if self.agree(foreseen, lambda: book_recall(recall, proposal, by=self.by, now=self.now)):
            self.model[self.written.pk] = wanted
            self.stood[self.written.pk] = True
            self.reminded[recall] = (of, self.written.pk, True)
            return self.written.pk
        return multiple()

    @rule(target=recalls, pk=visits)
    def serve_and_remind(self, pk):
        """By chance alone few visits begin."""
        for status in ("checked_in", "in_service"):
            self.change(pk, status)
        return self.remind(pk)

    @rule(pk=visits, doctor=st.sampled_from(DOCTORS), slot=st.sampled_from(SLOTS), squeeze=st.booleans())
    def move(self, pk, doctor, slot, squeeze):
        visit = self.model[pk]
        wanted = self.as_asked(self.placed(visit, doctor, self.at(slot)), pk, squeeze=squeeze)
        foreseen = self.refused_times(wanted, pk)
        if visit.status not in MOVABLE:
            foreseen |= {Reason.NOT_MOVABLE}
        elif self.active[doctor] and (wanted.doctor, wanted.starts_at) == (visit.doctor, visit.starts_at):
            foreseen |= {Reason.NOTHING_CHANGED}
        target = {"doctor": self.doctors[doctor].pk, "starts_at": wanted.starts_at, **self.acting()}
        target["encaixe_reason"] = "dor" if squeeze else None
        if self.agree(foreseen, lambda: reschedule(pk, **target)):
            self.model[pk] = replace(wanted, status="rescheduled", undo=visit)
            self.changed_at[pk] = self.now

    @rule(pk=visits, minutes=st.sampled_from([15, 30, 60]))
    def change_length(self, pk, minutes):
        visit = self.model[pk]
        wanted = replace(visit, ends_at=visit.starts_at + timedelta(minutes=minutes))
        lines = (LineRequest(self.desk.procedure.pk),)
        act = {"lines": lines, "ends_at": wanted.ends_at, **self.acting()}
        if self.agree(self.refused_length(visit, wanted, pk), lambda: change_procedures(pk, **act)):
            if wanted == visit:
                self.happened -= 1
            else:
                self.model[pk] = replace(wanted, undo=visit)
                self.changed_at[pk] = self.now

    @rule(pk=visits, status=st.sampled_from(sorted(ALLOWED)))
    def change(self, pk, status):
        visit = self.model[pk]
        if self.agree(
            self.refused_change(visit, status, pk),
            lambda: change_status(pk, status, cancelled_by="clinic", **self.acting()),
        ):
            self.model[pk] = replace(visit, status=status, undo=visit.status)
            self.changed_at[pk] = self.now

    @rule(pk=visits)
    def miss(self, pk):
        """By chance alone the clock seldom passes a start whose patient is then marked as missing."""
        self.now = max(self.now, self.model[pk].starts_at)
        self.change(pk, "no_show")

    @rule(pk=visits)
    def cancel(self, pk):
        """An eighth of the changes are too few for every run to have one."""
        self.change(pk, "cancelled")

    @rule(pk=visits, slot=st.sampled_from(SLOTS))
    def swap_and_regret_it(self, pk, slot):
        self.swap_for_an_earlier_time(pk, slot)
        self.undo(pk)

    @rule(pk=visits)
    def undo(self, pk):
        visit = self.model[pk]
        is_slip = self.now - self.changed_at.get(pk, self.now) < timedelta(minutes=1)
        if visit.undo is None:
            foreseen, back = {Reason.NOTHING_TO_UNDO}, None
        elif isinstance(visit.undo, Visit):
            back = visit.undo
            is_shorter = replace(back, ends_at=visit.ends_at) == visit and back.ends_at <= visit.ends_at
            foreseen = self.taken_again(back, pk, is_slip=is_slip) if back.stands and not is_shorter else set()
        else:
            asked = visit.undo if visit.undo in ALLOWED[visit.status] else "scheduled"
            back = replace(visit, status="rescheduled" if visit.undo == "rescheduled" else asked)
            foreseen = self.refused_change(visit, asked, pk, is_slip=is_slip)
        if self.agree(foreseen, lambda: undo(pk, **self.acting())):
            self.open_again(pk, visit)
            self.model[pk] = replace(back, undo=None)

    @rule(doctor=st.sampled_from(DOCTORS), shift=st.sampled_from(SHIFTS))
    def change_hours(self, doctor, shift):
        self.shifts[doctor] = shift
        self.write_hours(doctor)

    @rule(
        target=absences,
        doctor=st.sampled_from([*DOCTORS, None]),
        quarter=st.integers(0, 15),
        quarters=st.integers(1, 8),
    )
    def record_absence(self, doctor, quarter, quarters):
        """It may begin and end in the middle of an appointment; who is booked then stays booked."""
        starts_at = self.desk.at(8) + quarter * HALF_HOUR / 2
        off = TimeOff(doctor, starts_at, starts_at + quarters * HALF_HOUR / 2)
        absence = Absence(clinic=self.desk.clinic, reason="doença", starts_at=off.starts_at, ends_at=off.ends_at)
        absence.doctor = None if doctor is None else self.doctors[doctor]
        save_absence(absence, self.by.user)
        self.absent[absence.pk] = off
        return absence.pk

    @rule(pk=consumes(absences))
    def take_absence_back(self, pk):
        """Who was moved meanwhile stays moved."""
        delete_absence(Absence.objects.of(self.desk.clinic).get(pk=pk), self.by.user)
        del self.absent[pk]

    @rule(doctor=st.sampled_from(DOCTORS))
    def switch(self, doctor):
        """The doctor is made inactive, or active again; what is booked stays."""
        self.active[doctor] = not self.active[doctor]
        self.doctors[doctor].active = self.active[doctor]
        self.doctors[doctor].save(update_fields=["active"])

    @rule(doctor=st.sampled_from(DOCTORS), per_day=st.sampled_from([None, 1, 2, 4]))
    def allow_a_day(self, doctor, per_day):
        """Whoever is booked beyond the number already stays booked."""
        self.doctors[doctor].per_day = per_day
        self.doctors[doctor].save(update_fields=["per_day"])

    @rule(doctor=st.sampled_from(DOCTORS), patient=st.sampled_from(PATIENTS))
    def book_too_far(self, doctor, patient):
        far = self.desk.clinic.instant(FAR, time(8))
        foreseen = {Reason.DATE_TOO_FAR} | (set() if self.active[doctor] else {Reason.DOCTOR_UNKNOWN})
        wanted = Visit(doctor, patient, far, far + HALF_HOUR)
        self.agree(foreseen, lambda: self.desk.book(now=self.now, **self.asked(wanted)))

    @rule(kept=st.sampled_from(PATIENTS), other=st.integers(1, len(PATIENTS) - 1))
    def merge(self, kept, other):
        """Two patients become one, with all appointments, unless two of these stand at one time."""
        merged = (kept + other) % len(PATIENTS)
        visits = {pk: visit for pk, visit in self.model.items() if visit.patient in {kept, merged}}
        foreseen = set()
        if self.into.keys() & {kept, merged}:
            foreseen = {Reason.MERGED_ALREADY}
        elif any(one.meets(other) and other.stands for one, other in combinations(visits.values(), 2)):
            foreseen = {Reason.MERGE_AT_ONE_TIME}
        one, other = self.patients[kept].pk, self.patients[merged].pk
        if self.agree(foreseen, lambda: merge_patients(one, other, sides={}, **self.acting())):
            self.happened -= 1  # no event of an appointment
            moved = [pk for pk, visit in visits.items() if visit.patient == merged]
            self.merges.append(Merge(self.written.pk, kept, merged, moved))
            self.into[merged] = kept
            self.give(moved, kept)

    @rule(number=st.integers(0, 2))
    def separate(self, number):
        """What was booked since stays, and what was moved along goes back."""
        if number >= len(self.merges):
            return
        merge = self.merges[number]
        foreseen = {Reason.MERGED_SINCE} if merge.kept in self.into else set()
        if self.into.get(merge.merged) != merge.kept or merge.is_undone:
            foreseen = {Reason.MERGE_UNDONE}
        if self.agree(foreseen, lambda: undo_merge(merge.pk, **self.acting())):
            self.happened -= 1
            self.merges[number] = replace(merge, is_undone=True)
            del self.into[merge.merged]
            self.give([pk for pk in merge.moved if self.model[pk].patient == merge.kept], merge.merged)

    @rule(minutes=st.sampled_from([1, 29, 60]))
    def wait(self, minutes):
        self.now += timedelta(minutes=minutes)

    # What the model says

    def who(self, patient):
        """The number of the patient that a merged one has become."""
        while patient in self.into:
            patient = self.into[patient]
        return patient

    def give(self, pks, patient):
        """These visits, and what undoing would bring back of them, are that patient's now."""
        for pk in pks:
            before = self.model[pk]
            self.model[pk] = before.given(patient)
            for entry, (of, by) in self.waiting.items():
                if by is before:
                    self.waiting[entry] = (of, self.model[pk])

    def waiting_entry(self, pk):
        """The entry of an appointment, put on the list if it may be; None otherwise."""
        if not self.is_waiting(pk):
            self.put_on_the_waiting_list(pk)
        return next((entry for entry, waiting in self.waiting.items() if waiting == (pk, None)), None)

    def placed(self, visit, doctor, starts_at):
        """The visit as an ordinary one at another place."""
        ends_at = starts_at + (visit.ends_at - visit.starts_at)
        return replace(visit, doctor=doctor, starts_at=starts_at, ends_at=ends_at, encaixe=False)

    def is_waiting(self, pk):
        return (pk, None) in self.waiting.values()

    def open_again(self, pk, undone):
        """The entry that was closed by the very move that is undone waits again, unless another one already does."""
        closed = [entry for entry, (of, by) in self.waiting.items() if of == pk and by is undone]
        for entry in [] if self.is_waiting(pk) else closed:
            self.waiting[entry] = (pk, None)

    def is_reminded(self, pk):
        return any(of == pk and not is_closed for of, _, is_closed in self.reminded.values())

    def follow(self):
        """A recall is open again once its booking has fallen, and closed with it once that stands again."""
        for recall, (of, by, is_closed) in self.reminded.items():
            stands = by is not None and self.model[by].stands
            if by is None or self.stood[by] == stands:
                continue
            self.stood[by] = stands
            if is_closed != stands and (stands or not self.is_reminded(of)):
                self.reminded[recall] = (of, by, stands)

    def as_asked(self, wanted, pk=None, *, squeeze):
        """The same, as an encaixe if one is asked for and the doctor is not free."""
        return replace(wanted, encaixe=True) if squeeze and self.refused_times(wanted, pk) & LIFTED else wanted

    def refused_times(self, wanted, pk=None):
        past = {Reason.TIME_PAST} if wanted.starts_at <= self.now else set()
        if not self.active[wanted.doctor]:
            return past | {Reason.DOCTOR_UNKNOWN}
        return past or self.closed(wanted) | self.clashes(wanted, pk)

    def closed(self, wanted):
        """An absence explains more than the hours; of two the one that is first, and the clinic's before a doctor's."""
        over = [off for off in self.absent.values() if off.is_over(wanted)]
        if over:
            first = min(over, key=lambda off: (max(off.starts_at, wanted.starts_at), off.doctor is not None))
            return {Reason.CLINIC_CLOSED if first.doctor is None else Reason.DOCTOR_ABSENT}
        if wanted.encaixe:
            return set()
        hours = [(self.desk.at(starts), self.desk.at(ends)) for starts, ends in self.shifts[wanted.doctor]]
        begun = [ends for starts, ends in hours if starts <= wanted.starts_at < ends]
        if any(wanted.ends_at <= ends for ends in begun):
            return set()
        return {Reason.ENDS_AFTER_HOURS if begun else Reason.OUTSIDE_HOURS}

    def clashes(self, wanted, pk, *, is_slip=False):
        others = [visit for key, visit in self.model.items() if key != pk and visit.meets(wanted)]
        full = {Reason.DAY_FULL} if not is_slip and self.is_full(wanted, pk) else set()
        if wanted.encaixe:
            return full | self.clashes_of_encaixe(wanted, others, pk)
        of_doctor = [other for other in others if other.doctor == wanted.doctor and not other.encaixe]
        elsewhere = [other for other in others if other.patient == wanted.patient and other not in of_doctor]
        taken = {Reason.DOCTOR_TAKEN} if of_doctor else set()
        return full | taken | ({Reason.PATIENT_ELSEWHERE} if elsewhere else set())

    def is_full(self, wanted, pk):
        """Whether the doctor has as many others as are allowed; what stays with its doctor counts already."""
        limit, present = self.doctors[wanted.doctor].per_day, self.model.get(pk)
        stays = present and present.stands and present.doctor == wanted.doctor
        others = [visit for key, visit in self.model.items() if key != pk and visit.stands]
        return not stays and limit is not None and sum(other.doctor == wanted.doctor for other in others) >= limit

    def clashes_of_encaixe(self, wanted, others, pk):
        day = [visit for key, visit in self.model.items() if key != pk and visit.encaixe and visit.stands]
        reasons_why = {
            Reason.PATIENT_ELSEWHERE: any(other.patient == wanted.patient for other in others),
            Reason.ENCAIXE_TAKEN: any(other.encaixe and other.doctor == wanted.doctor for other in others),
            Reason.ENCAIXE_LIMIT: sum(visit.doctor == wanted.doctor for visit in day) >= 2,
        }
        return {reason for reason, holds in reasons_why.items() if holds}

    def taken_again(self, wanted, pk, *, is_slip):
        if is_slip:
            return self.clashes(wanted, pk, is_slip=True)
        if not self.active[wanted.doctor]:
            return {Reason.DOCTOR_UNKNOWN}
        return self.clashes(wanted, pk) | self.closed(wanted)

    def refused_length(self, visit, wanted, pk):
        if visit.status == "finished":
            return {Reason.FINISHED_FOR_MANAGERS}
        if visit.status not in CHANGEABLE:
            return {Reason.NOT_CHANGEABLE}
        return self.taken_again(wanted, pk, is_slip=False) if wanted.ends_at > visit.ends_at else set()

    def refused_change(self, visit, status, pk, *, is_slip=False):
        if status not in ALLOWED[visit.status]:
            return {Reason.TRANSITION_FORBIDDEN}
        foreseen = set()
        if status == "no_show" and visit.starts_at > self.now:
            foreseen |= {Reason.NOT_YET_BEGUN}
        if not visit.stands and status not in FREED:
            foreseen |= self.taken_again(visit, pk, is_slip=is_slip)
        others = [other for key, other in self.model.items() if key != pk and other.doctor == visit.doctor]
        if status == "in_service" and any(other.status == "in_service" for other in others):
            foreseen |= {Reason.ANOTHER_IN_SERVICE}
        return foreseen

    # What must always hold

    @invariant()
    def the_database_holds_what_the_model_holds(self):
        if not hasattr(self, "model"):
            return
        rows = Appointment.objects.of(self.desk.clinic)
        assert {row.pk: self.seen(row) for row in rows} == self.model
        assert sum(row.events.count() for row in rows) == self.happened
        for row in rows:
            assert row.status_since == row.events.filter(after__has_key="status").last().at

    @invariant()
    def who_waits_in_the_model_waits_in_the_database(self):
        if not hasattr(self, "model"):
            return
        rows = WaitingEntry.objects.of(self.desk.clinic)
        closed = {row.pk: row.closed_at is not None for row in rows}
        assert closed == {entry: by is not None for entry, (_, by) in self.waiting.items()}

    @invariant()
    def who_is_to_be_called_in_the_model_is_in_the_database(self):
        if not hasattr(self, "model"):
            return
        self.follow()
        rows = Recall.objects.of(self.desk.clinic)
        assert {row.pk: (row.appointment_id, row.booked_id, row.closed_at is not None) for row in rows} == self.reminded
        for row in rows:
            assert row.patient == self.patients[self.model[row.appointment_id].patient]

    @invariant()
    def only_an_encaixe_overlaps_and_only_one_appointment_of_its_doctor(self):
        if not hasattr(self, "model"):
            return
        rows = list(Appointment.objects.of(self.desk.clinic).standing())
        for one, other in combinations(rows, 2):
            if one.starts_at < other.ends_at and one.ends_at > other.starts_at:
                assert one.doctor_id != other.doctor_id or one.is_encaixe != other.is_encaixe
                assert one.patient_id != other.patient_id

    @invariant()
    def the_openings_are_the_times_the_model_finds_free(self):
        if not hasattr(self, "model"):
            return
        for number, doctor in enumerate(self.doctors):
            spans = openings(self.desk.clinic, doctor=doctor, minutes=30, first=MONDAY, last=MONDAY, now=self.now)
            assert [span.starts_at for span in spans] == [slot.starts_at for slot in self.free(number, HALF_HOUR)]
            assert openings(self.desk.clinic, doctor=doctor, minutes=30, first=FAR, last=FAR, now=self.now) == []
        assert slots(agenda.day(self.desk.clinic, FAR, now=self.now)) == []

    @invariant()
    def the_day_shows_what_the_model_holds_and_offers_what_it_finds_free(self):
        if not hasattr(self, "model"):
            return
        day = agenda.day(self.desk.clinic, MONDAY, now=self.now)
        cells = [cell for hour in day.hours for row in hour.rows for cell in row.cells]
        cards = {int(cell.id): cell for cell in cells if cell.kind == "card"}
        first = self.desk.at(int(day.hours[0].time[:2])) if day.hours else None
        numbers = {int(column.doctor_id): column.number for column in day.columns}
        columns = [numbers.get(doctor.pk) for doctor in self.doctors]
        assert {pk: (card.time, card.patient) for pk, card in cards.items()} == {
            pk: (self.clock(visit.starts_at), self.patients[visit.patient].name) for pk, visit in self.model.items()
        }
        for pk, visit in self.model.items():
            assert {f"status-{visit.status}", *self.rows(visit, first)} <= set(cards[pk].css_class.split())
            assert cards[pk].column == columns[visit.doctor]
            assert ("back" in cards[pk].css_class.split()) == (not visit.stands)
        offered = {(cell.column, cell.time) for cell in slots(day)}
        free = [slot for number in DOCTORS for slot in self.free(number, HALF_HOUR)]
        assert offered == {(columns[slot.doctor], self.clock(slot.starts_at)) for slot in free}
        assert day.booked == sum(visit.stands for visit in self.model.values())
        assert day.missed == sum(visit.status == "no_show" for visit in self.model.values())

    @invariant()
    def pending_is_what_stands_where_its_doctor_does_not_work(self):
        if not hasattr(self, "model"):
            return
        lost = self.lost()
        assert {row.pk: row.cause.why for row in pending(self.desk.clinic, now=self.now)} == lost
        day = agenda.day(self.desk.clinic, MONDAY, now=self.now)
        assert sum(number for _cause, number in day.causes) == len(lost)

    def lost(self):
        """Why each appointment can no longer take place, of those whose visit has not begun and that are not over."""
        not_begun = {"scheduled", "rescheduled", "confirmed", "checked_in"}
        ahead = {
            pk: visit for pk, visit in self.model.items() if visit.status in not_begun and visit.ends_at > self.now
        }
        inactive = {pk: Why.INACTIVE for pk, visit in ahead.items() if not self.active[visit.doctor]}
        closed = {pk: WHY[reason] for pk, visit in ahead.items() for reason in self.closed(visit)}
        return closed | inactive

    # Help

    def interval(self, doctor):
        return timedelta(minutes=self.doctors[doctor].interval_minutes)

    def free(self, doctor, length):
        wanted = [Visit(doctor, -1, starts_at, starts_at + length) for starts_at in self.grid(doctor)]
        return [slot for slot in wanted if not self.refused_times(slot)]

    def grid(self, doctor):
        for starts, ends in self.shifts[doctor]:
            starts_at = self.desk.at(starts)
            while starts_at < self.desk.at(ends):
                yield starts_at
                starts_at += self.interval(doctor)

    def clock(self, instant):
        return f"{self.desk.clinic.local(instant):%H:%M}"

    def rows(self, visit, first):
        """The classes of a card that say at which five-minute rows, counted from `first`, it begins and ends."""
        above, below = ((instant - first) // timedelta(minutes=5) for instant in (visit.starts_at, visit.ends_at))
        return {f"from-{above}", f"to-{below}"}

    def agree(self, foreseen, act):
        """Does it, and says whether it went through: exactly where the model foresees no refusal."""

        def acted():
            self.written = act()

        assert reasons(acted) == foreseen
        self.happened += not foreseen
        return not foreseen

    def at(self, slot):
        return self.desk.at(8) + slot * HALF_HOUR

    def asked(self, visit):
        doctor, patient = self.doctors[visit.doctor], self.patients[visit.patient]
        return {"doctor": doctor.pk, "patient": patient.pk, "starts_at": visit.starts_at}

    def acting(self):
        return {"clinic": self.desk.clinic, "by": self.by, "now": self.now}

    def seen(self, row):
        doctor = [doctor.pk for doctor in self.doctors].index(row.doctor_id)
        patient = [patient.pk for patient in self.patients].index(row.patient_id)
        return Visit(doctor, patient, row.starts_at, row.ends_at, row.status, row.is_encaixe)

    def write_hours(self, number):
        doctor = self.doctors[number]
        doctor.hours.all().delete()
        WorkingHours.objects.bulk_create(
            WorkingHours(clinic=doctor.clinic, doctor=doctor, weekday=1, starts=time(starts), ends=time(ends))
            for starts, ends in self.shifts[number]
        )


def slots(day):
    return [cell for hour in day.hours for row in hour.rows for cell in row.cells if cell.kind == "slot"]


@pytest.mark.django_db
def test_model_database_openings_and_day_page_always_agree():
    run_state_machine_as_test(
        FrontDesk,
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
