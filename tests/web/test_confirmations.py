"""The page of confirmations, and what its buttons do."""

from datetime import date, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from clinic.booking import Author, change_status, state
from clinic.models import Absence, Appointment, AppointmentEvent, ConfirmationCall, Doctor, Patient, PatientAccess
from tests.days import put
from tests.factories import book_appointment, make_clinic, make_doctor, make_patient, make_procedure, make_user

pytestmark = pytest.mark.django_db

PARTIAL = {"HX-Request": "true"}
PAGE = reverse("web:confirmation-list")


@pytest.fixture
def clinic(time_machine):
    """Nine in the morning of a Friday."""
    time_machine.move_to("2026-11-27T12:00:00Z", tick=False)
    return make_clinic()


@pytest.fixture
def doctor(clinic):
    procedure = make_procedure(clinic, name="Colposcopia", preparation="Vir em jejum.")
    return make_doctor(clinic, name="Dra. Ana Prado", procedures=[procedure], hours=[(time(8), time(18))])


@pytest.fixture
def visit(doctor):
    """On Monday at nine."""
    return book_appointment(doctor, patient=make_patient(doctor.clinic, name="Rui Sá").pk)


def page_of(visit):
    return reverse("web:confirmation-day", args=[visit.clinic.local(visit.starts_at).date()])


def act(desk, visit, name, *, partial=True, **data):
    visit = Appointment.objects.select_related("clinic").get(pk=visit.pk)
    sent = {"seen": state(visit), "day": visit.clinic.local(visit.starts_at).date().isoformat()} | data
    address = reverse(f"web:confirmation-{name}", args=[visit.pk])
    return desk.post(address, sent, headers=PARTIAL if partial else {})


def names(answer):
    return [str(row.appointment.patient) for row in answer.context["board"].rows]


def past(visit, doctor, days, status):
    """A visit of the same patient so many days ago."""
    earlier = put(doctor, "09:00", day=timezone.localdate() - timedelta(days=days), patient=visit.patient)
    Appointment.objects.filter(pk=earlier.pk).update(status=status)


def test_the_page_opens_at_the_next_day_with_appointments(desk, visit):
    assert desk.get(PAGE)["Location"] == page_of(visit) == "/confirmacoes/2026-11-30/"
    assert desk.get(PAGE, {"dia": "02/12/2026"})["Location"] == "/confirmacoes/2026-12-02/"
    assert desk.get(PAGE, {"dia": "31/02/2026"})["Location"] == page_of(visit)


def test_without_appointments_it_is_tomorrow_and_empty(desk):
    answer = desk.get(PAGE, follow=True)

    assert answer.redirect_chain[-1][0] == "/confirmacoes/2026-11-28/"
    assert "Ninguém para confirmar" in answer.text


@pytest.mark.parametrize("day", ["2026-02-30", "x", "1800-01-01"])
def test_what_is_no_day_is_not_found(desk, day):
    assert desk.get(f"/confirmacoes/{day}/").status_code == 404


def test_a_row_has_phone_doctor_and_preparation(desk, visit):
    Appointment.objects.filter(pk=visit.pk).update(notes="traz exames")
    page = desk.get(page_of(visit)).text

    for text in ("09:00", "Rui Sá", visit.patient.phone.as_rfc3966, "Dra. Ana Prado", "Colposcopia", "Vir em jejum."):
        assert text in page
    assert 'title="traz exames"' in page and "0 de 1 confirmado" in page


def test_the_order_is_that_of_calling(desk, doctor, visit):
    clinic = doctor.clinic
    later = [
        book_appointment(
            doctor,
            starts_at=visit.starts_at + timedelta(hours=number),
            patient=make_patient(clinic, name=name).pk,
        )
        for number, name in enumerate(["Bia", "Caio", "Davi"], start=1)
    ]
    past(later[1], doctor, 7, "no_show")
    past(later[1], doctor, 14, "finished")
    act(desk, visit, "confirm")
    answer = desk.get(page_of(visit))

    assert names(answer) == ["Caio", "Bia", "Davi", "Rui Sá"]
    assert "faltou 1 de 2" in answer.text and answer.text.count("faltou") == 1


