"""Answering requests that Django refuses before any address is looked for, such as those to another host."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from clinic.api.gateway import Gateway
from clinic.api.imagemais.api import gateway as imagemais
from clinic.api.mivicall.api import gateway as mivicall

GATEWAYS: dict[str, Gateway[Any]] = {"/api/": imagemais, "/v1/": mivicall}


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer in the form of the API below whose prefix the address is, else with a page."""
    for prefix, gateway in GATEWAYS.items():
        if request.path_info.lower().startswith(prefix):
            return gateway.refuse(request)
    return defaults.bad_request(request, exception)
