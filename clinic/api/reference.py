"""What an API publishes about itself: its OpenAPI document, and the pages that show it.

The pages are drawn by our own templates: ready-made viewers put styles into the page, which its security policy
forbids. What they show of an operation comes from the document; `Reference` holds what that has no place for.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property, partial
from urllib.parse import quote, urlencode, urlsplit

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import JsonResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from ninja import NinjaAPI

from clinic.api import json_schema
from clinic.api.markdown import prose

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
VENDOR = {"seed", "site"}  # x-origem: printed by the vendor, or decided by us ("nossa")
WRITES = {"post", "put", "patch", "delete"}
METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Section:
    """A chapter of the page in a few paragraphs (`prose`), with something to copy if there is."""

    id: str
    title: str
    text: str
    curl: Callable[[str], str] | None = None  # given the address of the installation
    answer: str = ""


@dataclass(frozen=True)
class Failure:
    """One row of the table of errors: what stands in the answer's `code`, as the API calls it."""

    status: int
    code: str
    message: str

    @property
    def is_code(self):
        return self.code.isascii() and " " not in self.code and "_" in self.code


@dataclass(frozen=True)
class Reference:
    """`prefix` is where the API's paths begin, without slashes; `language` the Portuguese its vendor writes."""

    api: NinjaAPI
    prefix: str
    namespace: str
    language: str
    vendor: str
    summary: str
    secret: str  # what stands for the credential in examples
    sections: list[Section]
    failures: Callable[[], list[Failure]]
    steps: list[Section]

    @cached_property
    def document(self) -> dict:
        """OpenAPI 3.1, without `servers`: the API's operations do not change while it runs."""
        made = json.loads(json.dumps(self.api.get_openapi_schema(path_prefix=f"{self.prefix}/")))
        made.pop("servers", None)
        return made

    def routes(self):
        """The addresses of the document and of both pages, to stand before those of the API itself."""
        return [
            path("openapi.json", self._public(self.openapi), name="openapi"),
            path("docs/", self._public(self.page), name="reference"),
            path("primeiros-passos/", self._public(self.first_steps), name="first-steps"),
        ]

    def openapi(self, request):
        return JsonResponse(self.document | {"servers": [{"url": address_of(request)}]})

    def page(self, request):
        address = address_of(request)
        context = {
            "reference": self,
            "address": address,
            "sections": [_drawn(section, address) for section in self.sections],
            "groups": groups(self.document, address, self.secret),
            "failures": self.failures(),
        }
        return render(request, "api/reference.html", context)

    def first_steps(self, request):
        address = address_of(request)
        steps = [_drawn(step, address) for step in self.steps]
        return render(request, "api/first_steps.html", {"reference": self, "address": address, "steps": steps})

    def _public(self, view):
        """For everybody, in the API's own Portuguese."""

        @login_not_required
        @require_safe
        def shown(request):
            with translation.override(self.language):
                return view(request)

        return shown


def address_of(request) -> str:
    """The installation's own name; one that was never given any (PUBLIC_URL) is called as it was asked for."""
    if urlsplit(settings.PUBLIC_URL).hostname in LOOPBACK:
        return request.build_absolute_uri("/").rstrip("/")
    return settings.PUBLIC_URL


def coming_monday() -> date:
    """A day ahead, for examples that work when they are copied."""
    today = timezone.localdate()
    return today + timedelta(days=7 - today.weekday())


def _drawn(section, address):
    curl = section.curl(address) if section.curl else ""
    return {"id": section.id, "title": section.title, "blocks": prose(section.text), "curl": curl} | {
        "answer": section.answer
    }


# Operations -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Group:
    """The operations of one tag."""

    id: str
    name: str
    operations: list["Operation"]


@dataclass(frozen=True)
class Operation:
    id: str
    method: str
    path: str
    summary: str
    description: list
    documented: bool | None  # by the vendor; None when nobody has said
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
    description: list
    example: str

    @property
    def place_word(self):
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
    description: list
    headers: list[tuple[str, list]]
    fields: list[json_schema.Field]
    examples: list["Example"]


@dataclass(frozen=True)
class Example:
    name: str
    text: str