def test_a_confirmation_is_an_event_with_its_author(desk, visit):
    answer = act(desk, visit, "confirm")

    event = visit.events.get(kind="status_changed")
    author = int(desk.session["_auth_user_id"])
    assert (event.channel, event.user.pk, event.after) == ("browser", author, {"status": "confirmed"})
    assert "1 de 1 confirmado" in answer.text and "Desfazer confirmação" in answer.text
    assert 'hx-swap-oob="true"' in answer.text


def test_no_answer_counts_and_says_when(desk, visit, time_machine):
    act(desk, visit, "not-reached")
    time_machine.shift(timedelta(minutes=42))
    answer = act(desk, visit, "not-reached")

    assert "2 ×, 27/11 09:42" in answer.text and "1 não atende" in answer.text
    assert visit.events.filter(kind="not_reached").count() == 2


def test_a_call_that_was_answered_after_all_is_undone(desk, visit, time_machine):
    act(desk, visit, "not-reached")
    time_machine.shift(timedelta(minutes=42))
    slip = act(desk, visit, "not-reached")
    assert "Desfazer “não atende”" in slip.text

    answer = act(desk, visit, "undo", event=visit.events.latest("pk").pk)
    assert "1 ×, 27/11 09:00" in answer.text and "Desfazer" not in answer.text
    assert "2 ×" in act(desk, visit, "not-reached").text  # the same ten seconds
    history = desk.get(reverse("web:appointment-detail", args=[visit.pk])).text
    assert "Não atendeu o telefone (desfeito)" in history


def test_undoing_an_unanswered_call_is_offered_for_five_minutes(desk, visit, time_machine):
    first = act(desk, visit, "not-reached")
    version = desk.get(page_of(visit), headers=PARTIAL)["ETag"]
    assert "Desfazer" in first.text
    time_machine.shift(timedelta(minutes=5))
    again = desk.get(page_of(visit), headers=PARTIAL | {"If-None-Match": version})
    assert "1 ×" in again.text and "Desfazer" not in again.text


def test_a_cancellation_has_its_author_and_reason(desk, visit):
    answer = act(desk, visit, "cancel", cancelled_by="patient", reason="viagem")
    visit.refresh_from_db()

    assert (visit.status, visit.cancelled_by, visit.cancel_reason) == ("cancelled", "patient", "viagem")
    assert "Desfazer cancelamento" in answer.text
    assert act(desk, visit, "undo", event=visit.events.latest("pk").pk).status_code == 200
    visit.refresh_from_db()
    assert visit.status == "scheduled"


def test_a_cancelled_one_leaves_the_list_after_a_while(desk, visit, time_machine):
    act(desk, visit, "cancel", cancelled_by="patient")

    assert names(desk.get(page_of(visit))) == ["Rui Sá"]
    time_machine.shift(timedelta(minutes=11))
    assert names(desk.get(page_of(visit))) == []


def test_a_cancellation_says_who_cancelled(desk, visit):
    answer = act(desk, visit, "cancel")

    assert answer.status_code == 409 and "Diga quem cancelou" in answer.text


def test_call_later_is_sorted_back_when_it_is_due(desk, doctor, visit, time_machine):
    book_appointment(
        doctor, starts_at=visit.starts_at + timedelta(hours=1), patient=make_patient(doctor.clinic, name="Bia").pk
    )
    answer = act(desk, visit, "call-later", at="9h20")

    assert "ligar em 27/11 09:20" in answer.text and "Desfazer hora de ligar" in answer.text
    assert visit.events.latest("pk").after == {"call_at": "2026-11-27T12:20:00+00:00"}
    assert names(desk.get(page_of(visit))) == ["Bia", "Rui Sá"]
    time_machine.shift(timedelta(minutes=21))
    assert names(desk.get(page_of(visit))) == ["Rui Sá", "Bia"]
    answer = act(desk, visit, "not-reached")
    assert "ligar em" not in answer.text


def test_the_hour_of_a_call_is_undone(desk, visit):
    act(desk, visit, "call-later", at="14:30")
    act(desk, visit, "call-later", at="15:30")
    act(desk, visit, "undo", event=visit.events.latest("pk").pk)
    call = ConfirmationCall.objects.get()

    assert timezone.localtime(call.again_at, visit.clinic.zone).hour == 14
    assert "Ligar de novo às 14:30 (desfeito)" in desk.get(reverse("web:appointment-detail", args=[visit.pk])).text


