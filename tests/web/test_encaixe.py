"""Asking for an encaixe in the booking panel and in *Remarcar*."""

from datetime import date, time

import pytest
from django.urls import reverse

from clinic.models import Absence, Appointment, Doctor, StaffUser
from tests.factories import book_appointment, make_clinic, make_doctor, make_patient, make_procedure, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday")]

BOOK = reverse("web:appointment-book")
CHECK = reverse("web:appointment-check")
HTMX = {"HX-Request": "true"}
MONDAY = date(2026, 11, 23)
BUTTON = "Encaixar às 09:00 mesmo assim…"
QUESTION = "Motivo do encaixe às 09:00"


@pytest.fixture
def saturday(time_machine):
    time_machine.move_to("2026-11-21T15:00:00Z", tick=False)


@pytest.fixture
def clinic():
    return make_clinic()


@pytest.fixture
def doctor(clinic):
    return make_doctor(clinic, name="Dra. Helena Prado", procedures=[make_procedure(clinic, name="Consulta")])


@pytest.fixture
def taken(doctor):
    return book_appointment(doctor, starts_at=at(doctor, 9))


@pytest.fixture
def rita(clinic):
    return make_user(clinic, name="Rita", may_squeeze_in=True)


@pytest.fixture
def desk(client, rita):
    client.force_login(rita)
    return client


@pytest.fixture
def form(taken, doctor, clinic):
    return {
        "patient": make_patient(clinic, name="Ana Souza").pk,
        "doctor": doctor.pk,
        "procedure": [doctor.procedures.get().pk],
        "discount": [""],
        "date": "23/11/2026",
        "starts": "09:00",
        "notes": "chega às nove",
    }


def at(doctor, hour):
    return doctor.clinic.instant(MONDAY, time(hour))


def asked(form, hour=9, **changes):
    """The form with the question open for that hour and its reason chosen."""
    doctor = Doctor.objects.get(pk=form["doctor"])
    return form | {"encaixe_for": f"{doctor.pk}|{at(doctor, hour).isoformat()}", "motive": "dor"} | changes


def test_a_taken_time_is_squeezed_in_with_a_reason(desk, form, rita):
    refused = desk.post(BOOK, form)
    assert refused.status_code == 409 and BUTTON in refused.content.decode()

    opened = desk.post(CHECK, form | {"encaixe": "1"}).content.decode()
    assert QUESTION in opened and "chega às nove" in opened and "Encaixar às 09:00" in opened

    assert desk.post(BOOK, asked(form)).status_code == 302
    booked = Appointment.objects.get(patient=form["patient"])
    assert (booked.encaixe_by, booked.encaixe_reason, booked.notes) == (rita, "dor", "chega às nove")


def test_without_the_permission_nothing_is_offered(client, form, clinic, taken):
    client.force_login(make_user(clinic))
    pages = [client.post(BOOK, form), client.post(CHECK, form | {"encaixe": "1"})]
    pages.append(client.get(reverse("web:appointment-detail", args=[taken.pk])))

    assert all("Encaixar" not in page.content.decode() for page in pages)


def test_a_permission_that_has_ended_books_nothing(desk, form, rita):
    StaffUser.objects.filter(pk=rita.pk).update(may_squeeze_in=False)
    answer = desk.post(BOOK, asked(form))

    assert answer.status_code == 409
    assert "Este usuário não tem permissão para encaixe." in answer.content.decode()
    assert Appointment.objects.count() == 1


@pytest.mark.parametrize(
    ("motive", "sentence"),
    [
        ({"motive": ""}, "Diga o motivo do encaixe."),
        ({"motive": "outro"}, "Diga o motivo do encaixe."),
        ({"motive": "capricho"}, "Diga o motivo do encaixe."),
        ({"motive": "outro", "other_motive": "d" * 5000}, "O motivo do encaixe tem 5000 caracteres; o máximo é 200."),
    ],
)
def test_a_reason_is_required_and_what_was_typed_stays(desk, form, motive, sentence):
    answer = desk.post(BOOK, asked(form, **motive))
    page = answer.content.decode()

    assert answer.status_code == 422 and answer.context["form"].errors == {"motive": [sentence]}
    assert QUESTION in page and "chega às nove" in page and motive.get("other_motive", "") in page
    assert Appointment.objects.count() == 1


def test_a_reason_in_words_of_ones_own_is_kept(desk, form):
    desk.post(BOOK, asked(form, motive="", other_motive="veio de longe"))
    assert Appointment.objects.get(patient=form["patient"]).encaixe_reason == "veio de longe"


