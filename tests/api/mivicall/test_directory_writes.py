"""Professionals, services and the clinic as a program changes them: rules, events, and what is booked."""

from decimal import Decimal
from uuid import uuid4

import pytest

from clinic.models import Appointment, Clinic, ClinicEvent, Doctor, Procedure, RowChange
from clinic.queries.history import sentence_of_clinic
from tests.factories import book_appointment, make_clinic, make_doctor, make_procedure

pytestmark = pytest.mark.django_db


def code(answer):
    return answer.status_code, answer.json()["error"]


def invalid(answer):
    assert code(answer) == (422, "validation_failed"), answer.json()
    return [error["path"] for error in answer.json()["errors"]]


def history():
    return [sentence_of_clinic(event) for event in ClinicEvent.objects.order_by("pk")]


# Professionals --------------------------------------------------------------------------------------------------------


def test_a_professional_is_added_with_title_and_named_author(program, recife):
    answer = program("POST", "/professionals", {"name": "Dra.  Inês\u202e Falcão", "specialty": "Dermatologia"})
    doctor = Doctor.objects.get()
    body = {"id": str(doctor.uuid), "name": "Dra. Inês Falcão", "specialty": "Dermatologia"}
    assert (answer.status_code, answer.json()) == (201, body)
    assert (doctor.title, doctor.name, doctor.active) == ("a Dra.", "Inês Falcão", True)
    assert program.get("/professionals").json()["items"] == [body]
    event = ClinicEvent.objects.get()
    assert (event.kind, event.channel, event.credential, event.clinic) == ("directory", "mivicall", "central", recife)
    assert history() == ["Incluído: Dra. Inês Falcão."]


def test_a_professional_of_the_same_name_is_not_added_again(program, doctor):
    for name in ("Dra. Helena Prado", "helena  prado", "Dr. Hélena PRADO"):
        assert code(program("POST", "/professionals", {"name": name})) == (409, "professional_exists")
    other = program("POST", "/professionals", {"name": "Ana"}).json()
    assert code(program("PATCH", f"/professionals/{other['id']}", {"name": "Helena Prado"}))[0] == 409
    assert Doctor.objects.count() == 2


def test_a_professional_is_changed(program, doctor):
    changed = program("PATCH", f"/professionals/{doctor.uuid}", {"name": "Dr.ª Helena Reis", "specialty": None})
    assert changed.json() == {"id": str(doctor.uuid), "name": "Dr.ª Helena Reis", "specialty": ""}
    assert history() == [
        "Dra. Helena Prado: nome de “Dra. Helena Prado” para “Dr.ª Helena Reis”,"
        " especialidade de “Clínica médica” para vazio."
    ]
    program("PATCH", f"/professionals/{doctor.uuid}", {})
    assert len(history()) == 1


def test_the_changed_row_is_noted_with_key_and_request(program, doctor):
    answer = program("PATCH", f"/professionals/{doctor.uuid}", {"specialty": "Dermatologia"})
    change = RowChange.objects.filter(table="doctor", act="changed").get()
    assert (change.channel, change.credential, change.user) == ("mivicall", "central", None)
    assert str(change.request_id) == answer["X-Request-Id"]
    assert (change.before["specialty"], change.after["specialty"]) == ("Clínica médica", "Dermatologia")


def test_a_name_as_it_was_listed_changes_nothing(program, doctor):
    Doctor.objects.update(title="a Psic.")
    body = program.get("/professionals").json()["items"][0]
    assert program("PATCH", f"/professionals/{doctor.uuid}", body).json() == body
    doctor.refresh_from_db()
    assert (doctor.title, history()) == ("a Psic.", [])


BAD_PROFESSIONALS = {
    "an empty name": ({"name": ""}, ["name"]),
    "blanks": ({"name": "\u202e "}, ["name"]),
    "no letter": ({"name": "123"}, ["name"]),
    "a long name": ({"name": "a" * 121}, ["name"]),
    "NUL": ({"name": "a\0b"}, ["name"]),
    "a number": ({"name": 5}, ["name"]),
    "a long specialty": ({"name": "Ana", "specialty": "a" * 81}, ["specialty"]),
    "two fields": ({"name": 5, "specialty": ["x"]}, ["name", "specialty"]),
}


@pytest.mark.parametrize(("body", "paths"), BAD_PROFESSIONALS.values(), ids=BAD_PROFESSIONALS)
def test_a_professional_that_cannot_be_is_refused_at_its_field(program, doctor, body, paths):
    assert invalid(program("POST", "/professionals", body)) == paths
    assert invalid(program("PATCH", f"/professionals/{doctor.uuid}", body)) == paths
    assert invalid(program("POST", "/professionals", {})) == ["name"]
    assert (Doctor.objects.count(), history()) == (1, [])


