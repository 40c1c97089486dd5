"""The references: what an OpenAPI document says, as people read it. The operations are made up for the purpose."""

import ast
import re
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from html import unescape
from importlib import import_module
from pathlib import Path
from uuid import UUID

import pytest
from django.urls import reverse
from ninja import Query, Schema
from pydantic import Field

from clinic.api import json_schema
from clinic.api.gateway import Api
from clinic.api.imagemais import messages
from clinic.api.imagemais.urls import reference as imagemais
from clinic.api.markdown import parse
from clinic.api.mivicall.reading import PHONE_FORM
from clinic.api.mivicall.urls import reference as mivicall
from clinic.api.reference import groups
from clinic.refusals import Reason

REFERENCES = [imagemais, mivicall]
PAGES = [f"{name}:{page}" for name in ("imagemais", "mivicall") for page in ("reference", "first-steps", "openapi")]


class Colour(StrEnum):
    GREEN = "green"
    BLUE = "blue"


class Contact(Schema):
    phone: str = Field(description="Em E.164.", pattern=r"^\+\d+$", examples=["+351912345678"])


class Patient(Schema):
    name: str = Field(max_length=160, examples=["Maria Silva"])
    contact: Contact
    email: str | None = None


class Line(Schema):
    id: int = Field(ge=1, description="O procedimento.")
    discount_id: int | None = Field(None, alias="discountId")


class Thing(Schema):
    """Refers to itself, as trees do."""

    id: UUID
    colour: Colour = Colour.GREEN
    starts: datetime | None
    parts: list["Thing"] = []


class Wanted(Schema):
    patient: Patient
    lines: list[Line] = Field(min_length=1)
    notes: str = Field("", description="Com `código` e **força**.")


class Sort(Schema):
    limit: int = Field(50, ge=1, le=100, description="Quantas.")
    colour: Colour | None = None


@pytest.fixture(scope="module")
def document():
    api = Api(title="API de teste", version="1", urls_namespace="throw-away")
    extra = {"x-origem": "seed", "x-permissoes": ["things:write"]}

    @api.post("/things/{int:pk}", response={201: Thing, 409: Contact}, tags=["Coisas"], openapi_extra=extra)
    def make(request, pk: int, wanted: Wanted):
        """Faz uma coisa.

        - com `isto`
        - e com <b>aquilo</b>
        """

    @api.get("/things", response=list[Thing], tags=["Coisas"], summary="Listar", openapi_extra={"x-origem": "nossa"})
    def listed(request, sort: Query[Sort]):
        pass

    @api.delete("/things/{pk}", response={204: None})
    def removed(request, pk: int):
        pass

    return replace(imagemais, api=api, prefix="x").document


@pytest.fixture(scope="module")
def operations(document):
    by_tag = groups(document, "https://agenda.example", "$TOKEN")
    return {operation.method: operation for group in by_tag for operation in group.operations}


def rows(fields):
    return {field.path: (field.type, field.required) for field in fields}


def test_the_vendors_own_place_of_the_document_has_it_too(client):
    at_root = client.get("/openapi.json")
    assert at_root.json() == client.get("/v1/openapi.json").json()
    assert not at_root.cookies and "Cookie" not in at_root.get("Vary", "")


def test_a_language_model_finds_every_document_and_operation(client):
    answer = client.get("/llms.txt")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/markdown; charset=utf-8")
    assert answer.text.startswith("# Agenda da clínica\n\n> ")
    assert not answer.cookies and "Cookie" not in answer.get("Vary", "")
    links = re.findall(r"\]\(http://testserver([^)]*)\)", answer.text)
    assert len(links) == 6 and {client.get(link).status_code for link in links} == {200}
    for reference in REFERENCES:
        for path, methods in reference.document["paths"].items():
            assert all(f"- `{method.upper()} {path}`: " in answer.text for method in methods)
    assert client.post("/llms.txt").status_code in {403, 405}


