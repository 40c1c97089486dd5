"""Managers are asked before a save makes appointments pending, whatever they change."""

from datetime import timedelta

import pytest

from clinic.models import Absence, Doctor, WorkingHours
from clinic.queries.pending import pending
from tests.factories import book_appointment, make_doctor, make_patient
from tests.managed import url
from tests.windows import opened

pytestmark = pytest.mark.django_db


@pytest.fixture
def visit(manager):
    doctor = make_doctor(manager.clinic)
    return book_appointment(doctor, patient=make_patient(manager.clinic, name="Ana Souza").pk)


def absence_over(visit, before=timedelta(hours=1), after=timedelta(hours=1)):
    local = visit.clinic.local
    starts, ends = local(visit.starts_at - before), local(visit.ends_at + after)
    return {
        "absences-TOTAL_FORMS": "1",
        "absences-0-starts_at_0": f"{starts:%d/%m/%Y}",
        "absences-0-starts_at_1": f"{starts:%H:%M}",
        "absences-0-ends_at_0": f"{ends:%d/%m/%Y}",
        "absences-0-ends_at_1": f"{ends:%H:%M}",
        "absences-0-reason": "doença",
    }


def asked_by(answer):
    assert answer.status_code == 200
    return answer.context["affected"].asked


def test_absence_lists_its_appointments_and_saves_nothing(client, manager, visit):
    answer = opened(client, visit.doctor).save(**absence_over(visit))
    assert asked_by(answer) == f"1-{visit.pk}"
    assert "1 pessoa já está agendada nesse período" in answer.text
    row = f"{manager.clinic.local(visit.starts_at):%d/%m/%Y %H:%M}"
    for word in (row, "Ana Souza", visit.lines.get().procedure_name, "Agendado"):
        assert word in answer.text
    assert not Absence.objects.exists()
    assert "foi alterado com sucesso" not in client.get(url(Doctor)).text


def test_absence_that_begins_within_an_appointment_asks(client, visit):
    answer = opened(client, visit.doctor).save(**absence_over(visit, before=-timedelta(minutes=15)))
    assert asked_by(answer) == f"1-{visit.pk}"


def test_absence_from_the_end_on_asks_nothing(client, visit):
    answer = opened(client, visit.doctor).save(**absence_over(visit, before=-timedelta(minutes=30)))
    assert answer.status_code == 302
    assert Absence.objects.exists()


@pytest.mark.parametrize(("answered", "leads_to"), [
    ("move_over", "/pendencias/"), ("close_over", "/admin/clinic/doctor/"),
])  # fmt: skip
def test_both_answers_save(client, manager, visit, answered, leads_to):
    window = opened(client, visit.doctor)
    asked = asked_by(window.save(**absence_over(visit)))
    answer = window.save(**absence_over(visit), **{answered: asked})
    assert (answer.status_code, answer["Location"]) == (302, leads_to)
    assert Absence.objects.get().reason == "doença"
    assert [row.pk for row in pending(manager.clinic, now=visit.starts_at - timedelta(days=1))] == [visit.pk]


def test_going_back_keeps_what_was_typed(client, visit):
    answer = opened(client, visit.doctor).save(**absence_over(visit), back="1")
    assert "affected" not in answer.context
    assert 'value="doença"' in answer.text
    assert not Absence.objects.exists()


def test_deleted_hours_ask(client, visit):
    answer = opened(client, visit.doctor).save(**{"hours-0-DELETE": "on"})
    assert asked_by(answer) == f"1-{visit.pk}"
    assert "1 pessoa já agendada ficaria sem atendimento" in answer.text
    assert WorkingHours.objects.filter(doctor=visit.doctor).count() == 10


def test_changed_hours_ask(client, visit):
    assert asked_by(opened(client, visit.doctor).save(**{"hours-0-starts": "10:00"})) == f"1-{visit.pk}"


def test_hours_of_another_day_ask_nothing(client, visit):
    assert opened(client, visit.doctor).save(**{"hours-2-starts": "10:00"}).status_code == 302


def test_doctor_made_inactive_asks(client, visit):
    window = opened(client, visit.doctor)
    window.fields.pop("active")
    assert asked_by(window.save()) == f"1-{visit.pk}"
    assert Doctor.objects.get(pk=visit.doctor_id).active


def test_procedure_taken_from_a_doctor_asks(client, visit):
    window = opened(client, visit.doctor)
    window.fields.pop("procedures")
    assert asked_by(window.save()) == f"1-{visit.pk}"
    assert visit.doctor.procedures.exists()


def test_what_is_pending_already_is_not_asked_about_again(client, visit):
    Doctor.objects.filter(pk=visit.doctor_id).update(active=False)
    assert opened(client, visit.doctor).save(**absence_over(visit)).status_code == 302


def test_name_of_a_doctor_with_appointments_asks_nothing(client, visit):
    assert opened(client, visit.doctor).save(name="Nova Prado").status_code == 302
