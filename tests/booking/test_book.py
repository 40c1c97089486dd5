from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from clinic.booking import Author, LineRequest, book, change_status, check, edit_notes
from clinic.models import Absence, Appointment, AppointmentEvent
from clinic.refusals import Reason
from tests.booking.desk import BY, MONDAY, details, reasons, refused, stored
from tests.booking.overlaps import OVERLAPS
from tests.factories import make_discount, make_procedure, make_user


def test_booking_stores_its_lines_discount_and_event(desk):
    user = make_user(desk.clinic)
    discount = make_discount(desk.clinic, percentage=20)

    appointment = desk.book(
        lines=(LineRequest(desk.procedure.pk, discount.pk),),
        notes="  Trazer exames.\r\nEm jejum. ",
        metadata={"canal": "balcão"},
        by=Author(channel=AppointmentEvent.Channel.BROWSER, user=user),
    )

    appointment = Appointment.objects.of(desk.clinic).get(pk=appointment.pk)
    assert (appointment.doctor, appointment.patient, appointment.status) == (desk.doctor, desk.patient, "scheduled")
    assert (appointment.starts_at, appointment.ends_at) == (desk.at(9), desk.at(9, 30))
    assert (appointment.notes, appointment.metadata) == ("Trazer exames.\nEm jejum.", {"canal": "balcão"})
    assert (appointment.created_by, appointment.created_at, appointment.source) == (user, desk.now, "manual")
    line = appointment.lines.get()
    assert (line.procedure, str(line.price), str(line.discounts.get().value)) == (desk.procedure, "252.00", "50.40")
    event = appointment.events.get()
    assert (event.kind, event.user, event.channel, event.at) == ("booked", user, "browser", desk.now)
    assert event.after == {
        "doctor": desk.doctor.pk,
        "doctor_name": "Dra. Helena Prado",
        "starts_at": "2026-11-23T12:00:00+00:00",
        "ends_at": "2026-11-23T12:30:00+00:00",
        "status": "scheduled",
        "lines": [
            {
                "procedure": "Consulta",
                "price": "252.00",
                "discounts": [{"name": discount.name, "value": "50.40"}],
            }
        ],
    }


def test_several_procedures_add_their_durations_and_keep_order(desk):
    quick = make_procedure(desk.clinic, duration_minutes=15)
    desk.doctor.procedures.add(quick)

    appointment = desk.book(lines=tuple(LineRequest(procedure.pk) for procedure in (quick, desk.procedure, quick)))

    assert appointment.ends_at == desk.at(10)
    assert [line.procedure for line in appointment.lines.all()] == [quick, desk.procedure, quick]


def test_given_end_overrides_the_durations(desk):
    assert desk.book(ends_at=desk.at(9, 10)).ends_at == desk.at(9, 10)


def test_the_price_of_the_day_stays_with_the_booking(desk):
    appointment = desk.book()
    type(desk.procedure).objects.filter(pk=desk.procedure.pk).update(price=999)

    assert str(appointment.lines.get().price) == "252.00"


def test_checking_agrees_with_booking_and_writes_nothing(desk):
    before = stored()

    assert check(desk.proposal(details=details()), now=desk.now) is None
    assert stored() == before


@pytest.mark.parametrize("name", OVERLAPS)
def test_second_appointment_of_doctor_is_refused_only_on_overlap(desk, name):
    starts, ends, shared = OVERLAPS[name]
    desk.book(starts_at=desk.at(10), ends_at=desk.at(11))
    second = desk.proposal(patient=desk.another_patient().pk, starts_at=desk.at(*starts), ends_at=desk.at(*ends))

    assert reasons(book, second, by=BY, now=desk.now) == ({Reason.DOCTOR_TAKEN} if shared else set())


@pytest.mark.parametrize("name", OVERLAPS)
def test_second_appointment_of_patient_is_refused_only_on_overlap(desk, name):
    starts, ends, shared = OVERLAPS[name]
    desk.book(starts_at=desk.at(10), ends_at=desk.at(11))
    second = desk.proposal(doctor=desk.another_doctor().pk, starts_at=desk.at(*starts), ends_at=desk.at(*ends))

    assert reasons(book, second, by=BY, now=desk.now) == ({Reason.PATIENT_ELSEWHERE} if shared else set())


