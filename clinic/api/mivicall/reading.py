"""Read bodies and queries field by field, and report all unreadable fields at once, in Portuguese.

The type of a field reads a JSON value or a query's text, and describes itself in the reference. Rules are not checked.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, PlainValidator, TypeAdapter, ValidationError, WithJsonSchema
from pydantic_core import PydanticCustomError

from clinic.models import Appointment, Patient
from clinic.models.limits import max_length
from clinic.registry import unstorable, unstorable_in_json

MAX_METADATA_BYTES = 4096
MAX_ITEMS = 200
MAX_SEARCH_LENGTH = 100
NOTES_LIMIT = max_length(Appointment, "notes")
PHONE = r"^\+[1-9]\d{1,14}$"  # exactly as the vendor prints it
UUID_PATTERN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
MOMENT_PATTERN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)", re.ASCII | re.IGNORECASE)
# PostgreSQL writes numbers without exponents: 1e308 would take 309 digits and be read back as an integer. Within these
# bounds, in which Python needs no exponent, a number is read back as it was sent.
SMALLEST, LARGEST = 1e-4, 1e16
UNWRITABLE = "Tem números que só se escrevem com expoente: devem estar entre 0.0001 e 1e16, ou ser texto."
UNSTORABLE = "Tem caracteres que não podem ser guardados: %(characters)s."
UNSTORABLE_KEY = "O nome de um campo tem caracteres que não podem ser guardados: %(characters)s."


@dataclass
class Reading:
    """The readable values, by the schema's names, and messages by the path of the others."""

    values: dict[str, Any]
    errors: dict[str, str]


def read(schema: type[BaseModel], body) -> Reading:
    """Read a body. Fields that were not sent are not among the values; keys unknown to the schema are ignored."""
    if not isinstance(body, dict):
        return Reading({}, {"": "O corpo deve ser um objeto JSON."})
    reading = Reading({}, {})
    if characters := unstorable("".join(body)):
        reading.errors[""] = UNSTORABLE_KEY % {"characters": characters}
    for name, field in schema.model_fields.items():
        path = field.alias or name
        if path not in body:
            if field.is_required():
                reading.errors[path] = "Campo obrigatório."
            continue
        try:
            reading.values[name] = _reader(schema, name).validate_python(body[path])
        except ValidationError as error:
            reading.errors[path] = error.errors()[0]["msg"]
    return reading


def read_query(schema: type[BaseModel], request) -> Reading:
    return read(schema, request.GET.dict())


def as_uuid(text) -> UUID | None:
    """Return the UUID in the one spelling that this API uses, None for any other text."""
    return UUID(text) if isinstance(text, str) and UUID_PATTERN.fullmatch(text) else None


@cache
def _reader(schema, name):
    field = schema.model_fields[name]
    return TypeAdapter(Annotated[field.annotation, *field.metadata])


def fail(message):
    # Braces in a message would be taken for placeholders.
    raise PydanticCustomError("field", "{message}", {"message": message})


def _uuid(value):
    return as_uuid(value) or fail("Deve ser um UUID, por exemplo 3c90c3cc-0d44-4b50-8888-8dd25736052a.")


def _text(value):
    if not isinstance(value, str):
        fail("Deve ser um texto.")
    if characters := unstorable(value):
        fail(UNSTORABLE % {"characters": characters})
    return value


def _phone(value):
    if not re.fullmatch(PHONE, _text(value), re.ASCII):
        fail("Deve estar no formato E.164, por exemplo +351912345678.")
    return value


def _moment(value):
    if not isinstance(value, str) or not MOMENT_PATTERN.fullmatch(value):
        fail("Deve ser ISO 8601 com data, hora e offset, por exemplo 2026-05-14T10:00:00+01:00.")
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return fail("Esta data ou esta hora não existe.")


def _moment_in_a_query(value):
    # A plus sign that was not encoded arrives as a space.
    return _moment(value.replace(" ", "+"))


def _number(value):
    if not isinstance(value, str) or not re.fullmatch("[0-9]{1,3}", value) or not 1 <= int(value) <= MAX_ITEMS:
        fail(f"Deve ser um número inteiro de 1 a {MAX_ITEMS}.")
    return int(value)


def _search(value):
    if not 1 <= len(_text(value)) <= MAX_SEARCH_LENGTH:
        fail(f"Deve ter de 1 a {MAX_SEARCH_LENGTH} caracteres.")
    return value


def _flag(value):
    return value if isinstance(value, bool) else fail("Deve ser true ou false.")


def _metadata(value):
    if not isinstance(value, dict):
        fail("Deve ser um objeto JSON.")
    if characters := unstorable_in_json(value):
        fail(UNSTORABLE % {"characters": characters})
    if not all(number == 0 or SMALLEST <= abs(number) < LARGEST for number in _floats(value)):
        fail(UNWRITABLE)
    if len(json.dumps(value, ensure_ascii=False).encode()) > MAX_METADATA_BYTES:
        fail("Passa de 4 KiB.")
    return value


def _floats(value):
    if isinstance(value, float):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _floats(inner)


def _or_null(reads):
    return lambda value: None if value is None else reads(value)


def one_of(*words):
    """Return the type of a text with one of these values."""

    def reads(value):
        return value if isinstance(value, str) and value in words else fail(f"Deve ser um de: {', '.join(words)}.")

    return Annotated[str, PlainValidator(reads), WithJsonSchema({"type": "string", "enum": list(words)})]


def _field(of, reads, **schema):
    return Annotated[of, PlainValidator(reads), WithJsonSchema(schema)]


Id = _field(UUID, _uuid, type="string", format="uuid")
Moment = _field(datetime, _moment, type="string", format="date-time")
QueryMoment = _field(datetime, _moment_in_a_query, type="string", format="date-time")
Phone = _field(str, _phone, type="string", pattern=PHONE)
Name = _field(str, _text, type="string", minLength=1, maxLength=max_length(Patient, "name"))
Notes = _field(str | None, _or_null(_text), type=["string", "null"], maxLength=NOTES_LIMIT)
Metadata = _field(dict | None, _or_null(_metadata), type=["object", "null"], additionalProperties=True)
Flag = _field(bool, _flag, type="boolean")
Search = _field(str, _search, type="string", minLength=1, maxLength=MAX_SEARCH_LENGTH)
Limit = _field(int, _number, type="integer", minimum=1, maximum=MAX_ITEMS)
Cursor = _field(str, _text, type="string", minLength=1)
