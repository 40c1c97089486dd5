"""A clinic from a file: all or nothing, and a second run writes nothing."""

import re
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from clinic.access import staff_links
from clinic.models import Clinic, ClinicHoliday, Doctor, Procedure, StaffLink, StaffUser
from clinic.queries.set_up import set_up_of
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db
FILE = """
[clinic]
name = "Clínica São José"
country = "BR"
time_zone = "America/Recife"
region = "PE"
town = "Recife"
phone = "81 3333-4444"
area_code = "81"

[[staff]]
name = "Ana Souza"
role = "master"

[[staff]]
name = "Rita Lima"

[[procedures]]
name = "Consulta"
minutes = 30
price = 350

[[procedures]]
name = "Retorno"
minutes = 15
price = 0

[[doctors]]
name = "Dra. Lia Prado"
week = "seg-sex 8-12 13:30-18; sáb 8-12"

[[doctors]]
name = "João Reis"
title = "o Dr."
week = "ter 8-12"
procedures = ["Consulta"]
"""


@pytest.fixture
def run(tmp_path):
    def command(text=FILE, **options):
        file, out = tmp_path / "clinic.toml", StringIO()
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        call_command("set_up_clinic", str(file), stdout=out, **options)
        return out.getvalue()

    return command


def counts():
    return [model.objects.count() for model in (Clinic, StaffUser, StaffLink, Procedure, Doctor, ClinicHoliday)]


def test_a_clinic_from_a_file(run):
    out = run(url="https://agenda.example/")

    clinic = Clinic.objects.get()
    assert (clinic.slug, clinic.region, clinic.town, clinic.currency) == ("clinica-sao-jose", "PE", "Recife", "BRL")
    assert (clinic.language, clinic.time_zone, clinic.phone) == ("pt-br", "America/Recife", "+558133334444")
    assert ClinicHoliday.objects.of(clinic).filter(name="São João").exists()
    prices = list(Procedure.objects.order_by("name").values_list("name", "price"))
    assert prices == [("Consulta", Decimal(350)), ("Retorno", Decimal(0))]
    lia, joao = Doctor.objects.order_by("name").reverse()
    assert (lia.full_name, lia.hours.count(), lia.procedures.count()) == ("Dra. Lia Prado", 11, 2)
    assert (joao.full_name, joao.procedures.count()) == ("Dr. João Reis", 1)
    state = set_up_of(clinic)
    assert (state.place, state.team, state.procedures, state.doctor) == (True, True, True, True)
    links = dict(re.findall(r"^(.*): https://agenda.example(/acesso/.*/)$", out, re.MULTILINE))
    assert links.keys() == {"Ana Souza", "Rita Lima"}
    answer = {"username": "ana", "password1": PASSWORD, "password2": PASSWORD}
    assert Client().post(links["Ana Souza"], answer).status_code == 302
    assert StaffUser.objects.get(username="ana").is_master


def test_limits_of_booking_from_a_file(run):
    run(
        FILE.replace("minutes = 30", "minutes = 30\nper_day = 4").replace("[[doctors]]", "[[doctors]]\ndays_ahead = 90")
    )
    assert Procedure.objects.filter(per_day=4, days_ahead=None).count() == 1
    assert Doctor.objects.filter(days_ahead=90, per_day=None).exists()


def test_a_second_run_changes_nothing_and_says_so(run):
    run()
    before = counts()
    assert run() == "Nothing changed: everything was there already.\n"
    assert counts() == before
    assert "procedure Holter" in run(FILE + '\n[[procedures]]\nname = "Holter"\nminutes = 20\nprice = "80.50"\n')
    assert Procedure.objects.get(name="Holter").price == Decimal("80.50")


def test_a_second_run_knows_names_as_the_registry_does(run):
    run()
    StaffUser.objects.filter(name="Rita Lima").update(role="manager", is_active=True)
    before = counts()
    other = FILE.replace('"Rita Lima"', '"RITA  Lima"').replace('name = "Consulta"', 'name = "CONSÚLTA"')
    other = other.replace("João Reis", "Joao  REIS").replace('["Consulta"]', '["consulta "]')
    assert run(other) == "Nothing changed: everything was there already.\n"
    assert counts() == before


def test_who_was_uninvited_is_invited_again(run):
    run()
    link = StaffLink.objects.get(name="Rita Lima")
    staff_links.revoke(link.pk, clinic=link.clinic, by=None)
    assert "receptionist Rita Lima, invited" in run()


LIA = '\n[[staff]]\nname = "Lia Prado"\nrole = "doctor"\n'


