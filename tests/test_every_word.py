"""Whole pages, as people read them: no word in Recife that only Portugal uses, none in Lisbon that only Brazil uses.

Patients' notes and names of procedures, doctors and discounts are their authors'; each vendor's reference is in its
vendor's Portuguese, whoever reads it.
"""

import json
import re
from datetime import UTC, datetime
from html import unescape
from uuid import uuid4

import pytest
import time_machine
from django.contrib import admin
from django.core.management import call_command
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import override

from clinic import booking
from clinic.access import first_clinic
from clinic.management.demo import DEMO_SLUGS
from clinic.models import (
    Absence,
    Appointment,
    AppointmentEvent,
    Clinic,
    Closure,
    Discount,
    Doctor,
    Patient,
    Payer,
    Procedure,
    Recall,
    StaffUser,
    WaitingEntry,
)
from tests import demo_pages
from tests.factories import make_clinic, make_lisbon, make_patient, make_payer, make_series, make_superuser, make_user
from tests.managed import NO_INLINES
from tests.test_wording import BRAZILIAN, PLACEHOLDER, day_of, desk

BRAZILIAN_ONLY = re.compile(
    r"\b(?:(?:re)?agend(?!as?\b|amos\b)\w*|cadastr\w*|usuári\w*|senhas?|telas?|celular(?:es)?|você|expedientes?|recepç\w*"
    r"|registr[ao]\w*|excluir|salvar|busca\w*|planilhas?|encaix\w*|horários? livres?|próximos horários|informe"
    r"|realiza\w*|atende nesse horário|atendimentos?|atende[mr]?|grav(?:a|ar|ad[oa]s?|am|ando|ou)|ocupado com"
    r"|configurações|aceito|mídia|(?:o|do|no|nosso|seu) time"
    r"|(?:está|estão|estava|estavam|estou|continua|continuam)\s+\w+ndo)\b",
    re.IGNORECASE,
)
SENTENCE_OF_YOURS = re.compile(r"(?:^|[.!?:]\s+)(?:Seu|Sua)s?\b")
PORTUGUESE_ONLY = re.compile(
    r"\b(?:marcaç\w*|utentes?|utilizador\w*|ecrãs?|telemóve\w*|registos?|guardar|palavras?-passe|receç\w*|contactos?"
    r"|ficheiros?|separador\w*|(?:está|estão|estava|estavam|estou)\s+a\s+\w+r|clínica\s+encerrad\w*|marcad[oa]s?|marque)\b",
    re.IGNORECASE,
)
DEMO_NOW = datetime(2026, 11, 25, 13, 30, tzinfo=UTC)  # a Wednesday: 10:30 in Recife, 13:30 in Lisbon
FORBIDDEN = {"pt-br": [PORTUGUESE_ONLY], "pt-pt": [BRAZILIAN, BRAZILIAN_ONLY, SENTENCE_OF_YOURS]}
READ_ATTRIBUTES = re.compile(
    r'\b(?:aria-label|aria-description|title|placeholder|alt|value|data-[\w-]+)="([^"/][^"]*)"'
)
# What Django's catalogues say that nobody says at a counter, whichever noun is meant, and what they leave in English.
OF_A_MACHINE = re.compile(
    r"com sucesso|\bfo(?:i|ram) (?:\w+ )?(?:adicionad|alterad|apagad|modificad|removid)[oa]s?\b"
    r"|^(?:Adicionad|Alterad|Removid|Apagad|Modificad)[oa]s?\b"
    r"|\b(?:[Mm]odific\w+|[Gg]aranta|[Cc]ertifique-se|[Pp]or favor|Paginação|Nome do modelo|ordenção)\b"
    r"|\b(?:obje[ct]{1,2}os?|links?|slug|pop-?up|instância|itens|ManagementForm)\b"
    r"|\boutr[oa]\(a\)|selecionad[oa]s?$|sensíveis a maiúsculas|\bFiltrar por (?:de|até)\b"
    r"|\b(?:[Tt]he|was|were|with|[Ss]earch|[Aa]ppointment|object|please|entry|entries|successfully|log(?:in|out))\b"
    r"|\b(?:add|change|delete)\b|\S\s{2,}\S",
)
NOT_READ = re.compile(r"<(script|style)\b.*?</\1>|<!--.*?-->", re.DOTALL)