@pytest.mark.parametrize(
    ("at", "status", "sentence"),
    [
        ("", 422, "Escreva a hora de ligar"),
        ("25:00", 422, "Este horário não existe"),
        ("8:30", 409, "Este horário já passou: são 09:00"),
    ],
)
def test_an_impossible_hour_is_refused(desk, visit, at, status, sentence):
    answer = act(desk, visit, "call-later", at=at)

    assert answer.status_code == status and sentence in answer.text
    assert not visit.events.filter(kind="call_later").exists()


def test_nobody_is_called_after_the_appointment(desk, visit, time_machine):
    time_machine.move_to("2026-11-30T11:00:00Z", tick=False)
    desk.force_login(make_user(visit.clinic))
    answer = act(desk, visit, "call-later", at="10:00")

    assert answer.status_code == 409 and "O horário do paciente é em 30/11/2026 09:00" in answer.text


def test_who_was_seen_otherwise_is_not_changed(desk, visit):
    seen = state(visit)
    change_status(visit.pk, "confirmed", clinic=visit.clinic, by=Author(channel="command", credential="outra"))
    for name, data in (("cancel", {"cancelled_by": "patient"}), ("not-reached", {}), ("call-later", {"at": "14:30"})):
        answer = act(desk, visit, name, seen=seen, **data)
        assert answer.status_code == 409 and "foi alterado depois do que você viu" in answer.text
    visit.refresh_from_db()
    assert (visit.status, visit.events.count()) == ("confirmed", 2)


def test_a_colleague_who_is_calling_is_named(desk, visit, client, time_machine):
    rita = make_user(visit.clinic, name="Rita Lopes")
    act(desk, visit, "calling")
    assert "está ligando" not in desk.get(page_of(visit)).text
    other = type(client)()
    other.force_login(rita)
    answer = act(other, visit, "calling")

    assert answer.status_code == 200 and "está ligando" in answer.text
    time_machine.shift(timedelta(minutes=3))
    assert act(other, visit, "calling").status_code == 204
    assert "Rita Lopes está ligando" in desk.get(page_of(visit)).text
    assert "Rita Lopes também está nesta lista" in desk.get(page_of(visit)).text
    act(other, visit, "not-reached")
    assert "está ligando" not in desk.get(page_of(visit)).text


@pytest.mark.parametrize(("status", "label"), [("confirmed", "Confirmado"), ("cancelled", "Cancelado")])
def test_a_call_after_the_answer_says_who_had_it(desk, visit, status, label):
    seen, rita = state(visit), Author(channel="browser", user=make_user(visit.clinic, name="Rita Lopes"))
    change_status(visit.pk, status, clinic=visit.clinic, by=rita, cancelled_by="patient")
    answer = act(desk, visit, "calling", seen=seen)

    assert answer.status_code == 409 and "data-calling" not in answer.text
    assert f"Rita Lopes já marcou este agendamento como “{label}”: não é preciso ligar." in answer.text
    assert not ConfirmationCall.objects.exists()


def test_a_call_about_another_place_is_not_noted(desk, visit):
    answer = act(desk, visit, "calling", seen=state(visit).replace("scheduled", "rescheduled"))
    assert answer.status_code == 409 and "foi alterado depois do que você viu" in answer.text
    assert not ConfirmationCall.objects.exists()


def test_one_person_calls_one_patient_at_a_time(desk, doctor, visit):
    later, patient = visit.starts_at + timedelta(hours=1), make_patient(doctor.clinic)
    other = book_appointment(doctor, starts_at=later, patient=patient.pk)
    for each in (visit, other):
        act(desk, each, "calling")

    assert ConfirmationCall.objects.get(since__isnull=False).appointment == other


def test_an_unchanged_list_is_a_304(desk, visit):
    first = desk.get(page_of(visit), headers=PARTIAL)
    known = PARTIAL | {"If-None-Match": first["ETag"]}

    before = PatientAccess.objects.count()
    assert desk.get(page_of(visit), headers=known).status_code == 304
    assert PatientAccess.objects.count() == before
    act(desk, visit, "not-reached")
    assert desk.get(page_of(visit), headers=known).status_code == 200