def test_a_professional_leaves_and_stays_away(program, doctor):
    for _ in range(2):
        assert program("DELETE", f"/professionals/{doctor.uuid}").status_code == 204
    assert program.get("/professionals").json() == {"items": []}
    assert history() == ["Desativado: Dra. Helena Prado."]
    assert code(program("PATCH", f"/professionals/{doctor.uuid}", {"name": "Ana"})) == (404, "professional_not_found")


def test_what_is_booked_is_asked_about_before_a_professional_leaves(program, doctor, booked, at):
    path = f"/professionals/{doctor.uuid}"
    asked = program("DELETE", path)
    assert (code(asked), asked.json()["count"]) == ((409, "appointments_pending"), 1)
    assert Doctor.objects.get().active and history() == []
    assert code(program("DELETE", f"{path}?confirmation={'0' * 16}")) == (409, "appointments_pending")
    assert invalid(program("DELETE", f"{path}?confirmation=yes")) == ["confirmation"]
    book_appointment(doctor, starts_at=at(11))
    again = program("DELETE", f"{path}?confirmation={asked.json()['confirmation']}").json()
    assert (again["count"], Doctor.objects.get().active) == (2, True)
    assert program("DELETE", f"{path}?confirmation={again['confirmation']}").status_code == 204
    assert not Doctor.objects.get().active
    assert set(Appointment.objects.values_list("status", flat=True)) <= {"confirmed", "scheduled"}


# Services -------------------------------------------------------------------------------------------------------------


def test_a_service_is_added_with_who_performs_it(program, recife, doctor):
    sent = {"name": "Ecografia", "price": 120.55, "durationMinutes": 45, "professionalIds": [str(doctor.uuid)]}
    answer = program("POST", "/services", sent)
    assert answer.status_code == 201
    body = answer.json()
    assert body == sent | {"id": body["id"], "currency": "BRL"}
    assert body in program.get("/services").json()["items"]
    stored = Procedure.objects.get(uuid=body["id"])
    assert (stored.price, stored.clinic, stored.active) == (Decimal("120.55"), recife, True)
    assert history() == ["Incluído: Ecografia."]
    assert code(program("POST", "/services", {"name": "ecografía", "price": 1})) == (409, "service_exists")


def test_a_service_is_changed_and_its_bookings_keep_price(program, doctor, service, booked):
    changed = program("PATCH", f"/services/{service.uuid}", {"price": 300, "durationMinutes": 20}).json()
    assert (changed["price"], changed["durationMinutes"], changed["name"]) == (300.0, 20, "Consulta")
    assert changed["professionalIds"] == [str(doctor.uuid)]
    assert Appointment.objects.get().lines.get().price == Decimal(252)
    assert history() == ["Consulta: preço de “252,00” para “300,00”, duração em minutos de “30” para “20”."]


BAD_SERVICES = {
    "a negative price": ({"name": "A", "price": -1}, ["price"]),
    "a third of a cent": ({"name": "A", "price": 0.333}, ["price"]),
    "a price of too many digits": ({"name": "A", "price": 1e8}, ["price"]),
    "a price as text": ({"name": "A", "price": "5"}, ["price"]),
    "no minutes": ({"name": "A", "price": 1, "durationMinutes": 4}, ["durationMinutes"]),
    "half a minute": ({"name": "A", "price": 1, "durationMinutes": 30.5}, ["durationMinutes"]),
    "nobody": ({"name": "A", "price": 1, "professionalIds": [str(uuid4())]}, ["professionalIds"]),
    "no list": ({"name": "A", "price": 1, "professionalIds": "x"}, ["professionalIds"]),
}


@pytest.mark.parametrize(("body", "paths"), BAD_SERVICES.values(), ids=BAD_SERVICES)
def test_a_service_that_cannot_be_is_refused_at_its_field(program, service, body, paths):
    assert invalid(program("POST", "/services", body)) == paths
    assert invalid(program("PATCH", f"/services/{service.uuid}", body)) == paths
    assert invalid(program("POST", "/services", {})) == ["name", "price"]
    assert (Procedure.objects.count(), history()) == (1, [])


def test_who_ceases_to_perform_a_booked_service_is_asked_about(program, doctor, service, booked):
    asked = program("PATCH", f"/services/{service.uuid}", {"professionalIds": []})
    assert (code(asked), asked.json()["count"]) == ((409, "appointments_pending"), 1)
    assert list(service.doctors.all()) == [doctor]
    path = f"/services/{service.uuid}?confirmation={asked.json()['confirmation']}"
    assert program("PATCH", path, {"professionalIds": []}).json()["professionalIds"] == []
    assert list(service.doctors.all()) == []