def lines(page: str) -> list[str]:
    """What is read of a page, by the elements it stands in, with the sentences that its scripts take from it."""
    page = NOT_READ.sub(" ", page)
    return [
        unescape(each).strip() for each in [*re.sub(r"<[^>]*>", "\n", page).split("\n"), *READ_ATTRIBUTES.findall(page)]
    ]


def foreign(language: str, texts) -> set[str]:
    return {text for text in texts for pattern in FORBIDDEN[language] if pattern.search(PLACEHOLDER.sub("", text))}


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
    payer = make_payer(clinic, name="ADSE")
    Patient.objects.filter(pk=at.patient.pk).update(payer=payer, card_number="12", card_expires_on="2020-01-31")
    Appointment.objects.filter(pk=at.appointment.pk).update(payer=payer, authorization_number="1")
    client.force_login(at.user)
    return at


PASSWORDS = ["old_password", "new_password1", "new_password2"]


def read_by(client, address, **data):
    answer = client.post(address, data) if data else client.get(address)
    assert answer.status_code < 500, address
    if answer.status_code in {301, 302}:
        answer = client.get(answer["Location"])
    return lines(answer.text)


def _pending(client, at):
    """What is read where the appointment is pending, and of the absence that makes it so."""
    absence = {"doctor": at.doctor.pk, "when": "ate", "until": f"{day_of(at):%d/%m/%Y}", "motive": "doenca"}
    for fields in ({}, {"until": "01/01/2020"}, {"motive": "outro"}, {"doctor": ""}, {"ends": "24:61"}):
        yield f"absence {fields}", read_by(client, reverse("web:absence-add"), **absence | fields)
    Doctor.objects.filter(pk=at.doctor.pk).update(active=False)
    yield "inactive", read_by(client, reverse("web:pending-list"))
    Doctor.objects.filter(pk=at.doctor.pk).update(active=True)
    day = at.clinic.day(day_of(at))
    absence = Absence.objects.create(clinic=at.clinic, doctor=None, starts_at=day[0], ends_at=day[1], reason="obras")
    yield "closed", read_by(client, reverse("web:pending-list"))
    for act in ("not-reached", "move"):
        yield act, read_by(client, reverse(f"web:pending-{act}", args=[at.appointment.pk]), known="0")
    absence.delete()


def _confirmations(client, at):
    """What is read of one who is called."""
    pk, day = at.appointment.pk, f"{day_of(at)}"
    acts = [("not-reached", {}), ("call-later", {"at": "x"}), ("call-later", {"at": "23:59"}), ("cancel", {})]
    for act, typed in acts:
        yield act, read_by(client, reverse(f"web:confirmation-{act}", args=[pk]), day=day, **typed)
    rita = make_user(at.clinic, name="Rita")
    booking.begin_call(pk, clinic=at.clinic, caller=rita)
    yield "called", read_by(client, reverse("web:confirmation-day", args=[day]))


BY = booking.Author(channel="command", credential="tests")


def _waiting(client, at):
    """What is read of who waits, with an appointment and without one."""
    pk, patient, add = at.appointment.pk, at.patient.pk, reverse("web:waiting-add")
    procedure, day = at.doctor.procedures.get().pk, f"{day_of(at):%d/%m/%Y}"
    for fields in ({}, {"until": "01/01/2020", "note": "x" * 300}, {"from_time": "11", "to_time": "9"}, {"until": "x"}):
        yield f"wait {fields}", read_by(client, add, paciente=patient, **fields)
    yield "empty list", read_by(client, reverse("web:waiting-list"))
    booking.put_on_waiting_list(
        patient,
        booking.WaitingWish(appointment=pk, weekdays=[1, 2], until=day_of(at), is_urgent=True),
        clinic=at.clinic,
        by=BY,
    )
    hours = {"from_time": "0", "to_time": "23", "weekdays": "1", "until": day}
    yield "wait", read_by(client, add, paciente=patient, procedures=procedure, **hours)
    yield "wait twice", read_by(client, add, paciente=patient, procedures=procedure)
    swap, other = WaitingEntry.objects.of(at.clinic).order_by("pk")
    for name, args in (("list", []), ("change", [other.pk])):
        yield f"waiting {name}", read_by(client, reverse(f"web:waiting-{name}", args=args))
    acts = [("not-reached", {}), ("decline", {"offered": "1|2026-11-23T12:00:00+00:00"}), ("accept", {"seen": "9"})]
    acts += [("withdraw", {}), ("withdraw", {}), ("undo", {}), ("detach", {"seen": "1"})]
    for act, typed in acts:
        yield f"waiting {act}", read_by(client, reverse(f"web:waiting-{act}", args=[other.pk]), **typed)
    WaitingEntry.objects.filter(pk=other.pk).update(until="2020-01-01")
    yield "run out", read_by(client, reverse("web:waiting-list"))
    booking.withdraw_waiting(swap.pk, clinic=at.clinic, by=BY, seen=None)


