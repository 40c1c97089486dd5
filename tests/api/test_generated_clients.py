"""The two documents as integrators' tools read them: linters find nothing, and clients generated from them book.

The tools are openapi-python-client and npm's packages that `clients/package.json` pins. `.ci/run` installs these in a
folder and names it in OPENAPI_TOOLS; without it the tests that need them are skipped.
"""

import importlib
import json
import os
import shutil
import subprocess
import sys
from datetime import datetime, time
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from clinic.spoken import spoken as in_words
from tests.factories import make_doctor, make_procedure, next_monday

CLIENTS = Path(__file__).parent / "clients"
DOCUMENTS = {"imagemais": "/api/openapi.json", "mivicall": "/v1/openapi.json"}


def run(*command, folder=CLIENTS):
    """What the command prints on its standard output; it has to succeed."""
    done = subprocess.run(
        [str(word) for word in command], cwd=folder, capture_output=True, text=True, timeout=300, check=False,
        env=os.environ | {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def tools():
    """The folder of the programs."""
    if "OPENAPI_TOOLS" not in os.environ:
        pytest.skip("OPENAPI_TOOLS does not name a folder with the packages of clients/package.json")
    return Path(os.environ["OPENAPI_TOOLS"]) / "node_modules" / ".bin"


@pytest.fixture(scope="session")
def documents(tmp_path_factory):
    """A folder with the two documents."""
    folder = tmp_path_factory.mktemp("documents")
    for name, address in DOCUMENTS.items():
        (folder / f"{name}.json").write_bytes(Client().get(address).content)
    return folder


@pytest.fixture
def monday(recife):
    """The clinic's next Monday, on which its one doctor is free."""
    make_doctor(recife, procedures=[make_procedure(recife, duration_minutes=30)], name="Dra. Helena Prado")
    return recife.local(next_monday(recife, 0)).date()


def test_spectral_finds_nothing(tools, documents):
    rules, files = CLIENTS / ".spectral.yaml", [documents / f"{name}.json" for name in DOCUMENTS]
    found = run(tools / "spectral", "lint", "--ruleset", rules, "--fail-severity", "hint", *files)
    assert "No results with a severity of 'hint' or higher found" in found


@pytest.mark.parametrize("name", DOCUMENTS)
def test_redocly_finds_nothing(tools, documents, name):
    rules, file = CLIENTS / "redocly.yaml", documents / f"{name}.json"
    found = json.loads(run(tools / "redocly", "lint", "--config", rules, "--format", "json", file))
    assert found["totals"] == {"errors": 0, "warnings": 0, "ignored": 0}, found["problems"]


# TypeScript ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def typescript(tools, documents):
    """A folder with the compiled programs of `clients`, whose types are those of the documents."""
    folder = documents / "typescript"
    shutil.copytree(CLIENTS, folder)
    (folder / "node_modules").symlink_to(tools.parent)
    for name in DOCUMENTS:
        run(tools / "openapi-typescript", documents / f"{name}.json", "--output", folder / "generated" / f"{name}.ts")
    run(tools / "tsc", "--project", folder)
    return folder


@pytest.mark.django_db(transaction=True)
def test_a_typescript_client_of_imagemais_books(typescript, live_server, imagemais, recife, monday):
    shown = json.loads(run("node", typescript / "imagemais.js", live_server.url, imagemais(recife).secret, monday))
    assert shown == {
        "spoken": spoken(recife, monday), "moved": True, "status": "Confirmado", "listed": ["João Silva"],
        "refused": 404,
    }  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_a_typescript_client_of_mivicall_books(typescript, live_server, mivicall, recife, monday):
    span = [instant.isoformat() for instant in recife.day(monday)]
    shown = json.loads(run("node", typescript / "mivicall.js", live_server.url, mivicall(recife).secret, *span))
    assert shown == {
        "professional": "Dra. Helena Prado", "moved": "rescheduled", "listed": ["Maria Silva"], "cancelled": 204,
        "status": "cancelled",
    }  # fmt: skip


# Python --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def python(documents):
    """The packages of generated clients, by API."""
    folder = documents / "python"
    folder.mkdir()
    for name in DOCUMENTS:
        run(
            sys.executable, "-m", "openapi_python_client", "generate", "--fail-on-warning", "--meta", "none",
            "--config", CLIENTS / "python.yaml", "--path", documents / f"{name}.json",
            "--output-path", folder / f"{name}_client", folder=folder,
        )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield {name: Generated(f"{name}_client") for name in DOCUMENTS}


class Generated:
    """A generated package: `call` makes an operation's request, `model` builds a body."""

    def __init__(self, package):
        self.package = package
        api = Path(importlib.import_module(f"{package}.api").__file__).parent
        files = (file for file in api.glob("*/*.py") if file.stem != "__init__")
        self.modules = {file.stem: f"{package}.api.{file.parent.name}.{file.stem}" for file in files}

    def client(self, url, secret):
        return importlib.import_module(f"{self.package}.client").AuthenticatedClient(base_url=url, token=secret)

    def model(self, name, values):
        return getattr(importlib.import_module(f"{self.package}.models"), name).from_dict(values)

    def call(self, name, client, *path, **arguments):
        return importlib.import_module(self.modules[name]).sync(*path, client=client, **arguments)


@pytest.mark.django_db(transaction=True)
def test_a_python_client_of_imagemais_books(python, live_server, imagemais, recife, monday):
    api = python["imagemais"]
    with api.client(live_server.url, imagemais(recife).secret) as client:
        (doctor,) = api.call("list_doctors", client)
        first, second, *_ = api.call(
            "list_slots", client, doctor.id, date=monday, procedure_id=[doctor.procedures[0].id]
        )
        times = {"doctorId": doctor.id, "date": f"{monday}", "startTime": first.start_time, "endTime": first.end_time}
        patient = {"name": "João Silva", "phone": "(81) 99999-9999", "dateBirth": "1990-01-01", "cpf": "529.982.247-25"}
        body = times | {"patient": patient, "procedures": [{"id": doctor.procedures[0].id}]}
        (booked,) = api.call(
            "create_appointment", client, body=api.model("BookingIn", body), idempotency_key="python-1"
        )
        move = api.model("MoveIn", times | {"startTime": second.start_time, "endTime": second.end_time})
        (moved,) = api.call("reschedule_appointment", client, booked.id, body=move)
        assert (moved.start_time, moved.status.name, moved.patient.cpf) == (
            second.start_time, "Reagendado", "529.982.247-25",
        )  # fmt: skip
        (listed,) = api.call("list_appointments", client, date=monday)
        assert listed == moved


@pytest.mark.django_db(transaction=True)
def test_a_python_client_of_mivicall_books(python, live_server, mivicall, recife, monday):
    api = python["mivicall"]
    with api.client(live_server.url, mivicall(recife).secret) as client:
        (service,) = api.call("list_services", client).items
        since, before = recife.day(monday)
        found = {"service_type_id": service.id, "from_": since, "to": before}
        free, later, *_ = api.call("list_availability", client, **found, expand="spoken").items
        assert free.spoken == spoken(recife, monday)
        body = api.model(
            "NewAppointment",
            {
                "professionalId": str(free.professional_id), "serviceTypeId": str(service.id),
                "patientName": "Maria Silva",
                "patientPhone": "+351912345678", "startsAt": free.starts_at.isoformat(),
            },
        )  # fmt: skip
        booked = api.call("create_appointment", client, body=body)
        changes = api.model("AppointmentChanges", {"startsAt": later.starts_at.isoformat()})
        moved = api.call("update_appointment", client, booked.id, body=changes)
        assert (moved.starts_at, moved.status, moved.metadata.additional_properties) == (
            later.starts_at,
            "rescheduled",
            {},
        )
        assert api.call("list_appointments", client, from_=since, to=before).items == [moved]


def spoken(clinic, monday):
    """The first free time of that day in words."""
    return in_words(datetime.combine(monday, time(8)), clinic.local(timezone.now()).date(), clinic.language)
