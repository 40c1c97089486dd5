"""From a new clinic to its first booking: what is done is read from the rows, and every step can be left."""

from datetime import time
from decimal import Decimal
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from clinic.access import staff_links
from clinic.models import Clinic, ClinicEvent, ClinicHoliday, Doctor, Procedure, StaffLink, StaffUser, WorkingHours
from clinic.queries import set_up
from clinic.registry.starter_procedures import STARTER_PROCEDURES
from clinic.schedule import TOWN_HOLIDAYS
from tests.factories import (
    PASSWORD,
    make_clinic,
    make_doctor,
    make_doctor_user,
    make_manager,
    make_master,
    make_patient,
    make_procedure,
    make_user,
)
from tests.locks import held
from tests.web.patients import visit

pytestmark = pytest.mark.django_db
AT = "/comecar/"
DOCTOR = {"title": "a Dra.", "name": "Lia Prado", "week": "seg-sex 8-12 13:30-18; sáb 8-12"}


@pytest.fixture
def master(client):
    master = make_master(make_clinic(observes_holidays=False))
    client.force_login(master)
    return master


def prices(specialty, *amounts, **typed):
    rows = {}
    for number, (starter, price) in enumerate(zip(STARTER_PROCEDURES["BR"][specialty], amounts, strict=False)):
        rows |= {f"{number}-name": starter.name, f"{number}-minutes": starter.minutes, f"{number}-price": price}
    return {"especialidade": specialty} | rows | typed


def test_the_steps_one_after_another(client, master):
    clinic = master.clinic
    assert client.get(f"{AT}passos/").url == f"{AT}clinica/"
    place = {"region": "PE", "town": "Recife", "observes_holidays": "on"}
    assert client.post(f"{AT}clinica/", place).url == f"{AT}equipe/"
    assert client.get(f"{AT}passos/").url == f"{AT}procedimentos/"
    assert client.post(f"{AT}procedimentos/", prices("Dermatologia", "350", "0")).url == f"{AT}medico/"
    assert client.get(f"{AT}passos/").url == f"{AT}medico/"
    procedures = Procedure.objects.of(clinic).values_list("pk", flat=True)
    assert client.post(f"{AT}medico/", DOCTOR | {"procedures": list(procedures)}).url == f"{AT}marcar/"

    page = client.get(f"{AT}marcar/")
    assert f"medico={Doctor.objects.get().pk}" in page.context["first"]
    assert 'value="Lia Prado"' not in page.text
    assert "Dra. Lia Prado" in client.get(page.context["first"]).text
    clinic.refresh_from_db()
    assert (clinic.region, clinic.town, clinic.observes_holidays) == ("PE", "Recife", True)
    assert ClinicHoliday.objects.of(clinic).filter(name="São João").exists()
    stored = list(Procedure.objects.of(clinic).order_by("name").values_list("name", "price", "duration_minutes"))
    assert stored == [
        ("Consulta dermatológica", Decimal(350), 30),
        ("Retorno dermatológico", Decimal(0), 15),
    ]
    doctor = Doctor.objects.of(clinic).get()
    assert (doctor.full_name, doctor.procedures.count(), doctor.hours.count()) == ("Dra. Lia Prado", 2, 11)
    kinds = ClinicEvent.objects.of(clinic).order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["directory"] * 4 + ["hours"]


