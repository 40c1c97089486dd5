"""Publish an API's OpenAPI document, and the pages that present it.

The pages use our own templates: ready-made viewers put styles into the page, which its security policy forbids; ours
are searchable, printable and in Portuguese. Each vendor's pages use the Portuguese of that vendor, because they are
read beside its own documentation. What a page shows of an operation comes from the document; `Reference` holds the
rest.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from ninja import NinjaAPI

from clinic.api import json_schema
from clinic.api.json_schema import JsonObject
from clinic.api.markdown import Block, parse

# Neither vendor publishes a licence; OpenAPI wants a name and one of SPDX's forms.
LICENSE = {"name": "Para quem tem uma credencial da clínica", "identifier": "LicenseRef-clinic-agenda"}
CONTACT = "Quem opera esta instalação"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
VENDOR_ORIGINS = {"seed", "site"}  # x-origem: documented by the vendor; our own decisions have "nossa"
WRITE_METHODS = {"post", "put", "patch", "delete"}
METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Section:
    """A chapter of the page in a few paragraphs (Markdown), optionally with an example to copy."""

    id: str
    title: str
    text: str
    curl: Callable[[str], str] | None = None  # takes the address of the installation
    answer: str = ""


@dataclass(frozen=True)
class Failure:
    """A row of the table of errors: the status and `code` of the answer, as the API names it."""

    status: int
    code: str
    message: str

    @property
    def is_code(self) -> bool:
        return self.code.isascii() and " " not in self.code and "_" in self.code


@dataclass(frozen=True)
class Reference:
    """An API's reference. `prefix` is the start of its paths, without slashes; `language` its vendor's Portuguese."""

    api: NinjaAPI
    prefix: str
    namespace: str
    language: str
    vendor: str
    summary: str
    secret: str  # placeholder of the credential in examples
    sections: list[Section]
    failures: Callable[[], list[Failure]]
    steps: list[Section]

    @cached_property
    def document(self) -> JsonObject:
        """The OpenAPI 3.1 document without `servers`: an API's operations do not change while it runs."""
        document: JsonObject = json.loads(json.dumps(self.api.get_openapi_schema(path_prefix=f"{self.prefix}/")))
        document.pop("servers", None)
        return document

    def routes(self) -> list[URLPattern]:
        """Return the routes of the document and of both pages, to be placed before those of the API itself.

        A page answers without its last slash too: the API below would ask for a credential there."""
        page, first_steps = self.public(self.page), self.public(self.first_steps)
        return [
            path("openapi.json", self.public(self.openapi), name="openapi"),
            path("docs/", page, name="reference"),
            path("docs", page),
            path("primeiros-passos/", first_steps, name="first-steps"),
            path("primeiros-passos", first_steps),
        ]

    def openapi(self, request: HttpRequest) -> HttpResponse:
        address = address_of(request)
        about = {"license": LICENSE, "contact": {"name": CONTACT, "url": f"{address}/{self.prefix}/docs/"}}
        info = self.document["info"] | about
        return JsonResponse(self.document | {"info": info, "servers": [{"url": address}]})

    def page(self, request: HttpRequest) -> HttpResponse:
        address = address_of(request)
        context = {
            "reference": self,
            "address": address,
            "sections": [_section_context(section, address) for section in self.sections],
            "groups": groups(self.document, address, self.secret),
            "failures": self.failures(),
        }
        return render(request, "api/reference.html", context)

    def first_steps(self, request: HttpRequest) -> HttpResponse:
        address = address_of(request)
        steps = [_section_context(step, address) for step in self.steps]
        return render(request, "api/first_steps.html", {"reference": self, "address": address, "steps": steps})

    def public(self, view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
        """Make a view public, in the API's own Portuguese."""

        @login_not_required
        @require_safe
        def public(request: HttpRequest) -> HttpResponse:
            with translation.override(self.language):
                return view(request)

        return public


def address_of(request: HttpRequest) -> str:
    """Return PUBLIC_URL, or the requested host if PUBLIC_URL was never set: a laptop's port is an option of `start`."""
    if urlsplit(settings.PUBLIC_URL).hostname in LOOPBACK:
        return request.build_absolute_uri("/").rstrip("/")
    address: str = settings.PUBLIC_URL
    return address


def coming_monday() -> date:
    """Return a future date, for examples that work when they are copied."""
    today = timezone.localdate()
    return today + timedelta(days=7 - today.weekday())


def _section_context(section: Section, address: str) -> dict[str, Any]:
    return {
        "id": section.id,
        "title": section.title,
        "blocks": parse(section.text),
        "curl": section.curl(address) if section.curl else "",
        "answer": section.answer,
    }


# Operations -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Group:
    """The operations with one tag."""

    id: str
    name: str
    operations: list["Operation"]


@dataclass(frozen=True)
class Operation:
    id: str
    method: str
    path: str
    summary: str
    description: list[Block]
    documented: bool | None  # by the vendor; None when the document does not say
    parameters: list["Parameter"]
    body: "Body | None"
    answers: list["Answer"]
    curl: str
    permissions: list[str]


@dataclass(frozen=True)
class Parameter:
    name: str
    place: str
    required: bool
    type: str
    description: list[Block]
    example: str

    @property
    def place_in_words(self) -> str:
        return {"path": _("no caminho"), "query": _("na query"), "header": _("no cabeçalho")}.get(
            self.place, self.place
        )


@dataclass(frozen=True)
class Body:
    required: bool
    fields: list[json_schema.Field]
    examples: list["Example"]


@dataclass(frozen=True)
class Answer:
    status: str
    description: list[Block]
    headers: list[tuple[str, list[Block]]]
    fields: list[json_schema.Field]
    examples: list["Example"]


@dataclass(frozen=True)
class Example:
    name: str
    text: str


def groups(document: JsonObject, address: str, secret: str) -> list[Group]:
    """Group the operations by tag, in the document's order of tags or else of their use; untagged ones come last."""
    titles = {tag["name"]: tag.get("x-displayName", tag["name"]) for tag in document.get("tags", [])}
    by_tag: dict[str, list[Operation]] = {name: [] for name in titles}
    for url, methods in document["paths"].items():
        for method in METHODS:
            if operation := methods.get(method):
                tag = (operation.get("tags") or [""])[0]
                by_tag.setdefault(tag, []).append(_operation(document, url, method, operation, address, secret))
    untagged = by_tag.pop("", [])
    used = {tag: operations for tag, operations in by_tag.items() if operations}
    named = [Group(json_schema.slug(tag), titles.get(tag, tag), operations) for tag, operations in used.items()]
    return [*named, Group("outras", "", untagged)] if untagged else named


def _operation(
    document: JsonObject, url: str, method: str, operation: JsonObject, address: str, secret: str
) -> Operation:
    parameters = [json_schema.resolve(document, parameter) for parameter in operation.get("parameters", [])]
    content = (json_schema.resolve(document, operation.get("requestBody", {})).get("content") or {}).get(
        "application/json"
    )
    return Operation(
        id=json_schema.slug(f"{method} {url}"),
        method=method.upper(),
        path=url,
        summary=operation.get("summary", ""),
        description=parse(operation.get("description", "")),
        documented=operation["x-origem"] in VENDOR_ORIGINS if "x-origem" in operation else None,
        parameters=[_parameter(document, parameter) for parameter in parameters],
        body=_body(document, operation["requestBody"], content) if content else None,
        answers=[_answer(document, *item) for item in sorted(operation.get("responses", {}).items(), key=_status_of)],
        curl=_curl(document, url, method, operation, parameters, content, address, secret),
        permissions=operation.get("x-permissoes", []),
    )


def _body(document: JsonObject, body: JsonObject, content: JsonObject) -> Body:
    fields = json_schema.fields(document, content.get("schema", {}))
    return Body(body.get("required", False), fields, _examples(document, content))


def _status_of(answer: tuple[str | int, JsonObject]) -> str:
    return str(answer[0])


def _parameter(document: JsonObject, parameter: JsonObject) -> Parameter:
    schema = parameter.get("schema", {})
    return Parameter(
        parameter["name"],
        parameter["in"],
        parameter.get("required", False),
        json_schema.describe(document, schema),
        parse(parameter.get("description") or schema.get("description", "")),
        _as_text(_parameter_example(document, parameter)),
    )


def _parameter_example(document: JsonObject, parameter: JsonObject) -> Any:
    if "example" in parameter:
        return parameter["example"]
    if "examples" in parameter:
        return json_schema.first(parameter["examples"])
    return json_schema.example(document, parameter.get("schema", {}), invent=False)


def _answer(document: JsonObject, status: str | int, response: JsonObject) -> Answer:
    response = json_schema.resolve(document, response)
    content = (response.get("content") or {}).get("application/json", {})
    return Answer(
        str(status),
        parse(response.get("description", "")),
        [
            (name, parse(json_schema.resolve(document, header).get("description")))
            for name, header in response.get("headers", {}).items()
        ],
        json_schema.fields(document, content.get("schema", {})) if str(status).startswith("2") else [],
        _examples(document, content) if content else [],
    )


def _examples(document: JsonObject, content: JsonObject) -> list[Example]:
    """Return the examples by name, as in the document, or one made of the examples of the fields."""
    if "examples" in content:
        examples = {name: json_schema.resolve(document, example) for name, example in content["examples"].items()}
        return [
            Example(example.get("summary", name), _as_json(example.get("value"))) for name, example in examples.items()
        ]
    if "example" in content:
        return [Example("", _as_json(content["example"]))]
    if content.get("schema"):
        return [Example("", _as_json(json_schema.example(document, content["schema"])))]
    return []


def _curl(
    document: JsonObject,
    url: str,
    method: str,
    operation: JsonObject,
    parameters: list[JsonObject],
    content: JsonObject | None,
    address: str,
    secret: str,
) -> str:
    query = {}
    for parameter in parameters:
        name = parameter["name"]
        value = _as_text(_parameter_example(document, parameter)) or f"<{name}>"
        if parameter["in"] == "path":
            url = url.replace(f"{{{name}}}", quote(value, safe="<>"))
        elif parameter["in"] == "query" and (parameter.get("required") or parameter.get("example") is not None):
            query[name] = value
    target = f"{address}{url}{'?' + urlencode(query, safe='<>:') if query else ''}"
    lines = [f"curl -X {method.upper()} '{target}'" if method != "get" else f"curl '{target}'"]
    if operation.get("security") != []:
        lines.append(f'-H "Authorization: Bearer {secret}"')
    if method in WRITE_METHODS:
        keys = [_parameter_example(document, item) for item in parameters if item["name"] == "Idempotency-Key"]
        lines.append(f"-H 'Idempotency-Key: {(keys and keys[0]) or 'pedido-1'}'")
    if content:
        lines.append("-H 'Content-Type: application/json'")
        body = _examples(document, content)[0].text if _examples(document, content) else "{}"
        lines.append("-d '" + body.replace("'", "'\\''") + "'")
    return " \\\n  ".join(lines)


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
