import re
from datetime import date, datetime, time

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic.booking import merge_patients
from clinic.form_fields import TypedDateField
from clinic.models import Appointment, Patient
from tests.booking.desk import BY
from tests.factories import (
    book_appointment,
    make_clinic,
    make_discount,
    make_doctor,
    make_patient,
    make_procedure,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday")]

BOOK = reverse("web:appointment-book")
CHECK = reverse("web:appointment-check")
HTMX = {"HX-Request": "true"}
MONDAY = date(2026, 11, 23)
NO_SUCH_DATE = "Esta data não existe. Escreva dia/mês/ano, por exemplo 23/11/2026, ou hoje, amanhã, sexta, +7, 15."


@pytest.fixture
def saturday(time_machine):
    """21 November 2026, noon in Recife."""
    time_machine.move_to("2026-11-21T15:00:00Z", tick=False)


@pytest.fixture
def clinic():
    return make_clinic()


@pytest.fixture
def procedure(clinic):
    return make_procedure(clinic, name="Consulta", price="252.00", duration_minutes=30)


@pytest.fixture
def doctor(clinic, procedure):
    return make_doctor(clinic, name="Dra. Helena Prado", procedures=[procedure])


@pytest.fixture
def patient(clinic):
    return make_patient(clinic, name="Ana Souza")


@pytest.fixture
def desk(client, clinic):
    client.force_login(make_user(clinic))
    return client


@pytest.fixture
def form(doctor, procedure, patient):
    """A form that can be booked; tests change one thing."""
    return {
        "patient": patient.pk,
        "doctor": doctor.pk,
        "procedure": [procedure.pk],
        "discount": [""],
        "date": "23/11/2026",
        "starts": "09:00",
        "notes": "",
    }


def errors(answer):
    """{field: sentence} of the form that came back."""
    return {field: " ".join(sentences) for field, sentences in answer.context["form"].errors.items()}


def test_a_booking_leads_back_to_its_day(desk, form, doctor):
    answer = desk.post(BOOK, form)
    appointment = Appointment.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == f"/agenda/2026-11-23/#a{appointment.pk}"
    assert appointment.starts_at == doctor.clinic.instant(MONDAY, time(9))
    assert appointment.events.get().channel == "browser"


def test_htmx_booking_shows_the_appointment_and_refreshes_the_day(desk, form):
    answer = desk.post(BOOK, form, headers=HTMX)
    assert answer.status_code == 200
    assert answer["HX-Trigger"] == "refresh-day"
    assert "Agendado às 09:00" in answer.text


@pytest.mark.parametrize("asks", [HTMX, {}], ids=["partial", "page"])
def test_a_patient_merged_meanwhile_is_named_beside_the_kept_one(desk, form, clinic, patient, asks):
    kept = make_patient(clinic, name="Ana de Souza Lima")
    merge_patients(kept.pk, patient.pk, clinic=clinic, sides={}, by=BY)
    page = desk.post(BOOK, form, headers=asks, follow=True)
    assert Appointment.objects.get().patient == kept
    assert "O cadastro de Ana Souza foi juntado ao de Ana de Souza Lima enquanto você agendava" in page.text


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"patient": ""}, "patient", "Escolha um paciente da lista ou cadastre um novo."),
        ({"patient": "abc"}, "patient", "Esta escolha não existe mais. Escolha de novo."),
        ({"patient": "9" * 30}, "patient", "Esta escolha não existe mais. Escolha de novo."),
        (
            {"patient": "999999999"},
            "patient",
            "Este paciente não está mais no cadastro. Busque de novo pelo nome ou telefone.",
        ),
        ({"doctor": ""}, "doctor", "Escolha o médico ou a médica."),
        ({"doctor": "-1"}, "doctor", "Esta escolha não existe mais. Escolha de novo."),
        ({"doctor": "999999999"}, "doctor", "Este profissional não atende mais aqui. Escolha outro."),
        ({"procedure": [""]}, "procedure", "Escolha pelo menos um procedimento."),
        ({"procedure": ["1e9"]}, "procedure", "Esta escolha não existe mais. Escolha de novo."),
        (
            {"procedure": ["999999999"]},
            "procedure",
            "Um dos procedimentos não é mais oferecido. Escolha de novo.",
        ),
        ({"discount": ["999999999"]}, "discount", "Este desconto não existe mais. Escolha outro ou nenhum."),
        ({"date": ""}, "starts", "Escolha a data e o horário."),
        ({"date": "31/02/2027"}, "date", NO_SUCH_DATE),
        ({"date": "semana que vem"}, "date", NO_SUCH_DATE),
        ({"date": "20/11/2026"}, "date", "Esta data já passou. Escolha hoje ou uma data futura."),
        ({"date": "21/11/2028"}, "date", "Esta data está longe demais. Escolha até 20/11/2028."),
        ({"date": "31/12/9999"}, "date", "O ano deve ficar entre 1900 e 2200. Confira a data."),
        ({"date": "01/01/0001"}, "date", "O ano deve ficar entre 1900 e 2200. Confira a data."),
        ({"starts": "25:00"}, "starts", "Este horário não existe. Escreva hora e minutos, por exemplo 09:30."),
        ({"ends": "08:30"}, "ends", "O fim deve ser depois do início."),
        (
            {"starts": "12:00"},
            "starts",
            "A Dra. Helena Prado não atende nesse horário: nesse dia atende das 08:00 às 12:00 e das 13:00 às 18:00.",
        ),
        ({"notes": "x" * 10_000}, "notes", "As observações têm 10000 caracteres; o máximo é 5000."),
        ({"notes": "a\0b"}, "notes", "Caracteres nulos não são permitidos."),
    ],
)
def test_refusal_is_shown_at_its_field_and_nothing_typed_is_lost(desk, form, change, field, sentence):
    answer = desk.post(BOOK, form | change, headers=HTMX)
    assert answer.status_code in {409, 422}
    assert errors(answer)[field] == sentence
    assert not Appointment.objects.exists()
    for name, sent in (form | change).items():
        values = sent if isinstance(sent, list) else [sent]
        assert answer.context["form"].data.getlist(name) == [str(value) for value in values]


