"""The page on which a family is booked in one act."""

import re
from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.urls import reverse

from clinic.booking import Author
from clinic.models import Appointment, Patient
from tests.factories import (
    book_appointment,
    make_clinic,
    make_doctor,
    make_patient,
    make_procedure,
    make_user,
    next_monday,
)

pytestmark = pytest.mark.django_db
BY = Author(channel="command", credential="tests")
HTMX = {"HX-Request": "true"}
PAGE = "/agendamentos/familia/"
PHONE = "+5581998765432"


@pytest.fixture
def doctor(client):
    clinic = make_clinic()
    client.force_login(make_user(clinic))
    return make_doctor(clinic, name="Dra. Helena Prado", procedures=[make_procedure(clinic, name="Consulta")])


@pytest.fixture
def children(doctor):
    return [make_patient(doctor.clinic, name=name, phone=PHONE) for name in ("Bia Souza", "Caio Souza")]


def fields(doctor, patients, *starts, **changes):
    """The form with these patients, one after another next Monday."""
    data = {"key": str(uuid4()), "rows": str(len(patients)), "date": f"{next_monday(doctor.clinic):%d/%m/%Y}"}
    for number, (patient, time) in enumerate(zip(patients, starts, strict=True)):
        data |= {
            f"patient-{number}": patient.pk if patient else "",
            f"doctor-{number}": doctor.pk,
            f"procedure-{number}": doctor.procedures.get().pk,
            f"starts-{number}": time,
        }
    return data | changes


def post(client, data, **buttons):
    return client.post(PAGE, data | buttons, headers=HTMX)


def times(text):
    return re.findall(r'id="starts-\d" name="starts-\d" value="([^"]*)"', text)


def test_it_opens_beside_the_booked_one_with_the_family_first(client, doctor, children):
    mother = make_patient(doctor.clinic, name="Ana Souza", phone=PHONE)
    booked = book_appointment(doctor, patient=mother.pk)
    assert f"/agendamentos/familia/?agendamento={booked.pk}" in client.get(f"/agendamentos/{booked.pk}/").text
    text = client.get(PAGE, {"agendamento": booked.pk}).text
    assert text.count("<fieldset") == 2 and "Junto de Ana Souza" in text
    assert text.count("Bia Souza") == text.count("Caio Souza") == 2  # offered in both rows


def test_all_are_booked_by_one_submit_and_a_second_click_books_none(client, doctor, children):
    data = fields(doctor, children, "09:00", "09:30", save="1")
    for _ in range(2):
        answer = client.post(PAGE, data)
        assert answer.status_code == 302 and "/agenda/" in answer["Location"]
    assert sorted(Appointment.objects.values_list("patient__name", flat=True)) == ["Bia Souza", "Caio Souza"]


def test_where_one_is_refused_none_is_booked_nor_typing_lost(client, doctor, children):
    taken = book_appointment(doctor)
    answer = post(client, fields(doctor, children, "08:00", "09:00"), save="1")
    assert answer.status_code == 409
    assert "Nada foi agendado" in answer.text and "está ocupad" in answer.text
    assert times(answer.text) == ["08:00", "09:00"] and 'name="choose" value="1|' in answer.text
    assert Appointment.objects.get() == taken


def test_what_is_refused_has_the_focus_and_each_row_an_alert(client, doctor, children):
    doctor.hours.all().delete()
    text = post(client, fields(doctor, children, "08:00", "09:00"), save="1").text
    assert re.findall(r'<p class="message error" ([^>]*)>', text) == ['tabindex="-1" autofocus', *['role="alert"'] * 2]


def test_two_rows_for_one_patient_are_refused_by_name(client, doctor, children):
    answer = post(client, fields(doctor, [children[0]] * 2, "09:00", "10:00"), save="1")
    assert answer.status_code == 409 and "Bia Souza está em duas linhas" in answer.text
    assert not Appointment.objects.exists()


def test_an_empty_row_is_complained_about_only_when_it_is_sent(client, doctor, children):
    data = fields(doctor, [children[0], None], "09:00", "")
    assert "Escolha o paciente" not in post(client, data).text
    answer = post(client, data, save="1")
    assert answer.status_code == 409 and not Appointment.objects.exists()
    assert "Nada foi agendado" in answer.text


def test_a_new_one_gets_the_phone_of_the_family(client, doctor, children):
    data = fields(doctor, [children[0], None], "09:00", "09:30", phone="81 99876-5432")
    new = {"is_new-1": "1", "name-1": "Davi Souza", "birth_date-1": "01/02/2020"}
    answer = client.post(PAGE, data | new | {"save": "1"})
    assert answer.status_code == 302
    davi = Patient.objects.get(name="Davi Souza")
    assert (davi.phone.as_e164, f"{davi.birth_date:%d/%m/%Y}") == (PHONE, "01/02/2020")


