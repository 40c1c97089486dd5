"""Every address of the clinic with something to ask of it, walked from the URL resolver so that none is forgotten.

`calls` expects a clinic as `seed_load` fills it, with the day of today full. They are made in order: the acts hang on
one another.
"""

import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from html.parser import HTMLParser
from itertools import count

from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern, get_resolver, resolve, reverse
from django.utils import timezone

from clinic import booking
from clinic.access import access_tokens, api_keys, calendar_feeds, first_clinic
from clinic.booking import place
from clinic.management.demo import bulk
from clinic.models import (
    Absence,
    AccessToken,
    ApiKey,
    Appointment,
    Clinic,
    ClinicHoliday,
    CredentialEvent,
    DataRequest,
    DisplayLink,
    Doctor,
    ImportRun,
    Memo,
    Patient,
    PatientMerge,
    Recall,
    Series,
    StaffLink,
    WaitingEntry,
)
from clinic.queries.integrity import CHECKS
from clinic.queries.reports import REPORTS
from clinic.registry import patient_version
from clinic.server import uploads
from clinic.web.exporting.tables import TABLES
from tests.factories import (
    PASSWORD,
    cpf,
    make_clinic,
    make_discount,
    make_doctor,
    make_doctor_user,
    make_master,
    make_patient,
    make_payer,
    make_procedure,
    make_superuser,
    make_user,
)

PARTIAL = {"HX-Request": "true"}
LINK = re.compile(r'href="(\?[^"]*)"')
TEXTS = ["socorro beltrão uchôa", "beltrão maria socorro", "ma", "D'Ávila", "4321", "FX 123456", "23/05/1931"]


@dataclass(frozen=True)
class Call:
    """A request and the statuses that say it did what it is for. `by` is who asks: a key of Asking.clients."""

    method: str
    path: str
    data: dict = field(default_factory=dict)
    by: str = "master"
    expected: tuple[int, ...] = (200,)
    partial: bool = False

    def __str__(self):
        return f"{self.method} {self.path} {self.data or ''} by {self.by}"


def routes() -> set[str]:
    """Every address that is served, as the resolver writes it; one of an API that has a slash at the end too, once."""
    found = set(_walk(get_resolver().url_patterns, ""))
    return found - {f"{route}/" for route in found}


def _walk(patterns, before):
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            yield before + str(pattern.pattern).removeprefix("^")
        else:
            yield from _walk(pattern.url_patterns, before + str(pattern.pattern))


def operations() -> set[tuple[str, str]]:
    """(method, route) of all that the two APIs' documents name."""
    found = set()
    for document in ("/api/openapi.json", "/v1/openapi.json"):
        paths = json.loads(Client().get(document).content)["paths"]
        found |= {(method.upper(), resolve(_filled(path)).route) for path in paths for method in paths[path]}
    return found


def _filled(path):
    return re.sub(r"\{[^}]*\}", "1", path)


class Asking:
    """Asks for people and programs of one clinic."""

    def __init__(self, clinic: Clinic):
        self.clinic = clinic
        self.master = make_master(clinic, password=PASSWORD)
        superuser, chooser = make_superuser(), make_superuser()
        self.clients = {"master": _signed_in(self.master), "superuser": _signed_in(superuser)}
        self.clients["chooser"] = _signed_in(chooser)
        work_here = {"action": "work_here", "_selected_action": clinic.pk}
        self.clients["chooser"].post(reverse("admin:clinic_clinic_changelist"), work_here)
        _, token = access_tokens.release(clinic, self.master, channel="command")
        every = {"scopes": ApiKey.Scope.values, "source": "sync_external", "is_live": True}
        _, key = api_keys.create(clinic, name="todas", **every, by=self.master, channel="command")
        self.clients |= {name: Client() for name in ("nobody", "token", "key")}
        # What is stored is sent whole to this one: all patients and visits take as long as most other calls together.
        small = make_clinic()
        make_patient(small)
        self.clients["small"] = _signed_in(make_master(small))
        self.doctor = Doctor.objects.of(clinic).earliest("pk")
        self.clients["doctor"] = _signed_in(make_doctor_user(doctor=self.doctor))
        self.secrets = {"token": token, "key": key}

    def __call__(self, call: Call):
        headers = PARTIAL if call.partial else {}
        if secret := self.secrets.get(call.by):
            headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": uuid.uuid4().hex}
        send = getattr(self.clients[call.by], call.method.lower())
        if call.by in self.secrets and call.method != "GET":
            self.answer = send(call.path, call.data, content_type="application/json", headers=headers)
        else:
            self.answer = send(call.path, call.data, headers=headers)
        return self.answer


def _signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def calls(asking: Asking) -> Iterator[Call]:
    """Lazily: each act finds what the one before it has left."""
    stored = Stored(asking.clinic)
    yield from _desk(stored)
    yield from _acts(stored)
    yield from _pending(stored)
    yield from _confirmations(stored)
    yield from _memos(stored)
    yield from _own_day(asking, stored)
    yield from _waiting(stored)
    yield from _recalls(stored)
    yield from _family(stored)
    yield from _series(stored)
    yield from _patients(stored)
    yield from _imports(asking)
    yield from _credentials(asking)
    yield from _imagemais(stored)
    yield from _mivicall(stored)
    yield from _administration(asking, stored)
    yield from _first_steps(asking)
    yield from _signing_in()


