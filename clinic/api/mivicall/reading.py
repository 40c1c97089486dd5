"""Bodies and queries, read field by field: what cannot be read is said for all fields at once, in Portuguese.

A field's type reads a JSON value, or a query's text, and says in the reference what it takes. Rules are not asked here.
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

METADATA_BYTES = 4096
MOST_ITEMS = 200
LONGEST_SEARCH = 100
NOTES_LIMIT = max_length(Appointment, "notes")
PHONE = r"^\+[1-9]\d{1,14}$"  # to the letter as the vendor prints it
UUID_FORM = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
MOMENT_FORM = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)", re.ASCII | re.IGNORECASE)
# PostgreSQL writes every number out, so that 1e308 would take 309 digits and come back a whole number. Within these
# bounds, those in which Python needs no exponent, a number comes back as it was sent.
SMALLEST, LARGEST = 1e-4, 1e16
UNWRITABLE = "Tem números que só se escrevem com expoente: devem estar entre 0.0001 e 1e16, ou ser texto."
UNSTORABLE = "Tem caracteres que não podem ser guardados: %(characters)s."
UNSTORABLE_KEY = "O nome de um campo tem caracteres que não podem ser guardados: %(characters)s."


@dataclass
class Reading:
    """What could be read, by the names of the schema, and (path, message) of what could not."""

    values: dict[str, Any]
    errors: dict[str, str]


def read(schema: type[BaseModel], said) -> Reading:
    """A field that was not sent is not among the values; keys that the schema does not know are ignored."""
    if not isinstance(said, dict):
        return Reading({}, {"": "O corpo deve ser um objeto JSON."})
    reading = Reading({}, {})
    if found := unstorable("".join(said)):
        reading.errors[""] = UNSTORABLE_KEY % {"characters": found}
    for name, field in schema.model_fields.items():
        path = field.alias or name
        if path not in said:
            if field.is_required():
                reading.errors[path] = "Campo obrigatório."
            continue
        try:
            reading.values[name] = _reader(schema, name).validate_python(said[path])
        except ValidationError as error:
            reading.errors[path] = error.errors()[0]["msg"]
    return reading


def read_query(schema: type[BaseModel], request) -> Reading:
    return read(schema, request.GET.dict())


def as_uuid(text) -> UUID | None:
    """The id as it is written everywhere in this API; no other spelling of it is an id."""
    return UUID(text) if isinstance(text, str) and UUID_FORM.fullmatch(text) else None


@cache
def _reader(schema, name):
    field = schema.model_fields[name]
    return TypeAdapter(Annotated[field.annotation, *field.metadata])


def refuse(message):
    # Braces in a message would be taken for places to fill.
    raise PydanticCustomError("field", "{message}", {"message": message})


def _uuid(value):
    return as_uuid(value) or refuse("Deve ser um UUID, por exemplo 3c90c3cc-0d44-4b50-8888-8dd25736052a.")


def _text(value):
    if not isinstance(value, str):
        refuse("Deve ser um texto.")
    if found := unstorable(value):
        refuse(UNSTORABLE % {"characters": found})
    return value


def _phone(value):
    if not re.fullmatch(PHONE, _text(value), re.ASCII):
        refuse("Deve estar no formato E.164, por exemplo +351912345678.")
    return value


def _moment(value):
    if not isinstance(value, str) or not MOMENT_FORM.fullmatch(value):
        refuse("Deve ser ISO 8601 com data, hora e offset, por exemplo 2026-05-14T10:00:00+01:00.")
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return refuse("Esta data ou esta hora não existe.")


def _moment_in_a_query(value):
    # A plus sign that nobody encoded arrives as a space.
    return _moment(value.replace(" ", "+"))


def _number(value):
    if not isinstance(value, str) or not re.fullmatch("[0-9]{1,3}", value) or not 1 <= int(value) <= MOST_ITEMS:
        refuse(f"Deve ser um número inteiro de 1 a {MOST_ITEMS}.")
    return int(value)


def _search(value):
    if not 1 <= len(_text(value)) <= LONGEST_SEARCH:
        refuse(f"Deve ter de 1 a {LONGEST_SEARCH} caracteres.")
    return value


def _flag(value):
    return value if isinstance(value, bool) else refuse("Deve ser true ou false.")


def _metadata(value):
    if not isinstance(value, dict):
        refuse("Deve ser um objeto JSON.")
    if found := unstorable_in_json(value):
        refuse(UNSTORABLE % {"characters": found})
    if not all(number == 0 or SMALLEST <= abs(number) < LARGEST for number in _floats(value)):
        refuse(UNWRITABLE)
    if len(json.dumps(value, ensure_ascii=False).encode()) > METADATA_BYTES:
        refuse("Passa de 4 KiB.")
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
    """A text that is one of these."""

    def reads(value):
        return value if isinstance(value, str) and value in words else refuse(f"Deve ser um de: {', '.join(words)}.")

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
Search = _field(str, _search, type="string", minLength=1, maxLength=LONGEST_SEARCH)
Limit = _field(int, _number, type="integer", minimum=1, maximum=MOST_ITEMS)
Cursor = _field(str, _text, type="string", minLength=1)
