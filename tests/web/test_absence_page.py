"""Recording that a doctor does not come, from the desk."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from clinic.models import Absence, ClinicEvent, StaffUser
from clinic.queries.pending import pending
from tests.factories import book_appointment, make_clinic, make_doctor, make_manager, make_patient, make_user

pytestmark = pytest.mark.django_db

PAGE = reverse("web:absence-add")
PARTIAL = {"HX-Request": "true"}


@pytest.fixture
def clinic(time_machine):
    """On a Monday at ten in Recife."""
    time_machine.move_to("2026-11-30T13:00:00Z", tick=False)
    return make_clinic()


@pytest.fixture
def recorder(clinic):
    return make_user(clinic, may_record_absence=True)


@pytest.fixture
def desk(client, recorder):
    client.force_login(recorder)
    return client


@pytest.fixture
def doctor(clinic):
    return make_doctor(clinic, name="Dra. Ana Prado")


@pytest.fixture
def visit(clinic, doctor):
    """Today at 14:00."""
    return book_appointment(doctor, starts_at=at(clinic, "2026-11-30 14:00"))


def at(clinic, text):
    return datetime.fromisoformat(text).replace(tzinfo=clinic.zone)


def typed(doctor, **fields):
    return {"doctor": doctor.pk, "when": "hoje", "motive": "doenca"} | fields


def recorded(clinic):
    absence = Absence.objects.get()
    spans = [f"{clinic.local(instant):%d/%m %H:%M}" for instant in (absence.starts_at, absence.ends_at)]
    return (*spans, absence.reason)


def test_doctor_of_the_column_is_chosen_and_appointments_shown(desk, doctor, visit):
    answer = desk.get(PAGE, {"medico": doctor.pk})
    assert "1 pessoa já está agendada nesse período" in answer.text
    assert visit.patient.display_name in answer.text
    assert f'value="1-{visit.pk}"' in answer.text


def test_one_button_saves_it_and_leads_to_the_pending(desk, clinic, doctor, visit, recorder):
    answer = desk.post(PAGE, typed(doctor, move_over=f"1-{visit.pk}"))
    assert answer["Location"] == reverse("web:pending-list")
    assert recorded(clinic) == ("30/11 10:00", "01/12 00:00", "doença")
    event = ClinicEvent.objects.get()
    assert (event.kind, event.user, event.before, event.after["reason"]) == ("absence", recorder, {}, "doença")


def test_left_for_later_leads_to_the_day(desk, clinic, doctor, visit):
    answer = desk.post(PAGE, typed(doctor, close_over=f"1-{visit.pk}"), headers=PARTIAL)
    assert answer["HX-Redirect"] == reverse("web:agenda-day", args=["2026-11-30"])
    assert Absence.objects.count() == 1


@pytest.mark.parametrize("answered", ["", "1-0", "0-", "x"])
def test_without_the_answer_it_is_asked(desk, doctor, visit, answered):
    answer = desk.post(PAGE, typed(doctor, close_over=answered))
    assert answer.status_code == 409
    assert "A lista mudou e nada foi gravado ainda" in answer.text
    assert not Absence.objects.exists()


def test_one_booked_meanwhile_is_asked_about(desk, clinic, doctor, visit):
    book_appointment(doctor, starts_at=at(clinic, "2026-11-30 15:00"))
    answer = desk.post(PAGE, typed(doctor, close_over=f"1-{visit.pk}"))
    assert answer.status_code == 409
    assert "2 pessoas já estão agendadas" in answer.text


@pytest.mark.parametrize(("fields", "span"), [
    ({}, ("30/11 10:00", "01/12 00:00", "doença")),
    ({"starts": "16", "ends": "18"}, ("30/11 16:00", "30/11 18:00", "doença")),
    ({"when": "amanha", "motive": "reuniao"}, ("01/12 00:00", "02/12 00:00", "reunião")),
    ({"when": "ate", "until": "04/12", "motive": "outro", "other": "luto"}, ("30/11 10:00", "05/12 00:00", "luto")),
    ({"when": "ate", "until": "04/12", "ends": "12"}, ("30/11 10:00", "04/12 12:00", "doença")),
])  # fmt: skip
def test_how_long_it_lasts(desk, clinic, doctor, fields, span):
    assert desk.post(PAGE, typed(doctor, **fields)).status_code == 302
    assert recorded(clinic) == span


@pytest.mark.parametrize(("fields", "sentence"), [
    ({"doctor": ""}, "Escolha o médico ou a médica."),
    ({"doctor": "9" * 40}, "Este profissional não atende mais aqui."),
    ({"when": "ate"}, "Informe o último dia da ausência."),
    ({"when": "ate", "until": "29/11"}, "Esta data já passou."),
    ({"when": "ate", "until": "31/02"}, "Esta data não existe."),
    ({"ends": "09:00"}, "O fim deve ser depois do início"),
    ({"starts": "8", "ends": "9"}, "O fim deve ser depois do início e ainda não ter passado."),
    ({"motive": "outro"}, "Escreva o motivo"),
])  # fmt: skip
def test_what_cannot_be_recorded(desk, doctor, fields, sentence):
    answer = desk.post(PAGE, typed(doctor) | fields)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert not Absence.objects.exists()


def test_another_clinics_doctor_is_unknown(desk):
    answer = desk.post(PAGE, typed(make_doctor()))
    assert answer.status_code == 422


def test_the_empty_form_complains_of_nothing(desk, doctor):
    answer = desk.get(PAGE)
    assert answer.status_code == 200
    assert "Escolha o médico" not in answer.text


def test_looking_writes_nothing(desk, doctor, visit):
    desk.get(PAGE, typed(doctor, when="amanha"), headers=PARTIAL)
    assert not Absence.objects.exists()


def test_only_with_the_permission(client, clinic, doctor):
    client.force_login(make_user(clinic))
    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, typed(doctor)).status_code == 403
    assert not Absence.objects.exists()


def test_managers_always_may(client, clinic, doctor):
    client.force_login(make_manager(clinic))
    assert client.post(PAGE, typed(doctor)).status_code == 302


def test_a_permission_taken_away_a_minute_ago(desk, doctor, recorder):
    assert desk.get(PAGE).status_code == 200
    StaffUser.objects.filter(pk=recorder.pk).update(may_record_absence=False)
    assert desk.post(PAGE, typed(doctor)).status_code == 403
    assert not Absence.objects.exists()


def test_a_time_that_the_clocks_skip(time_machine, client):
    """In Lisbon 28/03/2027 01:00 to 02:00 does not exist."""
    time_machine.move_to("2027-03-27T12:00:00Z", tick=False)
    clinic = make_clinic(country="PT", time_zone="Europe/Lisbon", language="pt-br", currency="EUR")
    client.force_login(make_manager(clinic))
    doctor = make_doctor(clinic)
    answer = client.post(PAGE, typed(doctor, when="amanha", starts="01:30"))
    assert "Nesse dia o relógio pula esta hora." in answer.text
    assert client.post(PAGE, typed(doctor, when="amanha")).status_code == 302
    absence = Absence.objects.get()
    assert absence.ends_at - absence.starts_at == timedelta(hours=23)


def test_an_absence_from_now_on_affects_one_that_waits(desk, clinic, doctor):
    early = at(clinic, "2026-11-30 09:00")
    visit = book_appointment(
        doctor, starts_at=at(clinic, "2026-11-30 09:30"), now=early, patient=make_patient(clinic).pk
    )
    visit.ends_at = at(clinic, "2026-11-30 10:30")
    visit.status = "checked_in"
    visit.save()
    answer = desk.post(PAGE, typed(doctor, close_over=f"1-{visit.pk}"))
    assert answer.status_code == 302
    assert [row.pk for row in pending(clinic, now=at(clinic, "2026-11-30 10:00"))] == [visit.pk]


def test_two_who_record_the_same_absence(desk, clinic, doctor, visit):
    other = Client()
    other.force_login(make_manager(clinic))
    for window in (desk, other):
        assert f"1-{visit.pk}" in window.get(PAGE, {"medico": doctor.pk}).text
    desk.post(PAGE, typed(doctor, close_over=f"1-{visit.pk}"))
    assert other.post(PAGE, typed(doctor, close_over=f"1-{visit.pk}")).status_code == 302
    assert len(pending(clinic, now=at(clinic, "2026-11-30 10:00"))) == 1
    assert Absence.objects.count() == ClinicEvent.objects.count() == 1


def absence_of(doctor, visit, **fields):
    defaults = {"clinic": visit.clinic, "doctor": doctor, "starts_at": visit.starts_at, "ends_at": visit.ends_at}
    return Absence.objects.create(**defaults | {"reason": "doença"} | fields)


def test_it_is_taken_back_from_the_pending(desk, clinic, doctor, visit):
    absence = absence_of(doctor, visit)
    address = reverse("web:absence-undo", args=[absence.pk])
    assert address in desk.get(reverse("web:pending-list")).text
    assert desk.post(address)["Location"] == reverse("web:pending-list")
    assert "Nenhuma pendência" in desk.get(reverse("web:pending-list")).text
    assert ClinicEvent.objects.get().after == {}


def test_what_a_colleague_took_back_already_is_no_unknown_page(desk, clinic, doctor, visit):
    absence = absence_of(doctor, visit)
    address = reverse("web:absence-undo", args=[absence.pk])
    desk.post(address)
    assert "Esta ausência já tinha sido desfeita." in desk.post(address, follow=True).text
    assert ClinicEvent.objects.count() == 1
    assert desk.post(reverse("web:absence-undo", args=[absence.pk + 1])).status_code == 404


def test_a_closure_is_taken_back_by_managers_only(desk, clinic, visit):
    closure = absence_of(None, visit)
    address = reverse("web:absence-undo", args=[closure.pk])
    assert address not in desk.get(reverse("web:pending-list")).text
    assert desk.post(address).status_code == 403
    desk.force_login(make_manager(clinic))
    assert address in desk.get(reverse("web:pending-list")).text
    assert desk.post(address).status_code == 302


def test_without_the_permission_none_is_taken_back(client, clinic, doctor, visit):
    client.force_login(make_user(clinic))
    address = reverse("web:absence-undo", args=[absence_of(doctor, visit).pk])
    assert address not in client.get(reverse("web:pending-list")).text
    assert client.post(address).status_code == 403
    assert Absence.objects.exists()


def test_two_absences_of_one_reason_are_not_guessed_between(desk, clinic, doctor, visit):
    absence_of(doctor, visit)
    absence_of(doctor, visit, ends_at=visit.ends_at + timedelta(days=1))
    assert "Desfazer ausência" not in desk.get(reverse("web:pending-list")).text