@pytest.mark.parametrize("page", ["docs", "primeiros-passos"])
@pytest.mark.parametrize("reference", REFERENCES, ids=lambda reference: reference.prefix)
def test_a_page_needs_no_slash_at_its_end(client, reference, page):
    answer = client.get(f"/{reference.prefix}/{page}")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/html; charset=utf-8")


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda reference: reference.prefix)
def test_a_document_says_who_answers_for_it_and_who_may_use_it(client, reference):
    info = client.get(f"/{reference.prefix}/openapi.json").json()["info"]
    assert info["contact"] == {
        "name": "Quem opera esta instalação",
        "url": f"http://testserver/{reference.prefix}/docs/",
    }
    assert info["license"]["name"] and info["license"]["identifier"]


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda reference: reference.prefix)
def test_a_reference_says_that_browsers_are_not_answered(client, reference):
    page = client.get(f"/{reference.prefix}/docs/").text
    assert "não há CORS" in page and ">OPTIONS</code>" in page and ">Host</code>" in page


def test_paths_begin_where_the_api_does(document):
    assert set(document["paths"]) == {"/x/things/{pk}", "/x/things"}
    assert document["openapi"].startswith("3.1")
    assert document["paths"]["/x/things"]["get"]["security"] == [{"Bearer": []}]


def test_operations_stand_by_tag_and_the_rest_comes_last(document):
    by_tag = groups(document, "https://agenda.example", "$TOKEN")
    assert [(group.name, [operation.method for operation in group.operations]) for group in by_tag] == [
        ("Coisas", ["POST", "GET"]),
        ("", ["DELETE"]),
    ]


def test_origin_of_an_operation_is_shown(operations):
    assert operations["POST"].documented is True
    assert operations["GET"].documented is False
    assert operations["DELETE"].documented is None
    assert operations["POST"].permissions == ["things:write"]


def test_every_field_of_a_body_is_a_row_with_its_type_in_words(operations):
    assert rows(operations["POST"].body.fields) == {
        "patient": ("objeto", True),
        "patient.name": ("texto; até 160 caracteres", True),
        "patient.contact": ("objeto", True),
        "patient.contact.phone": (r"texto; na forma ^\+\d+$", True),
        "patient.email": ("texto ou nulo", False),
        "lines": ("lista de objetos; pelo menos 1", True),
        "lines[].id": ("número inteiro; a partir de 1", True),
        "lines[].discountId": ("número inteiro ou nulo", False),
        "notes": ("texto", False),
    }
    inner = next(field for field in operations["POST"].body.fields if field.path == "lines[].id")
    assert (inner.parent, inner.name, inner.depth) == ("lines[].", "id", 1)


def test_a_schema_that_contains_itself_ends_somewhere(operations):
    fields = rows(operations["POST"].answers[0].fields)
    assert fields["colour"] == ("texto; um de: green, blue; sem ele: green", False)
    assert fields["starts"] == ("texto (date-time) ou nulo", True)
    assert fields["parts[].id"] == ("texto (uuid)", True)
    assert len(fields) < 60


def test_parameters_say_where_they_go_and_what_limits_them(operations):
    (pk,) = operations["POST"].parameters
    assert (pk.name, pk.place, pk.required) == ("pk", "path", True)
    limit, colour = operations["GET"].parameters
    assert (limit.place, limit.required, limit.type) == ("query", False, "número inteiro; de 1 a 100; sem ele: 50")
    assert colour.type == "texto ou nulo; um de: green, blue"


def test_an_example_is_made_of_what_the_fields_say(operations):
    (example,) = operations["POST"].body.examples
    assert '"name": "Maria Silva"' in example.text and '"phone": "+351912345678"' in example.text
    (answer,) = operations["GET"].answers
    assert '"colour": "green"' in answer.examples[0].text
    assert operations["DELETE"].answers[0].examples == []


