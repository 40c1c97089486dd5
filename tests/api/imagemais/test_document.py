"""The OpenAPI document: everything there is, in Portuguese, with examples that are true; and the statuses' colours."""

import re
from itertools import combinations
from math import dist

import pytest
from django.conf import settings
from pydantic import TypeAdapter

from clinic.api.imagemais import examples, schemas, statuses
from clinic.api.imagemais.urls import api
from clinic.models import Appointment, Doctor, Patient
from clinic.models.appointment import Status


@pytest.fixture(scope="module")
def document():
    return api.get_openapi_schema()


def operations(document):
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_the_whole_surface_is_there(document):
    assert {name for name, _ in operations(document)} == {
        "POST /api/appointments",
        "GET /api/appointments",
        "GET /api/appointments/{appointment_id}",
        "PATCH /api/appointments/{appointment_id}",
        "PATCH /api/appointments/{appointment_id}/reschedule",
        "PATCH /api/appointments/{appointment_id}/status",
        "POST /api/appointments/{appointment_id}/receive-payment",
        "GET /api/doctors",
        "POST /api/doctors",
        "GET /api/doctors/{doctor_id}",
        "GET /api/doctors/{doctor_id}/slots",
        "GET /api/procedures",
        "GET /api/discounts",
        "GET /api/patients",
        "POST /api/patients",
        "PATCH /api/patients/{patient_id}",
    }


def test_every_operation_has_a_description_an_origin_and_responses(document):
    for name, operation in operations(document):
        assert operation["summary"] and operation["description"] and operation["tags"], name
        assert re.fullmatch(r"[a-z]+[A-Za-z]+", operation["operationId"])
        assert operation["x-origem"] in {"seed", "site", "nossa"}
        assert operation["security"] == [{"Bearer": []}]
        assert {401, 429, 500, 503} <= operation["responses"].keys()
        for status, response in operation["responses"].items():
            content = response["content"]["application/json"]
            assert "schema" in content and ("example" in content or content["examples"]), (name, status)


def test_every_write_takes_a_key_and_shows_bodies(document):
    for name, operation in operations(document):
        keys = [parameter for parameter in operation["parameters"] if parameter["name"] == "Idempotency-Key"]
        assert len(keys) == (not name.startswith("GET")), name
        if keys:
            body = operation["requestBody"]
            assert body["required"] and body["content"]["application/json"]["examples"]
            assert {400, 409, 413, 415, 422} <= operation["responses"].keys()


def test_every_answer_names_its_headers(document):
    assert document["components"]["headers"].keys() == {
        "X-Request-Id",
        "X-RateLimit-Limit",
        "X-RateLimit-Remaining",
        "X-RateLimit-Reset",
    }
    for name, operation in operations(document):
        is_list = any(parameter["name"] == "limit" for parameter in operation["parameters"])
        for status, response in operation["responses"].items():
            headers = response["headers"].keys()
            assert document["components"]["headers"].keys() <= headers, (name, status)
            assert ("Retry-After" in headers) == (
                status in {429, 503} or (status == 409 and "requestBody" in operation)
            )
            assert ("Idempotency-Replayed" in headers) == ("requestBody" in operation and status in {200, 201, 409})
            assert ({"Link", "X-Total-Count"} <= headers) == (is_list and status == 200), (name, status)


@pytest.mark.django_db
def test_no_answer_has_a_header_that_is_not_named(document, desk):
    named = document["paths"]["/api/patients"]["get"]["responses"][200]["headers"].keys()
    desk.book()
    for query in ({"limit": 1}, {"updatedSince": "2000-01-01T00:00:00Z"}):
        answer = desk.ask.get("/patients", **query)
        ours = {name for name in answer.headers if name.startswith("X-") or name == "Link"}
        assert answer.status_code == 200
        assert ours - {"X-Frame-Options", "X-Content-Type-Options"} <= named


def test_every_reference_leads_somewhere(document):
    for name in re.findall(r"'#/components/schemas/(\w+)'", str(document)):
        assert name in document["components"]["schemas"]
    for name in re.findall(r"'#/components/headers/([\w-]+)'", str(document)):
        assert name in document["components"]["headers"]
    assert document["components"]["securitySchemes"] == {"Bearer": {"type": "http", "scheme": "bearer"}}


def test_the_document_is_the_same_each_time(document):
    assert api.get_openapi_schema() == document