def test_every_complaint_comes_at_once(desk, form):
    change = {"patient": "", "is_new": "1", "name": "", "phone": "12", "cpf": "111", "date": "31/02", "ends": "x"}
    answer = desk.post(BOOK, form | change, headers=HTMX)
    assert set(errors(answer)) == {"name", "phone", "cpf", "date", "ends"}


def test_a_taken_time_offers_the_three_nearest_free_ones(desk, form, doctor, clinic):
    book_appointment(doctor, starts_at=clinic.instant(MONDAY, time(9)))
    answer = desk.post(BOOK, form, headers=HTMX)
    assert answer.status_code == 409
    assert errors(answer) == {"starts": "O horário das 09:00 da Dra. Helena Prado já está ocupado."}
    offered = [f"{clinic.local(opening.starts_at):%H:%M}" for opening in answer.context["times"]]
    assert offered == ["08:30", "13:00", "08:00"]  # a half-day each
    assert answer["HX-Trigger"] == "refresh-day"  # it still shows the time as free


def test_the_chosen_time_leads_the_panel(desk, form):
    answer = desk.post(CHECK, form, headers=HTMX)
    shown = re.search(r'<p class="chosen-time" id="booking-chosen" hx-swap-oob="true">\s*(.*?)\s*</p>', answer.text)
    assert shown[1] == "segunda-feira, 23 de novembro, 09:00–09:30"
    nothing = desk.post(CHECK, form | {"starts": ""}, headers=HTMX)
    assert 'id="booking-chosen" hx-swap-oob="true" hidden>' in nothing.text
    first = desk.post(CHECK, form | {"date": "01/03/2027"}, headers=HTMX)
    assert "segunda-feira, 1º de março, 09:00–09:30" in first.text  # as the day's heading has it


def test_the_same_form_sent_twice_books_once_and_succeeds_twice(desk, form):
    form["key"] = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
    first, second = desk.post(BOOK, form), desk.post(BOOK, form)
    assert first["Location"] == second["Location"]
    assert Appointment.objects.count() == 1


