"""Whole pages, as people read them: no word in Recife that only Portugal uses, none in Lisbon that only Brazil uses.

Patients' notes and names of procedures, doctors and discounts are their authors'; each vendor's reference is in its
vendor's Portuguese, whoever reads it.
"""

import json
import re
from html import unescape
from uuid import uuid4

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils.translation import override

from clinic.models import AppointmentEvent, Clinic
from tests.factories import make_clinic, make_lisbon, make_patient, make_superuser
from tests.test_wording import day_of, desk

BRAZILIAN_ONLY = re.compile(
    r"\b(?:(?:re)?agend(?!as?\b|amos\b)\w*|cadastr\w*|usuári\w*|senhas?|telas?|celular(?:es)?|você|expedientes?|recepç\w*"
    r"|registr[ao]\w*|excluir|salvar|busca\w*|planilhas?|encaix\w*|atende nesse horário|horários livres|realiza\w*"
    r"|grav(?:a|ar|ad[oa]s?|am|ando|ou)|ocupado com|configurações|aceito|mídia|(?:o|do|no|nosso|seu) time"
    r"|(?:está|estão|estava|estavam|estou|continua|continuam)\s+\w+ndo)\b",
    re.IGNORECASE,
)
SENTENCE_OF_YOURS = re.compile(r"(?:^|[.!?:]\s+)(?:Seu|Sua)s?\b")
PORTUGUESE_ONLY = re.compile(
    r"\b(?:marcaç\w*|utentes?|utilizador\w*|ecrãs?|telemóve\w*|registos?|guardar|palavras?-passe|receç\w*|contactos?"
    r"|ficheiros?|separador\w*|(?:está|estão|estava|estavam|estou)\s+a\s+\w+r|clínica\s+encerrad\w*|marcad[oa]s?|marque)\b",
    re.IGNORECASE,
)
FORBIDDEN = {"pt-br": [PORTUGUESE_ONLY], "pt-pt": [BRAZILIAN_ONLY, SENTENCE_OF_YOURS]}
READ_ATTRIBUTES = re.compile(r'\b(?:aria-label|aria-description|title|placeholder|alt|value|data-confirm)="([^"]*)"')
NOT_READ = re.compile(r"<(script|style)\b.*?</\1>|<!--.*?-->", re.DOTALL)


def lines(page: str) -> list[str]:
    """What is read of a page, by the elements it stands in."""
    page = NOT_READ.sub(" ", page)
    return [
        unescape(each).strip() for each in [*re.sub(r"<[^>]*>", "\n", page).split("\n"), *READ_ATTRIBUTES.findall(page)]
    ]


def foreign(language: str, texts) -> set[str]:
    return {text for text in texts for pattern in FORBIDDEN[language] if pattern.search(text)}


def test_the_lists_find_what_they_are_for():
    assert foreign("pt-pt", ["Agendamentos", "Sua senha", "a encaixe", "está gravando", "Reagendado"])
    assert foreign("pt-br", ["Marcações", "está a gravar", "1 marcado", "Marque", "utente"])
    assert not foreign("pt-pt", ["Agenda", "Marcação", "a sua palavra-passe", "As agendas"])
    assert not foreign("pt-br", ["Agendamento", "desmarque “ativo”", "marca de agendamento", "Gravando"])


@pytest.fixture(params=["pt-br", "pt-pt"])
def clinic(request, db) -> Clinic:
    return make_clinic() if request.param == "pt-br" else make_lisbon()


@pytest.fixture
def at(clinic, client):
    at = desk(clinic)
    client.force_login(at.user)
    return at


PASSWORDS = ["old_password", "new_password1", "new_password2"]


def read_by(client, address, **data):
    answer = client.post(address, data) if data else client.get(address)
    assert answer.status_code < 500, address
    if answer.status_code in {301, 302}:
        answer = client.get(answer["Location"])
    return lines(answer.text)


