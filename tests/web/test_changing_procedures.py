"""*Alterar*: procedures, discounts and the end of an appointment that stays where it is."""

import re
from datetime import date, time
from decimal import Decimal

import pytest
from django.urls import reverse

from clinic.booking import Author, LineRequest, change_procedures, change_status, undo, undoable
from clinic.models import Absence, Appointment, AppointmentEvent, Discount, Procedure
from tests.factories import (
    book_appointment,
    make_clinic,
    make_discount,
    make_doctor,
    make_manager,
    make_procedure,
    make_user,
)
from tests.windows import Window

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
BY = Author(channel=AppointmentEvent.Channel.COMMAND, credential="tests")
MONDAY = date(2026, 11, 23)


@pytest.fixture
def clinic(time_machine, db):
    time_machine.move_to("2026-11-21T15:00:00Z", tick=False)
    return make_clinic()


@pytest.fixture
def consultation(clinic):
    return make_procedure(clinic, name="Consulta", price="250.00", duration_minutes=30)


@pytest.fixture
def ecg(clinic):
    return make_procedure(clinic, name="ECG", price="95.00", duration_minutes=20)


@pytest.fixture
def doctor(clinic, consultation, ecg):
    return make_doctor(clinic, name="Dra. Helena Prado", procedures=[consultation, ecg])


@pytest.fixture
def appointment(doctor, consultation):
    return book_appointment(doctor, lines=(LineRequest(consultation.pk),), starts_at=at(doctor.clinic, 9))


@pytest.fixture
def desk(client, clinic):
    client.force_login(make_user(clinic))
    return client


def at(clinic, hour, minute=0):
    return clinic.instant(MONDAY, time(hour, minute))


def address(appointment):
    return reverse("web:appointment-change", args=[appointment.pk])


def opened(desk, appointment):
    return Window(desk, address(appointment), "booking")


def sent(window):
    """The fields as they stand, to be sent by htmx."""
    return {name: values for name, values in window.fields.items() if name != "csrfmiddlewaretoken"}


def errors(answer):
    return {field: " ".join(sentences) for field, sentences in answer.context["form"].errors.items()}


def stored(appointment):
    kept = Appointment.objects.get(pk=appointment.pk)
    ends_at = kept.clinic.local(kept.ends_at)
    return [line.procedure_name for line in kept.lines.all()], f"{ends_at:%H:%M}"


def test_the_form_opens_with_what_is_stored_and_an_empty_line(desk, appointment, consultation):
    page = desk.get(address(appointment), headers=HTMX)

    rows = page.context["rows"]
    assert [(row.procedure, row.discount) for row in rows] == [(str(consultation.pk), ""), ("", "")]
    assert page.context["focus"] == "procedure-1"
    assert opened(desk, appointment).fields["ends"] == ["09:30"]
    assert page.context["total"] == 250


def test_the_end_follows_an_added_procedure(desk, appointment, consultation, ecg):
    window = opened(desk, appointment)
    fields = sent(window) | {"procedure": [consultation.pk, ecg.pk]}

    checked = desk.post(address(appointment), fields, headers=HTMX | {"HX-Trigger-Name": "procedure"})

    assert checked.headers["HX-Reswap"] == "none"
    assert 'value="09:50"' in checked.text
    assert "O fim passa de 09:30 para 09:50." in checked.text
    assert checked.context["total"] == 345


def test_an_added_procedure_is_saved_with_its_end_and_undone(desk, appointment, consultation, ecg):
    window = opened(desk, appointment)
    answer = desk.post(
        address(appointment), sent(window) | {"procedure": [consultation.pk, ecg.pk], "save": "1"}, headers=HTMX
    )
    assert answer.status_code == 409, "a total that was not shown is not saved"
    again = sent(window) | {"procedure": [consultation.pk, ecg.pk], "shown_total": "345.00", "save": "1"}
    answer = desk.post(address(appointment), again, headers=HTMX)

    assert "Procedimentos alterados: + ECG (R$\xa095,00), fim de 09:30 para 09:50." in answer.text
    assert answer.headers["HX-Trigger"] == "refresh-day"
    assert stored(appointment) == (["Consulta", "ECG"], "09:50")
    assert "Desfazer alteração" in answer.text
    undo(appointment.pk, clinic=appointment.clinic, seen=undoable(appointment).pk, by=BY)
    assert stored(appointment) == (["Consulta"], "09:30")