def _recalls(client, at):
    """What is read of who is to be called for another visit."""
    pk, procedure = at.appointment.pk, at.doctor.procedures.get().pk
    status, page = Appointment.objects.get(pk=pk).status, reverse("web:recall-list")
    yield "no recall", read_by(client, page)
    yield "recall too early", read_by(client, reverse("web:recall-add", args=[pk]), months="1", procedure=procedure)
    Appointment.objects.filter(pk=pk).update(status="finished")
    yield "served", read_by(client, reverse("web:appointment-detail", args=[pk]))
    add, wish = reverse("web:recall-add", args=[pk]), {"months": "1", "procedure": procedure, "doctor": at.doctor.pk}
    yield "recall", read_by(client, add)
    wrong = ({"months": ""}, {"due_on": "x"}, {"due_on": "01/01/2020"}, {"procedure": "0"}, {"doctor": "0"})
    for fields in (*wrong, {"note": "x" * 300}, {}, {}):
        yield f"recall {fields}", read_by(client, add, **wish | fields)
    yield "served, with a recall", read_by(client, reverse("web:appointment-detail", args=[pk]))
    recall = Recall.objects.of(at.clinic).get()
    far = {"ate": f"{recall.due_on:%d/%m/%Y}"}
    yield "recalls", lines(client.get(page, far).text)
    yield "book a recall", lines(client.get(reverse("web:appointment-book"), {"retorno": recall.pk}).text)
    acts = [("postpone", {"due_on": "x"}), ("postpone", {"due_on": ""}), ("close", {"outcome": "x"})]
    acts += [("close", {"outcome": "declined", "seen": "9"}), ("undo", {}), ("close", {"outcome": "declined"})]
    acts += [("close", {"outcome": "declined"}), ("undo", {}), ("close", {"outcome": "elsewhere"})]
    for act, typed in acts:
        recall.refresh_from_db()
        sent = {"seen": str(recall.version)} | typed
        yield f"recall {act} {typed}", read_by(client, reverse(f"web:recall-{act}", args=[recall.pk]), **sent)
    Recall.objects.filter(pk=recall.pk).update(due_on="2020-01-01", outcome="", closed_at=None, booked=pk)
    yield "recalls overdue", read_by(client, page)
    Recall.objects.filter(pk=recall.pk).update(outcome="booked", closed_at=at.appointment.created_at)
    Appointment.objects.filter(pk=pk).update(status=status)


def _family(client, at):
    """What is read where a family is booked."""
    page, procedure, day = reverse("web:family-book"), at.doctor.procedures.get().pk, f"{day_of(at):%d/%m/%Y}"
    yield "family", lines(client.get(page, {"agendamento": at.appointment.pk}).text)
    row = {"rows": "2", "date": day, "patient-0": at.patient.pk, "doctor-0": at.doctor.pk, "procedure-0": procedure}
    twice = {"starts-0": "9", "starts-1": "10", "patient-1": at.patient.pk, "doctor-1": at.doctor.pk}
    acts = ({"add": "1"}, {"propose": "1"}, {"new": "1"}, {"new": "1", "save": "1"}, {"q-1": "a"}, {"save": "1"})
    for fields in (*acts, twice | {"procedure-1": procedure, "save": "1"}, {"starts-0": "03:00", "look": "1"}):
        yield f"family {fields}", read_by(client, page, **row | fields)