def test_given_example_is_used_unchanged():
    content = {"schema": {"type": "integer"}, "examples": {"a": {"summary": "Um", "value": {"número": 1}}}}
    answers = {
        "201": {"description": "Feito.", "content": {"application/json": content}},
        "404": {"description": "Não."},
    }
    document = {"paths": {"/a": {"post": {"summary": "A", "responses": answers}}}}
    (operation,) = groups(document, "", "$TOKEN")[0].operations
    (example,) = operation.answers[0].examples
    assert (example.name, example.text) == ("Um", '{\n  "número": 1\n}')
    assert [answer.status for answer in operation.answers] == ["201", "404"]


def test_curl_says_everything_that_the_operation_needs(operations):
    curl = operations["POST"].curl
    assert curl.startswith("curl -X POST 'https://agenda.example/x/things/<pk>' \\\n")
    for line in ('-H "Authorization: Bearer $TOKEN"', "-H 'Idempotency-Key: ", "-H 'Content-Type: application/json'"):
        assert line in curl
    assert "'" not in curl.partition("-d '")[2].removesuffix("'")
    assert "Idempotency" not in operations["GET"].curl and "-d" not in operations["GET"].curl


def test_curl_has_required_parameters_and_those_with_examples():
    query = [
        {"name": "day", "in": "query", "required": True, "schema": {"type": "string"}},
        {"name": "doctor", "in": "query", "example": 3, "schema": {"type": "integer"}},
        {"name": "status", "in": "query", "example": None, "schema": {"type": "string"}},
        {"name": "limit", "in": "query", "schema": {"type": "integer", "default": 50}},
    ]
    document = {"paths": {"/a": {"get": {"parameters": query, "responses": {}}}}}
    curl = groups(document, "https://x", "$TOKEN")[0].operations[0].curl
    assert curl.startswith("curl 'https://x/a?day=<day>&doctor=3' ")


def test_a_quote_in_an_example_does_not_end_the_argument():
    content = {"application/json": {"schema": {}, "example": {"name": "d'Ávila"}}}
    document = {"paths": {"/a": {"post": {"requestBody": {"content": content}, "responses": {}}}}}
    assert r"d'\''Ávila" in groups(document, "", "$TOKEN")[0].operations[0].curl


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": ["string", "null"]}, "texto ou nulo"),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, "número inteiro ou texto"),
        ({"items": {"type": "string", "format": "uuid"}, "maxItems": 3}, "lista de textos (uuid); no máximo 3"),
        ({"const": "ok"}, "qualquer valor; sempre ok"),
        ({"allOf": [{"$ref": "#/components/schemas/A"}], "default": "x"}, "texto; um de: x, y; sem ele: x"),
        ({"type": "string", "minLength": 1, "maxLength": 255}, "texto; de 1 a 255 caracteres"),
        ({"type": "number", "maximum": 1.5}, "número; até 1.5"),
        ({}, "qualquer valor"),
    ],
)  # fmt: skip
def test_types_in_words(schema, words):
    document = {"components": {"schemas": {"A": {"type": "string", "enum": ["x", "y"]}}}}
    assert json_schema.describe(document, schema) == words


def test_prose_knows_paragraphs_lists_code_and_nothing_else():
    blocks = parse("Um `dois`\nainda um.\n\n- três\n  ainda três\n- **quatro**, *cinco*, 2 * 3 * 4\n\n<b>")
    assert [block.is_list for block in blocks] == [False, True, False]
    assert [[(piece.text, piece.kind) for piece in line] for block in blocks for line in block.lines] == [
        [("Um ", ""), ("dois", "code"), (" ainda um.", "")],
        [("três ainda três", "")],
        [("quatro", "strong"), (", ", ""), ("cinco", "em"), (", 2 * 3 * 4", "")],
        [("<b>", "")],
    ]


# The pages ------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("name", PAGES)
def test_everybody_may_read_it(client, name):
    answer = client.get(reverse(name))
    assert answer.status_code == 200
    assert client.post(reverse(name)).status_code == 405