def test_a_used_form_with_another_time_is_not_taken_for_the_first(desk, form):
    form["key"] = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
    desk.post(BOOK, form)
    answer = desk.post(BOOK, form | {"starts": "10:00"})
    assert answer.status_code == 422
    assert Appointment.objects.count() == 1


def test_a_used_form_for_another_patient_is_not_taken_for_the_first(desk, form, clinic):
    form["key"] = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
    desk.post(BOOK, form)
    answer = desk.post(BOOK, form | {"patient": make_patient(clinic, name="Bruno Lima").pk})
    assert answer.status_code == 409 and "juntado" not in answer.text
    assert Appointment.objects.count() == 1


@pytest.fixture
def again(form, patient):
    """The form with a new patient who is there already."""
    del form["patient"]
    return form | {"is_new": "1", "name": "ANA souza", "phone": patient.phone.as_e164}


def test_a_new_patient_who_is_there_is_asked_about_before_booking(desk, again, patient):
    answer = desk.post(BOOK, again, headers=HTMX)
    page = answer.content.decode()

    assert answer.status_code == 409 and Appointment.objects.count() == 0 and Patient.objects.count() == 1
    assert "Já existe Ana Souza, é a mesma pessoa?" in page
    assert "É a mesma: agendar" in page and "É outra pessoa: cadastrar" in page


def test_the_same_person_is_booked_and_her_blanks_are_filled(desk, again, patient):
    Patient.objects.filter(pk=patient.pk).update(birth_date=None)
    answer = desk.post(BOOK, again | {"same": patient.pk, "birth_date": "12/03/1984"}, headers=HTMX)

    assert answer.status_code == 200
    assert Appointment.objects.get().patient == patient
    assert Patient.objects.get().birth_date == date(1984, 3, 12)


def test_another_person_of_that_name_and_phone_is_added_and_booked(desk, again, patient):
    desk.post(BOOK, again | {"besides": f"{patient.pk} "}, headers=HTMX)

    assert Appointment.objects.get().patient != patient and Patient.objects.count() == 2


def test_answer_about_another_patient_is_ignored(desk, again, patient, clinic):
    other = make_patient(clinic)
    for wrong in (other.pk, "x", "9" * 40, ""):
        assert desk.post(BOOK, again | {"same": wrong}, headers=HTMX).status_code == 409
    assert Appointment.objects.count() == 0


def test_an_answer_stays_when_something_else_is_wrong(desk, again, patient):
    page = desk.post(BOOK, again | {"same": patient.pk, "starts": "07:00"}, headers=HTMX).content.decode()

    assert f'name="same" value="{patient.pk}"' in page and "é a mesma pessoa?" not in page


def test_second_click_on_new_patient_is_not_asked_about_duplicates(desk, again):
    new = again | {"name": "Rita Nova", "key": "3c90c3cc-0d44-4b50-8888-8dd25736052a"}
    first, second = desk.post(BOOK, new), desk.post(BOOK, new)

    assert first["Location"] == second["Location"]
    assert Appointment.objects.count() == 1 and Patient.objects.count() == 2


def test_a_new_patient_with_hostile_text_is_written_as_text(desk, form):
    name = "<script>alert(1)</script> 😀 \u202eabc"
    answer = desk.post(
        BOOK, form | {"patient": "", "is_new": "1", "name": name, "phone": "81 99999-9999"}, headers=HTMX
    )
    assert answer.status_code == 200
    assert Patient.objects.get(name__startswith="<script>").name == "<script>alert(1)</script> 😀 abc"
    assert "<script>alert" not in answer.text


def test_ten_thousand_typed_characters_of_a_name_are_kept(desk, form):
    change = {"patient": "", "is_new": "1", "name": "a" * 10_000, "phone": "81 99999-9999"}
    answer = desk.post(BOOK, form | change, headers=HTMX)
    assert errors(answer) == {"name": "O nome tem 10000 caracteres; o máximo é 160."}
    assert "a" * 10_000 in answer.text


def test_free_time_opens_panel_with_doctor_time_and_usual_procedure(desk, doctor, procedure):
    answer = desk.get(BOOK, {"medico": doctor.pk, "data": "2026-11-23", "inicio": "10:00"}, headers=HTMX)
    assert answer.status_code == 200
    context = answer.context
    assert (context["doctor"], context["submit_label"]) == (doctor, "Agendar às 10:00")
    assert [row.procedure for row in context["rows"]] == [str(procedure.pk)]
    assert errors(answer) == {}


