"""Every address with an id in it, asked by every role of another clinic: there is nothing to be found."""

from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.urls import URLPattern, reverse

from clinic.access import access_tokens, api_keys, display_links, staff_links
from clinic.models import (
    Absence,
    AccessToken,
    ApiKey,
    Appointment,
    DataRequest,
    ImportRun,
    PatientMerge,
    Recall,
    WaitingEntry,
)
from clinic.registry import MemoDetails, write_memo
from clinic.web.urls import urlpatterns
from tests.factories import (
    book_appointment,
    make_clinic,
    make_doctor_user,
    make_manager,
    make_master,
    make_patient,
    make_series,
    make_superuser,
    make_user,
)

pytestmark = pytest.mark.django_db

WITH_ID = [pattern for pattern in urlpatterns if isinstance(pattern, URLPattern) and "<int:" in str(pattern.pattern)]
ROLES = [make_user, make_manager, make_master, make_doctor_user]


@pytest.fixture(scope="module")
def stored(django_db_setup, django_db_blocker):
    """The id of an appointment, whose clinic has credentials, and a user of each role of another clinic: in a
    transaction around those of the tests, each of which finds the rows as they were."""
    with django_db_blocker.unblock(), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        appointment = book_appointment()
        make_credentials(appointment.clinic)
        yield appointment.pk, {make: make(make_clinic()) for make in ROLES}
        transaction.set_rollback(True)


@pytest.fixture(params=ROLES, ids=["receptionist", "manager", "master", "doctor"])
def stranger(request, client, stored):
    _, users = stored
    client.force_login(users[request.param])
    return client


@pytest.fixture
def appointment(stored):
    pk, _ = stored
    return Appointment.objects.select_related("clinic", "doctor", "patient").get(pk=pk)


def ids(appointment, pattern):
    """The row of the appointment's clinic that this address is about."""
    if "<int:doctor>" in str(pattern.pattern):
        return {"doctor": appointment.doctor_id, "date": "2026-11-23"}
    if "/juntar/" in str(pattern.pattern) or "/juncoes/" in str(pattern.pattern):
        return of_two_patients(appointment, str(pattern.pattern))
    (make,) = (make for prefix, make in MADE.items() if str(pattern.pattern).startswith(prefix))
    return {"pk": make(appointment).pk}


def itself(appointment):
    return appointment


def memo(appointment):
    by = make_user(appointment.clinic)
    return write_memo(appointment.clinic, MemoDetails("note", text="ligar"), key=uuid4(), by=by)


def data_request(appointment):
    fields = {"kind": "deletion", "reason": "pedido"}
    return DataRequest.objects.create(clinic=appointment.clinic, patient=appointment.patient, **fields)


def absence(appointment):
    fields = {name: getattr(appointment, name) for name in ("clinic", "doctor", "starts_at", "ends_at")}
    return Absence.objects.create(**fields, reason="doença")


def staff_link(appointment):
    return staff_links.invite(appointment.clinic, by=None, name="Bia")[0]


def recall(appointment):
    fields = {"clinic": appointment.clinic, "patient": appointment.patient, "appointment": appointment}
    return Recall.objects.create(**fields, procedure=appointment.doctor.procedures.get(), due_on="2026-11-23")


def import_run(appointment):
    return ImportRun.objects.create(
        clinic=appointment.clinic, kind="patients", channel="browser", file_name="x.csv"
    )  # fmt: skip


# By the beginning of an address: what makes the row of the appointment's clinic that it is about.
MADE = dict.fromkeys(("agendamentos/", "pendencias/", "confirmacoes/", "fila/", "meu-dia/"), itself) | {
    "pacientes/": lambda appointment: appointment.patient,
    "recados/": memo,
    "configuracoes/privacidade/pedidos/": data_request,
    "ausencias/": absence,
    "configuracoes/integracoes/tokens/": lambda appointment: AccessToken.objects.of(appointment.clinic).get(),
    "configuracoes/integracoes/chaves/": lambda appointment: ApiKey.objects.of(appointment.clinic).get(),
    "configuracoes/paineis/": lambda appointment: display_links.create(appointment.clinic, name="Recepção", by=None)[0],
    "configuracoes/equipe/links/": staff_link,
    "configuracoes/equipe/<int:pk>/": lambda appointment: staff_link(appointment).user,
    "fila-de-espera/": lambda appointment: WaitingEntry.objects.create(
        clinic=appointment.clinic, patient=appointment.patient
    ),
    "retornos/": recall,
    "importar/": import_run,
    "sessoes/": make_series,
}


