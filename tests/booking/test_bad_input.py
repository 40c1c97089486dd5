"""Nothing anybody types is an error of the program, and nothing is half-written."""

from dataclasses import asdict
from datetime import UTC, datetime

import pytest

from clinic.booking import LineRequest, book, change_status, check, edit_notes, reschedule
from clinic.models import Appointment, Patient
from clinic.models.characters import DIRECTION_MARKS, without_direction_marks
from clinic.refusals import Reason, Refused
from clinic.registry import PatientDetails, Policy, change_patient, register_patient
from tests.booking.desk import BY, outcome, stored

TEXTS = {
    "NUL": "Ana\0 Souza",
    "only NUL": "\0\0",
    "RTL marks": "\u202eAna\u2066 \u200fSouza\u2069",
    "a lost letter": "Jo\ufffdo Souza",
    "high control": "Ana \x9d Souza",
    "delete": "Ana Souza\x7f",
    "vertical tab": "Ana\x0bSouza",
    "second half of a pair": "Ana Souza \udfff",
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
    if isinstance(result, Refused):
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
def test_any_patient_text_is_stored_whole_or_refused_at_its_field(desk, kind, field):
    typed = PatientDetails(**{"name": "Ana", "phone": "(81) 99876-5432"} | {field: TEXTS[kind]})

    result = tried(desk, desk.proposal(details=typed, policy=Policy.LENIENT))

    if isinstance(result, Refused):
        assert {each.field for each in result.refusals} == {field}


@pytest.mark.parametrize("kind", TEXTS)
def test_any_notes_metadata_or_reason_is_stored_whole_or_refused(desk, kind):
    text = TEXTS[kind]
    tried(desk, desk.proposal(notes=text))
    tried(desk, desk.proposal(starts_at=desk.at(11), metadata={text: [text, {"x": text}], "n": 1}))
    appointment = desk.book(starts_at=desk.at(10))
    for write in (
        lambda: edit_notes(appointment.pk, clinic=desk.clinic, by=BY, metadata={"x": (text,)}),
        lambda: edit_notes(appointment.pk, clinic=desk.clinic, by=BY, notes=text),
        lambda: change_status(
            appointment.pk, "cancelled", clinic=desk.clinic, by=BY, cancelled_by="patient", reason=text
        ),
    ):
        before = stored()
        if isinstance(outcome(write), Refused):
            assert stored() == before


@pytest.mark.parametrize("kind", TEXTS)
def test_any_text_may_be_typed_when_registering_and_editing(desk, kind):
    typed = PatientDetails(name=TEXTS[kind], social_name=TEXTS[kind], notes=TEXTS[kind], phone="(81) 99876-5432")

    for write in (
        lambda: register_patient(desk.clinic, typed, by=BY),
        lambda: change_patient(desk.patient.pk, asdict(typed), clinic=desk.clinic, by=BY),
    ):
        result = outcome(write)
        if isinstance(result, Refused):
            assert {each.field for each in result.refusals} <= {"name", "social_name", "notes"}
        else:
            result.refresh_from_db()
            assert result.name.split() == result.name.split(" ")
            assert result.notes == without_direction_marks(typed.notes).replace("\r\n", "\n").strip()


UNSTORABLE = {
    "NUL": "U+0000",
    "only NUL": "U+0000",
    "lone surrogate": "U+D800",
    "second half of a pair": "U+DFFF",
    "control characters": "U+001B, U+0007, U+0085",
    "high control": "U+009D",
    "delete": "U+007F",
    "vertical tab": "U+000B",
    "a lost letter": "U+FFFD",
}


@pytest.mark.parametrize("kind", UNSTORABLE)
def test_a_text_that_cannot_be_stored_is_refused_with_its_characters(desk, kind):
    text, found = TEXTS[kind], {"characters": UNSTORABLE[kind]}
    typed = PatientDetails(name=text, social_name=text, notes=text, email=f"a@b{text}.co", phone=f"81987654321{text}")
    refused = {each.reason: each.params for each in outcome(register_patient, desk.clinic, typed, by=BY).refusals}
    appointment = desk.book(starts_at=desk.at(10))
    noted = outcome(edit_notes, appointment.pk, clinic=desk.clinic, by=BY, notes=text)
    why = {"cancelled_by": "patient", "reason": text}
    cancelled = outcome(change_status, appointment.pk, "cancelled", clinic=desk.clinic, by=BY, **why)

    for reason in (Reason.NAME_UNSTORABLE, Reason.SOCIAL_NAME_UNSTORABLE, Reason.NOTES_UNSTORABLE):
        assert refused.pop(reason) == found
    assert refused.keys() == {Reason.EMAIL_INVALID, Reason.PHONE_IMPOSSIBLE}
    assert [(each.reason, each.params) for each in noted.refusals] == [(Reason.NOTES_UNSTORABLE, found)]
    assert [(each.reason, each.params) for each in cancelled.refusals] == [(Reason.CANCEL_REASON_UNSTORABLE, found)]
    assert UNSTORABLE[kind] in noted.refusals[0].message


@pytest.mark.parametrize("mark", [chr(mark) for mark in DIRECTION_MARKS], ids=ascii)
def test_notes_are_stored_without_marks_of_direction(desk, mark):
    booked = desk.book(notes=f"{mark}10 mg{mark} 2x")
    booked.refresh_from_db()
    assert booked.notes == "10 mg 2x"


@pytest.mark.parametrize("text", ["a\u200eb", "👩🏽\u200d⚕️", "co\u00adop", "Joa\u0303o"])
def test_notes_keep_every_other_mark_as_it_was_sent(desk, text):
    booked = desk.book(notes=text)
    booked.refresh_from_db()
    assert booked.notes == text


def test_the_ends_of_lines_in_notes_are_line_feeds(desk):
    booked = desk.book(notes=" um\r\ndois\rtrês\nquatro\t5\r\n")
    booked.refresh_from_db()
    assert booked.notes == "um\ndois\ntrês\nquatro\t5"


@pytest.mark.parametrize("odd", ["\0", "\ud800", "a\0b", "\udfff\ud800"])
@pytest.mark.parametrize(
    "metadata", [lambda odd: {odd: 1}, lambda odd: {"a": odd}, lambda odd: {"a": [{"b": ({odd: 1},)}]}]
)
def test_metadata_that_postgresql_cannot_hold_are_refused(desk, odd, metadata):
    appointment = desk.book(starts_at=desk.at(10))
    booked = outcome(book, desk.proposal(metadata=metadata(odd)), by=BY, now=desk.now)
    changed = outcome(edit_notes, appointment.pk, clinic=desk.clinic, by=BY, metadata=metadata(odd))
    assert booked.reasons == changed.reasons == {Reason.METADATA_UNSTORABLE}


def test_visible_marks_are_kept_and_invisible_ones_dropped(desk):
    def stored_name(kind):
        return register_patient(desk.clinic, PatientDetails(name=TEXTS[kind], phone="(81) 99876-5432"), by=BY).name

    assert stored_name("RTL marks") == "Ana Souza"
    assert stored_name("emoji") == TEXTS["emoji"]
    assert stored_name("HTML") == TEXTS["HTML"]
    assert stored_name("line separators") == "Ana Souza Silva"


@pytest.mark.parametrize("number", IDS)
def test_ids_that_no_row_can_have_are_unknown(desk, number):
    for changes in (
        {"doctor": number},
        {"patient": number},
        {"discount": number},
        {"lines": (LineRequest(number),)},
        {"lines": (LineRequest(desk.procedure.pk, number),)},
    ):
        assert isinstance(tried(desk, desk.proposal(**changes)), Refused)
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
        assert isinstance(tried(desk, desk.proposal(**changes)), Refused)
        times = {"starts_at": desk.at(15)} | {key: changes[key] for key in changes if key != "lines"}
        with pytest.raises(Refused):
            reschedule(appointment.pk, clinic=desk.clinic, doctor=desk.doctor.pk, by=BY, now=desk.now, **times)
    appointment.refresh_from_db()
    assert appointment.starts_at == desk.at(14)


def test_very_many_procedures_are_too_many_rather_than_an_error(desk):
    refusal = tried(desk, desk.proposal(lines=tuple(LineRequest(desk.procedure.pk) for _ in range(5000))))

    assert {each.field for each in refusal.refusals} == {"procedures", "ends_at"}
