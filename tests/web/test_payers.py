"""Particular ou convênio: asked in the booking panel, warned of, shown with the appointment, and changed there."""

import re
from datetime import date, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinic.booking import PayerWish, change_payer
from clinic.models import Appointment, Patient, Payer
from clinic.queries import agenda
from clinic.registry import Plan
from tests.booking.desk import BY
from tests.factories import (
    book_appointment,
    make_clinic,
    make_doctor,
    make_lisbon,
    make_patient,
    make_payer,
    make_procedure,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("november")]

BOOK = reverse("web:appointment-book")
CHECK = reverse("web:appointment-check")
HTMX = {"HX-Request": "true"}
WEDNESDAY = "02/12/2026"
OCTOBER = date(2026, 10, 31)
EXPIRED = "carteira vencida em 31/10/2026"


@pytest.fixture
def november(time_machine):
    time_machine.move_to("2026-11-28T15:00:00Z", tick=False)


@pytest.fixture
def clinic():
    return make_clinic()


@pytest.fixture
def unimed(clinic):
    return make_payer(clinic, name="Unimed")


@pytest.fixture
def ana(clinic, unimed):
    """Her card of Unimed expired on 31 October."""
    return make_patient(clinic, name="Ana Souza", payer=unimed, card_number="0123", card_expires_on=OCTOBER)


@pytest.fixture
def doctor(clinic):
    return make_doctor(clinic, name="Dra. Helena Prado", procedures=[make_procedure(clinic, name="Consulta")])


@pytest.fixture
def desk(client, clinic):
    client.force_login(make_user(clinic))
    return client


@pytest.fixture
def form(doctor):
    """What the panel sends with nobody chosen yet."""
    return {
        "doctor": doctor.pk,
        "procedure": [doctor.procedures.get().pk],
        "discount": [""],
        "date": WEDNESDAY,
        "starts": "09:00",
    }


def text(answer):
    return " ".join(answer.content.decode().split())


def value(answer, name):
    """Of radio buttons the pressed one's."""
    page = text(answer)
    if pressed := re.findall(rf'<input type="radio"[^>]*name="{name}" value="(\d*)" checked', page):
        return pressed[0]
    found = re.search(rf'<input[^>]*name="{name}" value="([^"]*)"', page)
    return found and found[1]


def plan(answer):
    return {name: value(answer, name) for name in ("payer", "card_number", "card_expires_on", "plan_seen")}


def plan_of(patient):
    patient.refresh_from_db()
    return patient.payer_id, patient.card_number, patient.card_expires_on


def picked(desk, form, patient, **more):
    return desk.post(CHECK, form | {"pick": patient.pk, "q": "ana"} | more, headers=HTMX)


@pytest.mark.parametrize("make", [make_clinic, make_lisbon])
def test_a_check_answers_no_error_that_has_no_place(client, make):
    """Of a field that the page does not have, htmx complains in the console."""
    clinic = make()
    make_payer(clinic)
    doctor = make_doctor(clinic)
    client.force_login(make_user(clinic))
    page = client.get(BOOK, {"medico": doctor.pk, "data": "2026-12-02", "inicio": "09:00"}, headers=HTMX)
    form = {"doctor": doctor.pk, "procedure": [doctor.procedures.get().pk], "date": WEDNESDAY, "starts": "09:00"}
    answer = client.post(CHECK, form | {"pick": make_patient(clinic).pk}, headers=HTMX)
    places = [set(re.findall(r'id="(error-\w+)"', text(part))) for part in (page, answer)]
    assert places[1] and places[1] <= places[0]


def test_without_payers_the_panel_asks_nothing(desk, form, clinic):
    patient = make_patient(clinic)
    make_payer(clinic, active=False)
    make_payer()
    for page in (desk.get(BOOK), desk.post(CHECK, form | {"pick": patient.pk}, headers=HTMX)):
        assert "Particular" not in text(page) and 'name="payer"' not in text(page)
    assert desk.post(BOOK, form | {"patient": patient.pk}, headers=HTMX).status_code == 200
    detail = desk.get(reverse("web:appointment-detail", args=[Appointment.objects.get().pk]))
    assert "Particular" not in text(detail) and "Convênio" not in text(detail)


