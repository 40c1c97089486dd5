"""The clinic's holidays in the administration: what is typed, what it asks, and the page of the next 24 months."""

from datetime import date, time

import pytest

from clinic.models import Clinic, ClinicHoliday
from tests.factories import book_appointment, make_clinic, make_doctor, make_lisbon, make_manager, make_user
from tests.schedule.test_holidays import opened, own
from tests.windows import url

pytestmark = pytest.mark.django_db
COMING = "/admin/clinic/clinicholiday/proximos/"
CONCEPTION = date(2026, 12, 8)


@pytest.fixture
def recife(time_machine, client):
    time_machine.move_to("2026-11-21T15:00:00Z", tick=False)
    clinic = make_clinic(observes_holidays=True)
    client.force_login(make_manager(clinic))
    return clinic


def typed(**fields):
    return {"falls_on": "24/6", "name": "São João", "kind": "closes", "starts": "", "ends": ""} | fields


def add(client, **fields):
    return client.post(url(ClinicHoliday, "add"), typed(**fields))


def lines(client):
    """(date, name, origin, effect) of every line of the page."""
    page = client.get(COMING)
    return [(one.day, one.name, one.source, one.effect) for one in page.context["days"]]


def test_a_date_is_stored_as_it_is_meant(client, recife):
    assert add(client).status_code == 302
    row = ClinicHoliday.objects.get()
    assert (row.clinic, row.falls_on, row.name) == (recife, "24/06", "São João")


@pytest.mark.parametrize(
    ("fields", "field", "sentence"),
    [
        ({"falls_on": "31/02"}, "falls_on", "Esta data não existe. Confira o dia e o mês."),
        ({"falls_on": "08/12/0000"}, "falls_on", "Esta data não existe. Confira o dia e o mês."),
        ({"falls_on": "x" * 10_000}, "falls_on", "20"),
        ({"falls_on": "24/06\0"}, "falls_on", ""),
        ({"name": ""}, "name", ""),
        ({"starts": "14:00", "ends": "12:00"}, "ends", "O fim deve ser depois do início."),
        ({"starts": "14:00", "ends": "14:00"}, "ends", "O fim deve ser depois do início."),
        ({"kind": "talvez"}, "kind", ""),
    ],
)
def test_what_is_wrong_is_said_at_its_field(client, recife, fields, field, sentence):
    answer = add(client, **fields)
    assert answer.status_code == 200 and ClinicHoliday.objects.count() == 0
    (error, *_) = answer.context["adminform"].form.errors[field]
    assert sentence in error


def test_the_list_is_filtered_by_its_effect(client, recife):
    add(client)

    page = client.get(url(ClinicHoliday, "changelist"))
    assert "Por efeito" in page.text
    assert "Por a clínica" not in page.text


def test_the_same_day_twice_is_refused(client, recife):
    add(client)
    errors = add(client, falls_on="24-06", name="de novo").context["adminform"].form.errors
    assert errors["falls_on"] == [
        "A lista da clínica já tem esta data. Altere o que está lá, ou confira o dia e o mês."
    ]


def test_closing_is_for_everybody(client, recife):
    doctor = make_doctor(recife)
    errors = add(client, doctors=[doctor.pk], specialty=doctor.specialty).context["adminform"].form.errors
    assert list(errors) == ["specialty", "doctors"]


def test_case_27_a_manager_chooses_the_state(client, recife):
    page = client.get(url(Clinic, "change", recife.pk)).text
    assert "Pernambuco" in page and "Madeira" not in page
    Clinic.objects.filter(pk=recife.pk).update(region="PE")
    assert (date(2027, 3, 6), "Data Magna de Pernambuco", "Pernambuco", "fechada") in lines(client)


def test_case_27_a_region_of_another_country_is_refused(client, recife):
    form = client.get(url(Clinic, "change", recife.pk)).context["adminform"].form
    fields = {name: form[name].value() or "" for name in form.fields}
    fields = {name: value for name, value in fields.items() if value is not False} | {"region": "30"}
    errors = client.post(url(Clinic, "change", recife.pk), fields).context["adminform"].form.errors
    assert errors["region"] == ["Esta região não é do país da clínica. Escolha outra da lista."]


def test_case_28_a_towns_list_is_taken_over_once(client, recife):
    for _ in range(2):
        assert client.post(COMING, {"town": "Recife"}).status_code == 302
    assert set(ClinicHoliday.objects.values_list("falls_on", flat=True)) == {"24/06", "16/07", "08/12"}
    assert (CONCEPTION, "N. Sra. da Conceição", "lista da clínica", "fechada") in lines(client)