@pytest.mark.django_db
@pytest.mark.parametrize("reference", REFERENCES, ids=lambda reference: reference.namespace)
def test_page_is_in_its_vendors_portuguese_for_every_reader(client, reference):
    for language in ("pt-BR", "pt-PT", "en"):
        page = client.get(reverse(f"{reference.namespace}:reference"), headers={"accept-language": language}).text
        assert f'<html lang="{reference.language}">' in page


@pytest.mark.django_db
def test_page_shows_invented_operations_and_escapes_their_text(client, document, monkeypatch):
    monkeypatch.setitem(imagemais.__dict__, "document", document)
    page = client.get(reverse("imagemais:reference")).text
    assert "<b>aquilo</b>" not in page and "&lt;b&gt;aquilo&lt;/b&gt;" in page
    assert "documentado pelo fornecedor" in page and "decisão nossa" in page
    assert '<code><span class="dim">patient.contact.</span>phone</code>' in page
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)
    assert set(re.findall(r'data-copy="([^"]+)"', page)) <= set(ids)


@pytest.mark.django_db
def test_examples_use_public_url_or_else_the_requested_host(client, settings):
    def seen(page, **headers):
        return unescape(client.get(reverse(page), headers=headers).text)

    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    assert "curl 'http://localhost/api/doctors'" in seen("imagemais:first-steps", host="localhost")
    assert client.get(reverse("mivicall:openapi")).json()["servers"] == [{"url": "http://testserver"}]

    settings.PUBLIC_URL = "https://agenda.example"
    assert "curl 'https://agenda.example/api/doctors'" in seen("imagemais:first-steps", host="localhost")
    assert client.get(reverse("mivicall:openapi")).json()["servers"] == [{"url": "https://agenda.example"}]


@pytest.mark.django_db
@pytest.mark.parametrize("reference", REFERENCES, ids=lambda reference: reference.namespace)
def test_the_table_of_errors_has_every_refusal_of_the_door(client, reference):
    page = unescape(client.get(reverse(f"{reference.namespace}:reference")).text)
    failures = reference.failures()
    assert {401, 404, 409, 413, 415, 422, 429, 500, 503} <= {failure.status for failure in failures}
    assert all(failure.code and failure.message in page for failure in failures)


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda reference: reference.namespace)
def test_tags_are_ascii_described_and_shown_in_portuguese(client, reference):
    tags = {tag["name"]: tag for tag in reference.document["tags"]}
    operations = [operation for methods in reference.document["paths"].values() for operation in methods.values()]
    assert {name for operation in operations for name in operation["tags"]} == tags.keys()
    assert all(re.fullmatch("[a-z]+", name) and tag["description"] for name, tag in tags.items())
    page = unescape(client.get(reverse(f"{reference.namespace}:reference")).text)
    assert all(tag["x-displayName"] in page for tag in tags.values())


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda reference: reference.namespace)
def test_no_key_is_proposed_that_every_try_would_use_again(reference):
    operations = [operation for methods in reference.document["paths"].values() for operation in methods.values()]
    keys = [item for operation in operations for item in operation["parameters"] if item["name"] == "Idempotency-Key"]
    assert keys and not any("example" in key for key in keys)


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda reference: reference.namespace)
def test_every_link_target_exists_and_every_path_has_an_example(reference):
    operations = [operation for methods in reference.document["paths"].values() for operation in methods.values()]
    takes = {
        operation["operationId"]: {parameter["name"] for parameter in operation["parameters"]}
        for operation in operations
    }
    links = [
        link
        for operation in operations
        for status, answer in operation["responses"].items()
        for link in answer.get("links", {}).values()
        if status.startswith("2")
    ]
    assert len(links) > 20
    for link in links:
        assert link["parameters"].keys() <= takes[link["operationId"]]
    for operation in operations:
        in_paths = [parameter for parameter in operation["parameters"] if parameter["in"] == "path"]
        assert all(parameter["example"] and parameter["description"] for parameter in in_paths)


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda reference: reference.namespace)
def test_the_idempotency_key_is_promised_as_http_carries_it(reference):
    operations = [operation for methods in reference.document["paths"].values() for operation in methods.values()]
    keys = [
        parameter["schema"]
        for operation in operations
        for parameter in operation["parameters"]
        if parameter["name"] == "Idempotency-Key"
    ]
    assert keys
    for schema in keys:
        assert schema["maxLength"] == 255
        for key in ("a", "pms-create-1", "dois nomes"):
            assert re.search(schema["pattern"], key)
        for key in ("", " a", "a ", "é", "a\tb"):
            assert not re.search(schema["pattern"], key)


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda reference: reference.namespace)
def test_no_field_of_a_body_is_null_by_default(reference):
    """Null takes away what is there: a client made from the document must not send it for what was left out."""
    bodies = [
        json_schema.resolve(reference.document, content["schema"])
        for methods in reference.document["paths"].values()
        for operation in methods.values()
        for content in operation.get("requestBody", {}).get("content", {}).values()
    ]
    assert bodies
    for body in bodies:
        assert [name for name, field in body["properties"].items() if field.get("default", "") is None] == []


