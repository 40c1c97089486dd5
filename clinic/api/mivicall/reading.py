"""Read bodies and queries field by field, and report all unreadable fields at once, in Portuguese.

The type of a field reads a JSON value or a query's text, and describes itself in the reference. Rules are not checked.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, NoReturn
from uuid import UUID

from django.db.models import Model
from django.http import HttpRequest
from pydantic import BaseModel, PlainValidator, TypeAdapter, ValidationError, WithJsonSchema
from pydantic_core import PydanticCustomError

from clinic.api import moments
from clinic.models import Appointment, Clinic, Doctor, Patient, Procedure
from clinic.models.limits import max_length
from clinic.models.procedure import LONGEST_DURATION, SHORTEST_DURATION
from clinic.registry import unstorable, unstorable_in_json

MAX_METADATA_BYTES = 4096
MAX_ITEMS = 200
MAX_IDS = 1000
CONFIRMATION = "^[0-9a-f]{16}$"
MAX_SEARCH_LENGTH = 100
PROFESSIONAL, SERVICE, SPOKEN = EXPANSIONS = "professional", "service", "spoken"
MAX_NOTES_LENGTH = max_length(Appointment, "notes")
PHONE_FORM = "Deve estar no formato E.164, por exemplo +351912345678."
PHONE = r"^\+[1-9]\d{1,14}$"  # exactly as the vendor prints it
UUID_PATTERN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
# PostgreSQL writes numbers without exponents: 1e308 would take 309 digits and be read back as an integer. Within these
# bounds, in which Python needs no exponent, a number is read back as it was sent.
MIN_NUMBER, MAX_NUMBER = 1e-4, 1e16
SINCE_FAULTS = {
    moments.SinceFault.TOO_EARLY: "Deve ser de 2000-01-01T00:00:00Z em diante.",
    moments.SinceFault.FUTURE: "Não pode ser um instante futuro.",
}
NEEDS_EXPONENT = "Tem números que só se escrevem com expoente: devem estar entre 0.0001 e 1e16, ou ser texto."
BACKWARDS = "Não pode ser anterior a from."
UNSTORABLE = "Tem caracteres que não podem ser guardados: %(characters)s."
UNSTORABLE_KEY = "O nome de um campo tem caracteres que não podem ser guardados: %(characters)s."


@dataclass
class Reading:
    """The readable values, by the schema's names, and messages by the path of the others."""

    values: dict[str, Any]
    errors: dict[str, str]


def read(schema: type[BaseModel], body: Any) -> Reading:
    """Read a body. Fields that were not sent are not among the values; keys unknown to the schema are ignored.

    So is a null where the field is optional and has no use for it: clients send it for what they leave out."""
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
            if body[path] is not None or field.is_required():
                reading.errors[path] = error.errors()[0]["msg"]
    return reading


def read_query(schema: type[BaseModel], request: HttpRequest) -> Reading:
    return read(schema, request.GET.dict())


def read_window(schema: type[BaseModel], request: HttpRequest) -> Reading:
    """Read a query with `from` and `to`, and report a window that ends before it begins: the empty list that it holds
    would be taken for a day without appointments, or without free times."""
    reading = read_query(schema, request)
    since, before = reading.values.get("since"), reading.values.get("before")
    if since and before and before < since:
        reading.errors["to"] = BACKWARDS
    return reading


def as_uuid(text: Any) -> UUID | None:
    """Return the UUID in the one spelling that this API uses, None for any other text."""
    return UUID(text) if isinstance(text, str) and UUID_PATTERN.fullmatch(text) else None


@cache
def _reader(schema: type[BaseModel], name: str) -> TypeAdapter[Any]:
    field = schema.model_fields[name]
    annotation: Any = Annotated[field.annotation, *field.metadata]  # known only at run time
    return TypeAdapter(annotation)