def test_case_48_an_expired_card_books_with_a_warning(desk, form, ana, unimed, clinic):
    panel = picked(desk, form, ana)
    assert plan(panel) == {
        "payer": str(unimed.pk),
        "card_number": "0123",
        "card_expires_on": "31/10/2026",
        "plan_seen": f"{unimed.pk}|0123|31/10/2026",
    }
    assert EXPIRED in text(panel).lower()

    booked = desk.post(BOOK, form | {"patient": ana.pk} | plan(panel), headers=HTMX)
    assert booked.status_code == 200
    appointment = Appointment.objects.get()
    assert appointment.payer == unimed and plan_of(ana) == (unimed.pk, "0123", OCTOBER)
    assert EXPIRED in text(booked) and "0123" in text(booked) and "Unimed" in text(booked)

    day = text(desk.get(reverse("web:agenda-day", args=["2026-12-02"])))
    assert re.search(rf'<span class="badge">.{{0,80}}#credit-card.{{0,40}}<span>{EXPIRED}</span>', day)
    card = text(desk.get(reverse("web:patient-detail", args=[ana.pk])))
    assert EXPIRED in card and "0123" in card


def test_the_card_is_compared_with_the_day_of_the_visit(desk, form, ana):
    Patient.objects.update(card_expires_on=date(2026, 12, 2))
    assert "vencida" not in text(picked(desk, form, ana))
    assert "carteira vencida em 02/12/2026" in text(picked(desk, form, ana, date="03/12/2026")).lower()


@pytest.mark.parametrize("today", [date(2026, 12, 1), date(2026, 12, 2), date(2026, 12, 3)])
def test_the_badge_goes_when_the_card_is_renewed(doctor, ana, unimed, today):
    appointment = at_nine(doctor, ana, PayerWish(unimed.pk))
    assert badges(doctor, today) == ([EXPIRED] if today == date(2026, 12, 2) else [])
    Patient.objects.update(card_expires_on=date(2027, 10, 31))
    assert badges(doctor, today) == []
    Patient.objects.update(card_expires_on=OCTOBER)
    change_payer(appointment.pk, clinic=doctor.clinic, wish=PayerWish(), by=BY)
    assert badges(doctor, today) == []


def test_another_plan_of_today_has_no_badge_on_an_old_booking(doctor, ana, unimed, clinic):
    at_nine(doctor, ana, PayerWish(unimed.pk))
    Patient.objects.update(payer=make_payer(clinic))
    assert badges(doctor, date(2026, 12, 2)) == []


def at_nine(doctor, patient, wish):
    starts_at = doctor.clinic.instant(date(2026, 12, 2), datetime(2026, 12, 2, 9).time())
    return book_appointment(doctor, patient=patient.pk, starts_at=starts_at, payer=wish)


def badges(doctor, day):
    clinic = doctor.clinic
    now = clinic.instant(date(2026, 11, 28), datetime(2026, 11, 28, 12).time())
    drawn = agenda.day(clinic, day, now=now)
    cards = [cell for hour in drawn.hours for row in hour.rows for cell in row.cells if isinstance(cell, agenda.Card)]
    return [str(badge.text) for card in cards for badge in card.badges if "carteira" in str(badge.text)]


def test_the_day_takes_no_query_more_for_it(desk, doctor, ana, unimed):
    at_nine(doctor, ana, PayerWish(unimed.pk))
    desk.get(reverse("web:agenda-day", args=["2026-12-02"]))
    with CaptureQueriesContext(connection) as captured:
        desk.get(reverse("web:agenda-day", args=["2026-12-02"]))
    assert len(captured) == 6