def groups(document: dict, address: str, secret: str) -> list[Group]:
    """By tag, in the order that the document gives its tags, or else uses them; what has no tag comes last."""
    found = {tag["name"]: [] for tag in document.get("tags", [])}
    for url, methods in document["paths"].items():
        for method in METHODS:
            if operation := methods.get(method):
                tag = (operation.get("tags") or [""])[0]
                found.setdefault(tag, []).append(_operation(document, url, method, operation, address, secret))
    untagged = found.pop("", [])
    named = [Group(json_schema.slug(tag), tag, some) for tag, some in found.items() if some]
    return [*named, Group("outras", "", untagged)] if untagged else named


def _operation(document, url, method, told, address, secret):
    parameters = [json_schema.resolved(document, each) for each in told.get("parameters", [])]
    content = (json_schema.resolved(document, told.get("requestBody", {})).get("content") or {}).get("application/json")
    draw = partial(_examples, document)
    return Operation(
        id=json_schema.slug(f"{method} {url}"),
        method=method.upper(),
        path=url,
        summary=told.get("summary", ""),
        description=prose(told.get("description", "")),
        documented=told["x-origem"] in VENDOR if "x-origem" in told else None,
        parameters=[_parameter(document, each) for each in parameters],
        body=content
        and Body(
            told["requestBody"].get("required", False),
            json_schema.fields(document, content.get("schema", {})),
            draw(content),
        ),
        answers=[_answer(document, *each) for each in sorted(told.get("responses", {}).items(), key=_by_status)],
        curl=_curl(document, url, method, told, parameters, content, address, secret),
        permissions=told.get("x-permissoes", []),
    )


def _by_status(answer):
    return str(answer[0])


def _parameter(document, told):
    schema = told.get("schema", {})
    return Parameter(
        told["name"],
        told["in"],
        told.get("required", False),
        json_schema.described(document, schema),
        prose(told.get("description") or schema.get("description", "")),
        _as_text(_parameter_example(document, told)),
    )


def _parameter_example(document, told):
    if "example" in told:
        return told["example"]
    if "examples" in told:
        return json_schema.first(told["examples"])
    return json_schema.example(document, told.get("schema", {}), made_up=False)


def _answer(document, status, told):
    told = json_schema.resolved(document, told)
    content = (told.get("content") or {}).get("application/json", {})
    return Answer(
        str(status),
        prose(told.get("description", "")),
        [
            (name, prose(json_schema.resolved(document, each).get("description")))
            for name, each in told.get("headers", {}).items()
        ],
        json_schema.fields(document, content.get("schema", {})) if str(status).startswith("2") else [],
        _examples(document, content) if content else [],
    )


def _examples(document, content):
    """As the document gives them, by name; else one made of the examples of the fields."""
    if "examples" in content:
        told = {name: json_schema.resolved(document, each) for name, each in content["examples"].items()}
        return [Example(each.get("summary", name), _as_json(each.get("value"))) for name, each in told.items()]
    if "example" in content:
        return [Example("", _as_json(content["example"]))]
    if content.get("schema"):
        return [Example("", _as_json(json_schema.example(document, content["schema"])))]
    return []


def _curl(document, url, method, told, parameters, content, address, secret):
    query = {}
    for each in parameters:
        value = _parameter_example(document, each)
        if each["in"] == "path":
            told_value = _as_text(value) or f"<{each['name']}>"
            url = url.replace(f"{{{each['name']}}}", quote(told_value, safe="<>"))
        elif each["in"] == "query" and (each.get("required") or each.get("example") is not None):
            query[each["name"]] = _as_text(value) or f"<{each['name']}>"
    target = f"{address}{url}{'?' + urlencode(query, safe='<>:') if query else ''}"
    lines = [f"curl -X {method.upper()} '{target}'" if method != "get" else f"curl '{target}'"]
    if told.get("security") != []:
        lines.append(f'-H "Authorization: Bearer {secret}"')
    if method in WRITES:
        keys = [_parameter_example(document, each) for each in parameters if each["name"] == "Idempotency-Key"]
        lines.append(f"-H 'Idempotency-Key: {(keys and keys[0]) or 'pedido-1'}'")
    if content:
        lines.append("-H 'Content-Type: application/json'")
        body = _examples(document, content)[0].text if _examples(document, content) else "{}"
        lines.append("-d '" + body.replace("'", "'\\''") + "'")
    return " \\\n  ".join(lines)


def _as_json(value):
    return json.dumps(value, ensure_ascii=False, indent=2)


def _as_text(value):
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