def test_who_may_be_there_already_is_asked_about(client, doctor, children):
    data = fields(doctor, [children[0], None], "09:00", "09:30", phone="81 99876-5432")
    data |= {"is_new-1": "1", "name-1": "Caio Souza", "birth_date-1": ""}
    answer = post(client, data, save="1")
    assert answer.status_code == 409 and not Appointment.objects.exists()
    assert "É a mesma pessoa?" in answer.text and f'name="pick" value="1|{children[1].pk}"' in answer.text
    assert post(client, data, save="1", **{"besides-1": children[1].pk}).status_code == 200
    assert Patient.objects.filter(name="Caio Souza").count() == 2


def test_a_new_child_gets_who_is_responsible_and_an_adult_nobody(client, doctor, children):
    data = fields(doctor, [None, None], "09:00", "09:30", phone="81 99876-5432")
    for number, (name, born) in enumerate((("Davi Souza", "01/02/2020"), ("Rui Souza", "01/02/1980"))):
        data |= {f"is_new-{number}": "1", f"name-{number}": name, f"birth_date-{number}": born}
    data |= {"guardian_name": "Ana Souza", "guardian_relation": "mãe"}
    assert client.post(PAGE, data | {"save": "1"}).status_code == 302
    assert Patient.objects.get(name="Davi Souza").guardian == "Ana Souza (mãe)"
    assert Patient.objects.get(name="Rui Souza").guardian == ""


def test_an_unusual_age_is_asked_about_and_confirmed(client, doctor, children):
    data = fields(doctor, [children[0], None], "09:00", "09:30", phone="81 99876-5432", save="1")
    data |= {"is_new-1": "1", "name-1": "Davi Souza", "birth_date-1": "01/02/1901"}
    answer = post(client, data)
    assert answer.status_code == 409 and "Confira o ano" in answer.text and not Appointment.objects.exists()
    assert 'name="old_is_right-1" value="1901-02-01"' in answer.text
    assert client.post(PAGE, data | {"old_is_right-1": "1901-02-01"}).status_code == 302
    assert Patient.objects.filter(name="Davi Souza").exists()


def test_who_is_responsible_is_proposed_from_who_is_known(client, doctor):
    adult = make_patient(doctor.clinic, name="Ana Souza", phone=PHONE, birth_date=date(1985, 2, 1))
    child = make_patient(
        doctor.clinic,
        name="Bia Souza",
        phone=PHONE,
        birth_date=date(2020, 2, 1),
        guardian_name="Rui Souza",
        guardian_relation="pai",
    )
    text = client.get(PAGE, {"agendamento": book_appointment(doctor, patient=adult.pk).pk}).text
    assert 'name="guardian_name" value="Ana Souza"' in text
    text = client.get(PAGE, {"paciente": child.pk}).text
    assert 'name="guardian_name" value="Rui Souza"' in text and 'name="guardian_relation" value="pai"' in text


def test_a_missing_date_is_marked_once_at_the_date(client, doctor, children):
    answer = post(client, fields(doctor, children, "09:00", "09:30", date=""), save="1")
    assert answer.status_code == 409 and "Escreva a data." in answer.text
    assert 'id="error-starts-0" aria-live="polite"></' in answer.text


def test_a_text_finds_people_and_a_button_takes_one(client, doctor, children):
    data = fields(doctor, [children[0], None], "", "") | {"q-1": "caio"}
    answer = client.post(PAGE, data, headers=HTMX | {"HX-Trigger-Name": "q-1"})
    assert answer["HX-Reswap"] == "none" and f'name="pick" value="1|{children[1].pk}"' in answer.text
    answer = post(client, data, pick=f"1|{children[1].pk}")
    assert f'name="patient-1" value="{children[1].pk}"' in answer.text
    answer = post(client, data, new="1")
    assert 'name="is_new-1" value="1"' in answer.text and 'name="name-1" value="caio"' in answer.text


def test_rows_are_added_up_to_six_and_taken_away(client, doctor, children):
    data = fields(doctor, children, "09:00", "09:30")
    text = post(client, data, add="1").text
    assert text.count("<fieldset") == 3 and 'name="rows" value="3"' in text
    six = post(client, data | {"rows": "6"}).text
    assert 'name="add"' not in six
    text = post(client, data | {"rows": "3"}, remove="0").text
    assert text.count("<fieldset") == 2 and f'name="patient-0" value="{children[1].pk}"' in text
    assert times(text)[0] == "09:30"


