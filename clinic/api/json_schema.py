"""Present the JSON Schemas of an OpenAPI document to people: the fields of an object, types in words, examples."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.api.markdown import Block, parse

type JsonObject = dict[str, Any]

# The default of a field that may be left out of an object, but is not null.
OMITTED: Any = None

MAX_DEPTH = 8  # bounds the recursion into a schema that contains itself
TYPES = {  # singular, plural
    "string": (gettext_lazy("texto"), gettext_lazy("textos")),
    "integer": (gettext_lazy("número inteiro"), gettext_lazy("números inteiros")),
    "number": (gettext_lazy("número"), gettext_lazy("números")),
    "boolean": (gettext_lazy("verdadeiro ou falso"), gettext_lazy("verdadeiros ou falsos")),
    "object": (gettext_lazy("objeto"), gettext_lazy("objetos")),
    "null": (gettext_lazy("nulo"), gettext_lazy("nulos")),
    "": (gettext_lazy("qualquer valor"), gettext_lazy("quaisquer valores")),
}
INVENTED = {"string": "texto", "integer": 1, "number": 1.5, "boolean": True, "object": {}, "null": None}
INVENTED_BY_FORMAT = {
    "uuid": "3c90c3cc-0d44-4b50-8888-8dd25736052a",
    "date": "2026-11-23",
    "date-time": "2026-11-23T10:00:00-03:00",
    "time": "09:00",
    "email": "maria@example.com",
    "uri": "https://example.com/",
}


@dataclass(frozen=True)
class Field:
    """A field of an object. `path` includes those of the `depth` objects around it: patient.name, procedures[].id."""

    path: str
    depth: int
    type: str
    required: bool
    description: list[Block]

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2]

    @property
    def parent(self) -> str:
        return self.path.removesuffix(self.name)


def slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def resolve(document: JsonObject, schema: JsonObject) -> JsonObject:
    """Replace a $ref by its target, with the keys beside it; also an allOf with a single schema."""
    for _step in range(MAX_DEPTH):
        if "$ref" in schema:
            target = document
            for name in schema["$ref"].removeprefix("#/").split("/"):
                target = target[name]
            schema = target | {name: value for name, value in schema.items() if name != "$ref"}
        elif len(schema.get("allOf", [])) == 1:
            schema = schema["allOf"][0] | {name: value for name, value in schema.items() if name != "allOf"}
        else:
            break
    return schema


def fields(document: JsonObject, schema: JsonObject) -> list[Field]:
    """Return every field in the order of the document, objects before their own fields."""
    return list(_fields(document, schema, "", 0))


def describe(document: JsonObject, schema: JsonObject) -> str:
    """Describe the type and its limits in words: texto (uuid) ou nulo; de 1 a 100."""
    schema = resolve(document, schema)
    return "; ".join([_type_in_words(document, schema), *_limits_in_words(_without_null(document, schema))])


def example(document: JsonObject, schema: JsonObject, *, invent: bool = True, depth: int = 0) -> Any:
    """Return the example of a schema, or one made of the examples of its fields.

    Without any, invent one from the type, or return None if not `invent`.
    """
    schema = resolve(document, schema)
    for name in ("example", "examples", "const", "default"):
        if name in schema and (name != "default" or schema[name] is not None):
            return first(schema[name]) if name == "examples" else schema[name]
    if schema.get("enum"):
        return schema["enum"][0]
    for choice in schema.get("anyOf") or schema.get("oneOf") or []:
        return example(document, choice, invent=invent, depth=depth)
    if depth > MAX_DEPTH:
        return None
    if "properties" in schema:
        inner = schema["properties"].items()
        return {name: example(document, field, invent=invent, depth=depth + 1) for name, field in inner}
    if _type_name(schema) == "array":
        return [example(document, schema.get("items", {}), invent=invent, depth=depth + 1)]
    if not invent:
        return None
    return INVENTED_BY_FORMAT.get(schema.get("format", ""), INVENTED.get(_type_name(schema)))


def first(examples: Any) -> Any:
    """Return the first of `examples`, a list in JSON Schema or a dict of named ones in OpenAPI."""
    if isinstance(examples, dict):
        example = next(iter(examples.values()))
        return example.get("value") if isinstance(example, dict) else example
    return examples[0] if isinstance(examples, list) and examples else None


def _fields(document: JsonObject, schema: JsonObject, path: str, depth: int) -> Iterator[Field]:
    schema = _without_null(document, resolve(document, schema))
    if _type_name(schema) == "array":
        yield from _fields(document, schema.get("items", {}), f"{path}[]", depth)
        return
    if depth > MAX_DEPTH:
        return
    required = set(schema.get("required", []))
    for name, field in schema.get("properties", {}).items():
        field = resolve(document, field)
        field_path = f"{path}.{name}" if path else name
        description = parse(field.get("description", ""))
        yield Field(field_path, depth, describe(document, field), name in required, description)
        yield from _fields(document, field, field_path, depth + 1)


def _type_name(schema: JsonObject) -> str:
    """Return the first type that is not null, or the one that the other keys imply; "" for any value."""
    name = schema.get("type")
    if isinstance(name, list):
        name = next((option for option in name if option != "null"), "null")
    return name or ("object" if "properties" in schema else "array" if "items" in schema else "")


def without_null_defaults(schema: JsonObject) -> JsonObject:
    """Drop `"default": null` from an object's schema: an omitted field is left unchanged, while null clears it."""
    properties = {
        name: {key: value for key, value in field.items() if (key, value) != ("default", None)}
        for name, field in schema.get("properties", {}).items()
    }
    return schema | ({"properties": properties} if properties else {})