def test_another_payer_chosen_by_hand_has_no_card_yet(desk, form, ana, unimed, clinic):
    bradesco = make_payer(clinic, name="Bradesco")
    opened = form | {"patient": ana.pk} | plan(picked(desk, form, ana))
    headers = HTMX | {"HX-Trigger-Name": "payer"}
    changed = desk.post(CHECK, opened | {"payer": bradesco.pk}, headers=headers)
    assert (value(changed, "card_number"), value(changed, "card_expires_on")) == ("", "")
    assert EXPIRED not in text(changed).lower() and 'id="booking-plan"' in text(changed)
    back = desk.post(CHECK, opened | {"card_number": "", "card_expires_on": ""}, headers=headers)
    assert value(back, "card_number") == "0123" and EXPIRED in text(back).lower()


def test_without_a_script_a_card_is_not_taken_for_another_payers(desk, form, ana, clinic):
    bradesco = make_payer(clinic, name="Bradesco")
    opened = form | {"patient": ana.pk} | plan(picked(desk, form, ana))
    assert desk.post(BOOK, opened | {"payer": bradesco.pk}).status_code == 302
    assert plan_of(ana) == (bradesco.pk, "", None)


def test_a_card_that_another_window_renewed_is_not_written_back(desk, form, ana, unimed):
    opened = form | {"patient": ana.pk} | plan(picked(desk, form, ana))
    Patient.objects.update(card_number="999", card_expires_on=date(2027, 1, 1))
    assert desk.post(BOOK, opened | {"authorization_number": "G1"}).status_code == 302
    assert plan_of(ana) == (unimed.pk, "999", date(2027, 1, 1))
    assert Appointment.objects.get().authorization_number == "G1"


def test_a_renewed_card_is_kept_from_the_panel(desk, form, ana, unimed):
    opened = form | {"patient": ana.pk} | plan(picked(desk, form, ana))
    typed = opened | {"card_number": "77–88", "card_expires_on": "31/10/2027"}
    assert EXPIRED not in text(desk.post(CHECK, typed, headers=HTMX | {"HX-Trigger-Name": "card_expires_on"})).lower()
    assert desk.post(BOOK, typed).status_code == 302
    assert plan_of(ana) == (unimed.pk, "7788", date(2027, 10, 31))


def test_a_new_patient_is_booked_with_a_plan(desk, form, unimed):
    new = {"is_new": "1", "name": "Caio Reis", "phone": "(81) 97777-0002", "payer": unimed.pk, "card_number": "55"}
    assert desk.post(BOOK, form | new | {"plan_seen": "||"}).status_code == 302
    assert plan_of(Patient.objects.get()) == (unimed.pk, "55", None)


def test_another_patient_brings_another_plan(desk, form, ana, clinic):
    private = make_patient(clinic)
    opened = form | {"patient": ana.pk} | plan(picked(desk, form, ana))
    assert plan(picked(desk, opened, private))["payer"] == ""
    forgotten = desk.post(CHECK, opened | {"forget": "1"}, headers=HTMX)
    assert plan(forgotten)["payer"] == "" and plan(forgotten)["card_number"] == ""


def test_a_plan_typed_before_the_patient_stays(desk, form, unimed, clinic):
    typed = form | {"q": "Nova Pessoa", "payer": unimed.pk, "card_number": "55", "authorization_number": "G"}
    for button in ({"new": "1"}, {"take": "Nova Pessoa"}, {"pick": make_patient(clinic).pk}):
        answer = desk.post(CHECK, typed | button, headers=HTMX)
        kept = [value(answer, name) for name in ("payer", "card_number", "authorization_number")]
        assert kept == [str(unimed.pk), "55", "G"], button


def test_a_guia_does_not_go_on_to_another_patient(desk, form, ana, clinic):
    opened = form | {"patient": ana.pk} | plan(picked(desk, form, ana))
    typed = opened | {"authorization_number": "G1", "authorization_password": "S1"}
    answer = picked(desk, typed, make_patient(clinic, payer=ana.payer, card_number="9"))
    assert value(answer, "card_number") == "9"
    assert (value(answer, "authorization_number"), value(answer, "authorization_password")) == ("", "")


def test_the_link_on_a_card_opens_with_the_plan(desk, ana, unimed, doctor):
    assert plan(desk.get(BOOK, {"paciente": ana.pk}))["payer"] == str(unimed.pk)
    Payer.objects.update(active=False)
    assert "Unimed" not in text(desk.get(BOOK, {"paciente": ana.pk}))


