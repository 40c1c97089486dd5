"""Nothing anybody types is an error of the program, and nothing is half-written."""

from datetime import UTC, datetime

import pytest

from clinic.booking import (
    BookingRefused,
    CpfPolicy,
    LineRequest,
    PatientDetails,
    annotate,
    book,
    change_status,
    check,
    edit_patient,
    register_patient,
    reschedule,
)
from clinic.models import Appointment, Patient
from tests.booking.desk import BY, outcome, stored

TEXTS = {
    "NUL": "Ana\0 Souza",
    "only NUL": "\0\0",
    "RTL marks": "\u202eAna\u2066 \u200fSouza\u2069",
    "emoji": "Ana 👩🏽\u200d⚕️ Souza 🇧🇷",
    "HTML": "<script>alert('x')</script><b>Ana</b> &amp; \"Souza\"",
    "SQL": "'; DROP TABLE clinic_patient; --",
    "percent signs": "100% %s %(name)s {0}",
    "lone surrogate": "Ana \ud800 Souza",
    "long": "á" * 10_000,
    "very long": "x" * 60_000,
    "zalgo": "A\u0301\u0302\u0303" * 30,
    "control characters": "Ana\x1b[31m\x07\x85 Souza\x7f",
    "line separators": "Ana\u2028Souza\u2029\r\n\tSilva",
    "not normalised": "ﬁ ½ Å ſ",
    "Chinese": "王小明",
}
FIELDS = ("name", "social_name", "phone", "cpf", "nif", "email", "notes")
IDS = (0, -1, 2**31, 2**63, 10**30)
INSTANTS = (
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(1, 1, 1, 23, 59, tzinfo=UTC),
    datetime(1582, 10, 10, tzinfo=UTC),
    datetime(9999, 12, 31, tzinfo=UTC),
    datetime.max.replace(tzinfo=UTC),
)


def tried(desk, proposal):
    """The booking, or what refused it; either all or nothing is written, and checking says the same."""
    before = stored()
    foreseen = check(proposal, now=desk.now)
    result = outcome(book, proposal, by=BY, now=desk.now)
    if isinstance(result, BookingRefused):
        assert all(each.message and each.field for each in result.refusals)
        assert foreseen.reasons == result.reasons
        assert stored() == before
        return result
    assert foreseen is None
    added = {name: number - before[name] for name, number in stored().items()}
    assert added.pop("Patient") in (0, 1)
    assert added == {"Appointment": 1, "AppointmentProcedure": 1, "AppliedDiscount": 0, "AppointmentEvent": 1}
    return result


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("kind", TEXTS)
def test_any_text_in_any_field_of_a_patient_is_stored_whole_or_refused_at_its_field(desk, kind, field):
    typed = PatientDetails(**{"name": "Ana", "phone": "(81) 99876-5432"} | {field: TEXTS[kind]})

    result = tried(desk, desk.proposal(details=typed, policy=CpfPolicy.LENIENT))

    if isinstance(result, BookingRefused):
        assert {each.field for each in result.refusals} == {field}


@pytest.mark.parametrize("kind", TEXTS)
def test_any_text_in_the_notes_the_metadata_and_the_reason_is_stored_whole_or_refused(desk, kind):
    text = TEXTS[kind]
    tried(desk, desk.proposal(notes=text))
    appointment = desk.book(starts_at=desk.at(10), metadata={text: [text, {"x": text}], "n": 1})

    annotate(appointment.pk, clinic=desk.clinic, by=BY, metadata={"x": (text,)})
    for write in (
        lambda: annotate(appointment.pk, clinic=desk.clinic, by=BY, notes=text),
        lambda: change_status(
            appointment.pk, "cancelled", clinic=desk.clinic, by=BY, cancelled_by="patient", reason=text
        ),
    ):
        before = stored()
        if isinstance(outcome(write), BookingRefused):
            assert stored() == before


@pytest.mark.parametrize("kind", TEXTS)
def test_any_text_may_be_typed_when_registering_and_editing(desk, kind):
    typed = PatientDetails(name=TEXTS[kind], social_name=TEXTS[kind], notes=TEXTS[kind], phone="(81) 99876-5432")

    for write in (
        lambda: register_patient(desk.clinic, typed),
        lambda: edit_patient(desk.patient.pk, typed, clinic=desk.clinic),
    ):
        result = outcome(write)
        if isinstance(result, BookingRefused):
            assert {each.field for each in result.refusals} <= {"name", "social_name", "notes"}
        else:
            result.refresh_from_db()
            assert result.name.split() == result.name.split(" ") and "\0" not in result.name


def test_what_is_seen_is_kept_and_what_is_not_seen_is_dropped(desk):
    def stored_name(kind):
        return register_patient(desk.clinic, PatientDetails(name=TEXTS[kind], phone="(81) 99876-5432")).name

    assert stored_name("NUL") == stored_name("RTL marks") == "Ana Souza"
    assert stored_name("emoji") == TEXTS["emoji"]
    assert stored_name("HTML") == TEXTS["HTML"]
    assert stored_name("line separators") == "Ana Souza Silva"
    assert stored_name("lone surrogate") == "Ana Souza"


@pytest.mark.parametrize("number", IDS)
def test_ids_that_no_row_can_have_are_unknown(desk, number):
    for changes in (
        {"doctor": number},
        {"patient": number},
        {"discount": number},
        {"lines": (LineRequest(number),)},
        {"lines": (LineRequest(desk.procedure.pk, number),)},
    ):
        assert isinstance(tried(desk, desk.proposal(**changes)), BookingRefused)
    for model in (Appointment, Patient):
        assert not model.objects.of(desk.clinic).filter(pk=number).exists()


@pytest.mark.parametrize("instant", INSTANTS, ids=str)
def test_instants_at_the_ends_of_the_calendar_are_refused(desk, instant):
    appointment = desk.book(starts_at=desk.at(14))
    for changes in (
        {"starts_at": instant},
        {"ends_at": instant},
        {"starts_at": instant, "ends_at": instant},
        {"starts_at": INSTANTS[0], "ends_at": instant},
        {"starts_at": instant, "lines": ()},
    ):
        assert isinstance(tried(desk, desk.proposal(**changes)), BookingRefused)
        times = {"starts_at": desk.at(15)} | {key: changes[key] for key in changes if key != "lines"}
        with pytest.raises(BookingRefused):
            reschedule(appointment.pk, clinic=desk.clinic, doctor=desk.doctor.pk, by=BY, now=desk.now, **times)
    appointment.refresh_from_db()
    assert appointment.starts_at == desk.at(14)


def test_very_many_procedures_are_too_many_rather_than_an_error(desk):
    refusal = tried(desk, desk.proposal(lines=tuple(LineRequest(desk.procedure.pk) for _ in range(5000))))

    assert {each.field for each in refusal.refusals} == {"procedures", "ends_at"}