@pytest.mark.parametrize(
    "asked",
    [
        {"medico": "abc", "data": "x", "inicio": "99:99", "paciente": "drop table"},
        {"medico": "9" * 40, "data": "0001-01-01", "inicio": "00:00", "paciente": "9" * 40},
        {"data": "9999-12-31", "inicio": "23:59"},
        {"medico": "", "data": "", "inicio": "", "paciente": ""},
    ],
)
@pytest.mark.parametrize("headers", [HTMX, {}], ids=["htmx", "page"])
def test_mangled_address_still_opens_the_panel(desk, doctor, asked, headers):
    assert desk.get(BOOK, asked, headers=headers).status_code == 200


def test_leaving_a_field_returns_only_errors_times_and_total(desk, form):
    answer = desk.post(CHECK, form | {"starts": "12:15"}, headers=HTMX | {"HX-Trigger-Name": "starts"})
    assert answer.status_code == 200
    assert "não atende nesse horário" in answer.text
    assert 'id="notes"' not in answer.text
    assert answer.text.count("hx-swap-oob") >= 8


def test_untouched_fields_show_no_errors(desk, doctor):
    answer = desk.post(CHECK, {"doctor": doctor.pk}, headers=HTMX | {"HX-Trigger-Name": "doctor"})
    assert errors(answer) == {}


def test_discounts_and_the_total_follow_the_lines(desk, form, clinic):
    discount = make_discount(clinic, percentage=20)
    answer = desk.post(CHECK, form | {"discount": [discount.pk]}, headers=HTMX | {"HX-Trigger-Name": "discount"})
    assert "R$\xa0201,60" in answer.text


def test_a_chosen_time_is_put_into_the_form(desk, form, clinic):
    instant = clinic.instant(date(2026, 11, 24), time(14, 15))
    answer = desk.post(CHECK, form | {"choose": instant.isoformat()}, headers=HTMX)
    assert answer.context["form"].data["date"] == "24/11/2026"
    assert answer.context["submit_label"] == "Agendar às 14:15"


@pytest.mark.parametrize("choose", ["", "amanhã", "2026-99-99T00:00", "2026-11-24T10:00", "9999-12-31T23:59:59Z"])
def test_a_mangled_choice_of_time_changes_nothing(desk, form, choose):
    answer = desk.post(CHECK, form | {"choose": choose}, headers=HTMX)
    assert answer.status_code == 200


def test_a_line_is_added_and_taken_away(desk, form):
    more = desk.post(CHECK, form | {"add": "1"}, headers=HTMX)
    assert len(more.context["rows"]) == 2
    fewer = desk.post(CHECK, form | {"procedure": [form["procedure"][0], ""], "remove": "1"}, headers=HTMX)
    assert len(fewer.context["rows"]) == 1
    mangled = desk.post(CHECK, form | {"remove": "9" * 5000}, headers=HTMX)
    assert len(mangled.context["rows"]) == 1


@pytest.mark.parametrize(
    ("today", "typed", "meant"),
    [
        ("2026-12-10", "05/01", date(2027, 1, 5)),
        ("2026-12-10", "9.12", date(2026, 12, 9)),
        ("2026-12-10", "11/10", date(2026, 10, 11)),
        ("2026-12-10", "10/10", date(2027, 10, 10)),
        ("2027-01-05", "20/12", date(2026, 12, 20)),
        ("2027-01-10", "15/08", date(2027, 8, 15)),
        ("2026-06-01", "29/02", date(2028, 2, 29)),
        ("2024-02-29", "29/02", date(2024, 2, 29)),
        ("2096-06-01", "29/02", date(2104, 2, 29)),
    ],
)
def test_date_without_year_is_the_first_since_two_months_ago(clinic, time_machine, today, typed, meant):
    time_machine.move_to(f"{today}T12:00:00Z", tick=False)
    with timezone.override(clinic.zone):
        assert TypedDateField().clean(typed) == meant