def test_a_doctor_signs_in_for_her_own_day(run):
    assert "doctor Lia Prado, invited for the day of Dra. Lia Prado" in run(FILE + LIA, dry_run=True)
    assert counts() == [0] * 6
    out = run(FILE + LIA, url="https://agenda.example")
    path = re.search(r"^Lia Prado: https://agenda.example(/acesso/.*/)$", out, re.MULTILINE)[1]
    answer = {"username": "lia", "password1": PASSWORD, "password2": PASSWORD}
    assert Client().post(path, answer).status_code == 302
    user = StaffUser.objects.get(username="lia")
    assert user.is_doctor and user.doctor == Doctor.objects.get(name="Lia Prado")
    assert run(FILE + LIA) == "Nothing changed: everything was there already.\n"


def test_a_doctor_may_be_named_otherwise_and_has_one_user(run):
    named = LIA.replace("Lia Prado", "L. Prado") + 'doctor = "Dra. LIA PRADO"\n'
    assert "for the day of Dra. Lia Prado" in run(FILE + named)
    with pytest.raises(CommandError, match=r"staff\[2\]"):
        run(FILE + LIA)


def test_a_dry_run_writes_nothing(run):
    out = run(dry_run=True)
    assert out.startswith("Would be added:\n  clinic Clínica São José") and "/acesso/" not in out
    assert counts() == [0] * 6


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('country = "BR"', 'country = "AR"', "clinic.country"),
        ('name = "Clínica São José"', "", "clinic.name"),
        ("America/Recife", "Europe/Lisbon", "clinic.time_zone"),
        ("America/Recife", "Mars/Olympus", "clinic.time_zone"),
        ('region = "PE"', 'region = "XX"', "clinic.region"),
        ("81 3333-4444", "123", "clinic.phone"),
        ('area_code = "81"', 'area_code = "00"', "clinic.area_code"),
        ('town = "Recife"', 'city = "Recife"', "clinic.city"),
        ('role = "master"', 'role = "chief"', "staff[0].role"),
        ('role = "master"', 'role = "doctor"', "staff[0].doctor"),
        ('role = "master"', 'role = "doctor"\ndoctor = "Dra. Nada"', "staff[0].doctor"),
        ('role = "master"', 'role = "master"\ndoctor = "Dra. Lia Prado"', "staff[0].doctor"),
        ('role = "master"', 'role = "doctor"\ndoctor = 3', "staff[0].doctor"),
        ('name = "Rita Lima"', 'name = "77"', "staff[1]"),
        ("minutes = 30", "minutes = 2", "procedures[0]"),
        ("minutes = 30", 'minutes = "x"', "procedures[0].minutes"),
        ("minutes = 30", "minutes = 30\nper_day = 101", "procedures[0].per_day"),
        ("minutes = 30", "minutes = 30\nnotice_hours = true", "procedures[0].notice_hours"),
        ("price = 350", "price = 10.555", "procedures[0]"),
        ("price = 350", "price = nan", "procedures[0].price"),
        ("price = 350", 'price = "350,00"', "procedures[0].price"),
        ("price = 350", "", "procedures[0].price"),
        ("ter 8-12", "ter 12-25", "doctors[1].week"),
        ('title = "o Dr."', 'title = "Psic."', "doctors[1].title"),
        ('procedures = ["Consulta"]', 'procedures = ["Nada"]', "doctors[1].procedures"),
        ('procedures = ["Consulta"]', "procedures = 3", "doctors[1].procedures"),
        ('procedures = ["Consulta"]', "procedures = [11]", "doctors[1].procedures"),
        ('area_code = "81"', "area_code = 81", "clinic.area_code"),
        ('phone = "81 3333-4444"', "phone = 8133334444", "clinic.phone"),
        ('area_code = "81"', 'observes_holidays = "false"', "clinic.observes_holidays"),
        ('role = "master"', "role = 1", "staff[0].role"),
        ('week = "ter 8-12"', "week = 3", "doctors[1].week"),
        ("[[doctors]]", "[[doctor]]", "doctor"),
    ],
)
def test_what_is_wrong_is_named_by_its_key(run, old, new, key):
    with pytest.raises(CommandError) as refused:
        run(FILE.replace(old, new))
    assert f"  {key}: " in str(refused.value)
    assert counts() == [0] * 6


def test_all_that_is_wrong_is_named_at_once(run):
    with pytest.raises(CommandError) as refused:
        run(FILE.replace("minutes = 30", "minutes = 2").replace("ter 8-12", "ter 12-25"))
    assert "procedures[0]" in str(refused.value) and "doctors[1]" in str(refused.value)


@pytest.mark.parametrize("text", [b"\xff\xfe", "[clinic", "clinic = 3", "", "[[clinic]]\nname = 3"])
def test_what_is_no_such_file_is_refused(run, text):
    with pytest.raises(CommandError):
        run(text)
    assert counts() == [0] * 6


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(CommandError, match="No such file"):
        call_command("set_up_clinic", str(tmp_path / "none.toml"))