def test_a_town_of_another_country_is_not_offered(client, recife):
    assert client.post(COMING, {"town": "Funchal"}).status_code == 404
    assert client.post(COMING, {"town": "\0" * 10_000}).status_code == 404


@pytest.mark.parametrize("make", [make_clinic, make_lisbon])
def test_case_30_carnaval_is_listed_and_closed_by_choice(client, time_machine, make):
    time_machine.move_to("2026-11-21T15:00:00Z", tick=False)
    clinic = make(observes_holidays=True)
    client.force_login(make_manager(clinic))
    day = date(2027, 2, 9)
    shown = {one.day: one for one in client.get(COMING).context["days"]}[day]
    assert (shown.name, shown.effect, shown.falls_on) == ("Carnaval", "aberta", "Páscoa-47")
    add(client, falls_on=shown.falls_on, name=shown.name)
    page = client.get(COMING).context["days"]
    closes = "encerrada" if clinic.country == "PT" else "fechada"
    assert [one.effect for one in page if one.day == day] == [closes]


def test_case_31_ashes_are_typed_with_their_hour(client, recife):
    add(client, falls_on="Páscoa-46", name="Cinzas", ends="14:00")
    assert (date(2027, 2, 10), "Cinzas", "lista da clínica", "aberta a partir das 14:00") in lines(client)
    assert opened(make_doctor(recife), date(2027, 2, 10)) == [("14:00", "18:00")]


def test_midnight_as_the_end_is_the_end_of_the_day(client, recife):
    add(client, falls_on="24/12", name="Véspera de Natal", starts="12:00", ends="24:00")
    row = ClinicHoliday.objects.get()
    assert (row.starts, row.ends, row.hours) == (time(12), None, "12:00–24:00")


def test_case_32_an_exception_opens_for_a_speciality(client, recife):
    imaging, other = make_doctor(recife, specialty="Imagiologia"), make_doctor(recife)
    own(recife, "08/12", "N. Sra. da Conceição")
    opening = {"name": "Imagiologia", "kind": "opens", "starts": "8:00", "ends": "12:00", "specialty": "Imagiologia"}
    assert add(client, falls_on="08/12/2026", **opening).status_code == 302
    assert (opened(imaging, CONCEPTION), opened(other, CONCEPTION)) == ([("08:00", "12:00")], [])
    assert (CONCEPTION, "Imagiologia", "exceção", "aberta 08:00–12:00 (Imagiologia)") in lines(client)


def test_the_effect_is_asked_about_before_the_save(client, recife):
    visit = book_appointment(make_doctor(recife), starts_at=recife.instant(CONCEPTION, time(9)))
    for page in (add(client, falls_on="08/12"), client.post(COMING, {"town": "Recife"})):
        assert "1 pessoa já está agendada nesse período" in page.text and visit.patient.name in page.text
        assert ClinicHoliday.objects.count() == 0
    asked = page.context["affected"].asked
    answer = client.post(COMING, {"town": "Recife", "move_over": asked})
    assert (answer.status_code, answer["Location"], ClinicHoliday.objects.count()) == (302, "/pendencias/", 3)


def test_whom_a_deleted_exception_strands_is_shown_first(client, recife):
    own(recife, "08/12")
    exception = own(recife, "08/12/2026", "Imagiologia", kind="opens")
    visit = book_appointment(make_doctor(recife), starts_at=recife.instant(CONCEPTION, time(9)))
    page = client.get(url(ClinicHoliday, "delete", exception.pk)).text
    assert "1 pessoa já está agendada nesse período" in page and visit.patient.name in page
    assert ClinicHoliday.objects.count() == 2
    assert client.post(url(ClinicHoliday, "delete", exception.pk), {"post": "yes"}).status_code == 302
    assert 'role="alert" aria' not in client.get(url(ClinicHoliday, "delete", ClinicHoliday.objects.get().pk)).text


def test_going_back_from_the_question_saves_nothing(client, recife):
    answer = client.post(COMING, {"town": "Recife", "back": "1"})
    assert (answer.status_code, ClinicHoliday.objects.count()) == (200, 0)


def test_another_clinics_row_is_not_there(client, recife):
    row = own(make_clinic(), "08/12", "alheio")
    assert client.get(url(ClinicHoliday, "change", row.pk)).status_code == 404
    assert "alheio" not in client.get(COMING).text


def test_the_desk_does_not_get_in(client, recife):
    client.force_login(make_user(recife))
    assert client.get(COMING).status_code == 403


def test_the_page_takes_two_queries_more_than_none(client, recife, django_assert_max_num_queries):
    doctor = make_doctor(recife)
    for day in range(1, 20):
        own(recife, f"{day:02}/08/2027", kind="opens", doctors=[doctor])
    with django_assert_max_num_queries(8):
        client.get(COMING)