def test_every_step_sent_twice_adds_once(client, master):
    make_procedure(master.clinic)
    steps = [("procedimentos", prices("Dermatologia", "350")), ("medico", DOCTOR), ("clinica", {"town": "Recife"})]
    for name, data in steps:
        data |= {"procedures": list(Procedure.objects.values_list("pk", flat=True))} if name == "medico" else {}
        assert client.post(f"{AT}{name}/", data).status_code == client.post(f"{AT}{name}/", data).status_code == 302
    assert Procedure.objects.filter(name="Consulta dermatológica").count() == 1
    assert Doctor.objects.count() == 1 and WorkingHours.objects.count() == 11
    key = StaffLink.objects.count()
    form = client.get(f"{AT}equipe/").context["form"]
    invited = {"name": "Bia", "role": "receptionist", "form_key": form["form_key"].value()}
    assert client.post(f"{AT}equipe/", invited).status_code == 200
    assert client.post(f"{AT}equipe/", invited).status_code == 302
    assert StaffLink.objects.count() == key + 1


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"0-price": ""}, "error"),
        ({"0-price": "-1"}, "price"),
        ({"0-price": "10,555"}, "price"),
        ({"0-price": "abc"}, "price"),
        ({"0-minutes": ""}, "minutes"),
        ({"0-minutes": "4"}, "minutes"),
        ({"0-name": ""}, "name"),
        ({"0-name": "123"}, "name"),
        ({"5-name": "Peeling"}, "own"),
    ],
)
def test_a_price_is_asked_for_at_its_row(client, master, changed, where):
    page = client.post(f"{AT}procedimentos/", prices("Dermatologia", "350") | changed)
    form = page.context["form"]
    assert page.status_code == 422 and not Procedure.objects.exists()
    if where == "error":
        assert form.error in page.text
    elif where == "own":
        assert set(form.rows[5].errors) == {"price"}
    else:
        assert set(form.rows[0].errors) == {where}


def test_procedures_of_ones_own_are_added_too(client, master):
    own = {"5-name": "Peeling", "5-minutes": "40", "5-price": "1.250,00"}
    assert client.post(f"{AT}procedimentos/", prices("Dermatologia") | own).status_code == 302
    assert list(Procedure.objects.values_list("name", "price")) == [("Peeling", Decimal(1250))]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "Psic. Lia"}, "name"),
        ({"name": "77"}, "name"),
        ({"week": ""}, "week"),
        ({"week": "seg 25-30"}, "week"),
        ({"week": "seg 8-12; seg 10-14"}, "week"),
        ({"procedures": []}, "procedures"),
        ({"procedures": [0]}, "procedures"),
        ({"title": "Doutor"}, "title"),
    ],
)
def test_a_doctor_is_refused_at_the_field(client, master, changed, field):
    procedure = make_procedure(master.clinic)
    page = client.post(f"{AT}medico/", DOCTOR | {"procedures": [procedure.pk]} | changed)
    assert page.status_code == 422 and set(page.context["form"].errors) == {field}
    assert not Doctor.objects.exists()


def test_a_title_may_be_typed_with_the_name(client, master):
    typed = {"title": "", "name": "Dr. João Reis", "procedures": [make_procedure(master.clinic).pk]}
    assert client.post(f"{AT}medico/", DOCTOR | typed).status_code == 302
    assert Doctor.objects.get().full_name == "Dr. João Reis"


def test_procedures_of_another_clinic_are_not_offered(client, master):
    theirs = make_procedure(make_clinic())
    make_procedure(master.clinic)
    page = client.post(f"{AT}medico/", DOCTOR | {"procedures": [theirs.pk]})
    assert set(page.context["form"].errors) == {"procedures"}


def test_holidays_over_appointments_are_for_the_administration(client, master, time_machine):
    time_machine.move_to("2026-12-01T12:00:00Z", tick=False)
    client.force_login(master)
    doctor = make_doctor(master.clinic)
    appointment = visit(make_patient(master.clinic), days=7)
    assert appointment.starts_at.date().isoformat() == "2026-12-08" and doctor
    page = client.post(f"{AT}clinica/", {"town": "Recife", "observes_holidays": "on"})
    assert page.status_code == 409 and "Há agendamentos nesses feriados" in page.text
    assert not ClinicHoliday.objects.exists()
    assert Clinic.objects.get(pk=master.clinic_id).town == ""


def test_until_it_is_finished_pages_lead_back_to_it(client, master):
    words, clinic = "Continuar a configuração", master.clinic
    for address in ("/agenda/", "/admin/", "/pacientes/"):
        assert words in client.get(address).text
    desk = Client()
    desk.force_login(make_user(clinic))
    assert words not in desk.get("/agenda/").text
    visit(make_patient(clinic), days=1)
    for address in ("/agenda/", "/admin/", "/pacientes/"):
        assert words not in client.get(address).text
    assert "Tudo pronto" in client.get(f"{AT}marcar/").text