def fail(message: str) -> NoReturn:
    # Braces in a message would be taken for placeholders.
    raise PydanticCustomError("field", "{message}", {"message": message})


def _uuid(value: Any) -> UUID:
    return as_uuid(value) or fail("Deve ser um UUID, por exemplo 3c90c3cc-0d44-4b50-8888-8dd25736052a.")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        fail("Deve ser um texto.")
    if characters := unstorable(value):
        fail(UNSTORABLE % {"characters": characters})
    return value


def _phone_or_none(value: Any) -> str:
    return "" if value is None else _phone(value)


def _text_or_none(value: Any) -> str:
    return "" if value is None else _text(value)


def _minutes(value: Any) -> int:
    is_whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if not is_whole or isinstance(value, bool):
        fail("Deve ser um número inteiro de minutos.")
    return int(value)


def _amount(value: Any) -> Decimal:
    """Read a JSON number exactly as it was written, since no float holds a price of many digits."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        fail("Deve ser um número, por exemplo 252.5.")
    return Decimal(str(value))


def _confirmation(value: Any) -> str:
    text: str = _text(value)
    return text if re.fullmatch(CONFIRMATION, text) else fail("Deve ser a que veio no 409.")


def _ids(value: Any) -> frozenset[UUID]:
    if not isinstance(value, list) or len(value) > MAX_IDS:
        fail(f"Deve ser uma lista de até {MAX_IDS} UUID.")
    return frozenset(_uuid(item) for item in value)


def _phone(value: Any) -> str:
    text = _text(value)
    if not re.fullmatch(PHONE, text, re.ASCII):
        fail(PHONE_FORM)
    return text


def _moment(value: Any) -> datetime:
    if not isinstance(value, str) or not moments.PATTERN.fullmatch(value):
        fail("Deve ser ISO 8601 com data, hora e offset, por exemplo 2026-05-14T10:00:00+01:00.")
    return moments.parse_moment(value) or fail("Esta data ou esta hora não existe.")


def _moment_in_a_query(value: str) -> datetime:
    return _moment(moments.with_plus(value))


def _since(value: str) -> datetime:
    since = _moment_in_a_query(value)
    if fault := moments.since_fault(since):
        fail(SINCE_FAULTS[fault])
    return since


def _limit(value: Any) -> int:
    if not isinstance(value, str) or not re.fullmatch("[0-9]{1,3}", value) or not 1 <= int(value) <= MAX_ITEMS:
        fail(f"Deve ser um número inteiro de 1 a {MAX_ITEMS}.")
    return int(value)


def _search(value: Any) -> str:
    text = _text(value)
    if not 1 <= len(text) <= MAX_SEARCH_LENGTH:
        fail(f"Deve ter de 1 a {MAX_SEARCH_LENGTH} caracteres.")
    return text


def _flag(value: Any) -> bool:
    return value if isinstance(value, bool) else fail("Deve ser true ou false.")


def _metadata(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        fail("Deve ser um objeto JSON.")
    if characters := unstorable_in_json(value):
        fail(UNSTORABLE % {"characters": characters})
    if not all(number == 0 or MIN_NUMBER <= abs(number) < MAX_NUMBER for number in _floats(value)):
        fail(NEEDS_EXPONENT)
    if len(json.dumps(value, ensure_ascii=False).encode()) > MAX_METADATA_BYTES:
        fail("Passa de 4 KiB.")
    return value


def _floats(value: Any) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _floats(inner)


def _or_null[T](read_value: Callable[[Any], T]) -> Callable[[Any], T | None]:
    return lambda value: None if value is None else read_value(value)


def one_of(names: Iterable[str]) -> Callable[[Any], str]:
    """Return a function that reads a text with one of these values."""
    allowed = list(names)

    def read_name(value: Any) -> str:
        return value if isinstance(value, str) and value in allowed else fail(f"Deve ser um de: {', '.join(allowed)}.")

    return read_name


def _some_of(names: Collection[str]) -> Callable[[Any], frozenset[str]]:
    def read_names(value: Any) -> frozenset[str]:
        found = frozenset(value.split(",")) if isinstance(value, str) else frozenset()
        return found if found and found <= {*names} else fail(f"Só, entre vírgulas: {', '.join(names)}.")

    return read_names


Id = Annotated[UUID, PlainValidator(_uuid), WithJsonSchema({"type": "string", "format": "uuid"})]
Moment = Annotated[datetime, PlainValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
QueryMoment = Annotated[
    datetime, PlainValidator(_moment_in_a_query), WithJsonSchema({"type": "string", "format": "date-time"})
]
Since = Annotated[datetime, PlainValidator(_since), WithJsonSchema({"type": "string", "format": "date-time"})]
Phone = Annotated[str, PlainValidator(_phone), WithJsonSchema({"type": "string", "pattern": PHONE})]
Name = Annotated[
    str,
    PlainValidator(_text),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": max_length(Patient, "name")}),
]
Notes = Annotated[
    str | None,
    PlainValidator(_or_null(_text)),
    WithJsonSchema({"type": ["string", "null"], "maxLength": MAX_NOTES_LENGTH}),
]
Metadata = Annotated[
    dict[str, Any],
    PlainValidator(_metadata),
    WithJsonSchema({"type": "object", "additionalProperties": True}),
]
Flag = Annotated[bool, PlainValidator(_flag), WithJsonSchema({"type": "boolean"})]
Search = Annotated[
    str, PlainValidator(_search), WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAX_SEARCH_LENGTH})
]
Limit = Annotated[int, PlainValidator(_limit), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MAX_ITEMS})]
Expand = Annotated[
    frozenset[str],
    PlainValidator(_some_of(EXPANSIONS)),
    WithJsonSchema({"type": "string", "pattern": f"^({'|'.join(EXPANSIONS)})(,({'|'.join(EXPANSIONS)}))*$"}),
]
Cursor = Annotated[str, PlainValidator(_text), WithJsonSchema({"type": "string", "minLength": 1})]


def line[M: Model](model: type[M], field: str) -> Any:
    """Return the type of a text of one line that the column of a model holds; its rules are for the registry."""
    schema = {"type": "string", "minLength": 1, "maxLength": max_length(model, field)}
    return Annotated[str, PlainValidator(_text), WithJsonSchema(schema)]


def line_or_null[M: Model](model: type[M], field: str) -> Any:
    """Return the type of the same where null, or an empty text, empties it."""
    schema = {"type": ["string", "null"], "maxLength": max_length(model, field)}
    return Annotated[str, PlainValidator(_text_or_none), WithJsonSchema(schema)]


ProfessionalName, Specialty = line(Doctor, "name"), line_or_null(Doctor, "specialty")
ServiceName = line(Procedure, "name")
TenantName, Address, Town = line(Clinic, "name"), line_or_null(Clinic, "address"), line_or_null(Clinic, "town")
TenantPhone = Annotated[
    str, PlainValidator(_phone_or_none), WithJsonSchema({"type": ["string", "null"], "pattern": PHONE})
]
Minutes = Annotated[
    int,
    PlainValidator(_minutes),
    WithJsonSchema({"type": "integer", "minimum": SHORTEST_DURATION, "maximum": LONGEST_DURATION}),
]
Amount = Annotated[
    Decimal,
    PlainValidator(_amount),
    WithJsonSchema({"type": "number", "minimum": 0, "maximum": 99999999.99}),
]
Ids = Annotated[
    frozenset[UUID],
    PlainValidator(_ids),
    WithJsonSchema({"type": "array", "maxItems": MAX_IDS, "items": {"type": "string", "format": "uuid"}}),
]
Confirmation = Annotated[
    str, PlainValidator(_confirmation), WithJsonSchema({"type": "string", "pattern": CONFIRMATION})
]