@pytest.mark.parametrize("freed", ["cancelled", "no_show", "deleted"])
def test_cancelled_missed_and_deleted_free_their_time(desk, freed):
    appointment = desk.book()
    changes = {"deleted_at": desk.now} if freed == "deleted" else {"status": freed}
    cancelled_by = "patient" if freed == "cancelled" else ""
    Appointment.objects.filter(pk=appointment.pk).update(cancelled_by=cancelled_by, **changes)

    desk.book()
    assert refused(desk.book).reasons == {Reason.DOCTOR_TAKEN}


def test_encaixe_occupies_its_patient_but_not_the_doctor(desk):
    appointment = desk.book()
    user = make_user(desk.clinic, may_squeeze_in=True)
    Appointment.objects.filter(pk=appointment.pk).update(encaixe_by=user, encaixe_reason="febre")

    assert refused(desk.book).reasons == {Reason.PATIENT_ELSEWHERE}
    desk.book(patient=desk.another_patient().pk)


def test_today_is_bookable_up_to_the_minute_before(desk):
    assert reasons(desk.book, now=desk.at(9)) == {Reason.TIME_PAST}
    assert reasons(desk.book, now=desk.at(8, 59)) == set()


def test_the_last_day_to_book_is_two_years_ahead(desk):
    last = MONDAY + timedelta(days=730)

    assert desk.book(starts_at=desk.at(9, day=last)).starts_at == desk.at(9, day=last)


def test_a_booking_recognised_by_its_uuid_is_not_made_twice(desk):
    """The second click of a double click, at the same time or with another time chosen in between."""
    known = uuid4()

    assert desk.book(uuid=known).uuid == known
    assert refused(desk.book, uuid=known).reasons == {Reason.DOCTOR_TAKEN}
    assert refused(desk.book, uuid=known, starts_at=desk.at(10)).reasons == {Reason.TRY_AGAIN}
    assert Appointment.objects.count() == 1


# Alternatives


def offered(desk, refusal):
    return [desk.clock(opening.starts_at) for opening in refusal.alternatives]


def test_taken_time_offers_three_nearest_free_times_in_order(desk):
    for hour in (9, 10):
        desk.book(starts_at=desk.at(hour))

    refusal = refused(desk.book, starts_at=desk.at(9, 15), patient=desk.another_patient().pk)

    assert offered(desk, refusal) == ["23/11 09:30", "23/11 13:00", "24/11 08:00"]


def test_alternatives_are_as_long_as_what_was_asked_for(desk):
    desk.book()

    refusal = refused(desk.book, ends_at=desk.at(10, 50))

    assert {opening.ends_at - opening.starts_at for opening in refusal.alternatives} == {timedelta(minutes=110)}


def test_last_time_of_day_taken_offers_next_working_day(desk):
    desk.book(starts_at=desk.at(17, 30))

    refusal = refused(desk.book, starts_at=desk.at(17, 30), patient=desk.another_patient().pk, now=desk.at(17, 20))

    assert offered(desk, refusal) == ["24/11 08:00", "24/11 13:00", "25/11 08:00"]


@pytest.mark.parametrize("wrong", ["past", "lunch", "absence", "holiday", "taken", "patient elsewhere"])
def test_each_alternative_can_be_booked(desk, wrong):
    changes, now = {}, desk.now
    if wrong == "past":
        now = desk.at(10, 1)
    elif wrong == "lunch":
        changes = {"starts_at": desk.at(12, 15)}
    elif wrong == "absence":
        Absence.objects.create(clinic=desk.clinic, starts_at=desk.at(8), ends_at=desk.at(11), reason="obras")
    elif wrong == "holiday":
        desk.clinic.observes_holidays = True
        changes = {"starts_at": datetime(2026, 12, 25, 12, tzinfo=UTC)}
    elif wrong == "taken":
        desk.book()
    else:
        desk.book(doctor=desk.another_doctor().pk, ends_at=desk.at(10))

    refusal = refused(desk.book, now=now, **changes)

    assert len(refusal.alternatives) == 3
    for opening in refusal.alternatives:
        times = {"starts_at": opening.starts_at, "ends_at": opening.ends_at}
        assert check(desk.proposal(**changes | times), now=now) is None