def _series(client, at):
    """What is read of an appointment that is repeated, and of its sessions."""
    add = reverse("web:series-add", args=[at.appointment.pk])
    rule = {"every": "1", "unit": "week", "weekdays": "1", "starts": "9", "count": "3", "until": ""}
    wrong = ({"count": ""}, {"every": "x"}, {"starts": "x", "weekdays": ""}, {"count": "99"}, {"until": "01/01/2020"})
    for fields in ({}, {"unit": "day", "count": "40"}, {"every": "52", "count": "9"}, {"save": "1"}, *wrong):
        yield f"repeat {fields}", read_by(client, add, **rule | fields)
    series = make_series(at.appointment)
    yield "repeat more", read_by(client, add)
    page, move = (reverse(f"web:series-{name}", args=[series.pk]) for name in ("detail", "move"))
    yield "sessions", read_by(client, page)
    yield "a session", read_by(client, reverse("web:appointment-detail", args=[at.appointment.pk]))
    session = {"session": at.appointment.pk}
    for fields in ({}, {"weekday": "2", "starts": "9"}, {"starts": "x"}, {"save": "1"}):
        yield f"move sessions {fields}", read_by(client, move, **session | fields)
    for fields in ({"reason": "x"}, session, session | {"cancelled_by": "clinic"}):
        yield f"cancel sessions {fields}", read_by(client, page, **fields)


def of_desk(client, at):
    """(address, what is read there) of the pages of the desk, those of its refusals too."""
    pk, patient = at.appointment.pk, at.patient.pk
    other = make_patient(at.clinic, name="Rui")
    pages = [
        ("web:agenda-day", [day_of(at)]),
        ("web:agenda-day", ["2026-12-25"]),
        ("web:agenda-day", ["2027-01-03"]),
        ("web:agenda-week", [at.appointment.doctor_id, day_of(at)]),
        ("web:agenda-month", ["2026-12"]),
        ("web:appointment-book", []),
        ("web:appointment-detail", [pk]),
        ("web:appointment-reschedule", [pk]),
        ("web:appointment-change", [pk]),
        ("web:appointment-cancel", [pk]),
        ("web:appointment-notes", [pk]),
        ("web:appointment-payer", [pk]),
        ("web:patient-list", []),
        ("web:patient-detail", [patient]),
        ("web:patient-detail", [other.pk]),
        ("web:patient-add", []),
        ("web:patient-edit", [patient]),
        ("web:integration-list", []),
        ("web:integration-key-create", []),
        ("web:password-change", []),
        ("web:pending-list", []),
        ("web:confirmation-day", [day_of(at)]),
        ("web:confirmation-day", ["2026-12-25"]),
        ("web:absence-add", []),
    ]
    late = {"doctor": at.doctor.pk, "day": f"{day_of(at):%d/%m/%Y}"}
    for fields in ({"minutes": "x"}, {"none": "1"}, {"day": "01/01/2020", "minutes": "5"}, {"minutes": "30"}):
        yield f"late {fields}", read_by(client, reverse("web:absence-delay"), **late | fields)
    for name, args in pages:
        address = reverse(name, args=args)
        yield address, read_by(client, address)
    yield from _pending(client, at)
    yield from _confirmations(client, at)
    yield from _waiting(client, at)
    yield from _recalls(client, at)
    yield from _family(client, at)
    yield from _series(client, at)
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
    for pin, again in (("1", "1"), ("1234", "1234"), ("2580", "9517")):
        typed = {"pin_password": "x", "new_pin": pin, "new_pin_again": again}
        yield f"pin {pin}", read_by(client, reverse("web:password-change"), **typed)
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