def test_a_typed_end_stays_when_procedures_change(desk, appointment, consultation, ecg):
    window = opened(desk, appointment)
    typed = sent(window) | {"procedure": [consultation.pk, ecg.pk], "ends": "9:40"}

    checked = desk.post(address(appointment), typed, headers=HTMX | {"HX-Trigger-Name": "procedure"})

    assert checked.context["form"]["ends"].value() == "9:40"
    assert "O fim passa de 09:30 para 09:40." in checked.text


def test_a_shorter_procedure_ends_earlier(desk, appointment, ecg):
    window = opened(desk, appointment)
    checked = desk.post(address(appointment), sent(window) | {"procedure": [ecg.pk]}, headers=HTMX)
    assert "O fim passa de 09:30 para 09:20." in checked.text


def test_a_refused_end_offers_the_present_and_the_latest_one(desk, appointment, consultation, ecg):
    book_appointment(appointment.doctor, starts_at=at(appointment.clinic, 9, 45))
    window = opened(desk, appointment)
    fields = sent(window) | {"procedure": [consultation.pk, ecg.pk]}

    checked = desk.post(address(appointment), fields, headers=HTMX | {"HX-Trigger-Name": "procedure"})

    assert errors(checked) == {"ends": "O horário das 09:45 da Dra. Helena Prado já está ocupado."}
    assert "terminar às 09:30, como está" in checked.text and "terminar às 09:45, o máximo possível" in checked.text
    chosen = desk.post(address(appointment), fields | {"choose_end": "09:45"}, headers=HTMX)
    assert errors(chosen) == {} and chosen.context["form"]["ends"].value() == "09:45"


@pytest.mark.parametrize("closed", ["absence", "hours", "patient"])
def test_the_latest_end_stops_at_what_is_in_the_way(desk, appointment, consultation, ecg, closed):
    clinic, doctor = appointment.clinic, appointment.doctor
    Appointment.objects.filter(pk=appointment.pk).update(starts_at=at(clinic, 11, 15), ends_at=at(clinic, 11, 45))
    limit = {"absence": "11:50", "hours": "12:00", "patient": "11:55"}[closed]
    if closed == "absence":
        Absence.objects.create(clinic=clinic, doctor=doctor, starts_at=at(clinic, 11, 50), ends_at=at(clinic, 18))
    elif closed == "patient":
        other = make_doctor(clinic, hours=((time(8), time(18)),))
        book_appointment(other, patient=appointment.patient_id, starts_at=at(clinic, 11, 55))
    window = opened(desk, appointment)

    checked = desk.post(address(appointment), sent(window) | {"procedure": [consultation.pk, ecg.pk]}, headers=HTMX)

    assert "ends" in errors(checked)
    assert f"terminar às {limit}, o máximo possível" in checked.text


def test_a_save_that_changes_nothing_says_so(desk, appointment):
    answer = desk.post(address(appointment), sent(opened(desk, appointment)) | {"save": "1"}, headers=HTMX)

    assert "Já estava assim: nada foi alterado." in answer.text
    assert appointment.events.count() == 1


def test_unchanged_lines_show_the_total_as_booked(desk, appointment, doctor, consultation):
    ten = make_discount(doctor.clinic, name="Dez", percentage=Decimal(10))
    other = book_appointment(doctor, lines=(LineRequest(consultation.pk, ten.pk),), starts_at=at(doctor.clinic, 14))
    Procedure.objects.filter(pk=consultation.pk).update(price=900)
    Discount.objects.filter(pk=ten.pk).update(percentage=50)

    page = desk.get(address(other), headers=HTMX)

    assert page.context["total"] == 225
    longer = desk.post(address(other), sent(opened(desk, other)) | {"ends": "14:40", "save": "1"}, headers=HTMX)
    assert "Alterado: fim de 14:30 para 14:40." in longer.text
    assert sum(line.total for line in other.lines.all()) == 225