def test_one_that_was_moved_away_says_where_it_is(desk, visit):
    tuesday = visit.starts_at + timedelta(days=1)
    Appointment.objects.filter(pk=visit.pk).update(starts_at=tuesday, ends_at=tuesday + timedelta(minutes=30))
    answer = act(desk, visit, "confirm", seen="x", day="2026-11-30")

    assert answer.status_code == 409 and "ter 01/12" in answer.text


def test_without_script_an_act_leads_back_to_its_row(desk, visit):
    answer = act(desk, visit, "confirm", partial=False)

    assert answer["Location"] == f"{page_of(visit)}#c{visit.pk}"
    act(desk, visit, "confirm", partial=False)
    assert "Não dá para passar de" in desk.get(page_of(visit)).text


def test_moving_has_a_way_back(desk, visit):
    link = f"{reverse('web:appointment-reschedule', args=[visit.pk])}?confirmacoes=1"

    assert link in desk.get(page_of(visit)).text
    assert f"{page_of(visit)}#c{visit.pk}" in desk.get(link).text


def test_a_pending_appointment_says_why_and_is_not_confirmed(desk, visit, doctor):
    begins = visit.clinic.day(date(2026, 11, 30))[0]
    drawn = desk.get(page_of(visit)).context["board"].version
    absence = {"clinic": visit.clinic, "doctor": doctor, "starts_at": begins, "ends_at": begins + timedelta(days=1)}
    Absence.objects.create(**absence, reason="doença")
    answer = desk.get(page_of(visit))

    assert "Dra. Ana Prado ausente (doença)" in answer.text and answer.context["board"].version != drawn
    assert f"{reverse('web:pending-list')}#p{visit.pk}" in answer.text
    assert 'data-key="c"' not in answer.text and "wa.me" not in answer.text
    assert 'data-key="n"' in answer.text and 'data-key="m"' in answer.text


def test_a_confirmed_appointment_that_is_pending_says_why(desk, visit, doctor):
    act(desk, visit, "confirm")
    Doctor.objects.update(active=False)

    assert "A Dra. Ana Prado não atende mais aqui" in desk.get(page_of(visit)).text


@pytest.mark.parametrize("number", [60, 600])
def test_queries_do_not_grow_with_the_list(desk, clinic, number):
    procedure = make_procedure(clinic)
    patients = [make_patient(clinic) for _ in range(20)]
    doctors = [make_doctor(clinic, procedures=[procedure], hours=[(time(8), time(18))]) for _ in range(number // 20)]
    _fill(clinic, doctors, patients)
    page = reverse("web:confirmation-day", args=["2026-11-30"])
    with CaptureQueriesContext(connection) as queries:
        answer = desk.get(page)

    assert answer.text.count('<li class="confirmation-row') == number
    assert len(queries) <= 6, [query["sql"][:90] for query in queries]


def _fill(clinic, doctors, patients):
    day = clinic.day(timezone.localdate() + timedelta(days=3))[0]
    rows = [
        Appointment(
            clinic=clinic,
            doctor=doctor,
            doctor_name=doctor.full_name,
            patient=patient,
            starts_at=(at := day + timedelta(minutes=30 * row, seconds=30 * column)),
            ends_at=at + timedelta(seconds=30),
        )
        for column, doctor in enumerate(doctors)
        for row, patient in enumerate(patients)
    ]
    Appointment.objects.bulk_create(rows)
    AppointmentEvent.objects.bulk_create(
        AppointmentEvent(clinic=clinic, appointment=row, kind="booked", channel="command") for row in rows
    )


def test_who_did_not_answer_is_called_again_after_minutes(desk, visit, time_machine):
    act(desk, visit, "not-reached")
    assert "data-unanswered" in desk.get(page_of(visit)).text
    time_machine.shift(timedelta(minutes=5))
    assert "data-unanswered" not in desk.get(page_of(visit)).text


def test_who_asked_for_a_call_now_is_due_whoever_called(desk, visit, time_machine):
    act(desk, visit, "not-reached")
    act(desk, visit, "call-later", at="09:02")
    time_machine.shift(timedelta(minutes=2))
    assert "data-unanswered" not in desk.get(page_of(visit)).text


def test_a_row_says_that_its_patient_has_died(desk, visit):
    assert "falecido(a)" not in desk.get(page_of(visit)).text
    Patient.objects.update(died=True)
    assert "falecido(a)" in desk.get(page_of(visit)).text