class Stored:
    """Rows of the clinic to ask about, each handed out once."""

    def __init__(self, clinic: Clinic):
        self.clinic, now = clinic, timezone.now()
        self.today, self.free_day = clinic.local(now).date(), bulk.last_full_day(clinic) + timedelta(days=1)
        self.doctors = list(Doctor.objects.of(clinic))
        self.procedure, self.other = self.doctors[0].procedures.all()[:2]
        self.discount = make_discount(clinic, percentage=10)
        self.payer = make_payer(clinic)
        self.patients = iter(Patient.objects.of(clinic).order_by("-pk")[:40])
        coming = Appointment.objects.of(clinic).filter(status="scheduled", starts_at__gt=now + timedelta(days=2))
        self.coming = iter(coming.order_by("starts_at")[:40])
        self.due = iter(self._as_scheduled(self.today))
        self.past = iter(self._as_scheduled(self.today - timedelta(days=1)))
        self._slots = count()

    def _as_scheduled(self, day: date):
        """One appointment of each doctor on that day, none of which has happened yet."""
        on_that_day = Appointment.objects.of(self.clinic).overlapping(*self.clinic.day(day))
        chosen = [on_that_day.filter(doctor=doctor).order_by("starts_at").first() for doctor in self.doctors]
        ids = [appointment.pk for appointment in chosen]
        Appointment.objects.filter(pk__in=ids).update(status="scheduled", cancelled_by="", cancel_reason="")
        return Appointment.objects.filter(pk__in=ids).order_by("doctor")

    def free(self) -> tuple[Doctor, date, time]:
        """A time that nobody has."""
        number = next(self._slots)
        return self.doctors[number % 20], self.free_day, bulk.SLOTS[number // 20]


# The browser ----------------------------------------------------------------------------------------------------------


def _desk(stored):
    day, doctor, visit = stored.today, stored.doctors[0].pk, next(stored.coming)
    for path in ("/", "/agenda/", f"/agenda/{day}/", f"/agenda/{day - timedelta(days=30)}/"):
        yield Call("GET", path)
    yield Call("GET", "/agenda/proximas-48-horas/")
    yield Call("GET", "/agenda/semana/", {"medico": doctor}, expected=(302,))
    for query in ({}, {"cancelados": "nao"}):
        yield Call("GET", f"/agenda/semana/{doctor}/{day}/", query, partial=bool(query))
    for query in ({}, {"medico": doctor}):
        yield Call("GET", f"/agenda/mes/{day:%Y-%m}/", query, partial=bool(query))
    lists = ("pending-list", "confirmation-day", "queue", "memo-list", "waiting-list", "recall-list")
    for view in ("agenda-day", "agenda-week", *lists):
        yield Call("GET", "/atalhos/", {"de": f"web:{view}"}, partial=True)
    yield from _reports(stored, day)
    for query in ({}, {"medico": doctor}):
        yield Call("GET", "/fila/", query)
        yield Call("GET", "/fila/", query, partial=True)
    chosen = {"escolhido": "1", "observacoes": "1"}
    for query in ({}, {"medico": doctor}, chosen):
        yield Call("GET", f"/agenda/{day}/lista/", query)
    for query in ({"medico": doctor}, chosen | {"medico": doctor}):  # of all, a PDF takes as long as forty pages
        yield Call("GET", f"/agenda/{day}/lista/pdf/", query)
    for query in ({"medico": doctor}, {"situacao": "confirmed"}, {"situacao": "in_service", "medico": doctor}):
        yield Call("GET", f"/agenda/{day}/", query, partial=True)
    for partial in (False, True):
        yield Call("GET", "/agendamentos/novo/", partial=partial)
        asked = {"medico": doctor, "data": f"{day}", "inicio": "09:00", "paciente": visit.patient_id}
        yield Call("GET", "/agendamentos/novo/", asked, partial=partial)
        yield Call("GET", f"/agendamentos/{visit.pk}/", partial=partial)
        for act in ("remarcar", "alterar", "cancelar", "observacoes", "convenio", "comprovante", "comprovante/pdf"):
            yield Call("GET", f"/agendamentos/{visit.pk}/{act}/", partial=partial)
    yield Call("GET", f"/agendamentos/{visit.pk}/mover/", partial=True)


def _reports(stored, day):
    """Of one date: a report over most of what is stored reads most of it, as it has to."""
    yield Call("GET", "/relatorios/")
    dates = {"de": f"{day}", "ate": f"{day}"}
    chosen = dates | {"medico": stored.doctors[0].pk}
    for name in REPORTS:
        for query in (dates, chosen, chosen | {"procedimento": stored.procedure.pk}):
            yield Call("GET", f"/relatorios/{name}/", query)
        yield Call("GET", f"/relatorios/{name}/planilha.xlsx", dates)
    yield Call("GET", "/relatorios/faltas/medicos.csv", dates)
    yield from _audit(stored, dates | {"medico": stored.doctors[0].pk}, day)
    yield Call("GET", "/integridade/")
    for name in CHECKS:
        yield Call("GET", f"/integridade/{name}/")


def _audit(stored, dates, day):
    for query in ({}, dates, {"situacao": "cancelled", "dias": "7"}, {"via": "command"}, {"tipo": "dados.doctor"}):
        yield Call("GET", "/auditoria/", query)
    for name in ("planilha.xlsx", "tabela.csv"):
        yield Call("GET", f"/auditoria/{name}", {"tipo": "clinica"})
    moment = f"{stored.clinic.local(timezone.now() - timedelta(hours=2)):%Y-%m-%dT%H:%M}"
    yield Call("GET", f"/agenda/{day}/como-estava/", {"em": moment, "ate": "agora"})


def _acts(stored):
    yield from _bookings(stored)
    visit = next(stored.coming)
    doctor, day, starts = stored.free()
    when = {"doctor": doctor.pk, "date": f"{day:%d/%m/%Y}", "starts": f"{starts:%H:%M}"}
    address = f"/agendamentos/{visit.pk}"
    yield Call("POST", f"{address}/remarcar/", when, partial=True)
    other = next(stored.coming)
    starts_at = stored.clinic.local(other.starts_at)
    taken = {"doctor": other.doctor_id, "date": f"{starts_at:%d/%m/%Y}", "starts": f"{starts_at:%H:%M}", "move": "1"}
    yield Call("POST", f"{address}/remarcar/", taken, expected=(409,), partial=True)
    longer = f"{stored.clinic.local(visit.ends_at + timedelta(minutes=5)):%H:%M}"
    yield Call("POST", f"{address}/duracao/", {"ends": longer, "shown": ""}, expected=(409,), partial=True)
    yield Call("POST", f"{address}/mover/", taken, expected=(409,), partial=True)
    yield Call("POST", f"{address}/remarcar/", when | {"move": "1"}, partial=True)
    yield Call("POST", f"{address}/desfazer/", {"event": visit.events.latest("pk").pk}, partial=True)
    yield Call("POST", "/agendamentos/desfazer/", {"in_day": "1"}, partial=True)
    lines = {"procedure": [stored.procedure.pk, stored.other.pk], "discount": [stored.discount.pk, ""]}
    yield Call("POST", f"{address}/alterar/", lines, partial=True)
    yield Call("POST", f"{address}/alterar/", lines | {"ends": "00:01", "save": "1"}, expected=(422,), partial=True)
    end = f"{stored.clinic.local(Appointment.objects.get(pk=visit.pk).ends_at):%H:%M}"
    yield Call(
        "POST", f"{address}/alterar/", {"procedure": stored.procedure.pk, "ends": end, "save": "1"}, partial=True
    )
    yield Call("POST", f"{address}/observacoes/", {"notes": "traz exames", "seen": ""}, partial=True)
    for act in ("usar", "descartar"):
        sent = {"field": "phone", "value": "+5581933334444"}
        yield Call("POST", f"{address}/a-confirmar/{act}/", sent, partial=True)
    yield Call("POST", f"{address}/convenio/", {"payer": stored.payer.pk, "card_number": "1234"}, partial=True)
    total = str(sum(line.total for line in visit.lines.all()))
    yield Call("POST", f"{address}/preco/", {"total": total}, partial=True)
    yield Call("POST", f"{address}/cancelar/", {"cancelled_by": "patient", "reason": "viagem"}, partial=True)
    yield Call("POST", f"{address}/desfazer/", {"event": visit.events.latest("pk").pk}, partial=True)
    due = next(stored.due)
    onward = ("confirmed", "checked_in", "in_service", "finished", "in_service", "checked_in", "scheduled")
    for status in onward:
        yield Call("POST", f"/agendamentos/{due.pk}/situacao/", {"status": status}, partial=True)
    yield Call("POST", f"/fila/{due.pk}/situacao/", {"status": "checked_in"}, partial=True)
    yield Call("POST", f"/fila/{due.pk}/chamar/", partial=True)
    yield Call("POST", f"/fila/{due.pk}/prioridade/", {"kind": "pregnant"}, partial=True)
    yield Call("POST", f"/fila/{due.pk}/desfazer/", {"event": due.events.latest("pk").pk}, partial=True)
    past = next(stored.past)
    yield Call("POST", f"/agendamentos/{past.pk}/situacao/", {"status": "no_show"}, expected=(302,))
    yield Call("POST", f"/agendamentos/{past.pk}/desfazer/", {"event": past.events.latest("pk").pk}, expected=(302,))


def _bookings(stored):
    doctor, day, starts = stored.free()
    known = {
        "key": uuid.uuid4(),
        "patient": next(stored.patients).pk,
        "doctor": doctor.pk,
        "date": f"{day:%d/%m/%Y}",
        "starts": f"{starts:%H:%M}",
        "procedure": stored.procedure.pk,
        "discount": stored.discount.pk,
        "notes": "",
    }
    yield Call("POST", "/agendamentos/conferir/", known | {"choose": f"{starts:%H:%M}"}, partial=True)
    yield Call("POST", "/agendamentos/conferir/", known | {"q": "beltrão maria socorro", "search": "1"}, partial=True)
    searched = {"patient": "", "q": "beltrão maria socorro", "take": "beltrão maria socorro"}
    yield Call("POST", "/agendamentos/conferir/", known | searched, partial=True)
    yield Call("POST", "/agendamentos/conferir/", known | {"doctor": "any", "find": "1", "starts": ""}, partial=True)
    yield Call("POST", "/agendamentos/novo/", known, partial=True)
    yield Call("POST", "/agendamentos/novo/", known | {"key": uuid.uuid4()}, expected=(409,), partial=True)
    new = {"is_new": "1", "patient": "", "name": "Benedita Quintela", "phone": "81 98765-4321", "cpf": "529.982.247-25"}
    yield Call("POST", "/agendamentos/conferir/", known | new, partial=True)
    doctor, day, starts = stored.free()
    unknown = known | new | {"key": uuid.uuid4(), "doctor": doctor.pk, "starts": f"{starts:%H:%M}"}
    yield Call("POST", "/agendamentos/novo/", unknown, expected=(302,))


def _pending(stored):
    visits = [next(stored.coming) for _ in range(3)]
    absences = [Absence(clinic=stored.clinic, doctor=visit.doctor, reason="congresso") for visit in visits]
    for absence, visit in zip(absences, visits, strict=True):
        absence.starts_at, absence.ends_at = visit.starts_at, visit.ends_at
    Absence.objects.bulk_create(absences)
    yield Call("GET", "/pendencias/")
    yield Call("GET", "/pendencias/numero/", partial=True)
    yield Call("GET", "/pendencias/lista-inteira/", {"linha": [visit.pk for visit in visits]})
    moved, called, cancelled = visits
    doctor, day, starts = stored.free()
    to = f"{doctor.pk}|{stored.clinic.instant(day, starts).isoformat()}"
    yield Call("POST", f"/pendencias/{moved.pk}/remarcar/", {"to": to}, partial=True)
    yield Call("POST", f"/pendencias/{moved.pk}/desfazer/", {"event": moved.events.latest("pk").pk}, partial=True)
    moved.refresh_from_db()
    whole = {"linha": moved.pk, f"to-{moved.pk}": to, f"place-{moved.pk}": place(moved)}
    yield Call("POST", "/pendencias/lista-inteira/", whole, expected=(302,))
    yield Call("POST", f"/pendencias/{moved.pk}/desfazer/", {"event": moved.events.latest("pk").pk}, partial=True)
    yield Call("POST", f"/pendencias/{called.pk}/nao-atende/", partial=True)
    yield Call(
        "POST", f"/pendencias/{cancelled.pk}/cancelar/", {"cancelled_by": "clinic", "cause": "congresso"}, partial=True
    )
    shown = [f"{visit.pk}|scheduled" for visit in visits]
    yield Call("GET", "/pendencias/mudancas/", {"shown": shown, "known": "1"}, partial=True)
    yield Call("GET", "/pendencias/")
    for absence in Absence.objects.of(stored.clinic).filter(reason="congresso"):
        yield Call("POST", f"/ausencias/{absence.pk}/desfazer/", expected=(302,))
    yield Call("GET", "/ausencias/nova/", {"medico": doctor.pk})
    late = {"doctor": doctor.pk, "day": f"{stored.today:%d/%m/%Y}", "minutes": "30"}
    yield Call("POST", "/ausencias/atraso/", late, partial=True)
    absence = {"doctor": doctor.pk, "when": "ate", "until": f"{day:%d/%m/%Y}", "motive": "outro", "other": "congresso"}
    yield Call("GET", "/ausencias/nova/", absence, partial=True)
    yield Call("POST", "/ausencias/nova/", absence, expected=(200, 302, 409))
    Absence.objects.of(stored.clinic).filter(reason="congresso").delete()


def _confirmations(stored):
    confirmed, called, cancelled = (next(stored.coming) for _ in range(3))
    yield Call("GET", "/confirmacoes/", expected=(302,))
    for day in (stored.today, stored.clinic.local(called.starts_at).date()):
        yield Call("GET", f"/confirmacoes/{day}/")
        yield Call("GET", f"/confirmacoes/{day}/", partial=True)
    yield Call("POST", f"/confirmacoes/{called.pk}/ligando/", expected=(204,), partial=True)
    yield Call("POST", f"/confirmacoes/{called.pk}/nao-atende/", partial=True)
    yield Call("POST", f"/confirmacoes/{called.pk}/ligar-depois/", {"at": "24:61"}, expected=(422,), partial=True)
    yield Call("POST", f"/confirmacoes/{confirmed.pk}/confirmou/", partial=True)
    undone = {"event": confirmed.events.latest("pk").pk}
    yield Call("POST", f"/confirmacoes/{confirmed.pk}/desfazer/", undone, partial=True)
    yield Call("POST", f"/confirmacoes/{cancelled.pk}/cancelou/", {"cancelled_by": "patient"}, partial=True)


def _memos(stored):
    patient, visit = next(stored.patients), next(stored.coming)
    yield Call("GET", "/recados/novo/", {"paciente": patient.pk})
    yield Call("GET", "/recados/novo/", {"agendamento": visit.pk}, partial=True)
    yield Call("POST", "/recados/novo/", {"begin": "81 98123-1212"})
    call = {"kind": "call", "name": "Zilda Prestes", "phone": "81 98123-1212", "day": "amanhã", "hour": "10:00"}
    yield Call("POST", "/recados/novo/", call, expected=(302,))
    note = {"kind": "note", "text": "traz exames"}
    for about in ({"paciente": patient.pk}, {"agendamento": visit.pk}, {"day": "hoje"}):
        yield Call("POST", "/recados/novo/", note | about, expected=(302,))
    yield Call("POST", "/recados/novo/", {"kind": "note"}, expected=(422,), partial=True)
    memo = Memo.objects.of(stored.clinic).latest("pk")
    yield Call("POST", f"/recados/{memo.pk}/feito/", partial=True)
    for query in ({}, {"meus": "1"}, {"feitos": "1"}):
        yield Call("GET", "/recados/", query)
        yield Call("GET", "/recados/", query, partial=True)
    memo.refresh_from_db()
    yield Call("POST", f"/recados/{memo.pk}/desfazer/", {"seen": memo.done_at.isoformat()}, partial=True)
    for path in (f"/agenda/{stored.today}/", f"/pacientes/{patient.pk}/", f"/agendamentos/{visit.pk}/"):
        yield Call("GET", path)


def _imports(asking):
    for name in TABLES:
        for kind in ("csv", "xlsx"):
            by = "small" if name == "pacientes" else "master"
            yield Call("GET", f"/exportar/{name}.{kind}", {"medico": asking.doctor.pk}, by=by)
    yield Call("GET", "/exportar/clinica-inteira/", by="small")
    yield Call("POST", "/exportar/clinica-inteira/", by="small")
    address = f"/importar/arquivo/{uploads.ticket(asking.master.pk)}/"
    yield Call("GET", "/importar/")
    yield Call("POST", address, expected=(422,))
    rows = b"Nome;Telefone;CPF\nZulmira Prado;81 98123-4567;\nRui;81 98123-4568;1\n"
    yield Call("POST", address, {"file": SimpleUploadedFile("velho.csv", rows)}, expected=(302,))
    base = f"/importar/{ImportRun.objects.of(asking.clinic).latest('pk').pk}"
    fields = {"column-0": "name", "column-1": "phone", "column-2": "cpf"}
    yield Call("GET", f"{base}/", expected=(302,))
    yield Call("GET", f"{base}/colunas/")
    yield Call("POST", f"{base}/colunas/", expected=(422,))
    yield Call("POST", f"{base}/colunas/", fields, expected=(302,))
    yield Call("GET", f"{base}/")
    yield Call("POST", f"{base}/avancar/", partial=True)
    for query in ({}, {"destino": "new"}, {"depois": "2"}):
        yield Call("GET", f"{base}/", query)
    yield Call("GET", f"{base}/recusadas.csv")
    yield Call("POST", f"{base}/comecar/", expected=(302,))
    yield Call("POST", f"{base}/avancar/", partial=True)
    yield Call("POST", f"{base}/desfazer/", expected=(302,))
    yield Call("POST", f"{base}/avancar/", partial=True)
    yield Call("POST", f"{base}/descartar/", expected=(302,))
    for kind, rows in (
        ("procedures", b"Procedimento;Valor\nECG de teste;90\n;1\n"),
        ("doctors", b"Profissional;CRM\nZulmira Prado;123\n;1\n"),
    ):
        form = {"kind": kind, "file": SimpleUploadedFile("lista.csv", rows)}
        yield Call("POST", address, form, expected=(302,))
        base = f"/importar/{ImportRun.objects.of(asking.clinic).latest('pk').pk}"
        second = "price" if kind == "procedures" else "council_number"
        yield Call("GET", f"{base}/colunas/")
        yield Call("POST", f"{base}/colunas/", {"column-0": "name", "column-1": second}, expected=(302,))
        yield Call("POST", f"{base}/avancar/", partial=True)
        yield Call("GET", f"{base}/")
        yield Call("POST", f"{base}/comecar/", expected=(302,))
        yield Call("POST", f"{base}/avancar/", partial=True)
        yield Call("GET", f"{base}/")
    rows = b"Data;Hora;M\xc3\xa9dico;Procedimento;Paciente\n10/03/2025;9h;Ningu\xc3\xa9m;Nada;Zulmira\n"
    form = {"kind": "appointments", "file": SimpleUploadedFile("agenda.csv", rows)}
    yield Call("POST", address, form, expected=(302,))
    base = f"/importar/{ImportRun.objects.of(asking.clinic).latest('pk').pk}"
    fields = dict(
        zip(map("column-{}".format, range(5)), ["starts_on", "starts_at", "doctor", "procedure", "name"], strict=True)
    )
    yield Call("GET", f"{base}/colunas/")
    yield Call("POST", f"{base}/colunas/", fields, expected=(302,))
    yield Call("POST", f"{base}/avancar/", partial=True)
    yield Call("GET", f"{base}/")


def _own_day(asking, stored):
    yield Call("GET", "/meu-dia/", by="doctor")
    yield Call("GET", "/meu-dia/", by="doctor", partial=True)
    own = Appointment.objects.of(stored.clinic).overlapping(*stored.clinic.day(stored.today))
    visit = own.filter(doctor=asking.doctor, status__in=["scheduled", "confirmed"]).earliest("pk")
    begun = {"status": "in_service", "seen": ""}
    secret = calendar_feeds.release(asking.doctor, clinic=stored.clinic, by=asking.master)
    yield Call("GET", f"/calendario/{secret}.ics", by="nobody")
    yield Call("POST", f"/meu-dia/{visit.pk}/chamar/", by="doctor", partial=True, expected=(200, 409))
    yield Call("POST", f"/meu-dia/{visit.pk}/situacao/", begun, by="doctor", partial=True, expected=(200, 409))


def _waiting(stored):
    base, far, patient = "/fila-de-espera", next(stored.coming), next(stored.patients)
    week_later = stored.clinic.instant(stored.free_day + timedelta(weeks=1), time(9))  # only an earlier time is a swap
    Appointment.objects.filter(pk=far.pk).update(starts_at=week_later, ends_at=week_later + timedelta(minutes=30))
    yield Call("GET", f"{base}/")
    yield Call("GET", f"{base}/novo/", {"agendamento": far.pk})
    yield Call("POST", f"{base}/novo/", {"agendamento": far.pk, "note": "liga antes"}, expected=(302,))
    procedures = [stored.procedure.pk, stored.other.pk]
    new = {"paciente": patient.pk, "procedures": procedures, "doctors": stored.doctors[0].pk, "weekdays": ["1", "2"]}
    yield Call("POST", f"{base}/novo/", {"paciente": patient.pk}, expected=(422,), partial=True)
    yield Call("POST", f"{base}/novo/", new | {"part": "manha"}, partial=True)
    far.refresh_from_db()
    swap, other = WaitingEntry.objects.of(stored.clinic).order_by("pk")
    for query in ({}, {"medico": stored.doctors[0].pk}, {"livre": far.pk}, {"pagina": 2}, {"pedido": other.pk}):
        yield Call("GET", f"{base}/", query)
    yield Call("GET", f"/agendamentos/{far.pk}/", partial=True)
    yield Call("GET", f"{base}/{other.pk}/alterar/")
    yield Call("POST", f"{base}/{other.pk}/alterar/", new | {"seen": "1", "until": "31/12/2099"}, partial=True)
    yield Call("POST", f"{base}/{other.pk}/nao-atende/", partial=True)
    doctor, day, starts = stored.free()
    to = f"{doctor.pk}|{stored.clinic.instant(day, starts).isoformat()}"
    yield Call("POST", f"{base}/{other.pk}/nao-quer/", {"offered": to}, partial=True)
    yield Call("POST", f"{base}/{swap.pk}/aceitou/", {"to": to, "place": place(far)} | seen(swap), partial=True)
    yield Call("GET", f"{base}/", {"livre": far.pk})
    yield Call("GET", f"/agendamentos/{far.pk}/", partial=True)
    yield Call("POST", f"{base}/{swap.pk}/aceitou/", {"to": to}, expected=(409,), partial=True)
    yield Call("POST", f"{base}/{swap.pk}/desfazer/", seen(swap), partial=True)
    yield Call("POST", f"{base}/{swap.pk}/sem-horario/", seen(swap), partial=True)
    for act in ("retirar", "desfazer"):
        yield Call("POST", f"{base}/{other.pk}/{act}/", seen(other), partial=True)


def seen(row):
    """The version of the row, as its buttons send it."""
    row.refresh_from_db()
    return {"seen": row.version}


def _recalls(stored):
    base, visit = "/retornos", next(stored.coming)
    Appointment.objects.filter(pk=visit.pk).update(status="finished")
    address = f"/agendamentos/{visit.pk}/retorno/"
    for partial in (False, True):
        yield Call("GET", address, partial=partial)
    wanted = {"months": "1", "procedure": stored.procedure.pk, "doctor": ""}
    yield Call("POST", address, wanted | {"months": ""}, expected=(422,), partial=True)
    yield Call("POST", address, wanted | {"note": "trazer exames"}, partial=True)
    yield Call("POST", address, wanted | {"procedure": stored.other.pk}, expected=(302,))
    recall, other = Recall.objects.of(stored.clinic).order_by("pk")
    for query in ({}, {"ate": "31/12/2099"}, {"medico": stored.doctors[0].pk}, {"pagina": 2}):
        yield Call("GET", f"{base}/", query)
    yield Call("GET", f"{base}/", partial=True)
    yield Call("GET", f"/agendamentos/{visit.pk}/", partial=True)
    yield Call("POST", f"{base}/{recall.pk}/adiar/", {"due_on": "+60"} | seen(recall), partial=True)
    yield Call("POST", f"{base}/{recall.pk}/adiar/", {"due_on": "x"} | seen(recall), expected=(409,), partial=True)
    yield Call("GET", "/agendamentos/novo/", {"retorno": recall.pk}, partial=True)
    doctor, day, starts = stored.free()
    when = {"doctor": doctor.pk, "date": f"{day:%d/%m/%Y}", "starts": f"{starts:%H:%M}"}
    form = when | {"recall": recall.pk, "patient": recall.patient_id, "procedure": recall.procedure_id}
    yield Call("POST", "/agendamentos/novo/", form | {"key": str(uuid.uuid4())}, partial=True)
    recall = Recall.objects.get(pk=recall.pk)
    yield Call("POST", f"/agendamentos/{recall.booked_id}/cancelar/", {"cancelled_by": "patient"}, partial=True)
    yield Call("POST", f"{base}/{other.pk}/fechar/", {"outcome": "declined"} | seen(other), partial=True)
    yield Call("GET", f"{base}/")
    yield Call("POST", f"{base}/{other.pk}/desfazer/", seen(other), partial=True)


def _family(stored):
    base, booked = "/agendamentos/familia/", next(stored.coming)
    for query in ({}, {"agendamento": booked.pk}, {"paciente": booked.patient_id, "medico": stored.doctors[0].pk}):
        yield Call("GET", base, query)
    places = [stored.free() for _row in range(2)]
    form = {"key": str(uuid.uuid4()), "rows": "2", "date": f"{places[0][1]:%d/%m/%Y}"}
    for number, (doctor, _day, starts) in enumerate(places):
        form |= {f"patient-{number}": next(stored.patients).pk, f"starts-{number}": f"{starts:%H:%M}"}
        form |= {f"doctor-{number}": doctor.pk, f"procedure-{number}": doctor.procedures.first().pk}
    taken = f"{places[0][1]:%d/%m/%Y}|08:00|08:30"
    yield Call("POST", base, form | {"propose": "1", "within": "14"}, partial=True)
    for typed in (
        {},
        {"take": taken},
        {"propose": "1"},
        {"add": "1"},
        {"forget": "1"},
        {"q-1": "maria", "patient-1": ""},
        {"new": "1"},
    ):
        yield Call("POST", base, form | typed, partial=True)
    yield Call("POST", base, form | {"starts-1": "", "save": "1"}, expected=(409,), partial=True)
    yield Call("POST", base, form | {"save": "1"}, expected=(302,))


def _series(stored):
    visit, day = next(stored.coming), stored.free_day + timedelta(weeks=1)
    starts_at, next_at = (stored.clinic.instant(on, time(15)) for on in (day, day + timedelta(weeks=1)))
    Appointment.objects.filter(pk=visit.pk).update(starts_at=starts_at, ends_at=starts_at + timedelta(minutes=30))
    address = f"/agendamentos/{visit.pk}/repetir/"
    yield Call("GET", address)
    rule = {"every": "1", "unit": "week", "weekdays": f"{day.isoweekday()}", "starts": "15:00"}
    yield Call("POST", address, rule | {"until": f"{day + timedelta(weeks=6):%d/%m/%Y}"}, partial=True)
    yield Call("POST", address, rule | {"count": "1", "save": "1"}, expected=(422,), partial=True)
    key = f"{day + timedelta(weeks=1)}T15:00"
    chosen = {"shown": key, f"when-{key}": next_at.isoformat(), "save": "1"}
    visit = Appointment.objects.select_related("clinic").get(pk=visit.pk)
    chosen["seen"] = booking.as_repeated(visit)
    yield Call("POST", address, rule | chosen | {"count": "2"}, expected=(302,))
    series = Series.objects.of(stored.clinic).get()
    first, second = series.sessions.order_by("starts_at")
    base, act = f"/sessoes/{series.pk}/", {"session": second.pk, "cancelled_by": "patient"}
    for query in ({}, {"de": second.pk}, {"so": first.pk}):
        yield Call("GET", base, query)
    yield Call("GET", address)
    yield Call("GET", f"/agendamentos/{second.pk}/", partial=True)
    yield Call("GET", f"{base}remarcar/")
    moved = {"session": second.pk, "starts": "16:00", f"place-{second.pk}": booking.place(second)}
    key = f"{second.pk}T{day + timedelta(weeks=1)}T16:00"
    to = {"shown": key, f"when-{key}": (next_at + timedelta(hours=1)).isoformat(), "save": "1"}
    yield Call("POST", f"{base}remarcar/", moved, partial=True)
    yield Call("POST", f"{base}remarcar/", moved | to, expected=(302,))
    yield Call("POST", base, act | {f"seen-{second.pk}": "x"}, expected=(409,))
    second.refresh_from_db()
    yield Call("POST", base, act | {f"seen-{second.pk}": booking.state(second)}, expected=(302,))


def _patients(stored):
    patient = next(stored.patients)
    yield Call("GET", "/pacientes/")
    for text in [*TEXTS, patient.phone.as_national]:
        yield Call("POST", "/pacientes/", {"q": text}, partial=True)
        yield Call("POST", "/pacientes/busca/", {"q": text}, partial=True)
    yield Call("GET", "/pacientes/", {"busca": "ultima"})
    yield Call("GET", f"/pacientes/{patient.pk}/")
    yield Call("GET", f"/pacientes/{patient.pk}/", {"pagina": 2}, partial=True)
    yield Call("GET", f"/pacientes/{patient.pk}/quem-viu/")
    yield Call("GET", f"/pacientes/{patient.pk}/quem-viu/", {"dias": "7"})
    yield Call("GET", f"/pacientes/{patient.pk}/quem-viu/planilha.xlsx")
    yield Call("GET", f"/pacientes/{patient.pk}/quem-viu/tabela.csv")
    for part in ("dados", "dados/pdf"):
        yield Call("GET", f"/pacientes/{patient.pk}/{part}/")
    yield Call("GET", f"/pacientes/{patient.pk}/dados/arquivo.json")
    yield Call("GET", f"/pacientes/{patient.pk}/consentimentos/")
    answer = {"channel": "sms", "purpose": "reminder", "answer": "given", "text": "Aceita?", "asked": "counter"}
    yield Call("POST", f"/pacientes/{patient.pk}/consentimentos/", answer, expected=(302,))
    details = {"name": "Iolanda Prestes", "phone": "81 98765-1234", "cpf": "111.444.777-35", "birth_date": "02/03/1960"}
    yield Call("GET", "/pacientes/novo/")
    yield Call("POST", "/pacientes/conferir/", details, partial=True)
    yield Call("POST", "/pacientes/novo/", details, expected=(302,))
    yield Call("GET", f"/pacientes/{patient.pk}/editar/")
    changed = {"name": patient.name, "phone": "81 98765-9876", "birth_date": "02/03/1960"}
    yield Call("POST", f"/pacientes/{patient.pk}/conferir/", changed | {"name": "Iolanda Prestes"}, partial=True)
    yield Call("POST", f"/pacientes/{patient.pk}/editar/", changed, expected=(302,))
    yield from _merges(stored, patient)
    yield from _data_requests(stored)
    yield Call("GET", f"/pacientes/{patient.pk}/apagar-textos/")
    yield Call("POST", f"/pacientes/{patient.pk}/apagar-textos/", {"reason": "pedido do titular"}, expected=(302,))


def _data_requests(stored):
    patient = make_patient(stored.clinic)
    yield Call("GET", f"/pacientes/{patient.pk}/pedido/")
    asked = {"kind": "restriction", "reason": "pedido do titular"}
    yield Call("POST", f"/pacientes/{patient.pk}/pedido/", asked, expected=(302,))
    request = DataRequest.objects.of(stored.clinic).latest("pk")
    address = f"/configuracoes/privacidade/pedidos/{request.pk}/"
    yield Call("GET", "/configuracoes/privacidade/pedidos/")
    yield Call("GET", address)
    yield Call("POST", address, {"act": "open", "reason": "auditoria"})
    yield Call("POST", address, {"act": "lift", "reason": "engano"}, expected=(302,))
    base, today = "/configuracoes/privacidade", f"{stored.today:%d/%m/%Y}"
    for page in ("", "aviso/", "prazos/", "incidentes/", "lista/"):
        yield Call("GET", f"{base}/{page}")
    yield Call("POST", f"{base}/", {"officer_name": "Rita", "officer_contact": "rita@example.org"}, expected=(302,))
    yield Call("POST", f"{base}/prazos/", expected=(302,))
    asked = {"de": today, "de_hora": "00:00", "ate": today, "ate_hora": "23:59"}
    yield Call("GET", f"{base}/lista/", asked)
    yield Call("GET", f"{base}/lista/arquivo.csv", asked)
    entry = {"day": today, "hour": "00:00", "text": "senha num papel", "affected": "0"}
    yield Call("POST", f"{base}/incidentes/", entry, expected=(302,))


def _merges(stored, patient):
    other = make_patient(stored.clinic)  # of those in the full days many have the same hours
    address = f"/pacientes/{patient.pk}/juntar/"
    yield Call("GET", address)
    for text in TEXTS:
        yield Call("POST", address, {"q": text}, partial=True)
    yield Call("GET", f"{address}{other.pk}/")
    versions = {"kept_version": "x", "merged_version": "x"}
    yield Call("POST", f"{address}{other.pk}/", {}, expected=(422,), partial=True)
    yield Call("POST", f"{address}{other.pk}/", versions, expected=(409,), partial=True)
    stored_now = Patient.objects.in_bulk([patient.pk, other.pk])
    versions = {"kept_version": patient_version(stored_now[patient.pk])}
    versions["merged_version"] = patient_version(stored_now[other.pk])
    yield Call("POST", f"{address}{other.pk}/", versions, expected=(302,))
    yield Call("GET", f"/pacientes/{patient.pk}/")
    yield Call("GET", f"/pacientes/{other.pk}/", expected=(302,))
    yield Call("GET", f"/pacientes/{patient.pk}/quem-viu/")
    merge = PatientMerge.objects.of(stored.clinic).latest("pk")
    yield Call("POST", f"/pacientes/juncoes/{merge.pk}/desfazer/", expected=(302,))


def _credentials(asking):
    def seen():
        return {"seen": CredentialEvent.objects.filter(user=asking.master).latest("pk").pk}

    base = "/configuracoes/paineis/"
    yield Call("GET", base)
    yield Call("POST", f"{base}criar/", {"name": "Recepção"})
    yield Call("POST", f"{base}{DisplayLink.objects.of(asking.clinic).latest('pk').pk}/revogar/", expected=(302,))
    yield Call("GET", "/painel/", by="nobody", expected=(404,))
    yield Call("GET", f"/painel/{'x' * 43}/", by="nobody", expected=(404,))
    yield from _team(asking)
    base = "/configuracoes/integracoes/"
    yield Call("GET", base)
    yield Call("POST", f"{base}tokens/", seen())
    token = AccessToken.objects.of(asking.clinic).latest("pk")
    yield Call("POST", f"{base}tokens/{token.pk}/revogar/", seen(), expected=(200, 302))
    wanted = {"name": "central", "scopes": ["directory:read"], "source": "voice_ai", "mode": "live"}
    yield Call("POST", f"{base}chaves/", wanted | seen())
    key = ApiKey.objects.of(asking.clinic).latest("pk")
    yield Call("POST", f"{base}chaves/{key.pk}/trocar/", seen())
    yield Call("POST", f"{base}chaves/{key.pk}/revogar/", seen(), expected=(200, 302))


def _team(asking):
    base = "/configuracoes/equipe/"
    yield Call("GET", base)
    invited = {"name": "Bia Lima", "role": "receptionist", "form_key": f"{uuid.uuid4()}"}
    yield Call("POST", f"{base}convidar/", invited)
    link = StaffLink.objects.of(asking.clinic).latest("pk")
    yield Call("POST", f"{base}links/{link.pk}/outro/")
    link = StaffLink.objects.of(asking.clinic).latest("pk")
    yield Call("POST", f"{base}links/{link.pk}/retirar/", expected=(302,))
    colleague = make_user(asking.clinic)
    yield Call("POST", f"{base}{colleague.pk}/senha/")
    yield Call("GET", f"{base}{colleague.pk}/sessoes/")
    yield Call("POST", f"{base}{colleague.pk}/sessoes/encerrar/", {"all": "1"}, expected=(302,))
    yield Call("GET", f"/acesso/{'x' * 43}/", by="nobody", expected=(404,))


def _first_steps(asking):
    base = "/comecar/"
    yield Call("GET", f"{base}passos/", expected=(302,))
    for step in ("clinica", "equipe", "procedimentos", "medico", "marcar"):
        yield Call("GET", f"{base}{step}/")
    yield Call("POST", f"{base}clinica/", {"observes_holidays": "on"}, expected=(302, 409))
    yield Call("POST", f"{base}equipe/", {"name": "Eva", "role": "manager", "form_key": f"{uuid.uuid4()}"})
    holter = {"especialidade": "Cardiologia", "0-name": "Holter de 24 h", "0-minutes": "20", "0-price": "80"}
    yield Call("POST", f"{base}procedimentos/", holter, expected=(302,))
    procedure = asking.doctor.procedures.earliest("pk")
    yield Call("POST", "/horarios/ler/", {"week": "seg 8-12"}, partial=True)
    yield Call("GET", "/horarios/ler/", expected=(405,))
    yield Call("POST", "/horarios/arrastar/", {"week": "seg 8-12", "becomes": "2 480 720"}, partial=True)
    yield Call("POST", "/horarios/arrastar/", {"becomes": "8 0 0"}, partial=True, expected=(400,))
    doctor = {"name": "Lia Prado", "week": "seg 8-12", "procedures": [procedure.pk]}
    yield Call("POST", f"{base}medico/", doctor, expected=(302,))


def _signing_in():
    yield Call("GET", "/entrar/", by="nobody")
    yield Call("POST", "/entrar/", {"username": "ninguem", "password": "errada"}, by="nobody", expected=(200, 422))
    yield Call("GET", "/senha/")
    yield Call("POST", "/senha/", {"old_password": "errada"}, expected=(200, 422))
    yield Call("POST", "/senha/", {"pin_password": "errada", "new_pin": "1234"}, expected=(200, 403))
    yield Call("GET", "/sessoes-abertas/")
    yield Call("POST", "/sessoes-abertas/encerrar/", {"session": "x"}, expected=(302,))
    yield Call("GET", "/health", by="nobody")
    yield Call("GET", first_clinic.path(), by="nobody", expected=(404, 410))
    yield Call("POST", "/sair/", expected=(302,))


# The APIs -------------------------------------------------------------------------------------------------------------


def _imagemais(stored):
    visit, patient, doctor = next(stored.coming), next(stored.patients), stored.doctors[0]
    day = {"date": f"{stored.today}"}
    for path in ("openapi.json", "docs/", "docs", "primeiros-passos/", "primeiros-passos"):
        yield Call("GET", f"/api/{path}", by="nobody")
    for path in ("/api/", "/API/", "/api/doctors/"):
        yield Call("GET", path, by="nobody", expected=(401, 404))
    lists = {"doctors": [{}], "procedures": [{}], "discounts": [{}], f"doctors/{doctor.pk}": [{}]}
    lists[f"doctors/{doctor.pk}/slots"] = [day, {"date": f"{stored.free_day}"}]
    changes = [{"updatedSince": "2000-01-01T00:00:00Z"}, {"updatedSince": _iso(timezone.now()), "limit": 100}]
    lists["patients"] = [{}, {"name": "beltrão uchôa soc"}, {"cpf": "52998224725"}, {"phone": "98765"}, {"offset": 100}]
    lists["patients"] += changes
    lists["appointments"] = [
        {},
        day,
        {"dateStart": f"{stored.today}", "limit": 100},
        {"dateEnd": f"{stored.today}"},
        {"doctorId": doctor.pk},
        {"patientId": visit.patient_id},
        day | {"doctorId": doctor.pk, "status": "confirmado"},
        {"offset": 80, "limit": 20},
        *changes,
    ]
    lists[f"appointments/{visit.pk}"] = [{}]
    for path, queries in lists.items():
        for query in queries:
            yield Call("GET", f"/api/{path}", query, by="token")
    yield from _imagemais_acts(stored, visit, patient)


def _imagemais_acts(stored, visit, patient):
    def act(method, path, data, expected=200):
        return Call(method, f"/api/{path}", data, by="token", expected=(expected,))

    doctor, day, starts = stored.free()
    ends = f"{starts.hour:02}:{starts.minute + 29}"
    when = {"doctorId": doctor.pk, "date": f"{day}", "startTime": f"{starts:%H:%M}", "endTime": ends}
    known = {"name": patient.name, "phone": patient.phone.as_national, "dateBirth": f"{patient.birth_date}"}
    known["cpf"] = cpf(7001)
    unknown = {"name": "Zulmira Abrantes", "phone": "(81) 98123-4567", "dateBirth": "1951-02-03", "cpf": cpf(7002)}
    procedures = [{"id": stored.procedure.pk}, {"id": stored.other.pk, "discountId": stored.discount.pk}]
    yield act("POST", "appointments", when | {"patient": known, "procedures": procedures}, 201)
    yield act("POST", "appointments", when | {"patient": unknown, "procedures": procedures}, 409)
    doctor, day, starts = stored.free()
    yield act("POST", "appointments", when | {"doctorId": doctor.pk, "patient": unknown, "procedures": procedures}, 201)
    doctor, day, starts = stored.free()
    yield act("PATCH", f"appointments/{visit.pk}", {"notes": "traz exames"})
    yield act("PATCH", f"appointments/{visit.pk}/reschedule", when | {"doctorId": doctor.pk})
    due = next(stored.due)
    for action in ("confirmado", "check-in", "em atendimento", "finalizado"):
        yield act("PATCH", f"appointments/{due.pk}/status", {"action": action})
    yield act("POST", f"appointments/{due.pk}/receive-payment", {"method": "pix", "value": "40.5"}, 201)
    yield act("POST", "patients", unknown | {"name": "Quitéria Abrantes", "cpf": cpf(7003)}, 201)
    yield act("PATCH", f"patients/{patient.pk}", {"phone": "(81) 98123-7654"})
    hours = {"workingDays": ["Segunda"], "startTime": "08:00", "endTime": "12:00", "intervalMinutes": 15}
    yield act("POST", "doctors", {"name": "Dra. Nova", "procedureIds": [stored.procedure.pk]} | hours, 201)


def _mivicall(stored):
    visit, patient, doctor = next(stored.coming), next(stored.patients), stored.doctors[0]
    now, window = timezone.now(), {"serviceTypeId": f"{stored.procedure.uuid}"}
    window |= {"from": _iso(now), "to": _iso(now + timedelta(days=30))}
    for path in ("openapi.json", "docs/", "docs", "primeiros-passos/", "primeiros-passos"):
        yield Call("GET", f"/v1/{path}", by="nobody")
    for path in ("/openapi.json", "/llms.txt"):
        yield Call("GET", path, by="nobody")
    for path in ("/v1/", "/V1/"):
        yield Call("GET", path, by="nobody", expected=(401, 404))
    lists = {"professionals": [{}], "services": [{}], "tenants/me": [{}]}
    lists["availability"] = [window, window | {"professionalId": f"{doctor.uuid}"}]
    changes = [{"updatedSince": "2000-01-01T00:00:00Z"}, {"updatedSince": _iso(now), "limit": 200}]
    lists["patients"] = [{"search": "socorro beltrão uchôa"}, {"search": "ma"}, *changes]
    lists[f"patients/{patient.phone_hash}"] = [{}]
    lists["appointments"] = [
        {},
        {"from": _iso(now), "to": _iso(now + timedelta(days=7))},
        {"from": _iso(now), "status": "confirmed"},
        {"professionalId": f"{doctor.uuid}"},
        {"limit": 5},
        *changes,
    ]
    lists[f"appointments/{visit.uuid}"] = [{}]
    for path, queries in lists.items():
        for query in queries:
            yield Call("GET", f"/v1/{path}", query, by="key")
    yield from _mivicall_acts(stored, visit, patient)


def _mivicall_acts(stored, visit, patient):
    def act(method, path, data, expected=200):
        return Call(method, f"/v1/{path}", data, by="key", expected=(expected,))

    doctor, day, starts = stored.free()
    wanted = {
        "professionalId": f"{doctor.uuid}",
        "serviceTypeId": f"{stored.procedure.uuid}",
        "patientName": patient.name,
        "patientPhone": patient.phone.as_e164,
        "startsAt": stored.clinic.local(stored.clinic.instant(day, starts)).isoformat(),
    }
    yield act("POST", "appointments", wanted, 201)
    unknown = {"patientName": "Sem Cadastro", "patientPhone": "+5581987650000"}
    yield act("POST", "appointments", wanted | unknown, 409)
    doctor, day, starts = stored.free()
    yield act("PATCH", f"appointments/{visit.uuid}", {"status": "confirmed", "patientNotes": "traz exames"})
    yield act(
        "PATCH", f"appointments/{visit.uuid}", {"professionalId": f"{doctor.uuid}", "startsAt": wanted["startsAt"]}
    )
    due = next(stored.due)
    yield act("PATCH", f"appointments/{due.uuid}", {"status": "attended"})
    yield act("DELETE", f"appointments/{visit.uuid}", {}, 204)
    new, service = make_doctor(stored.clinic), make_procedure(stored.clinic)
    yield act("POST", "professionals", {"name": "Dr. Novo"}, 201)
    yield act("PATCH", f"professionals/{new.uuid}", {"specialty": "Ortopedia"})
    yield act("DELETE", f"professionals/{new.uuid}", {}, 204)
    yield act("POST", "services", {"name": "Serviço novo", "price": 90.5, "professionalIds": [f"{doctor.uuid}"]}, 201)
    yield act("PATCH", f"services/{service.uuid}", {"price": 91})
    yield act("DELETE", f"services/{service.uuid}", {}, 204)
    yield act("PATCH", "tenants/me", {"city": "Olinda"})


def _iso(moment):
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


# The administration ---------------------------------------------------------------------------------------------------


def _administration(asking, stored):
    yield from (Call("GET", f"/admin/{path}") for path in ("", "clinic/", "jsi18n/"))
    elsewhere = ("login/", "logout/", "password_change/", "password_change/done/", f"r/1/{asking.clinic.pk}/")
    refused = (200, 302, 403, 404, 405)
    yield from (Call("GET", f"/admin/{path}", expected=refused) for path in elsewhere)
    of_a_noun = {"app_label": "clinic", "model_name": "workinghours", "field_name": "doctor", "term": "ana"}
    yield Call("GET", "/admin/autocomplete/", of_a_noun, expected=refused)
    closes = {"clinic": asking.clinic, "falls_on": "08/12", "name": "N. Sra. da Conceição"}
    ClinicHoliday.objects.get_or_create(**closes)
    yield Call("GET", "/admin/clinic/clinicholiday/proximos/")
    yield Call("POST", "/admin/clinic/clinicholiday/proximos/", {"town": "Recife"}, expected=(200, 302))
    week = f"/admin/clinic/doctor/{stored.doctors[0].pk}/semana/"
    yield Call("GET", week)
    typed = {"week": "seg-sex 8-12; sáb 8-10", "first": f"{stored.free_day:%d/%m/%Y}", "last": "", "stored": "another"}
    yield Call("POST", week, typed, expected=(409,))
    rise = "/admin/clinic/procedure/reajustar/"
    yield Call("GET", rise)
    typed = {"kind": "percentage", "value": "8", "rounding": "0", "first": f"{stored.today:%d/%m/%Y}"}
    yield Call("POST", rise, typed | {"procedure": [stored.procedure.pk], "whose": "all"})
    yield Call("POST", "/admin/clinic/procedure/reajustes/999999/desfazer/", expected=(404,))
    for model in admin.site._registry:
        yield from _noun(asking, model._meta.model_name, _row(model, asking))


def _row(model, asking):
    rows = model.objects.all()
    rows = rows.filter(pk=asking.clinic.pk) if model is Clinic else rows.filter(clinic=asking.clinic)
    return rows.order_by("pk").first()


def _noun(asking, noun, row):
    """The list as it opens, everything one click away from it, searched; then the pages of one row.

    A superuser who chose the clinic reads the same rows in the same way (`request.clinic`): of the list, only clicks
    that the master is not offered, and one search."""
    address = reverse(f"admin:clinic_{noun}_changelist")
    followed = set()
    for by, texts in (("master", TEXTS), ("chooser", TEXTS[:1])):
        yield Call("GET", address, by=by)
        links = set(LINK.findall(asking.answer.content.decode())) - followed
        for query in sorted(links):
            yield Call("GET", address + query.replace("&amp;", "&"), by=by)
        followed |= links
        for text in texts:
            yield Call("GET", address, {"q": text}, by=by)
        for what in ("change", "history", "delete"):
            yield Call("GET", reverse(f"admin:clinic_{noun}_{what}", args=[row.pk]), by=by, expected=(200, 403))
        yield Call("GET", f"{address}{row.pk}/", by=by, expected=(302,))
        yield Call("GET", reverse(f"admin:clinic_{noun}_add"), by=by, expected=(200, 403))
    yield from _saved(asking, noun, row)


def _saved(asking, noun, row):
    """Saved as it is, then deleted: by the managers' rights, so that what is only looked at refuses both."""
    change, delete = (reverse(f"admin:clinic_{noun}_{what}", args=[row.pk]) for what in ("change", "delete"))
    form = Form(noun)
    form.feed(asking.clients["master"].get(change).content.decode())
    yield Call("POST", change, form.fields, expected=(302, 403))
    yield Call("POST", delete, {"post": "yes"}, expected=(200, 302, 403))


class Form(HTMLParser):
    """What a browser would send of the form of that noun as it is shown."""

    def __init__(self, noun):
        super().__init__()
        self.noun, self.fields, self.inside, self.select, self.area = noun, {}, False, "", ""

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "form":
            self.inside = attrs.get("id") == f"{self.noun}_form"
        if not self.inside or attrs.get("disabled") is not None:
            return
        name, kind = attrs.get("name"), attrs.get("type", "text")
        if tag == "input" and name and kind != "submit" and (kind not in {"checkbox", "radio"} or "checked" in attrs):
            self.fields.setdefault(name, []).append(attrs.get("value", "on" if kind == "checkbox" else ""))
        elif tag == "select":
            self.select = name
        elif tag == "option" and "selected" in attrs:
            self.fields.setdefault(self.select, []).append(attrs["value"])
        elif tag == "textarea":
            self.area = name
            self.fields[name] = [""]

    def handle_data(self, data):
        if self.area:
            self.fields[self.area] = [self.fields[self.area][0] + data.removeprefix("\n")]

    def handle_endtag(self, tag):
        if tag == "textarea":
            self.area = ""