@pytest.mark.parametrize("switched_off", [True, False], ids=["switched off meanwhile", "of another clinic"])
def test_an_unknown_payer_is_refused_at_its_field(desk, form, ana, unimed, clinic, switched_off):
    make_payer(clinic, name="Bradesco")
    opened = form | {"patient": ana.pk} | plan(picked(desk, form, ana))
    if switched_off:
        Payer.objects.filter(pk=unimed.pk).update(active=False)
    else:
        opened |= {"payer": make_payer().pk}
    answer = desk.post(BOOK, opened, headers=HTMX)
    assert answer.status_code == 422 and not Appointment.objects.exists()
    assert re.search(r'id="error-payer"[^>]*>Este convênio não é mais aceito', text(answer))


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("card_expires_on", "31/02/2027", "Esta data não existe. Escreva dia/mês/ano, por exemplo 12/03/2026."),
        ("card_number", "não tem", "O número da carteira tem dígitos e letras"),
        ("authorization_number", "9" * 300, "São 300 caracteres; o máximo é 40."),
        ("authorization_password", "x" * 41, "São 41 caracteres; o máximo é 40."),
    ],
)
def test_what_cannot_be_read_is_said_at_its_field(desk, form, ana, field, typed, said):
    opened = form | {"patient": ana.pk} | plan(picked(desk, form, ana)) | {field: typed}
    for answer in (
        desk.post(CHECK, opened, headers=HTMX | {"HX-Trigger-Name": field}),
        desk.post(BOOK, opened, headers=HTMX),
    ):
        assert re.search(rf'id="error-{field}"[^>]*>{re.escape(said)}', text(answer))
    assert not Appointment.objects.exists()


def test_an_id_of_no_row_is_said_at_the_payer(desk, form, ana):
    answer = desk.post(BOOK, form | {"patient": ana.pk, "payer": "9" * 20}, headers=HTMX)
    assert answer.status_code == 422 and "Esta escolha não existe mais." in text(answer)


# The page of the appointment


@pytest.fixture
def appointment(doctor, ana, unimed):
    return at_nine(doctor, ana, PayerWish())


def here(appointment):
    return reverse("web:appointment-payer", args=[appointment.pk])


def test_the_guia_is_typed_later(desk, appointment, unimed, ana):
    opened = desk.get(here(appointment), headers=HTMX)
    assert plan(opened)["payer"] == "" and value(opened, "seen") == "None||"
    typed = {"payer": unimed.pk, "authorization_number": "G-1", "authorization_password": "S9", "seen": "None||"}
    answer = desk.post(here(appointment), typed | {"plan_seen": plan(opened)["plan_seen"]}, headers=HTMX)
    page = text(answer)
    assert "Unimed · guia G-1 · senha S9" in page and EXPIRED in page and "Desfazer mudança de convênio" in page
    assert "De particular para Unimed (guia G-1)" in page
    again = desk.get(here(appointment), headers=HTMX)
    assert plan(again)["card_number"] == "0123" and value(again, "authorization_number") == "G-1"
    assert EXPIRED in text(again).lower()


def saved(desk, appointment, **typed):
    """What the page sends with these fields changed, and nothing else touched."""
    opened = desk.get(here(appointment), headers=HTMX)
    names = ("authorization_number", "authorization_password", "seen")
    fields = plan(opened) | {name: value(opened, name) or "" for name in names}
    return desk.post(here(appointment), fields | typed, headers=HTMX)


def test_a_guia_on_an_old_payers_appointment_leaves_the_present_plan(desk, doctor, ana, unimed, clinic):
    old = at_nine(doctor, ana, PayerWish(unimed.pk))
    bradesco = make_payer(clinic, name="Bradesco")
    Patient.objects.update(payer=bradesco, card_number="777")
    assert saved(desk, old, authorization_number="G7").status_code == 200
    assert plan_of(ana) == (bradesco.pk, "777", OCTOBER)
    assert Appointment.objects.get().authorization_number == "G7"
    assert saved(desk, old, payer=bradesco.pk).status_code == 200
    assert plan_of(ana) == (bradesco.pk, "777", OCTOBER)


