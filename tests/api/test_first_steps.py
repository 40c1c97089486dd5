"""The first steps as an integrator takes them: every command as the page has it, with the ids of what came before."""

import json
import re
import shlex
from html import unescape
from urllib.parse import urlencode, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import make_doctor, make_procedure

pytestmark = pytest.mark.django_db

EXAMPLE_ID = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
VALUED = {"-X", "-H", "-d", "--data-urlencode"}


def commands(page):
    """The commands of a page of first steps, by the id of their step."""
    text = Client().get(reverse(page)).text
    return {name: unescape(code) for name, code in re.findall(r'<code id="curl-(\w+)">(.*?)</code>', text, re.DOTALL)}


def run(command, secret):
    """Return the application's answer to this curl."""
    words = shlex.split(command.replace("\\\n", " ").replace("$TOKEN", secret).replace("$CHAVE", secret))
    assert words.pop(0) == "curl"
    options, flags, address = [], set(), ""
    while words:
        word = words.pop(0)
        if word in VALUED:
            options.append((word, words.pop(0)))
        elif word.startswith("-"):
            flags.add(word)
        else:
            address = urlsplit(word)
    values = {name: [value for option, value in options if option == name] for name in VALUED}
    headers = dict(header.split(": ", 1) for header in values["-H"])
    if "-G" in flags:
        query = urlencode(
            [tuple(parameter.split("=", 1)) for parameter in (*values["--data-urlencode"], *values["-d"])]
        )
        return Client().get(f"{address.path}?{query}", headers=headers)
    path = f"{address.path}?{address.query}" if address.query else address.path
    body = "".join(values["-d"])
    return Client().generic((values["-X"] or ["GET"])[0], path, body, headers.pop("Content-Type", ""), headers=headers)


@pytest.fixture
def doctor(recife):
    return make_doctor(recife, procedures=[make_procedure(recife, duration_minutes=30)])


def test_imagemais_from_token_to_the_first_booking(imagemais, recife, doctor):
    steps, secret = commands("imagemais:first-steps"), imagemais(recife).secret
    (doctor,) = run(steps["medicos"], secret).json()
    (procedure,) = run(steps["procedimentos"], secret).json()

    def own(name):
        command = steps[name].replace("/api/doctors/1/", f"/api/doctors/{doctor['id']}/")
        command = command.replace('"doctorId": 1', f'"doctorId": {doctor["id"]}')
        command = command.replace("procedureId=1", f"procedureId={procedure['id']}")
        return command.replace('[{"id": 1}]', json.dumps([{"id": procedure["id"]}]))

    free = [slot["startTime"] for slot in run(own("horarios"), secret).json()]
    assert "09:00" in free and "09:15" in free
    booked = run(own("agendar"), secret)
    assert booked.status_code == 201 and len(booked.json()) == 1
    taken = run(own("ocupado"), secret)
    assert taken.status_code == 409 and taken.json()["message"].startswith("Horários 09:00")
    again = run(own("repetir"), secret)
    assert again["Idempotency-Replayed"] == "true" and again.content == booked.content
    assert set(steps) == {"token", "medicos", "procedimentos", "horarios", "agendar", "ocupado", "repetir"}


def test_mivicall_from_key_to_the_first_booking(mivicall, recife, doctor):
    steps, secret = commands("mivicall:first-steps"), mivicall(recife).secret
    assert run(steps["clinica"], secret).json()["name"] == recife.name
    (professional,) = run(steps["profissionais"], secret).json()["items"]
    (service,) = run(steps["servicos"], secret).json()["items"]
    free = run(steps["horas"].replace(EXAMPLE_ID, service["id"]), secret).json()["items"]
    assert len(free) == 5

    def own(name):
        command = steps[name].replace(f'"professionalId": "{EXAMPLE_ID}"', f'"professionalId": "{professional["id"]}"')
        command = command.replace(EXAMPLE_ID, service["id"])
        return re.sub(r'("startsAt": )"[^"]+"', rf'\1"{free[0]["startsAt"]}"', command)

    booked = run(own("marcar"), secret)
    assert booked.status_code == 201 and booked.json()["status"] == "confirmed"
    taken = run(own("ocupado"), secret)
    assert taken.status_code == 409 and taken.json()["error"] == "slot_conflict"
    assert len(taken.json()["alternatives"]) == 3
    again = run(own("repetir"), secret)
    assert again["Idempotency-Replayed"] == "true" and again.content == booked.content
    assert set(steps) == {"chave", "clinica", "profissionais", "servicos", "horas", "marcar", "ocupado", "repetir"}