def test_times_are_proposed_over_several_dates(client, doctor, children):
    monday = next_monday(doctor.clinic)
    sunday = fields(doctor, children, "", "", date=f"{monday - timedelta(days=1):%d/%m/%Y}")
    assert "Ou em outra data" not in post(client, sunday, propose="1").text
    text = post(client, sunday | {"within": "7"}, propose="1").text
    assert f'value="{monday:%d/%m/%Y}"' in text and times(text) == ["08:00", "08:30"]
    offered = re.findall(r'name="take" value="([^"]+)">([^<]+)<', text)
    tuesday = monday + timedelta(days=1)
    assert len(offered) == 2 and offered[0] == (
        f"{tuesday:%d/%m/%Y}|08:00|08:30",
        f"ter {tuesday:%d/%m} 08:00–09:00",
    )
    taken = post(client, sunday | {"within": "7"}, take=offered[0][0]).text
    assert f'value="{tuesday:%d/%m/%Y}"' in taken and times(taken) == ["08:00", "08:30"]
    assert "Livre:" not in taken


def test_where_no_date_has_times_it_says_until_when(client, doctor, children):
    monday = next_monday(doctor.clinic)
    doctor.hours.all().delete()
    typed = fields(doctor, children, "", "", date=f"{monday:%d/%m/%Y}", within="14")
    text = post(client, typed, propose="1").text
    assert f"Não há horário para todos até {monday + timedelta(days=14):%d/%m/%Y}." in text


@pytest.mark.parametrize("odd", [{"within": "x"}, {"take": "x"}, {"take": "|||||||||"}, {"date": "", "propose": "1"}])
def test_odd_values_of_proposals_change_nothing(client, doctor, children, odd):
    assert post(client, fields(doctor, children, "08:00", "08:30") | odd, look="1").status_code == 200


def test_proposed_times_lie_one_after_another(client, doctor, children):
    text = post(client, fields(doctor, children, "", ""), propose="1").text
    assert times(text) == ["08:00", "08:30"]
    sunday = f"{next_monday(doctor.clinic) - timedelta(days=1):%d/%m/%Y}"
    assert "Não há horário para todos" in post(client, fields(doctor, children, "", "", date=sunday), propose="1").text


def test_a_free_time_instead_is_taken_by_its_button(client, doctor, children):
    text = post(client, fields(doctor, children, "09:00", "09:30"), choose="1|11:00").text
    assert times(text) == ["09:00", "11:00"]


def test_free_times_of_another_date_are_not_offered(client, doctor, children):
    sunday = f"{next_monday(doctor.clinic) + timedelta(days=6):%d/%m/%Y}"
    text = post(client, fields(doctor, children, "09:00", "09:30", date=sunday)).text
    assert 'name="choose"' not in text and "Não há horário livre neste dia" in text
    past = f"{next_monday(doctor.clinic) - timedelta(weeks=2):%d/%m/%Y}"
    assert 'name="choose"' not in post(client, fields(doctor, children, "09:00", "09:30", date=past)).text


def test_sent_again_with_another_doctor_nothing_is_said_to_be_done(client, doctor, children):
    other = make_doctor(doctor.clinic, procedures=list(doctor.procedures.all()))
    data = fields(doctor, children, "09:00", "09:30", save="1")
    assert client.post(PAGE, data).status_code == 302
    answer = post(client, data | {"doctor-0": other.pk})
    assert answer.status_code == 409 and "Nada foi agendado" in answer.text
    assert answer.text.count("message error") > 1 or 'aria-invalid="true"' in answer.text


@pytest.mark.parametrize("odd", [{"rows": "x"}, {"rows": "9" * 30}, {"key": "x"}, {"date": "x"}, {"agendamento": "x"}])
def test_odd_fields_break_nothing(client, doctor, children, odd):
    assert post(client, fields(doctor, children, "09:00", "x") | odd, look="1").status_code == 200
    assert client.post(PAGE, {"save": "1"} | odd).status_code in {200, 409}


def test_another_clinic_s_rows_are_unknown(client, doctor, children):
    elsewhere = make_patient(make_clinic())
    answer = post(client, fields(doctor, [children[0], elsewhere], "09:00", "09:30"), save="1")
    assert answer.status_code == 409 and not Appointment.objects.exists()
    other = book_appointment(make_doctor(make_clinic()))
    assert client.get(PAGE, {"agendamento": other.pk}).status_code == 404
    assert reverse("web:family-book") == PAGE
