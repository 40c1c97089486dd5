"""A holiday of the town, and what opens on it, through both APIs, the day page and the panel's booking."""

from datetime import date, time
from uuid import uuid4

import pytest

from clinic.models import Appointment
from tests.factories import make_doctor, make_patient, make_procedure, make_user
from tests.schedule.test_holidays import own

pytestmark = pytest.mark.django_db
CONCEPTION = date(2026, 12, 8)
SENTENCE = "A clínica fecha no feriado: N. Sra. da Conceição."


@pytest.fixture
def doctor(time_machine, recife):
    time_machine.move_to("2026-11-21T15:00:00Z", tick=False)
    own(recife, "08/12", "N. Sra. da Conceição")
    procedure = make_procedure(recife, name="Ecografia", duration_minutes=30)
    return make_doctor(recife, procedures=[procedure], specialty="Imagiologia")


def opens(doctor):
    hours = {"starts": time(8), "ends": time(12)}
    own(doctor.clinic, "08/12/2026", "Imagiologia", kind="opens", specialty="Imagiologia", **hours)


def by_imagemais(program, doctor, starts):
    body = {
        "patient": {"name": "João Silva", "phone": "(81) 99999-9999", "dateBirth": "1990-01-01", "cpf": "52998224725"},
        "procedures": [{"id": doctor.procedures.get().pk}],
        "doctorId": doctor.pk,
        "date": f"{CONCEPTION}",
        "startTime": starts,
        "endTime": starts[:3] + "30",
    }
    return program("POST", "/appointments", body)


def by_mivicall(program, doctor, starts):
    body = {
        "professionalId": str(doctor.uuid),
        "serviceTypeId": str(doctor.procedures.get().uuid),
        "patientName": "Ana Beatriz Nogueira",
        "patientPhone": "+5581988887777",
        "startsAt": f"{CONCEPTION}T{starts}:00-03:00",
    }
    return program("POST", "/appointments", body)


def by_desk(client, doctor, starts):
    client.force_login(make_user(doctor.clinic))
    fields = {"key": uuid4(), "doctor": doctor.pk, "procedure": doctor.procedures.get().pk, "starts": starts}
    fields |= {"date": f"{CONCEPTION:%d/%m/%Y}", "patient": make_patient(doctor.clinic).pk}
    return client.post("/agendamentos/novo/", fields)


def test_case_28_no_door_books_on_the_towns_holiday(client, recife, doctor, imagemais, mivicall):
    one, other, desk = (
        by_imagemais(imagemais(recife), doctor, "09:00"),
        by_mivicall(mivicall(recife), doctor, "09:00"),
        by_desk(client, doctor, "09:00"),
    )
    assert (one.status_code, one.json()["message"]) == (400, ["Fora do expediente do médico"])
    assert (other.status_code, other.json()["error"]) == (409, "outside_working_hours")
    assert SENTENCE in desk.content.decode()
    assert Appointment.objects.count() == 0
    assert "Clínica fechada: N. Sra. da Conceição" in client.get(f"/agenda/{CONCEPTION}/").content.decode()


def test_case_28_portugal_has_its_own_sentence(client, time_machine, lisbon):
    time_machine.move_to("2026-11-21T15:00:00Z", tick=False)
    own(lisbon, "08/12", "Dia da Cidade")
    page = by_desk(client, make_doctor(lisbon), "09:00").content.decode()
    assert "A clínica encerra no feriado: Dia da Cidade." in page


def test_case_32_every_door_books_what_is_open_on_a_holiday(client, recife, doctor, imagemais, mivicall):
    opens(doctor)
    assert by_imagemais(imagemais(recife), doctor, "09:00").status_code == 201
    assert by_mivicall(mivicall(recife), doctor, "10:00").status_code == 201
    assert by_desk(client, doctor, "11:00").status_code == 302
    afternoon = by_desk(client, doctor, "14:00")
    assert (afternoon.status_code, SENTENCE in afternoon.content.decode()) == (409, True)
    assert Appointment.objects.count() == 3


def test_case_30_an_open_optional_day_is_named_on_the_day_page(client, recife, doctor):
    client.force_login(make_user(recife))
    assert "Carnaval ·" in client.get("/agenda/2027-02-09/").text
    assert "Carnaval ·" not in client.get("/agenda/2027-02-11/").text


def test_case_32_every_door_offers_what_is_open_on_a_holiday(client, recife, doctor, imagemais, mivicall):
    opens(doctor)
    slots = imagemais(recife)("GET", f"/doctors/{doctor.pk}/slots?date={CONCEPTION}").json()
    window = f"from={CONCEPTION}T00:00:00-03:00&to={CONCEPTION}T23:59:00-03:00"
    offered = mivicall(recife)("GET", f"/availability?serviceTypeId={doctor.procedures.get().uuid}&{window}").json()
    client.force_login(make_user(recife))
    page = client.get(f"/agenda/{CONCEPTION}/").content.decode()
    starts = [slot["startTime"] for slot in slots]
    assert (starts[0], starts[-1]) == ("08:00", "11:45")
    assert f"{CONCEPTION}T08:00" in str(offered) and f"{CONCEPTION}T11:30" in str(offered)
    assert f"{CONCEPTION}T12:30" not in str(offered) and f"{CONCEPTION}T14:" not in str(offered)
    assert "inicio=11:30" in page and "inicio=12:" not in page and "inicio=14:" not in page