@pytest.mark.parametrize("headers", [HTMX, {}], ids=["htmx", "page"])
def test_no_page_about_an_appointment_is_kept_by_the_browser(desk, doctor, headers):
    appointment = book_appointment(doctor)
    for name in ("detail", "reschedule", "cancel", "notes"):
        answer = desk.get(reverse(f"web:appointment-{name}", args=[appointment.pk]), headers=headers)
        assert "no-store" in answer["Cache-Control"] and "HX-Request" in answer["Vary"]
    assert "no-store" in desk.get(BOOK, headers=headers)["Cache-Control"]


def test_the_panel_stands_beside_its_day_without_htmx(desk, doctor):
    answer = desk.get(BOOK, {"medico": doctor.pk, "data": "2026-11-23", "inicio": "10:00"})
    assert 'id="day"' in answer.text
    assert 'id="booking"' in answer.text


def test_rows_of_another_clinic_are_unknown(desk, form):
    other = make_doctor()
    theirs = {
        "doctor": other.pk,
        "patient": make_patient(other.clinic).pk,
        "procedure": [other.procedures.get().pk],
        "discount": [make_discount(other.clinic).pk],
    }
    answer = desk.post(BOOK, form | theirs, headers=HTMX)
    assert set(errors(answer)) == {"doctor", "patient", "procedure", "discount"}
    assert other.name not in answer.text
    assert not Appointment.objects.exists()


@pytest.mark.parametrize(
    ("change", "submit"),
    [
        ({}, "Agendar às 09:00"),
        ({"date": "22/11/2026"}, "Agendar"),
        ({"date": "20/11/2026"}, "Agendar"),
        ({"starts": "06:00"}, "Agendar"),
    ],
)
def test_main_button_names_a_time_only_if_it_can_be_booked(desk, form, change, submit):
    assert desk.post(CHECK, form | change, headers=HTMX).context["submit_label"] == submit


def test_an_unreadable_date_is_the_only_complaint_about_when(desk, form):
    assert set(errors(desk.post(BOOK, form | {"date": "31/02/2027"}, headers=HTMX))) == {"date"}


@pytest.mark.parametrize(
    ("typed", "field"),
    [("Ana Lima", "name"), ("81 98888-7777", "phone"), ("12/03/1984", "birth_date"), ("529.982.247-25", "cpf")],
)
def test_unsuccessful_search_fills_the_matching_field(desk, form, typed, field):
    answer = desk.post(CHECK, form | {"patient": "", "q": typed, "new": "1"}, headers=HTMX)
    assert answer.context["form"].data[field] == typed
    assert answer.context["focus"] == ("phone" if field == "name" else "name")


def test_a_search_for_a_new_patient_keeps_what_was_typed(desk, form):
    typed = {"patient": "", "is_new": "1", "name": "Ana Lima", "phone": "81 98888-7777", "cpf": "529.982.247-25"}
    searching = desk.post(CHECK, form | typed | {"search": "1"}, headers=HTMX)
    assert 'name="q" value="Ana Lima"' in searching.text
    kept = {name: re.search(rf'name="{name}" value="([^"]*)"', searching.text)[1] for name in ("q", "phone", "cpf")}
    new = desk.post(CHECK, form | {"patient": ""} | kept | {"new": "1"}, headers=HTMX).context["form"].data
    assert {name: new[name] for name in ("name", "phone", "cpf")} == {
        name: typed[name] for name in ("name", "phone", "cpf")
    }


def test_changing_doctor_replaces_only_an_unchosen_procedure(desk, form, clinic, procedure):
    scan = make_procedure(clinic, name="Ultrassonografia")
    radiologist = make_doctor(clinic, procedures=[scan])
    left = HTMX | {"HX-Trigger-Name": "doctor"}
    change = form | {"doctor": radiologist.pk}
    replaced = desk.post(CHECK, change | {"usual": procedure.pk}, headers=left)
    assert replaced.context["form"].rows == [(str(scan.pk), "")]
    chosen = desk.post(CHECK, change | {"usual": ""}, headers=left)
    assert chosen.context["form"].rows == [(str(procedure.pk), "")]
    assert "não realiza Consulta" in errors(chosen)["procedure"]
    mangled = desk.post(CHECK, change | {"procedure": ["x"], "usual": "x"}, headers=left)
    assert mangled.status_code == 200