def test_a_clinic_that_is_set_up_costs_no_query(client, master, django_assert_num_queries):
    visit(make_patient(master.clinic), days=1)
    assert set_up.is_set_up(master.clinic)
    with django_assert_num_queries(0):
        assert set_up.is_set_up(master.clinic)


@pytest.mark.parametrize("make", [make_user, make_doctor_user])
@pytest.mark.parametrize("name", ["passos", "clinica", "equipe", "procedimentos", "medico", "marcar"])
def test_the_steps_are_for_managers(client, make, name):
    client.force_login(make())
    assert client.get(f"{AT}{name}/").status_code == 403
    client.force_login(make_manager())
    assert client.get(f"{AT}{name}/").status_code in {200, 302}
    assert Client().get(f"{AT}{name}/").status_code == 302


def test_a_manager_without_a_link_is_led_to_the_steps(client):
    client.force_login(make_manager())
    assert client.get(AT).url == f"{AT}passos/"


def test_no_manager_invites_a_master(client):
    client.force_login(make_manager())
    form = client.get(f"{AT}equipe/").context["form"]
    for role in ("master", "doctor", "nurse"):
        typed = {"name": "Eva", "role": role, "form_key": form["form_key"].value()}
        assert set(client.post(f"{AT}equipe/", typed).context["form"].errors) == {"role"}
    assert not StaffUser.objects.filter(name="Eva").exists()


@pytest.mark.parametrize("country", ["BR", "PT"])
def test_what_is_proposed_can_be_stored(country):
    for starters in STARTER_PROCEDURES[country].values():
        assert len({starter.name for starter in starters}) == len(starters)
        assert all(5 <= starter.minutes <= 720 and starter.name[0].isupper() for starter in starters)


def test_a_doctor_of_the_admin_takes_a_week_as_text(client, master):
    typed = {"name": "Lia Prado", "title": "a Dra.", "interval_minutes": "15", "week": "seg, qua 8h-12h"}
    typed["encaixes_per_day"] = "2"
    typed |= {f"{each}-{part}_FORMS": "0" for each in ("hours", "absences") for part in ("TOTAL", "INITIAL")}
    assert client.post("/admin/clinic/doctor/add/", typed | {"week": "seg 8-99"}).status_code == 200
    assert not Doctor.objects.exists()
    rows = {"hours-TOTAL_FORMS": "1", "hours-0-weekday": "1", "hours-0-starts": "11:00", "hours-0-ends": "13:00"}
    crossed = client.post("/admin/clinic/doctor/add/", typed | rows)
    assert crossed.status_code == 409 and "cruza com" in crossed.text and not Doctor.objects.exists()

    answer = client.post("/admin/clinic/doctor/add/", typed | {"active": "on"})

    assert answer.status_code == 302
    doctor = Doctor.objects.get()
    assert [(row.weekday, row.starts, row.ends) for row in doctor.hours.all()] == [
        (1, time(8), time(12)),
        (3, time(8), time(12)),
    ]
    assert doctor.hours.first().valid_from is None
    assert 'name="week"' not in client.get(f"/admin/clinic/doctor/{doctor.pk}/change/").text


def test_a_namesake_with_another_week_is_led_to(client, master):
    known = make_doctor(master.clinic, name="Lia Prado", procedures=[], hours=[])
    typed = DOCTOR | {"name": "LIA  PRADO", "procedures": [make_procedure(master.clinic).pk]}
    page = client.post(f"{AT}medico/", typed)
    assert page.status_code == 409
    assert set(page.context["form"].errors) == {"name"}
    assert f"/admin/clinic/doctor/{known.pk}/semana/" in page.text
    assert DOCTOR["week"] in page.text and not known.hours.exists()