def test_a_discount_that_is_over_can_be_seen_and_taken_off(desk, doctor, consultation):
    ten = make_discount(doctor.clinic, name="Dez", percentage=Decimal(10))
    booked = book_appointment(doctor, lines=(LineRequest(consultation.pk, ten.pk),), starts_at=at(doctor.clinic, 9))
    Discount.objects.filter(pk=ten.pk).update(expires_on=date(2026, 11, 1))

    page = desk.get(address(booked), headers=HTMX)
    assert f'<option value="{ten.pk}" selected>Dez</option>' in page.text
    assert errors(page) == {}, "nothing is changed yet"
    window = opened(desk, booked)
    twice = sent(window) | {"procedure": [consultation.pk] * 2, "discount": [ten.pk, ""]}
    assert "discount" in errors(desk.post(address(booked), twice, headers=HTMX))
    without = sent(window) | {"discount": ["", ""], "shown_total": "250.00", "save": "1"}
    answer = desk.post(address(booked), without, headers=HTMX)
    assert "Alterado: total de R$\xa0225,00 para R$\xa0250,00." in answer.text
    assert [line.total for line in booked.lines.all()] == [250]


@pytest.mark.parametrize(
    ("lines", "whole", "wanted"),
    [
        (("consultation", "ten"), None, [("consultation", "ten")]),
        (("consultation", None, "ecg", None), "ten", [("consultation", None), ("ecg", None), "ten"]),
        (("consultation", "twenty", "ecg", "twenty"), None, [("consultation", "twenty"), ("ecg", "twenty")]),
        (("consultation", None, "ecg", None), "twenty", [("consultation", None), ("ecg", None), "twenty"]),
        (("consultation", "ten", "ecg", None), None, [("consultation", "ten"), ("ecg", None)]),
        (("consultation", "ten", "ecg", "ten"), "twenty", [("consultation", "ten"), ("ecg", "ten"), "twenty"]),
        (("consultation", "twenty", "ecg", None), "ten", [("consultation", "twenty"), ("ecg", None), "ten"]),
    ],
)
def test_own_discounts_and_the_one_on_the_whole_are_told_apart(desk, doctor, consultation, ecg, lines, whole, wanted):
    of = {"consultation": consultation, "ecg": ecg, None: None}
    of["ten"] = make_discount(doctor.clinic, percentage=Decimal(10))
    of["twenty"] = make_discount(doctor.clinic, fixed=Decimal(20))
    pk = {name: str(row.pk) if row else "" for name, row in of.items()}
    requests = tuple(
        LineRequest(of[name].pk, of[own].pk if own else None) for name, own in zip(lines[::2], lines[1::2], strict=True)
    )
    booked = book_appointment(
        doctor, lines=requests, discount=of[whole].pk if whole else None, starts_at=at(doctor.clinic, 9)
    )

    page = desk.get(address(booked), headers=HTMX)

    rows = [(row.procedure, row.discount) for row in page.context["rows"]][:-1]
    shown_whole = page.context["form"].data["whole_discount"]
    wanted_whole = pk[wanted.pop()] if isinstance(wanted[-1], str) else ""
    assert (rows, shown_whole) == ([(pk[name], pk[own]) for name, own in wanted], wanted_whole)
    assert page.context["total"] == sum(line.total for line in booked.lines.all())


def test_a_change_in_another_window_is_shown_before_saving_over_it(desk, appointment, consultation, ecg):
    window = opened(desk, appointment)
    change_procedures(
        appointment.pk,
        clinic=appointment.clinic,
        lines=(LineRequest(ecg.pk),),
        ends_at=at(appointment.clinic, 9, 20),
        by=BY,
    )
    typed = {"procedure": [consultation.pk, ecg.pk], "shown_total": "345.00", "save": "1"}

    answer = desk.post(address(appointment), sent(window) | typed, headers=HTMX)

    assert answer.status_code == 409
    assert "agora é em 23/11, das 09:00 às 09:20, com a Dra. Helena Prado (ECG). Aqui está" in answer.text
    assert stored(appointment) == (["ECG"], "09:20")
    form = answer.context["form"]
    assert form.data.getlist("procedure") == [str(consultation.pk), str(ecg.pk)]
    again = (
        sent(window)
        | typed
        | {"seen": form.seen_value, "ends": form["ends"].value(), "proposed": form.data["proposed"]}
    )
    assert desk.post(address(appointment), again, headers=HTMX).status_code == 200
    assert stored(appointment) == (["ECG", "Consulta"], "09:50")