def test_alternatives_are_free_for_a_patient_matched_by_details_too(desk):
    desk.book(doctor=desk.another_doctor().pk, starts_at=desk.at(9), ends_at=desk.at(12))
    ana = details(name="ana souza", phone=str(desk.patient.phone))

    refusal = refused(desk.book, details=ana)

    assert refusal.reasons == {Reason.PATIENT_ELSEWHERE}
    assert offered(desk, refusal) == ["23/11 08:30", "23/11 13:00", "24/11 08:00"]


def test_no_alternatives_unless_a_valid_time_is_the_problem(desk):
    assert refused(desk.book, notes="x" * 6000).alternatives == []
    assert refused(desk.book, starts_at=desk.at(9), ends_at=desk.at(8), now=desk.at(9)).alternatives == []
    assert refused(desk.book, starts_at=desk.at(9), doctor=0, now=desk.at(10)).alternatives == []
    assert refused(desk.book, starts_at=desk.at(9), lines=(), now=desk.at(10)).alternatives == []


# Notes


def test_notes_and_metadata_change_separately_and_are_recorded(desk):
    appointment = desk.book(notes="antes", metadata={"a": 1})

    edit_notes(appointment.pk, clinic=desk.clinic, by=BY, notes=" depois ", now=desk.at(8))
    edit_notes(appointment.pk, clinic=desk.clinic, by=BY, metadata={"b": 2}, now=desk.at(8, 30))

    appointment.refresh_from_db()
    assert (appointment.notes, appointment.metadata, appointment.updated_at) == ("depois", {"b": 2}, desk.at(8, 30))
    assert [(event.kind, event.before, event.after) for event in appointment.events.all()[1:]] == [
        ("annotated", {"notes": "antes"}, {"notes": "depois"}),
        ("annotated", {"metadata": {"a": 1}}, {"metadata": {"b": 2}}),
    ]


def test_unchanged_note_is_not_recorded_and_long_one_is_refused(desk):
    appointment = desk.book(notes="igual")

    edit_notes(appointment.pk, clinic=desk.clinic, by=BY, notes="igual ")
    refusal = refused(edit_notes, appointment.pk, clinic=desk.clinic, by=BY, notes="x" * 5001)

    assert refusal.reasons == {Reason.NOTES_TOO_LONG}
    assert appointment.events.count() == 1


def test_notes_changed_by_a_colleague_since_are_not_overwritten(desk):
    appointment = desk.book(notes="trazer\nexames")
    mine = {"clinic": desk.clinic, "by": BY, "seen": " trazer\r\nexames"}
    edit_notes(appointment.pk, notes="em jejum", **mine)

    for notes in ("liga antes", ""):
        assert reasons(edit_notes, appointment.pk, notes=notes, **mine) == {Reason.CHANGED_MEANWHILE}
    assert edit_notes(appointment.pk, notes="trazer\nexames ", **mine).notes == "em jejum", "nothing was changed here"
    assert edit_notes(appointment.pk, notes="em jejum", **mine).notes == "em jejum", "both wrote the same"
    assert appointment.events.count() == 2
    assert edit_notes(appointment.pk, notes="liga antes", **mine | {"seen": "em jejum"}).notes == "liga antes"


def test_a_change_of_status_is_no_conflict_of_notes(desk):
    appointment = desk.book(notes="")
    change_status(appointment.pk, "confirmed", clinic=desk.clinic, by=BY, now=desk.now)
    assert edit_notes(appointment.pk, clinic=desk.clinic, by=BY, notes="liga antes", seen="").notes == "liga antes"