def of_desk(client, at):
    """(address, what is read there) of the pages of the desk, those of its refusals too."""
    pk, patient = at.appointment.pk, at.patient.pk
    other = make_patient(at.clinic, name="Rui")
    pages = [
        ("web:agenda-day", [day_of(at)]),
        ("web:agenda-day", ["2026-12-25"]),
        ("web:agenda-day", ["2027-01-03"]),
        ("web:appointment-book", []),
        ("web:appointment-detail", [pk]),
        ("web:appointment-reschedule", [pk]),
        ("web:appointment-cancel", [pk]),
        ("web:appointment-annotate", [pk]),
        ("web:patient-list", []),
        ("web:patient-detail", [patient]),
        ("web:patient-detail", [other.pk]),
        ("web:patient-add", []),
        ("web:patient-edit", [patient]),
        ("web:integration-list", []),
        ("web:integration-key-create", []),
        ("web:password-change", []),
    ]
    for name, args in pages:
        address = reverse(name, args=args)
        yield address, read_by(client, address)
    yield "search", read_by(client, reverse("web:patient-list") + "?q=nada")
    yield "404", read_by(client, "/nada/")
    yield "search in the panel", read_by(client, reverse("web:patient-search") + "?q=nada")
    for status in ("confirmed", "checked_in", "in_service", "finished", "nonsense", "cancelled"):
        yield status, read_by(client, reverse("web:appointment-status", args=[pk]), status=status)
        yield f"{status}, seen", read_by(client, reverse("web:appointment-detail", args=[pk]))
    wrong = {"key": uuid4(), "doctor": at.doctor.pk, "procedure": at.doctor.procedures.get().pk, "is_new": "1"}
    for starts in ("09:00", "03:00", "99", ""):
        form = wrong | {"date": f"{day_of(at):%d/%m/%Y}", "starts": starts, "name": "", "phone": "1", "cpf": "1"}
        yield f"booking at {starts}", read_by(client, reverse("web:appointment-book"), **form)
    yield "patient", read_by(client, reverse("web:patient-add"), name="", phone="12", cpf="1", nif="1", email="x")
    yield "cancel", read_by(client, reverse("web:appointment-cancel", args=[pk]), reason="x" * 300)
    yield (
        "password",
        read_by(client, reverse("web:password-change"), **dict.fromkeys(PASSWORDS, "x")),
    )
    release = {
        "name": "Central",
        "scopes": ["appointments:read", "appointments:write"],
        "source": "voice_ai",
        "mode": "live",
    }
    yield "key", read_by(client, reverse("web:integration-key-create"), **release)
    yield "token", read_by(client, reverse("web:integration-release"), last="")
    yield "integrations", read_by(client, reverse("web:integration-list"))
    yield "bad key", read_by(client, reverse("web:integration-key-create"), name="")


def of_admin(client, at):
    """The pages of the administration: lists, forms to add and to change, histories, deletions, errors of forms."""
    yield "index", read_by(client, reverse("admin:index"))
    for model in admin.site._registry:
        name = f"admin:clinic_{model._meta.model_name}"
        row = model._default_manager.first()
        addresses = [reverse(f"{name}_changelist"), reverse(f"{name}_add")]
        if row:
            addresses += [reverse(f"{name}_{page}", args=[row.pk]) for page in ("change", "history", "delete")]
        for address in addresses:
            yield address, read_by(client, address)
        yield f"{name} posted", read_by(client, reverse(f"{name}_add"), nothing="1")


def foreign_lines(language, pages):
    found, pages = {}, list(pages)
    assert len(pages) > 30
    for address, read in pages:
        for line in foreign(language, read):
            found.setdefault(line, address)
    return found


@pytest.mark.parametrize("pages", [of_desk, of_admin])
def test_no_page_has_a_word_of_the_other_country(client, at, pages):
    assert foreign_lines(at.clinic.language, pages(client, at)) == {}


def test_no_page_of_a_superuser_has_a_word_of_the_other_country(client, at):
    client.force_login(make_superuser())
    client.post(reverse("admin:index"))
    with override("pt-br"):
        assert foreign_lines("pt-br", of_admin(client, at)) == {}


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["pt-br", "pt-pt"])
def test_no_page_of_a_stranger_has_a_word_of_the_other_country(client, language):
    asked = {"accept-language": language}
    for _ in range(8):
        wrong = client.post(reverse("web:signin"), {"username": "ana", "password": "x"}, headers=asked)
        assert not foreign(language, lines(wrong.text))
    for address in ("/entrar/", "/nada/", "/sair/"):
        assert not foreign(language, lines(client.get(address, headers=asked).text)), address
    assert not foreign(language, lines(client.post("/entrar/", {"x": "y"}, headers=asked | {"origin": "null"}).text))


def texts_of(value):
    """Every text of a JSON document that people read."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts_of(inner)


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "language"), [("imagemais", "pt-br"), ("mivicall", "pt-pt")])
@pytest.mark.parametrize("asked", ["pt-br", "pt-pt"])
def test_a_reference_keeps_to_its_vendors_portuguese(client, name, language, asked):
    for page in ("reference", "first-steps"):
        read = lines(client.get(reverse(f"{name}:{page}"), headers={"accept-language": asked}).text)
        assert foreign(language, read) == set(), page
    document = json.loads(client.get(reverse(f"{name}:openapi"), headers={"accept-language": asked}).content)
    assert foreign(language, texts_of(document)) == set()


def test_every_kind_of_event_is_read_in_the_words_of_its_country():
    for language in FORBIDDEN:
        with override(language):
            assert not foreign(language, [str(label) for label in AppointmentEvent.Kind.labels])