def test_the_question_is_for_one_time_and_can_be_closed(desk, form, doctor):
    book_appointment(doctor, starts_at=at(doctor, 10))
    for changes in ({"starts": "10:00"}, {"encaixe": "0"}):
        page = desk.post(CHECK, asked(form) | changes).content.decode()
        assert "Motivo do encaixe" not in page and "mesmo assim…" in page
    assert desk.post(BOOK, asked(form, starts="10:00")).status_code == 409
    assert Appointment.objects.count() == 2


def test_an_open_question_is_not_drawn_again_while_it_is_answered(desk, form, doctor):
    place = f"{doctor.pk}|{at(doctor, 9).isoformat()}"
    still_open = asked(form) | {"encaixe_shown": f"{place} True"}
    headers = HTMX | {"HX-Trigger-Name": "notes", "HX-Trigger": "notes"}

    assert "booking-encaixe" not in desk.post(CHECK, still_open, headers=headers).content.decode()
    assert "booking-encaixe" in desk.post(CHECK, still_open | {"starts": "10:00"}, headers=headers).content.decode()


def test_over_an_absence_none_is_offered(desk, form, doctor):
    span = {"starts_at": at(doctor, 8), "ends_at": at(doctor, 12), "reason": "férias"}
    Absence.objects.create(clinic=doctor.clinic, doctor=doctor, **span)

    assert "Encaixar" not in desk.post(BOOK, form).content.decode()
    answer = desk.post(BOOK, asked(form))
    assert answer.status_code == 409 and "Encaixar" not in answer.content.decode()
    assert Appointment.objects.count() == 1


def test_the_limit_of_the_day_is_named_with_other_times(desk, form, doctor):
    Doctor.objects.update(encaixes_per_day=0)
    answer = desk.post(BOOK, asked(form))

    assert answer.status_code == 409 and answer.context["times_are_alternatives"]
    assert "O máximo de encaixes por dia da Dra. Helena Prado é 0" in answer.content.decode()


def test_an_open_appointment_leads_to_the_question(desk, taken, rita):
    detail = desk.get(reverse("web:appointment-detail", args=[taken.pk]))
    assert "Encaixar neste horário…" in detail.content.decode()

    page = desk.get(detail.context["squeeze_in"]).content.decode()
    assert QUESTION in page and "Encaixar às 09:00" in page


def test_another_clinics_appointment_leads_nowhere(desk):
    clinic = make_clinic()
    foreign = make_doctor(clinic, procedures=[make_procedure(clinic)])
    other = book_appointment(foreign, starts_at=at(foreign, 9))
    page = desk.get(BOOK, {"medico": foreign.pk, "data": "2026-11-23", "inicio": "09:00", "encaixe": 1})

    assert "Motivo do encaixe" not in page.content.decode()
    assert desk.get(reverse("web:appointment-detail", args=[other.pk])).status_code == 404


def test_the_panel_and_the_history_name_author_and_reason(desk, form):
    desk.post(BOOK, asked(form, motive="pedido"))
    booked = Appointment.objects.get(patient=form["patient"])
    page = desk.get(reverse("web:appointment-detail", args=[booked.pk])).content.decode()

    assert "Encaixe por Rita: pedido do médico" in page and "como encaixe (pedido do médico)" in page


def test_moving_onto_a_taken_time_asks_for_the_reason(desk, form, doctor, rita):
    own = book_appointment(doctor, starts_at=at(doctor, 11))
    address = reverse("web:appointment-reschedule", args=[own.pk])
    fields = {"doctor": doctor.pk, "date": "23/11/2026", "starts": "09:00"}
    refused = desk.post(address, fields | {"move": "1"})
    assert refused.status_code == 409 and BUTTON in refused.content.decode()
    assert QUESTION in desk.post(address, fields | {"encaixe": "1"}).content.decode()

    missing = desk.post(address, asked(fields, motive="") | {"move": "1"})
    assert missing.status_code == 422 and "Diga o motivo do encaixe." in missing.content.decode()
    assert desk.post(address, asked(fields) | {"move": "1"}).status_code == 302
    own.refresh_from_db()
    assert (own.starts_at, own.encaixe_by, own.encaixe_reason) == (at(doctor, 9), rita, "dor")


def test_portugal_reads_its_own_words(client):
    clinic = make_clinic(country="PT", language="pt-pt", time_zone="Europe/Lisbon", currency="EUR")
    doctor = make_doctor(clinic, name="Dra. Inês Sá", procedures=[make_procedure(clinic)])
    taken = book_appointment(doctor, starts_at=at(doctor, 9))
    client.force_login(make_user(clinic, may_squeeze_in=True))
    detail = client.get(reverse("web:appointment-detail", args=[taken.pk]))
    panel = client.get(detail.context["squeeze_in"]).content.decode()

    assert "Marcar extra a esta hora…" in detail.content.decode()
    assert "Motivo do extra às 09:00" in panel and "utente do dia" in panel
    assert "ncaix" not in panel.replace("booking-encaixe", "").replace('name="encaixe', "")