TYPED = {
    Doctor: NO_INLINES
    | {
        "name": "Ana",
        "specialty": "Pediatria",
        "council_number": "7",
        "interval_minutes": "15",
        "encaixes_per_day": "2",
        "active": "on",
    },
    Closure: {"reason": "Obras", "starts_at_0": "24/12/2026", "starts_at_1": "12:00"}
    | {"ends_at_0": "24/12/2026", "ends_at_1": "18:00"},
    Procedure: {"name": "Eco", "code": "E1", "price": "120,00", "duration_minutes": "30", "active": "on"},
    Discount: {"name": "Convénio", "percentage": "10", "fixed": "", "expires_on": ""},
    Payer: NO_INLINES | {"name": "Multicare", "kind": "other", "active": "on"},
    Patient: {"name": "Rui Nunes", "phone": "+351 912 345 678"},
    StaffUser: {"name": "Eva", "username": "eva", "role": "manager", "is_active": "on"},
}
TYPED_AGAIN = {
    Doctor: {
        "name": "Bia",
        "specialty": "Outra",
        "council_number": "8",
        "interval_minutes": "20",
        "encaixes_per_day": "3",
        "active": "",
    },
    Closure: {"reason": "Pintura", "ends_at_1": "19:00"},
    Procedure: {"name": "Eco 2", "code": "E2", "price": "130", "duration_minutes": "45"},
    Discount: {"name": "Outro", "percentage": "", "fixed": "15", "expires_on": "31/12/2030"}
    | {"minimum_age": "60", "maximum_age": "70"},
    Payer: {"name": "Médis", "kind": "other", "valid_until": "31/12/2030", "per_day": "3"},
    Patient: {"name": "Rui Pinto", "phone": "+351 913 345 678", "birth_date": "17/05/1980", "notes": "x", "died": "on"},
    StaffUser: {"name": "Eva Sá", "username": "evasa", "role": "receptionist", "may_squeeze_in": "on"},
}
ELSEWHERE = {"BR": "America/Manaus", "PT": "Atlantic/Azores"}
WRONG = ["x" * 400, "-1", "1,2345", "abc", "a\0b", "9" * 20, "", "0", "31/02/2027"]


def of_acts(client, at):
    """What the administration answers to: messages of what was saved, added and deleted, and histories of it."""
    for model, typed in TYPED.items():
        name = f"admin:clinic_{model._meta.model_name}"
        add = reverse(f"{name}_add")
        yield f"{name} added", read_by(client, add, **typed)
        row = model._default_manager.order_by("-pk").first()
        change = reverse(f"{name}_change", args=[row.pk])
        again = typed | TYPED_AGAIN[model]
        yield f"{name} unchanged", read_by(client, change, **typed, _continue="1")
        yield f"{name} changed", read_by(client, change, **again, _addanother="1")
        yield f"{name} changed back", read_by(client, change, **typed)
        yield f"{name} history", read_by(client, reverse(f"{name}_history", args=[row.pk]))
        listed = reverse(f"{name}_changelist")
        yield f"{name} without an action", read_by(client, listed, action="", _selected_action=row.pk, index="0")
        yield f"{name} without a row", read_by(client, listed, action="delete_selected", index="0")
        chosen = {"action": "delete_selected", "_selected_action": row.pk}
        yield f"{name} to delete in a list", read_by(client, listed, **chosen)
        if model is not StaffUser:
            yield f"{name} to delete", read_by(client, reverse(f"{name}_delete", args=[row.pk]))
            yield f"{name} deleted in a list", read_by(client, listed, **chosen, post="yes")
            read_by(client, add, **typed | {"_addanother": "1"})
            row = model._default_manager.order_by("-pk").first()
            yield f"{name} deleted", read_by(client, reverse(f"{name}_delete", args=[row.pk]), post="yes")
        yield f"{name} added, and another", read_by(client, add, **typed | {"_addanother": "1"})
    clinic = reverse("admin:clinic_clinic_change", args=[at.clinic.pk])
    typed = {"name": "Nova", "slug": at.clinic.slug, "country": at.clinic.country, "time_zone": at.clinic.time_zone}
    yield "clinic changed", read_by(client, clinic, **typed, language=at.clinic.language)
    other = typed | {"language": at.clinic.language, "time_zone": ELSEWHERE[at.clinic.country]}
    asked = {"keep_asked": f"{at.clinic.time_zone} {other['time_zone']}"}
    yield "zone asked about", read_by(client, clinic, **other)
    yield "zone changed", read_by(client, clinic, **other, **asked, keep="instant")
    yield "clinic with its events", read_by(client, clinic)
    yield "appointment of another zone", read_by(client, reverse("web:appointment-detail", args=[at.appointment.pk]))
    day = day_of(at)
    closing = {"reason": "Obras", "starts_at_0": f"{day:%d/%m/%Y}", "starts_at_1": "00:00"}
    closing |= {"ends_at_0": f"{day:%d/%m/%Y}", "ends_at_1": "23:00"}
    yield "closure asked about", read_by(client, reverse("admin:clinic_closure_add"), **closing)
    yield "clinic history", read_by(client, reverse("admin:clinic_clinic_history", args=[at.clinic.pk]))
    yield "index", read_by(client, reverse("admin:index"))