def test_the_examples_are_answers_as_the_schemas_have_them():
    for model, example in [
        (schemas.AppointmentOut, examples.APPOINTMENT),
        (schemas.DoctorOut, examples.DOCTOR),
        (schemas.BookingIn, examples.BOOKING),
        (schemas.DoctorIn, examples.NEW_DOCTOR),
    ]:
        TypeAdapter(model).validate_python(example, strict=True)
        assert example.keys() <= model.model_fields.keys()


def test_limits_of_bodies_equal_limits_of_columns(document):
    def longest(model, field):
        schema = document["components"]["schemas"][model]["properties"][field]
        return next(choice["maxLength"] for choice in schema.get("anyOf", [schema]) if "maxLength" in choice)

    limit = Patient._meta.get_field("name").max_length
    patients = ("PatientIn", "RegisteredPatientIn", "EditedPatientIn", "PatientChangesIn")
    assert {longest(model, "name") for model in patients} == {limit}
    assert longest("DoctorIn", "name") == Doctor._meta.get_field("name").max_length
    assert (
        longest("BookingIn", "notes") == longest("EditIn", "notes") == Appointment._meta.get_field("notes").max_length
    )


@pytest.mark.parametrize("written", ["5", "005", "9", "10", "99", "100", "199", "239", "240"])
def test_an_interval_written_as_text_is_promised_from_5_to_240(document, written):
    _, text = document["components"]["schemas"]["DoctorIn"]["properties"]["intervalMinutes"]["anyOf"]
    assert re.search(text["pattern"], written)
    for other in ("0", "4", "241", "300", "1000", "-5", "5.0", ""):
        assert not re.search(text["pattern"], other)


def test_days_are_promised_as_real_dates(document):
    days = [
        *(
            parameter["schema"]
            for _, operation in operations(document)
            for parameter in operation["parameters"]
            if parameter["name"].startswith("date")
        ),
        document["components"]["schemas"]["BookingIn"]["properties"]["date"],
        document["components"]["schemas"]["PatientIn"]["properties"]["dateBirth"],
    ]
    assert len(days) == 6 and {day["format"] for day in days} == {"date"}


# The colours ----------------------------------------------------------------------------------------------------------

INK, WHITE = "#182026", "#ffffff"
# What a colour becomes in linear light to eyes without red, green or blue cones (Machado et al. 2009).
EYES = {
    "usual": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanope": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranope": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanope": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
TO_CONES = [
    [0.4122214708, 0.5363325363, 0.0514459929],
    [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
]
TO_OKLAB = [
    [0.2104542553, 0.7936177850, -0.0040720468],
    [1.9779984951, -2.4285922050, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.8086757660],
]


def times(matrix, vector):
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def linear(color):
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]


def contrast(one, other):
    light = [sum(a * b for a, b in zip((0.2126, 0.7152, 0.0722), linear(c), strict=True)) + 0.05 for c in (one, other)]
    return max(light) / min(light)


def oklab(color, eyes):
    seen = [min(max(channel, 0), 1) for channel in times(EYES[eyes], linear(color))]
    return times(TO_OKLAB, [cone ** (1 / 3) for cone in times(TO_CONES, seen)])


def test_every_status_has_its_number_name_and_colour():
    assert statuses.API_STATUSES.keys() == set(Status)
    assert sorted(api_status.id for api_status in statuses.API_STATUSES.values()) == list(range(1, 9))
    assert statuses.API_STATUSES[Status.SCHEDULED] == (1, "Agendado", "#ffc107")
    assert set(statuses.ACTIONS.values()) == set(Status) - {Status.RESCHEDULED}


@pytest.mark.parametrize("status", Status)
def test_the_agenda_is_painted_in_the_same_colours(status):
    tokens = (settings.ROOT / "static" / "css" / "tokens.css").read_text(encoding="utf-8")
    assert re.search(rf"--{status.value}: (#\w+);", tokens)[1] == statuses.API_STATUSES[status].color


@pytest.mark.parametrize("status", Status)
def test_text_printed_on_a_colour_can_be_read_in_white_or_in_ink(status):
    color = statuses.API_STATUSES[status].color
    assert max(contrast(color, WHITE), contrast(color, INK)) >= 4.5


@pytest.mark.parametrize("eyes", EYES)
def test_no_two_statuses_look_alike_to_anybody(eyes):
    seen = [oklab(api_status.color, eyes) for api_status in statuses.API_STATUSES.values()]
    assert min(100 * dist(one, other) for one, other in combinations(seen, 2)) >= 8.9