def test_an_inactive_professional_goes_on_performing_a_service(program, recife, doctor, service):
    away = make_doctor(recife, procedures=[service], active=False)
    program("PATCH", f"/services/{service.uuid}", {"professionalIds": [str(doctor.uuid)]})
    assert set(service.doctors.all()) == {doctor, away}


def test_a_service_is_withdrawn_and_its_bookings_stay(program, service, booked):
    for _ in range(2):
        assert program("DELETE", f"/services/{service.uuid}").status_code == 204
    assert program.get("/services").json() == {"items": []}
    assert history() == ["Desativado: Consulta."]
    assert code(program("PATCH", f"/services/{service.uuid}", {"price": 1})) == (404, "service_not_found")
    assert program.get(f"/appointments/{booked['id']}").json() == booked


# The clinic -----------------------------------------------------------------------------------------------------------


def test_phone_and_address_of_the_clinic_are_changed(program, recife):
    sent = {"name": "Clínica Boa Vista", "phone": "+558133445566", "address": " Rua da  Aurora, 10 ", "city": "Recife"}
    answer = program("PATCH", "/tenants/me", sent)
    assert (answer.status_code, answer.json()) == (200, program.get("/tenants/me").json())
    assert {name: answer.json()[name] for name in sent} == sent | {"address": "Rua da Aurora, 10"}
    assert program("PATCH", "/tenants/me", {"phone": None, "city": ""}).json()["phone"] is None
    stored = Clinic.objects.get()
    assert (stored.phone, stored.town, stored.address) == ("", "", "Rua da Aurora, 10")
    assert history()[1] == "Clínica Boa Vista: telefone de “+558133445566” para vazio, cidade de “Recife” para vazio."


BAD_CLINICS = {
    "an empty name": ({"name": " "}, ["name"]),
    "no letter": ({"name": "12"}, ["name"]),
    "a long address": ({"address": "a" * 161}, ["address"]),
    "NUL": ({"city": "a\0"}, ["city"]),
    "a long town": ({"city": "a" * 81}, ["city"]),
    "a phone that does not exist": ({"phone": "+5599"}, ["phone"]),
    "a phone without a country": ({"phone": "81 3344 5566"}, ["phone"]),
    "what is not the clinic's to change": (
        {"id": "x", "status": "inactive", "publicSlug": "x", "config": {"timezone": "UTC"}},
        ["config", "id", "publicSlug", "status"],
    ),
}


@pytest.mark.parametrize(("body", "paths"), BAD_CLINICS.values(), ids=BAD_CLINICS)
def test_a_clinic_that_cannot_be_is_refused_at_its_field(program, recife, body, paths):
    assert sorted(invalid(program("PATCH", "/tenants/me", body))) == paths
    assert history() == []


# Every call -----------------------------------------------------------------------------------------------------------


def calls(doctor, service):
    return [
        ("POST", "/professionals", {"name": "Ana"}),
        ("PATCH", f"/professionals/{doctor.uuid}", {"name": "Bia"}),
        ("DELETE", f"/professionals/{doctor.uuid}", None),
        ("POST", "/services", {"name": "A", "price": 1}),
        ("PATCH", f"/services/{service.uuid}", {"price": 1}),
        ("DELETE", f"/services/{service.uuid}", None),
        ("PATCH", "/tenants/me", {"name": "Outra"}),
    ]


def stored():
    return [list(model.objects.values().order_by("pk")) for model in (Clinic, Doctor, Procedure, ClinicEvent)]


def test_keys_without_the_new_scope_change_nothing(mivicall, recife, doctor, service):
    old = mivicall(recife, scopes=["appointments:read", "appointments:write", "directory:read", "patients:read"])
    before = stored()
    for call in calls(doctor, service):
        assert code(old(*call)) == (403, "insufficient_scope")
    assert stored() == before


def test_another_clinics_rows_are_not_found(program, doctor, service):
    other = make_clinic()
    theirs, their_service = make_doctor(other), make_procedure(other)
    before = stored()
    for method, path, body in calls(theirs, their_service):
        if str(theirs.uuid) in path or str(their_service.uuid) in path:
            assert program(method, path, body).status_code == 404
    assert invalid(program("PATCH", f"/services/{service.uuid}", {"professionalIds": [str(theirs.uuid)]}))
    assert program("DELETE", "/professionals/x").status_code == 404
    assert stored() == before


def test_a_key_sent_again_changes_nothing_twice(program, doctor, service, settings):
    settings.API_REQUESTS_A_SECOND = 1000
    for number, call in enumerate(calls(doctor, service)):
        first, second = (program(*call, key=f"once-{number}") for _ in range(2))
        assert (first.status_code, first.content) == (second.status_code, second.content)
        assert second["Idempotency-Replayed"] == "true"
    assert len(history()) == 7
