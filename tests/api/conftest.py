import json
from dataclasses import dataclass
from io import BytesIO
from urllib.parse import urlencode

import pytest
from django.test import Client

from clinic.access import access_tokens, api_keys
from clinic.models import ApiKey, Clinic
from tests.factories import make_clinic, make_lisbon, make_master


@dataclass
class Program:
    """A program that speaks JSON to an API under `base`, with a credential unless `secret` is empty."""

    clinic: Clinic
    base: str
    secret: str

    def __call__(self, method, path, body=None, *, key=None, raw=None, **headers):
        """`body` is sent as JSON, `raw` as it is; `key` as the Idempotency-Key."""
        sent = self._headers(key, headers)
        data = raw if raw is not None else "" if body is None else json.dumps(body)
        return Client().generic(method, self.base + path, data, "application/json" if data else "", headers=sent)

    def chunked(self, method, path, raw, *, key=None):
        """`raw`, declared as JSON and sent without its length, as granian hands a chunked body over."""
        environ = {"wsgi.input": BytesIO(raw), "wsgi.input_terminated": True, "CONTENT_TYPE": "application/json"}
        sent = self._headers(key, {"Transfer_Encoding": "chunked"})
        return Client().generic(method, self.base + path, headers=sent, **environ)

    def _headers(self, key, more):
        sent = {name.replace("_", "-"): value for name, value in more.items()}
        if self.secret:
            sent["Authorization"] = f"Bearer {self.secret}"
        if key is not None:
            sent["Idempotency-Key"] = key
        return sent

    def get(self, path, **query):
        return self("GET", f"{path}?{urlencode(query, doseq=True)}" if query else path)


@pytest.fixture
def recife(db) -> Clinic:
    return make_clinic()


@pytest.fixture
def lisbon(db) -> Clinic:
    return make_lisbon()


@pytest.fixture
def imagemais():
    """`imagemais(clinic)` is a program with a fresh access token of that clinic."""

    def program(clinic):
        _, secret = access_tokens.release(clinic, make_master(clinic), channel="command")
        return Program(clinic, "/api", secret)

    return program


@pytest.fixture
def mivicall():
    """`mivicall(clinic)` is a program with a fresh key of that clinic, with every scope unless `scopes` are given."""

    def program(clinic, **fields):
        defaults = {
            "name": "central",
            "scopes": ApiKey.Scope.values,
            "source": ApiKey.Source.VOICE_AI,
            "is_live": True,
            "by": None,
            "channel": "command",
        }
        _, secret = api_keys.create(clinic, **defaults | fields)
        return Program(clinic, "/v1", secret)

    return program