def of_two_patients(appointment, route):
    clinic, patient = appointment.clinic, appointment.patient
    other = make_patient(clinic)
    if "<int:other>" in route:
        return {"pk": patient.pk, "other": other.pk}
    if "/juntar/" in route:
        return {"pk": patient.pk}
    return {"pk": PatientMerge.objects.create(clinic=clinic, kept=patient, merged=other, channel="browser").pk}


def is_own(pattern):
    """Whether the page is one that a doctor's user may open."""
    return getattr(pattern.callback, "doctors_too", False)


def make_credentials(clinic):
    wanted = {"name": "central", "scopes": ["directory:read"], "source": "voice_ai", "is_live": True, "by": None}
    access_tokens.release(clinic, make_master(clinic), channel="command")
    api_keys.create(clinic, **wanted, channel="command")


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("pattern", WITH_ID, ids=lambda pattern: pattern.name)
def test_another_clinics_row_is_not_found(stranger, appointment, pattern, method, request):
    make = request.node.callspec.params["stranger"]
    not_for_them = (
        ("patient-seen-by", "privacy-export", "privacy-ask", "privacy-request", "display-revoke", "staff-", "import")
        if make is make_user
        else ()
    )
    not_for_them += ("integration-", "patient-redact") if make is not make_master else ()
    not_for_them = (
        tuple(other.name for other in WITH_ID if not is_own(other)) if make is make_doctor_user else not_for_them
    )
    address = reverse(f"web:{pattern.name}", kwargs=ids(appointment, pattern))
    answer = getattr(stranger, method)(
        address, {"status": "cancelled", "move": "1", "notes": "meu", "name": "Meu", "seen": "0"}
    )
    # A page that knows only one of the two methods answers 405 before it looks for anything, and one that is not for
    # this role 403.
    refused = answer.status_code == 403 and pattern.name.startswith(not_for_them)
    assert answer.status_code == 404 or refused or (answer.status_code == 405 and method.upper() not in answer["Allow"])
    before = appointment.updated_at
    appointment.refresh_from_db()
    assert (appointment.updated_at, appointment.notes) == (before, "")
    for model in (AccessToken, ApiKey):
        assert model.objects.get().revoked_at is None


@pytest.mark.parametrize("pattern", WITH_ID, ids=lambda pattern: pattern.name)
def test_a_row_that_does_not_exist_is_not_found(client, pattern):
    client.force_login(make_master(make_clinic()))
    of_doctor = "<int:doctor>" in str(pattern.pattern)
    names = {"doctor": 2**70, "date": "2026-11-23"} if of_doctor else {"pk": 2**70}
    names |= {"other": 2**70} if "<int:other>" in str(pattern.pattern) else {}
    address = reverse(f"web:{pattern.name}", kwargs=names)
    assert client.get(address).status_code in {404, 405}


@pytest.mark.parametrize("pattern", urlpatterns, ids=lambda pattern: pattern.name)
def test_a_superuser_without_a_clinic_chooses_one_first(client, appointment, pattern):
    client.force_login(make_superuser())
    names = {
        "pk": appointment.pk,
        "other": appointment.pk,
        "doctor": appointment.doctor_id,
        "date": "2026-11-23",
        "month": "2026-11",
        "name": "faltas",
        "table": "medicos",
        "secret": "x" * 32,
        "ticket": "x",
    }
    names = {name: value for name, value in names.items() if f":{name}>" in str(pattern.pattern)}
    answer = client.get(reverse(f"web:{pattern.name}", kwargs=names))
    open_to_all = pattern.name in {"signin", "signout", "password-change", "first-clinic"} | {
        "calendar-feed",
        "display",
        "display-open",
        "own-sessions",
        "own-session-end",
        "staff-link",
    }
    assert (answer.get("Location") == reverse("admin:clinic_clinic_changelist")) is not open_to_all