def _without_null(document: JsonObject, schema: JsonObject) -> JsonObject:
    """Return the schema of the value if null is its only alternative."""
    choices = [resolve(document, choice) for choice in schema.get("anyOf") or schema.get("oneOf") or []]
    not_null = [choice for choice in choices if choice.get("type") != "null"]
    return not_null[0] if len(not_null) == 1 else schema


def _type_in_words(document: JsonObject, schema: JsonObject, *, many: bool = False) -> str:
    schema = resolve(document, schema)
    choices = schema.get("anyOf") or schema.get("oneOf") or []
    if isinstance(schema.get("type"), list):
        choices = [schema | {"type": name} for name in schema["type"]]
    if choices:
        return _(" ou ").join(dict.fromkeys(_type_in_words(document, choice, many=many) for choice in choices))
    type_name = _type_name(schema)
    if type_name == "array":
        items = _type_in_words(document, schema.get("items", {}), many=True)
        return (_("listas de %(what)s") if many else _("lista de %(what)s")) % {"what": items}
    word = str(TYPES[type_name if type_name in TYPES else ""][many])
    return f"{word} ({schema['format']})" if type_name != "null" and "format" in schema else word


def _limits_in_words(schema: JsonObject) -> Iterator[str]:
    if "const" in schema:
        yield _("sempre %(value)s") % {"value": schema["const"]}
    if schema.get("enum"):
        yield _("um de: %(values)s") % {
            "values": ", ".join(str(value) for value in schema["enum"] if value is not None)
        }
    if "pattern" in schema:
        yield _("na forma %(pattern)s") % {"pattern": schema["pattern"]}
    for low, high, words in (
        ("minimum", "maximum", (_("de %(low)s a %(high)s"), _("a partir de %(low)s"), _("até %(high)s"))),
        (
            "minLength",
            "maxLength",
            (
                _("de %(low)s a %(high)s caracteres"),
                _("%(low)s caracteres ou mais"),
                _("até %(high)s caracteres"),
            ),
        ),
        (
            "minItems",
            "maxItems",
            (_("de %(low)s a %(high)s itens"), _("pelo menos %(low)s"), _("no máximo %(high)s")),
        ),
    ):
        if low in schema or high in schema:
            from_low_to_high, from_low, to_high = words
            text = from_low_to_high if low in schema and high in schema else from_low if low in schema else to_high
            yield text % {"low": schema.get(low), "high": schema.get(high)}
    if schema.get("default") not in (None, ""):
        yield _("sem ele: %(value)s") % {"value": schema["default"]}


def integer_pattern(least: int, most: int) -> str:
    """Return a regular expression of the whole numbers from `least` to `most`, without leading zeros."""
    tens, last = least // 10, most // 10
    if tens == last:
        return f"{tens or ''}[{least % 10}-{most % 10}]"
    middle = [f"{integer_pattern(tens + 1, last - 1)}[0-9]"] if tens + 1 < last else []
    return f"({'|'.join([integer_pattern(least, 10 * tens + 9), *middle, integer_pattern(10 * last, most)])})"