def test_another_speciality_keeps_what_has_a_price(client, master):
    typed = prices("Dermatologia", "350") | {"outra": "Cardiologia"}
    there = client.post(f"{AT}procedimentos/", typed)
    assert there.status_code == 302
    assert "especialidade=Cardiologia" in there.url and there.url.endswith("#precos")
    assert Procedure.objects.get().price == Decimal(350)
    assert 'value="Cardiologia" aria-current="true"' in client.get(there.url).text
    empty = prices("Dermatologia") | {"outra": "Cardiologia"}
    assert client.post(f"{AT}procedimentos/", empty).status_code == 302
    wrong = client.post(f"{AT}procedimentos/", typed | {"0-price": "abc"})
    assert wrong.status_code == 422 and set(wrong.context["form"].rows[0].errors) == {"price"}


def test_one_name_in_two_rows_is_a_complaint_at_the_second(client, master):
    own = {"5-name": "PEÉLING", "5-minutes": "40", "5-price": "90", "6-name": "peeling", "6-minutes": "20"}
    page = client.post(f"{AT}procedimentos/", prices("Dermatologia") | own | {"6-price": "100"})
    assert page.status_code == 422 and not Procedure.objects.exists()
    assert [bool(row.errors) for row in page.context["form"].rows] == [False] * 6 + [True]
    assert set(page.context["form"].rows[6].errors) == {"name"}


def test_procedures_ask_again_while_another_adds_some(client, master):
    with held() as other:
        other.execute("SELECT pg_advisory_xact_lock(hashtextextended('names of procedures', %s))", [master.clinic_id])
        page = client.post(f"{AT}procedimentos/", prices("Dermatologia", "350"))
    assert page.status_code == 409
    assert page.context["form"].error in page.text and 'value="350"' in page.text


def test_a_left_place_does_not_come_back(client, master):
    assert client.get(f"{AT}passos/").url == f"{AT}clinica/"
    make_procedure(master.clinic)
    assert client.get(f"{AT}passos/").url == f"{AT}medico/"


def test_withdrawn_invitations_and_who_left_are_no_team(client, master):
    make_user(master.clinic, name="Zeno Saiu", is_active=False, last_login=timezone.now())
    link, _secret = staff_links.invite(master.clinic, by=master, name="Vera Nunca")
    assert set_up.set_up_of(master.clinic).team
    assert "Vera Nunca" in client.get(f"{AT}equipe/").text
    staff_links.revoke(link.pk, clinic=master.clinic, by=master)
    assert not set_up.set_up_of(master.clinic).team
    page = client.get(f"{AT}equipe/").text
    assert "Vera Nunca" not in page and "Zeno Saiu" not in page
    patient = make_patient(master.clinic)
    for address in (f"/pacientes/{patient.pk}/quem-viu/", "/configuracoes/privacidade/lista/"):
        offered = client.get(address).text
        assert "Vera Nunca" not in offered and "Zeno Saiu" in offered


def test_an_invitation_sent_too_late_is_kept_for_its_author(client, master):
    master.set_password(PASSWORD)
    master.save()
    client.force_login(master)
    client.post("/sair/")
    typed = {"name": "Bia Lima", "role": "receptionist", "form_key": str(uuid4())}
    assert client.post(f"{AT}equipe/", typed).status_code == 302
    client.post("/entrar/", {"username": master.username, "password": PASSWORD})
    assert 'value="Bia Lima"' in client.get(f"{AT}equipe/").text


def test_a_corrected_town_takes_its_holidays_along(client, master):
    clinic = master.clinic
    place = {"region": "PE", "town": "Recife", "observes_holidays": "on"}
    client.post(f"{AT}clinica/", place)
    recife = set(ClinicHoliday.objects.of(clinic).values_list("name", flat=True))
    own = ClinicHoliday.objects.of(clinic).first()
    ClinicHoliday.objects.filter(pk=own.pk).update(name="Festa da casa")
    client.post(f"{AT}clinica/", place | {"region": "SP", "town": "São Paulo"})
    names = set(ClinicHoliday.objects.of(clinic).values_list("name", flat=True))
    towns = {name for _falls_on, name in TOWN_HOLIDAYS["BR"]["São Paulo"]}
    assert recife and names == towns | {"Festa da casa"}