def test_a_change_meanwhile_is_noticed_after_a_typo_too(desk, appointment, unimed):
    opened = value(desk.get(here(appointment), headers=HTMX), "seen")
    change_payer(appointment.pk, clinic=appointment.clinic, wish=PayerWish(unimed.pk, "G1"), by=BY)
    typo = {"payer": unimed.pk, "card_expires_on": "31/02/2027", "seen": opened}
    answer = desk.post(here(appointment), typo, headers=HTMX)
    assert (answer.status_code, value(answer, "seen")) == (422, opened)
    mended = typo | {"card_expires_on": "", "seen": value(answer, "seen")}
    assert desk.post(here(appointment), mended, headers=HTMX).status_code == 409
    assert Appointment.objects.get().authorization_number == "G1"


def test_what_is_hidden_for_a_private_patient_refuses_nothing(desk, appointment):
    typed = {"payer": "", "card_expires_on": "31/02/2027", "authorization_number": "9" * 41, "seen": "None||"}
    assert desk.post(here(appointment), typed, headers=HTMX).status_code == 200


def test_a_change_meanwhile_is_said_and_saving_again_decides(desk, appointment, unimed):
    seen = value(desk.get(here(appointment), headers=HTMX), "seen")
    wish = PayerWish(unimed.pk, "G1")
    change_payer(appointment.pk, clinic=appointment.clinic, wish=wish, by=BY)
    typed = {"payer": unimed.pk, "authorization_number": "G2", "seen": seen}
    answer = desk.post(here(appointment), typed, headers=HTMX)
    assert answer.status_code == 409 and "Este agendamento foi alterado depois do que você viu." in text(answer)
    assert value(answer, "authorization_number") == "G2"
    assert desk.post(here(appointment), typed | {"seen": value(answer, "seen")}).status_code == 302
    assert Appointment.objects.get().authorization_number == "G2"


@pytest.mark.parametrize(
    ("field", "typed"), [("card_expires_on", "31/02/2027"), ("authorization_number", "9" * 41), ("card_number", "ção")]
)
def test_a_typo_on_the_page_is_shown_unsaved(desk, appointment, unimed, field, typed):
    answer = desk.post(here(appointment), {"payer": unimed.pk, field: typed}, headers=HTMX)
    assert answer.status_code == 422 and typed in text(answer)
    assert Appointment.objects.get().payer is None


def test_another_clinic_has_neither_page_nor_payer(client, desk, appointment):
    answer = desk.post(here(appointment), {"payer": make_payer().pk}, headers=HTMX)
    assert answer.status_code == 422 and Appointment.objects.get().payer is None
    client.force_login(make_user(make_clinic()))
    assert client.get(here(appointment)).status_code == client.post(here(appointment)).status_code == 404


def test_portugal_has_words_of_its_own(client):
    clinic = make_lisbon()
    client.force_login(make_user(clinic))
    doctor, adse = make_doctor(clinic), make_payer(clinic, name="ADSE", kind="subsystem")
    patient = make_patient(clinic)
    wish = PayerWish(adse.pk, "A1", plan=Plan(adse.pk, "12AB", OCTOBER))
    booked = at_nine(doctor, patient, wish)
    panel, page, form = (
        text(client.get(address))
        for address in (
            f"{BOOK}?paciente={patient.pk}&data=2026-12-02",
            reverse("web:appointment-detail", args=[booked.pk]),
            here(booked),
        )
    )
    assert "Particular ou entidade?" in panel and "N.º de beneficiário" in panel
    assert "Cartão caducado em 31/10/2026." in panel
    assert "ADSE · autorização A1" in page and "cartão caducado em 31/10/2026" in page
    assert "Entidade e autorização" in page
    for shown in (panel, page, form):
        assert not re.search(r">[^<]*([Cc]onvênio|[Cc]arteira|\b[Ss]enha|\b[Gg]uia\b)", shown)