def test_another_total_than_the_shown_one_is_not_saved(desk, appointment, consultation, ecg):
    window = opened(desk, appointment)
    Procedure.objects.filter(pk=ecg.pk).update(price=100)
    typed = sent(window) | {"procedure": [consultation.pk, ecg.pk], "shown_total": "345.00", "save": "1"}

    answer = desk.post(address(appointment), typed, headers=HTMX)

    assert answer.status_code == 409
    assert "era R$\xa0345,00, agora é R$\xa0350,00. Confira e tente de novo." in answer.text
    assert re.search(r'name="shown_total" value="350.00"', answer.text)


@pytest.mark.parametrize("status", ["cancelled", "no_show"])
def test_what_does_not_stand_cannot_be_altered(desk, appointment, status, time_machine):
    time_machine.move_to("2026-11-23T20:00:00Z", tick=False)
    window = opened(desk, appointment)
    change_status(appointment.pk, status, clinic=appointment.clinic, by=BY, cancelled_by="patient", reason="")
    detail = desk.get(reverse("web:appointment-detail", args=[appointment.pk]), headers=HTMX)
    assert "Alterar procedimentos" not in detail.text

    page = desk.get(address(appointment), headers=HTMX)
    assert page.status_code == 409 and "não podem ser alterados" in page.text
    answer = desk.post(address(appointment), sent(window) | {"ends": "10:00", "save": "1"}, headers=HTMX)
    assert answer.status_code == 422
    assert answer.text.count("não podem ser alterados") == 1
    assert answer.context["form"]["ends"].value() == "10:00"


def test_after_the_visit_only_managers_alter(client, appointment, consultation, ecg, time_machine):
    time_machine.move_to("2026-11-23T12:20:00Z", tick=False)
    clinic = appointment.clinic
    for status in ("checked_in", "in_service", "finished"):
        change_status(appointment.pk, status, clinic=clinic, by=BY)
    detail = reverse("web:appointment-detail", args=[appointment.pk])
    client.force_login(make_user(clinic))
    assert "Alterar procedimentos" not in client.get(detail).text
    refused = client.get(address(appointment), headers=HTMX)
    assert refused.status_code == 409 and "só a gestão altera" in refused.text

    client.force_login(make_manager(clinic))
    assert "Alterar procedimentos" in client.get(detail).text
    typed = {"procedure": [consultation.pk, ecg.pk], "ends": "09:30", "shown_total": "345.00", "save": "1"}
    assert client.post(address(appointment), typed, headers=HTMX).status_code == 200
    assert stored(appointment) == (["Consulta", "ECG"], "09:30")


def test_another_clinics_appointment_is_not_found(desk):
    other = book_appointment()
    for method in (desk.get, desk.post):
        assert method(address(other)).status_code == 404


BAD = [
    {"procedure": []},
    {"procedure": ["", ""]},
    {"procedure": ["x", "-1", "0", "9" * 30]},
    {"procedure": ["999999999"]},
    {"discount": ["x"]},
    {"discount": ["999999999"]},
    {"whole_discount": "x"},
    {"ends": "25:00"},
    {"ends": "x" * 10_000},
    {"ends": "09:00"},
    {"ends": "08:00"},
    {"ends": "24:00"},
    {"ends": "09:30\0"},
    {"remove": "99"},
    {"remove": "-1"},
    {"remove": "x"},
    {"choose_end": "x"},
    {"choose_end": ""},
    {"proposed": "x", "ends": "x"},
    {"seen": "x"},
    {"seen": "x\0"},
    {"shown_total": "NaN"},
]


