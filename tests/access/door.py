"""Pages to stand for everybody else's, so that tests of signing in are about the door alone."""

from urllib.parse import parse_qs, urlsplit

from django.contrib.auth import get_user
from django.http import HttpResponse
from django.urls import path
from django.utils import timezone, translation

from clinic import urls
from clinic.access import resumable_forms, roles
from clinic.access.middleware import choose_clinic
from tests.factories import PASSWORD, make_lisbon

NOON = "2026-11-23T15:00:00Z"  # a Monday in Recife


@resumable_forms.resumable
def form_page(request):
    typed = resumable_forms.take(request)
    return HttpResponse(typed.urlencode() if typed else "")


def button(request):
    return HttpResponse("done")


def where(request):
    zone, language = timezone.get_current_timezone_name(), translation.get_language()
    return HttpResponse(f"{request.clinic and request.clinic.slug} {zone} {language}")


def choose(request):
    choose_clinic(request, make_lisbon(slug="escolhida"))
    return HttpResponse()


urlpatterns = [
    path("formulario/", form_page),
    path("outro/", form_page),
    path("botao/", button),
    path("onde/", where),
    path("escolher/", choose),
    path("gestao/", roles.manager_required(button)),
    path("master/", roles.master_required(button)),
    *urls.urlpatterns,
]


def sign_in(client, user, password=PASSWORD, **extra):
    return client.post("/entrar/", {"username": getattr(user, "username", user), "password": password}, **extra)


def signed_in(client):
    return get_user(client).is_authenticated


def way_back(location):
    return parse_qs(urlsplit(location).query)["next"][0]