@pytest.mark.django_db
@pytest.mark.parametrize("reference", REFERENCES, ids=lambda reference: reference.namespace)
def test_page_and_document_explain_byte_for_byte_comparison(client, reference):
    page = unescape(client.get(reverse(f"{reference.namespace}:reference")).text)
    chapter = page.partition('id="idempotencia"')[2].partition('id="limite"')[0]
    assert "byte a byte" in chapter and "outra ordem" in chapter.replace("noutra", "outra")
    assert "byte a byte" in reference.document["info"]["description"]
    operations = [operation for methods in reference.document["paths"].values() for operation in methods.values()]
    keys = [
        parameter
        for operation in operations
        for parameter in operation["parameters"]
        if parameter["name"] == "Idempotency-Key"
    ]
    assert keys and all("byte a byte" in parameter["description"] for parameter in keys)


@pytest.mark.django_db
@pytest.mark.parametrize("reference", REFERENCES, ids=lambda reference: reference.namespace)
def test_every_operation_has_a_summary_a_description_and_an_origin(client, reference):
    for url, methods in reference.document["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {url}"
            assert operation.get("summary") and operation.get("description"), where
            assert operation.get("x-origem") in {"seed", "site", "nossa"}, where
            assert url.startswith(f"/{reference.prefix}/") or url == "/health", where


def sentences(name):
    """What an API answers to errors, in the pieces between what it puts in."""
    api = import_module(f"clinic.api.{name}.errors")
    found = {message for _, *_, message in api.API_ERRORS.values()}
    if name == "imagemais":
        found |= {message.sentence for message in messages.REFUSALS.values()}
        found |= {sentence for group in messages.MISSING.values() for sentence in group}
    else:
        found |= {*api.OWN_SENTENCES.values(), api.APPOINTMENT_NOT_FOUND, api.PATIENT_NOT_FOUND, PHONE_FORM}
    found |= {str(reason.sentence) for reason in Reason}
    pieces = {piece.strip(" .“”") for each in found for piece in re.split(r"%\(\w+\)s|\{\}", each)}
    return {piece for piece in pieces if len(piece) > 20 and " " in piece}


@pytest.mark.parametrize("name", ["imagemais", "mivicall"])
def test_no_reference_repeats_a_sentence_of_the_answers(name):
    """A literal would stay as it is when the answer changes, or when Portugal's words do."""
    folder = Path(import_module(f"clinic.api.{name}").__file__).parent
    files = [folder / "guide.py", folder / "openapi.py", *(folder / "operations").glob("*.py")]
    files += folder.glob("examples.py")
    written = {ast.unparse(node) for file in files for node in ast.walk(ast.parse(file.read_text())) if is_text(node)}
    assert len(sentences(name)) > 60
    assert {piece for piece in sentences(name) if any(piece in text for text in written)} == set()


def is_text(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