# Another of the family ----------------------------------------------------------------------------------------------


@pytest.fixture
def booked(doctor, patient):
    return book_appointment(doctor, patient=patient.pk, starts_at=doctor.clinic.instant(MONDAY, time(9)))


def family_form(desk, appointment):
    return desk.get(BOOK, {"familia": appointment.pk}, headers=HTMX).context["form"]


def test_another_of_the_family_keeps_doctor_procedure_and_day(desk, booked, doctor, procedure):
    form = family_form(desk, booked)
    kept = {name: form.data.get(name) for name in ("doctor", "procedure", "date", "starts", "patient")}
    assert kept == {
        "doctor": str(doctor.pk),
        "procedure": str(procedure.pk),
        "date": "23/11/2026",
        "starts": "09:30",
        "patient": None,
    }
    assert not form.errors


def test_another_of_the_family_is_given_the_first_free_time_after(desk, booked, doctor):
    book_appointment(doctor, starts_at=booked.ends_at)
    form = family_form(desk, booked)
    assert (form.data["starts"], dict(form.errors)) == ("10:00", {})


def test_another_of_the_family_comes_before_on_a_day_full_after(desk, doctor):
    last = book_appointment(doctor, starts_at=doctor.clinic.instant(MONDAY, time(17, 30)))
    assert family_form(desk, last).data.get("starts") == "17:00"


def test_another_of_the_family_has_no_time_on_a_full_day(desk, clinic, procedure):
    short = make_doctor(clinic, procedures=[procedure], hours=((time(9), time(9, 30)),))
    only = book_appointment(short, starts_at=clinic.instant(MONDAY, time(9)))
    assert family_form(desk, only).data.get("starts") is None


@pytest.mark.parametrize(
    ("typed", "phone"), [("Bia Souza", "{family}"), ("Bia 81 98888-7777", "81988887777"), ("", "{family}")]
)
def test_a_new_patient_of_the_family_has_their_phone(desk, booked, typed, phone):
    family = family_form(desk, booked).data["family_phone"]
    answer = desk.post(CHECK, {"new": "1", "q": typed, "family_phone": family}, headers=HTMX)
    assert answer.context["form"]["phone"].value() == phone.format(family=family)


@pytest.mark.parametrize("wrong", ["abc", "999999999", "9" * 30, "-1", ""])
def test_a_family_of_no_appointment_is_an_empty_form(desk, doctor, wrong):
    assert family_form(desk, Appointment(pk=wrong)).data.get("doctor") is None


def test_a_family_of_another_clinic_is_an_empty_form(desk, doctor):
    elsewhere = book_appointment()
    assert family_form(desk, elsewhere).data.get("doctor") is None


def test_a_booked_appointments_address_replaces_the_forms(desk, form):
    answer = desk.post(BOOK, form, headers=HTMX)
    assert answer["HX-Replace-Url"] == f"/agendamentos/{Appointment.objects.get().pk}/"
    assert "HX-Replace-Url" not in desk.post(BOOK, form | {"patient": ""}, headers=HTMX)


@pytest.mark.parametrize(
    ("typed", "written"),
    [("amanhã", "22/11/2026"), ("sexta", "27/11/2026"), ("+7", "28/11/2026"), ("15", "15/12/2026")],
)
def test_a_date_in_words_is_written_out_when_the_field_is_left(desk, form, typed, written):
    answer = desk.post(CHECK, form | {"date": typed}, headers=HTMX | {"HX-Trigger-Name": "date"})
    assert answer.context["form"].day == datetime.strptime(written, "%d/%m/%Y").date()
    assert f'<input id="date" name="date" value="{written}"' in answer.text and "hx-swap-oob" in answer.text


def test_a_written_date_is_left_as_it_was_typed(desk, form):
    answer = desk.post(CHECK, form | {"date": "30/11"}, headers=HTMX | {"HX-Trigger-Name": "date"})
    assert '<input id="date"' not in answer.text


def test_a_date_in_words_books(desk, form):
    desk.post(BOOK, form | {"date": "segunda"})
    assert Appointment.objects.get().starts_at.date() == MONDAY
