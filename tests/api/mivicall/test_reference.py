"""The OpenAPI document: complete, in Portuguese, and true."""

from datetime import date, time

import pytest

from clinic.api.mivicall import (
    openapi,
    urls,  # noqa: F401 - it declares the operations
)
from clinic.api.mivicall.api import REQUIRED_SCOPES, api
from tests.factories import book_appointment, make_doctor, make_procedure

OPERATIONS = {
    (method, path): operation
    for path, methods in api.get_openapi_schema()["paths"].items()
    for method, operation in methods.items()
}
UNDER_V1 = {
    (method.upper(), path.removeprefix("/v1")): operation
    for (method, path), operation in OPERATIONS.items()
    if path != "/health"
}


def test_every_call_of_the_specification_is_there():
    assert {f"{method.upper()} {path}" for method, path in OPERATIONS} == {
        "POST /v1/appointments",
        "GET /v1/appointments",
        "GET /v1/appointments/{id}",
        "PATCH /v1/appointments/{id}",
        "DELETE /v1/appointments/{id}",
        "GET /v1/professionals",
        "POST /v1/professionals",
        "PATCH /v1/professionals/{id}",
        "DELETE /v1/professionals/{id}",
        "GET /v1/services",
        "POST /v1/services",
        "PATCH /v1/services/{id}",
        "DELETE /v1/services/{id}",
        "PATCH /v1/tenants/me",
        "GET /v1/availability",
        "GET /v1/patients",
        "GET /v1/patients/{hash}",
        "GET /v1/tenants/me",
        "GET /health",
    }


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda operation: operation["operationId"])
def test_every_operation_is_described_and_says_who_decided_it(operation):
    assert operation["summary"] and operation["description"] and operation["tags"]
    assert operation["x-origem"] in {"seed", "site", "nossa"}
    assert set(operation["x-permissoes"]) == {str(scope) for scope in operation["x-permissoes"]}
    for answer in operation["responses"].values():
        assert "X-Request-Id" in answer["headers"]
        for content in answer.get("content", {}).values():
            assert "example" in content or "examples" in content


@pytest.mark.parametrize(("route", "operation"), UNDER_V1.items(), ids=lambda value: str(value)[:40])
def test_document_lists_required_scopes_and_limits(route, operation):
    method, path = route
    assert set(operation["x-permissoes"]) == REQUIRED_SCOPES[method, path.replace("{", "<").replace("}", ">")] != set()
    assert operation["security"] == [{"Bearer": []}]
    for status, answer in operation["responses"].items():
        assert set(openapi.HEADERS) <= set(answer["headers"]), status
    headers = [field["name"] for field in operation["parameters"] if field["in"] == "header"]
    assert headers == (["Idempotency-Key"] if method != "GET" else [])


@pytest.mark.django_db
def test_conflict_examples_match_answers_in_portugal(mivicall, lisbon, time_machine):
    time_machine.move_to("2026-05-11T08:00:00Z", tick=False)
    service, other = make_procedure(lisbon, name="Consulta"), make_procedure(lisbon, name="Ecografia")
    helena = make_doctor(lisbon, name="Dra. Helena Prado", procedures=[service])
    helena.hours.filter(starts__lt="12:00").delete()
    helena.hours.update(starts="10:00", ends="18:00")
    book_appointment(helena, starts_at=lisbon.instant(date(2026, 5, 14), time(10)))
    program = mivicall(lisbon)

    def refusal_at(time, procedure=service):
        body = {"professionalId": str(helena.uuid), "serviceTypeId": str(procedure.uuid)}
        body |= {
            "patientName": "Maria Silva",
            "patientPhone": "+351912345678",
            "startsAt": f"2026-05-14T{time}:00+01:00",
        }
        answer = program("POST", "/appointments", body).json()
        return answer["error"], answer["message"]

    taken = refusal_at("10:00")
    helena.hours.update(starts="10:30")
    gone = book_appointment(helena, starts_at=lisbon.instant(date(2026, 5, 14), time(15)))
    type(gone).objects.filter(pk=gone.pk).update(status="finished")
    finished = program("DELETE", f"/appointments/{gone.uuid}").json()

    examples = {code: example["message"] for code, example in openapi.ERROR_EXAMPLES[409].items()}
    assert dict([taken, refusal_at("09:00"), refusal_at("11:00", other), (finished["error"], finished["message"])]) == {
        code: examples[code]
        for code in ("slot_conflict", "outside_working_hours", "service_not_offered", "invalid_transition")
    }