def of_errors(client, at):
    """Every form of the administration with the same nonsense in all of its fields."""
    for model, typed in TYPED.items():
        address = reverse(f"admin:clinic_{model._meta.model_name}_add")
        rows = {"hours-TOTAL_FORMS": "2", "absences-TOTAL_FORMS": "2"} if model is Doctor else {}
        fields = ["weekday", "starts", "ends", "starts_at_0", "starts_at_1", "ends_at_0", "ends_at_1", "reason"]
        inlines = [f"{prefix}-{i}-{field}" for prefix in ("hours", "absences") for i in (0, 1) for field in fields]
        for wrong in WRONG:
            form = {name: value if name in NO_INLINES else wrong for name, value in typed.items()}
            nonsense = form | rows | {"procedures": wrong, **dict.fromkeys(inlines if rows else [], wrong)}
            yield f"{address} with {wrong[:9]!r}", read_by(client, address, **nonsense)
    clinic = reverse("admin:clinic_clinic_change", args=[at.clinic.pk])
    for wrong in WRONG:
        nonsense = dict.fromkeys(["name", "time_zone", "language"], wrong)
        yield f"{clinic} with {wrong[:9]!r}", read_by(client, clinic, **nonsense)


def foreign_lines(language, pages):
    pages = list(pages)
    assert len(pages) > 30
    read = first_read_at(pages)
    return {line: read[line] for line in foreign(language, read)}


def first_read_at(pages):
    """The address at which each line is read first: most stand on many pages, and patterns are slow."""
    return {line: address for address, read in reversed(pages) for line in read}


pages_read = {}


def pages_of(walk, client, at):
    """The pages of a walk, loaded once for each language."""
    key = walk, at.clinic.language
    if key not in pages_read:
        pages_read[key] = list(walk(client, at))
    return pages_read[key]


@pytest.mark.parametrize("pages", [of_desk, of_admin, of_acts, of_errors])
def test_no_page_has_a_word_of_the_other_country(client, at, pages):
    assert foreign_lines(at.clinic.language, pages_of(pages, client, at)) == {}


@pytest.mark.parametrize("pages", [of_admin, of_acts, of_errors])
def test_no_page_of_the_admin_reads_like_a_machine(client, at, pages):
    read = first_read_at(pages_of(pages, client, at))
    assert {line: address for line, address in read.items() if OF_A_MACHINE.search(line)} == {}


def saved(client, at):
    return reverse("admin:clinic_clinic_change", args=[at.clinic.pk]), {"name": "Nova"} | {
        name: getattr(at.clinic, name) for name in ("slug", "country", "time_zone", "language")
    }


def council_number_changed(client, at):
    doctor = {
        "title": at.doctor.title,
        "name": at.doctor.name,
        "specialty": at.doctor.specialty,
        "council_number": "77",
        "interval_minutes": "15",
        "encaixes_per_day": "2",
        "procedures": [procedure.pk for procedure in at.doctor.procedures.all()],
    }
    client.post(reverse("admin:clinic_doctor_change", args=[at.doctor.pk]), NO_INLINES | doctor | {"active": "on"})
    return reverse("admin:clinic_doctor_history", args=[at.doctor.pk]), {}


def too_many_decimals(client, at):
    price = {"name": "Eco", "code": "E1", "price": "1,2345", "duration_minutes": "30"}
    return reverse("admin:clinic_procedure_add"), price


def page_of(name, **query):
    return lambda client, at: (reverse(f"admin:{name}"), query)