@pytest.mark.parametrize("wrong", BAD, ids=str)
@pytest.mark.parametrize("act", [{}, {"save": "1"}], ids=["checked", "saved"])
@pytest.mark.parametrize("headers", [HTMX, {}], ids=["htmx", "whole page"])
def test_whatever_is_sent_is_answered_and_changes_nothing(desk, appointment, wrong, act, headers):
    fields = sent(opened(desk, appointment)) | wrong | act

    answer = desk.post(address(appointment), fields, headers=headers)

    assert answer.status_code in {200, 302, 400, 409, 422}
    assert stored(appointment) == (["Consulta"], "09:30")
    assert appointment.events.count() == 1


def test_twenty_procedures_are_saved_and_one_more_refused(desk, appointment, doctor, ecg):
    quick = make_procedure(doctor.clinic, price="1.00", duration_minutes=5)
    doctor.procedures.add(quick)
    for number, status in ((21, 422), (20, 200)):
        window = opened(desk, appointment)
        typed = {"procedure": [quick.pk] * number, "discount": [], "shown_total": f"{number}.00", "save": "1"}
        assert desk.post(address(appointment), sent(window) | typed, headers=HTMX).status_code == status
    assert stored(appointment)[1] == "10:40"


def test_a_procedure_that_is_no_longer_offered_can_be_kept(desk, appointment, consultation, ecg):
    consultation.active = False
    consultation.save()
    window = opened(desk, appointment)
    assert window.fields["procedure"] == [str(consultation.pk)]
    typed = {"procedure": [consultation.pk, ecg.pk], "shown_total": "345.00", "save": "1"}

    assert desk.post(address(appointment), sent(window) | typed, headers=HTMX).status_code == 200
    assert stored(appointment) == (["Consulta", "ECG"], "09:50")


def test_without_javascript_a_button_returns_the_whole_page(desk, appointment):
    window = opened(desk, appointment)
    page = desk.post(address(appointment), sent(window) | {"add": "1"})

    assert page.text.lstrip().startswith("<!doctype html>")
    assert len(page.context["rows"]) == len(window.fields["procedure"]) + 1
    saved = desk.post(address(appointment), sent(window) | {"ends": "09:40", "save": "1"})
    assert saved.status_code == 302
    assert stored(appointment)[1] == "09:40"


def test_checking_asks_as_much_for_one_procedure_as_for_many(
    desk, appointment, consultation, ecg, django_assert_max_num_queries
):
    fields = sent(opened(desk, appointment))
    for many in (1, 12):
        with django_assert_max_num_queries(16):
            desk.post(address(appointment), fields | {"procedure": [ecg.pk] * many}, headers=HTMX)


def test_a_patients_second_appointment_is_named(desk, appointment, consultation, ecg):
    other = make_doctor(appointment.clinic, name="Dr. Rui", procedures=[consultation])
    book_appointment(other, patient=appointment.patient_id, starts_at=at(appointment.clinic, 9, 40))
    window = opened(desk, appointment)

    checked = desk.post(address(appointment), sent(window) | {"procedure": [consultation.pk, ecg.pk]}, headers=HTMX)

    assert "Dr. Rui" in errors(checked)["ends"]


def test_a_discount_for_other_ages_is_warned_of_where_lines_change(desk, appointment, consultation):
    elderly = make_discount(appointment.clinic, name="Idoso 60+", percentage=Decimal(10), minimum_age=60)
    move = reverse("web:appointment-reschedule", args=[appointment.pk])
    for place, opened_by in ((address(appointment), {}), (move, {"changes_lines": "1", "date": "23/11/2026"})):
        fields = {"procedure": [consultation.pk], "discount": [elderly.pk]} | opened_by
        assert "O desconto “Idoso 60+” é para quem tem 60 anos ou mais" in desk.post(place, fields, headers=HTMX).text


def test_the_discount_on_the_whole_stays_in_sight_with_one_line(desk, appointment, consultation, ecg):
    ten = make_discount(appointment.clinic, name="Dez", percentage=Decimal(10))
    one = {"procedure": [consultation.pk], "discount": [""], "whole_discount": ten.pk}
    checked = desk.post(address(appointment), one, headers=HTMX)
    assert re.search(rf'name="whole_discount".*?<option value="{ten.pk}" selected>', checked.text, re.DOTALL)
