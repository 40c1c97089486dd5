"""JSON Schemas of an OpenAPI document, as people read them: the fields of an object, a type in words, an example."""

import re
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.api.markdown import prose

DEEPEST = 8  # a schema that contains itself ends somewhere
TYPES = {  # one, many
    "string": (gettext_lazy("texto"), gettext_lazy("textos")),
    "integer": (gettext_lazy("número inteiro"), gettext_lazy("números inteiros")),
    "number": (gettext_lazy("número"), gettext_lazy("números")),
    "boolean": (gettext_lazy("verdadeiro ou falso"), gettext_lazy("verdadeiros ou falsos")),
    "object": (gettext_lazy("objeto"), gettext_lazy("objetos")),
    "null": (gettext_lazy("nulo"), gettext_lazy("nulos")),
    "": (gettext_lazy("qualquer valor"), gettext_lazy("quaisquer valores")),
}
MADE_UP = {"string": "texto", "integer": 1, "number": 1.5, "boolean": True, "object": {}, "null": None}
MADE_UP_FORMATS = {
    "uuid": "3c90c3cc-0d44-4b50-8888-8dd25736052a",
    "date": "2026-11-23",
    "date-time": "2026-11-23T10:00:00-03:00",
    "time": "09:00",
    "email": "maria@example.com",
    "uri": "https://example.com/",
}


@dataclass(frozen=True)
class Field:
    """`path` begins with those of the objects around it, `depth` of them: patient.name, procedures[].id."""

    path: str
    depth: int
    type: str
    required: bool
    description: list

    @property
    def name(self):
        return self.path.rpartition(".")[2]

    @property
    def parent(self):
        return self.path.removesuffix(self.name)


def slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def resolved(document: dict, told: dict) -> dict:
    """What a $ref stands for, with what is said beside it; the single schema of an allOf likewise."""
    for _step in range(DEEPEST):
        if "$ref" in told:
            target = document
            for name in told["$ref"].removeprefix("#/").split("/"):
                target = target[name]
            told = target | {name: value for name, value in told.items() if name != "$ref"}
        elif len(told.get("allOf", [])) == 1:
            told = told["allOf"][0] | {name: value for name, value in told.items() if name != "allOf"}
        else:
            break
    return told


def fields(document: dict, schema: dict) -> list[Field]:
    """Every field in the order of the document, each object before what it holds."""
    return list(_fields(document, schema, "", 0))


def described(document: dict, schema: dict) -> str:
    """The type in words, with what limits it: texto (uuid) ou nulo; de 1 a 100."""
    schema = resolved(document, schema)
    return "; ".join([_type(document, schema), *_limits(_without_null(document, schema))])


def example(document: dict, schema: dict, *, made_up=True, depth=0):
    """As the schema says, or of what its fields say; invented from the type where nothing is said, or None."""
    schema = resolved(document, schema)
    for name in ("example", "examples", "const", "default"):
        if name in schema and (name != "default" or schema[name] is not None):
            return first(schema[name]) if name == "examples" else schema[name]
    if schema.get("enum"):
        return schema["enum"][0]
    for each in schema.get("anyOf") or schema.get("oneOf") or []:
        return example(document, each, made_up=made_up, depth=depth)
    if depth > DEEPEST:
        return None
    if "properties" in schema:
        inner = schema["properties"].items()
        return {name: example(document, each, made_up=made_up, depth=depth + 1) for name, each in inner}
    if _kind(schema) == "array":
        return [example(document, schema.get("items", {}), made_up=made_up, depth=depth + 1)]
    if not made_up:
        return None
    return MADE_UP_FORMATS.get(schema.get("format", ""), MADE_UP.get(_kind(schema)))


def first(examples):
    """Of `examples` as JSON Schema (a list) or OpenAPI (named, with a value) has them."""
    if isinstance(examples, dict):
        each = next(iter(examples.values()))
        return each.get("value") if isinstance(each, dict) else each
    return examples[0] if isinstance(examples, list) and examples else None


def _fields(document, schema, path, depth):
    schema = _without_null(document, resolved(document, schema))
    if _kind(schema) == "array":
        yield from _fields(document, schema.get("items", {}), f"{path}[]", depth)
        return
    if depth > DEEPEST:
        return
    required = set(schema.get("required", []))
    for name, told in schema.get("properties", {}).items():
        told = resolved(document, told)
        here = f"{path}.{name}" if path else name
        description = prose(told.get("description", ""))
        yield Field(here, depth, described(document, told), name in required, description)
        yield from _fields(document, told, here, depth + 1)


def _kind(schema):
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((each for each in kind if each != "null"), "null")
    return kind or ("object" if "properties" in schema else "array" if "items" in schema else "")


def without_null_defaults(schema: dict) -> dict:
    """An object's schema without `"default": null`: a field that is left out stays as it is, null takes it away."""
    properties = {
        name: {key: value for key, value in field.items() if (key, value) != ("default", None)}
        for name, field in schema.get("properties", {}).items()
    }
    return schema | ({"properties": properties} if properties else {})


def _without_null(document, schema):
    """The schema of a value that is there, when all that its alternatives add is null."""
    choices = [resolved(document, each) for each in schema.get("anyOf") or schema.get("oneOf") or []]
    there = [each for each in choices if each.get("type") != "null"]
    return there[0] if len(there) == 1 else schema


def _type(document, schema, *, many=False):
    schema = resolved(document, schema)
    choices = schema.get("anyOf") or schema.get("oneOf") or []
    if isinstance(schema.get("type"), list):
        choices = [schema | {"type": each} for each in schema["type"]]
    if choices:
        return _(" ou ").join(dict.fromkeys(_type(document, each, many=many) for each in choices))
    kind = _kind(schema)
    if kind == "array":
        what = _type(document, schema.get("items", {}), many=True)
        return (_("listas de %(what)s") if many else _("lista de %(what)s")) % {"what": what}
    word = str(TYPES[kind if kind in TYPES else ""][many])
    return f"{word} ({schema['format']})" if kind != "null" and "format" in schema else word


def _limits(schema):
    if "const" in schema:
        yield _("sempre %(value)s") % {"value": schema["const"]}
    if schema.get("enum"):
        yield _("um de: %(values)s") % {"values": ", ".join(str(each) for each in schema["enum"] if each is not None)}
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
            both, least, most = words
            form = both if low in schema and high in schema else least if low in schema else most
            yield form % {"low": schema.get(low), "high": schema.get(high)}
    if schema.get("default") not in (None, ""):
        yield _("sem ele: %(value)s") % {"value": schema["default"]}
