"""A visit that another doctor begins than the one it was booked with."""

from datetime import time

import pytest

from clinic.models import Absence, Appointment, AppointmentEvent
from clinic.queries import history
from tests.api.imagemais.conftest import MONDAY
from tests.factories import book_appointment, make_clinic, make_doctor

pytestmark = pytest.mark.django_db


@pytest.fixture
def other(desk):
    return make_doctor(desk.clinic, name="Dra. Ana Reis", procedures=desk.procedures)


@pytest.fixture
def arrived(monday, act, desk, imagemais):
    """Checked in; the clock stands ten minutes after the beginning."""
    assert act("check-in").status_code == 200
    monday.move_to("2026-11-23T12:10:00Z", tick=False)
    desk.ask.secret = imagemais(desk.clinic).secret


def kept():
    return Appointment.objects.values("doctor", "status").get(), AppointmentEvent.objects.count()


def test_the_doctor_who_serves_has_the_appointment(arrived, act, other):
    element = act("em atendimento", doctorId=other.pk).json()[0]
    assert (element["doctor"], element["status"]["name"]) == (
        {"id": other.pk, "name": "Dra. Ana Reis"},
        "Em atendimento",
    )
    assert (element["startTime"], element["endTime"]) == ("09:00", "09:15")
    appointment = Appointment.objects.get()
    kinds = list(AppointmentEvent.objects.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["booked", "status_changed", "rescheduled", "status_changed"]
    sentences = [entry.sentence for entry in history.story(appointment)]
    assert "com a Dra. Ana Reis" in sentences[1] and sentences[0] == "De Check-in para Em atendimento"


def test_who_does_not_perform_the_procedures_does_not_serve(arrived, act, desk, other):
    other.procedures.remove(desk.procedures[0])
    before = kept()
    answer = act("em atendimento", doctorId=other.pk)
    assert (answer.status_code, answer.json()["message"]) == (400, ["O médico não realiza: HEMOGRAMA"])
    assert kept() == before


def test_who_is_taken_or_away_or_busy_does_not_serve(arrived, act, desk, other):
    visit = book_appointment(other, starts_at=desk.clinic.instant(MONDAY, time(9, 15)))
    Appointment.objects.filter(pk=visit.pk).update(starts_at=desk.clinic.instant(MONDAY, time(9, 5)))
    before = [*Appointment.objects.order_by("pk").values("doctor", "status")]
    assert act("em atendimento", doctorId=other.pk).status_code == 409
    Appointment.objects.filter(pk=visit.pk).update(
        starts_at=desk.clinic.instant(MONDAY, time(8)),
        ends_at=desk.clinic.instant(MONDAY, time(8, 30)),
        status="in_service",
    )
    busy = act("em atendimento", doctorId=other.pk)
    assert busy.json()["message"] == "O médico já está atendendo outro paciente"
    Appointment.objects.filter(pk=visit.pk).update(status="finished")
    Absence.objects.create(
        clinic=desk.clinic,
        doctor=other,
        reason="férias",
        starts_at=desk.clinic.instant(MONDAY, time(8)),
        ends_at=desk.clinic.instant(MONDAY, time(18)),
    )
    away = act("em atendimento", doctorId=other.pk)
    assert away.status_code == 409 and away.json()["message"].startswith("Fora do expediente do médico")
    assert [row["doctor"] for row in before] == [*Appointment.objects.order_by("pk").values_list("doctor", flat=True)]


def test_a_doctor_who_is_none_of_the_clinics_is_not_found(arrived, act, other):
    before = kept()
    for doctor in (make_doctor(make_clinic()).pk, 10**9):
        answer = act("em atendimento", doctorId=doctor)
        assert (answer.status_code, answer.json()["message"]) == (404, "Médico não encontrado")
    assert kept() == before


@pytest.mark.parametrize("action", ["confirmado", "check-in", "cancelado"])
def test_at_another_step_the_doctor_is_moved_by_reschedule(monday, act, other, action):
    before = kept()
    answer = act(action, doctorId=other.pk)
    assert (answer.status_code, answer.json()["message"]) == (400, ["doctorId deve ser o médico do agendamento"])
    assert kept() == before


def test_a_visit_that_has_not_arrived_is_served_by_nobody(monday, act, other):
    before = kept()
    answer = act("em atendimento", doctorId=other.pk)
    assert (answer.status_code, answer.json()["message"]) == (
        409,
        "Transição de Agendado para Em atendimento não permitida",
    )
    assert kept() == before