@pytest.mark.parametrize(
    ("page", "recife", "lisbon"),
    [
        (saved, "Tudo salvo: clínica “", "Tudo guardado: clínica “"),
        (council_number_changed, "Alteração: Registro no conselho", "Alteração: Cédula profissional"),
        (council_number_changed, "Páginas do histórico (médico(a))", "Páginas do histórico (médico(a))"),
        (too_many_decimals, "Use no máximo 2 casas decimais.", "Use no máximo 2 casas decimais."),
        (page_of("index"), "Editar ou ver", "Editar ou ver"),
        (page_of("index"), "Assunto", "Assunto"),
        (page_of("clinic_patient_changelist"), "Páginas da lista: pacientes", "Páginas da lista: utentes"),
        (page_of("clinic_patient_changelist"), "Buscar: pacientes", "Pesquisar: utentes"),
        (page_of("clinic_closure_changelist"), "Filtrar por início", "Filtrar por início"),
        (
            page_of("clinic_closure_changelist", action="delete_selected", index="0"),
            "Escolha na lista",
            "Escolha na lista",
        ),
    ],
)
def test_the_admin_says_it_as_a_colleague_would(client, at, page, recife, lisbon):
    address, typed = page(client, at)
    said = recife if at.clinic.language == "pt-br" else lisbon
    assert any(said in line for line in read_by(client, address, **typed))


def test_the_admins_history_names_people_and_not_only_accounts(client, at):
    address, _ = council_number_changed(client, at)
    assert any(line.endswith(f"({at.user.name})") for line in read_by(client, address))


def test_the_admins_scripts_speak_as_its_pages_do(client, at):
    catalogue = client.get(reverse("admin:jsi18n")).text
    words, _ = json.JSONDecoder().raw_decode(catalogue.partition("const newcatalog = ")[2])
    left_out = {source for source in words if source.startswith(NEVER_SHOWN)}
    read = {source: list(texts_of(value)) for source, value in words.items() if source not in left_out}
    assert not {line for lines in read.values() for line in lines if OF_A_MACHINE.search(line)}
    assert not foreign(at.clinic.language, [line for lines in read.values() for line in lines])


# Of two lists side by side, which no form of ours has, and of servers without time zones.
NEVER_SHOWN = ("Available", "Choose %s", "Choose all", "Choose selected", "Chosen", "Remove", "Type into this box")
NEVER_SHOWN += ("%s selected option", "(click to clear)", "Note: You are %s")


def test_no_page_of_a_superuser_has_a_word_of_the_other_country(client, at):
    client.force_login(make_superuser())
    client.post(reverse("admin:index"))
    with override("pt-br"):
        assert foreign_lines("pt-br", of_admin(client, at)) == {}


FIRST_CLINIC = ["clinic_name", "country", "time_zone", "language", "name", "username", "password1", "password2"]


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["pt-br", "pt-pt"])
def test_no_page_of_a_stranger_has_a_word_of_the_other_country(client, language):
    asked = {"accept-language": language}
    for _ in range(8):
        wrong = client.post(reverse("web:signin"), {"username": "ana", "password": "x"}, headers=asked)
        assert not foreign(language, lines(wrong.text))
    beginning = first_clinic.path()
    for address in ("/entrar/", "/nada/", "/sair/", beginning, "/comecar/"):
        assert not foreign(language, lines(client.get(address, headers=asked).text)), address
    refused = client.post(beginning, dict.fromkeys(FIRST_CLINIC, "x"), headers=asked)
    assert refused.context["form"].errors and not foreign(language, lines(refused.text))
    assert not foreign(language, lines(client.post("/entrar/", {"x": "y"}, headers=asked | {"origin": "null"}).text))


@pytest.mark.parametrize("language", FORBIDDEN)
@pytest.mark.parametrize("status", [400, 403, 404, 408, 409, 413, 415, 500, 503])
def test_no_page_of_an_error_has_a_word_of_the_other_country(language, status):
    with override(language):
        read = lines(render_to_string(f"{status}.html"))
    assert len(read) > 3 and not foreign(language, read)


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


@pytest.mark.django_db
@time_machine.travel(DEMO_NOW, tick=False)
def test_case_38_no_page_of_the_demo_has_a_foreign_word(settings, tmp_path, subtests):
    settings.DATA_DIR = tmp_path
    call_command("seed_demo", past_weeks=0, coming_weeks=0, verbosity=0)
    for slug in DEMO_SLUGS:
        with subtests.test(slug):
            clinic = Clinic.objects.get(slug=slug)
            walk = demo_pages.Walk(clinic)
            read = [(to, lines(page)) for role in demo_pages.ROLES for to, page in walk.pages(role)]
            assert len(read) > 300
            assert foreign_lines(clinic.language, read) == {}
