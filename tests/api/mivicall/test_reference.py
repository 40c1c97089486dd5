"""The OpenAPI document: complete, in Portuguese, and true."""

import pytest

from clinic.api.mivicall import (
    reference,
    urls,  # noqa: F401 - it declares the operations
)
from clinic.api.mivicall.api import NEEDED, api

OPERATIONS = {
    (method, path): told
    for path, methods in api.get_openapi_schema()["paths"].items()
    for method, told in methods.items()
}
UNDER_V1 = {
    (method.upper(), path.removeprefix("/v1")): told for (method, path), told in OPERATIONS.items() if path != "/health"
}


def test_every_call_of_the_specification_is_there():
    assert {f"{method.upper()} {path}" for method, path in OPERATIONS} == {
        "POST /v1/appointments",
        "GET /v1/appointments",
        "GET /v1/appointments/{id}",
        "PATCH /v1/appointments/{id}",
        "DELETE /v1/appointments/{id}",
        "GET /v1/professionals",
        "GET /v1/services",
        "GET /v1/availability",
        "GET /v1/patients",
        "GET /v1/patients/{hash}",
        "GET /v1/tenants/me",
        "GET /health",
    }


@pytest.mark.parametrize("told", OPERATIONS.values(), ids=lambda told: told["operationId"])
def test_every_operation_is_described_and_says_who_decided_it(told):
    assert told["summary"] and told["description"] and told["tags"]
    assert told["x-origem"] in {"seed", "site", "nossa"}
    assert set(told["x-permissoes"]) == {str(scope) for scope in told["x-permissoes"]}
    for answer in told["responses"].values():
        assert "X-Request-Id" in answer["headers"]
        for content in answer.get("content", {}).values():
            assert "example" in content or "examples" in content


@pytest.mark.parametrize(("asked", "told"), UNDER_V1.items(), ids=lambda value: str(value)[:40])
def test_the_document_names_the_scopes_that_are_asked_for_and_the_limits(asked, told):
    method, path = asked
    assert set(told["x-permissoes"]) == NEEDED[method, path.replace("{", "<").replace("}", ">")] != set()
    assert told["security"] == [{"Bearer": []}]
    for status, answer in told["responses"].items():
        assert set(reference.HEADERS) <= set(answer["headers"]), status
    headers = [field["name"] for field in told["parameters"] if field["in"] == "header"]
    assert headers == (["Idempotency-Key"] if method != "GET" else [])
