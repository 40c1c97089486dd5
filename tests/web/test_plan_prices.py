"""The panel tells the price of the plan and of the day, and proposes the return that is free."""

import re
from datetime import date, time, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from clinic.models import Appointment, Payer, ProcedurePrice
from tests.factories import (
    book_appointment,
    make_clinic,
    make_doctor,
    make_patient,
    make_payer,
    make_procedure,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine("2026-11-30T13:00:00Z")]
BOOK, CHECK = reverse("web:appointment-book"), reverse("web:appointment-check")
HTMX = {"HX-Request": "true"}
WEDNESDAY = date(2026, 12, 2)


@pytest.fixture
def clinic():
    return make_clinic()


@pytest.fixture
def procedure(clinic):
    return make_procedure(clinic, name="Consulta", price="200.00", return_days=30)


@pytest.fixture
def doctor(clinic, procedure):
    return make_doctor(clinic, name="Dra. Helena Prado", procedures=[procedure], days=range(1, 8))


@pytest.fixture
def ana(clinic):
    return make_patient(clinic, name="Ana Souza")


@pytest.fixture
def desk(client, clinic):
    client.force_login(make_user(clinic))
    return client


@pytest.fixture
def form(doctor, procedure, ana):
    return {
        "doctor": doctor.pk,
        "procedure": [procedure.pk],
        "discount": [""],
        "date": f"{WEDNESDAY:%d/%m/%Y}",
        "starts": "09:00",
        "patient": ana.pk,
    }


def visited(doctor, patient, day, *, price="200.00", status="finished"):
    """A visit of that past day."""
    visit = book_appointment(doctor, patient=patient.pk, starts_at=doctor.clinic.instant(WEDNESDAY, time(15)))
    starts_at = doctor.clinic.instant(day, time(10))
    times = {"starts_at": starts_at, "ends_at": starts_at + timedelta(minutes=30)}
    Appointment.objects.filter(pk=visit.pk).update(status=status, **times)
    visit.lines.update(price=price)
    return visit


def checked(desk, form, just_left="date"):
    return desk.post(CHECK, form, headers=HTMX | {"HX-Trigger-Name": just_left})


def total(answer):
    return str(answer.context["total"])


def sent(desk, form):
    """The form as the browser would send it after it was shown."""
    shown = checked(desk, form)
    more = {"shown_total": total(shown), "shown_for": shown.context["form"].pricing_key}
    if shown.context["returning"].offer:
        more |= {"return_for": shown.context["form"].return_key}
        more |= {"as_return": "1"} if shown.context["form"].wants_return else {}
    return desk.post(BOOK, more | form, headers=HTMX)


def booked_price():
    return Appointment.objects.filter(status="scheduled").latest("pk").lines.get().price


def test_the_price_of_the_plan_is_told_and_booked(desk, form, clinic, procedure):
    unimed = make_payer(clinic, name="Unimed")
    fields = {"clinic": clinic, "procedure": procedure, "payer": unimed, "valid_from": WEDNESDAY}
    ProcedurePrice.objects.create(price="80.00", **fields)
    private = checked(desk, form, "payer")
    assert total(private) == "200.00"
    paid = checked(desk, form | {"payer": unimed.pk}, "payer")
    assert total(paid) == "80.00" and re.search(r'id="price-0" hx-swap-oob="true">R\$.80,00<', paid.text)
    assert paid.context["last_shown_total"] == Decimal("80.00")
    assert sent(desk, form | {"payer": unimed.pk}).status_code == 200
    assert booked_price() == Decimal("80.00")


def test_the_price_follows_the_day(desk, form, clinic, procedure):
    ProcedurePrice.objects.create(clinic=clinic, procedure=procedure, valid_from="2026-12-03", price="216.00")
    assert total(checked(desk, form)) == "200.00"
    assert total(checked(desk, form | {"date": "03/12/2026"})) == "216.00"


@pytest.mark.parametrize(
    ("payer", "sentence"),
    [
        ({"valid_until": date(2026, 12, 1)}, "Unimed foi aceito só até 01/12/2026."),
        ({"requires_authorization": True}, "Unimed exige a guia."),
    ],
)
def test_a_refusal_stands_at_its_field(desk, form, clinic, payer, sentence):
    unimed = make_payer(clinic, name="Unimed", **payer)
    answer = sent(desk, form | {"payer": unimed.pk})
    field = "authorization_number" if "guia" in sentence else "payer"
    assert answer.status_code == 422 and sentence in answer.context["form"].errors[field][0]
    assert sentence in answer.text and not Appointment.objects.exists()
    assert Payer.objects.get() == unimed


def test_a_return_is_free_until_the_last_day(desk, form, doctor, ana):
    visited(doctor, ana, WEDNESDAY - timedelta(days=30))
    answer = checked(desk, form)
    assert total(answer) == "0"
    assert "Retorno da visita de 02/11 com a Dra. Helena Prado, sem custo até 02/12" in answer.text
    assert sent(desk, form).status_code == 200
    assert booked_price() == 0


def test_case_50_the_day_after_costs_a_new_visit(desk, form, doctor, ana):
    visited(doctor, ana, WEDNESDAY - timedelta(days=31))
    answer = checked(desk, form)
    assert total(answer) == "200.00" and "O retorno venceu em 01/12/2026" in answer.text
    assert sent(desk, form).status_code == 200
    assert booked_price() == Decimal("200.00")


@pytest.mark.parametrize(
    ("days_of_payer", "days_ago", "price", "words"),
    [
        (15, 15, "0", "sem custo até 02/12 (Unimed: 15 dias)"),
        (15, 16, "200.00", "O retorno venceu em 01/12/2026 (Unimed: 15 dias): o preço"),
        (45, 40, "0", "sem custo até 07/12 (Unimed: 45 dias)"),
        (1, 1, "0", "(Unimed: 1 dia)"),
        (None, 30, "0", "sem custo até 02/12<"),
        (0, 1, "200.00", ""),
    ],
)
def test_a_plans_own_days_count_for_its_patients(
    desk, form, doctor, ana, clinic, days_of_payer, days_ago, price, words
):
    unimed = make_payer(clinic, name="Unimed", return_days=days_of_payer)
    visited(doctor, ana, WEDNESDAY - timedelta(days=days_ago))
    by_plan = form | {"payer": unimed.pk}
    answer = checked(desk, by_plan)
    assert total(answer) == price and words in re.sub(r"\s*</label>", "<", " ".join(answer.text.split()))
    if not days_of_payer:
        assert "Unimed:" not in answer.text
    private = checked(desk, form)
    assert "Unimed:" not in private.text and (total(private) == "0") is (days_ago <= 30)
    assert sent(desk, by_plan).status_code == 200
    assert booked_price() == Decimal(price)


def test_a_plan_gives_no_return_to_what_has_none(desk, form, doctor, ana, clinic, procedure):
    procedure.return_days = None
    procedure.save()
    unimed = make_payer(clinic, name="Unimed", return_days=30)
    visited(doctor, ana, WEDNESDAY - timedelta(days=1))
    assert total(checked(desk, form | {"payer": unimed.pk})) == "200.00"


def test_the_free_return_can_be_declined(desk, form, doctor, ana):
    visited(doctor, ana, WEDNESDAY - timedelta(days=10))
    declined = form | {"return_for": f"{ana.pk}|{doctor.pk}"}
    assert total(checked(desk, declined)) == "200.00"
    assert sent(desk, declined).status_code == 200
    assert booked_price() == Decimal("200.00")


@pytest.mark.parametrize("of", ["another doctor", "another patient", "a free visit", "a missed visit", "no days"])
def test_only_a_paid_visit_to_the_same_doctor_counts(desk, form, doctor, ana, clinic, procedure, of):
    day = WEDNESDAY - timedelta(days=10)
    if of == "another doctor":
        visited(make_doctor(clinic, procedures=[procedure], days=range(1, 8)), ana, day)
    elif of == "another patient":
        visited(doctor, make_patient(clinic), day)
    elif of == "a free visit":
        visited(doctor, ana, day, price="0")
    elif of == "a missed visit":
        visited(doctor, ana, day, status="no_show")
    else:
        visited(doctor, ana, day)
        procedure.return_days = None
        procedure.save()
    answer = checked(desk, form)
    assert total(answer) == "200.00" and not answer.context["returning"].offer


def test_a_return_that_is_no_longer_free_is_not_booked_as_one(desk, form, doctor, ana):
    visit = visited(doctor, ana, WEDNESDAY - timedelta(days=10))
    shown = checked(desk, form)
    Appointment.objects.filter(pk=visit.pk).update(status="no_show")
    more = {"shown_total": total(shown), "shown_for": shown.context["form"].pricing_key, "as_return": "1"}
    answer = desk.post(BOOK, form | more, headers=HTMX)
    assert answer.status_code == 409 and "O total mudou" in answer.text


def test_without_free_returns_the_panel_asks_no_more(desk, form, procedure):
    checked(desk, form)  # what only the first request reads
    with CaptureQueriesContext(connection) as with_days:
        checked(desk, form)
    procedure.return_days = None
    procedure.save()
    with CaptureQueriesContext(connection) as without:
        checked(desk, form)
    assert len(without) == len(with_days) - 2  # one for the panel, one for the rules


def test_before_a_time_is_chosen_the_last_day_is_free(desk, form, doctor, ana):
    visited(doctor, ana, WEDNESDAY - timedelta(days=30))
    answer = checked(desk, form | {"starts": ""})
    assert total(answer) == "0" and "sem custo até 02/12" in answer.text


def test_another_payer_keeps_the_price_and_says_its_own(desk, clinic, doctor, procedure, ana):
    unimed, without = make_payer(clinic, name="Unimed"), make_payer(clinic, name="Bradesco")
    visit = book_appointment(doctor, patient=ana.pk, starts_at=clinic.instant(WEDNESDAY, time(15)))
    page = reverse("web:appointment-payer", args=[visit.pk])
    assert "O preço agendado é" not in desk.get(page).text
    fields = {"clinic": clinic, "procedure": procedure, "payer": unimed}
    ProcedurePrice.objects.create(price="80.00", valid_from=WEDNESDAY, **fields)
    ProcedurePrice.objects.create(price="90.00", valid_from=WEDNESDAY + timedelta(days=1), **fields)
    sentence = "O preço agendado é R$\N{NO-BREAK SPACE}200,00. Nesse dia: Unimed R$\N{NO-BREAK SPACE}80,00."
    choice = "Depois de salvar, você escolhe qual vale."
    assert f"{sentence} {choice}" in desk.get(page).text and without
    Appointment.objects.filter(pk=visit.pk).update(status="cancelled", cancelled_by="clinic")
    assert sentence in desk.get(page).text and choice not in desk.get(page).text
    Appointment.objects.filter(pk=visit.pk).update(status="scheduled", cancelled_by="")
    assert desk.post(page, {"payer": unimed.pk}, headers=HTMX).status_code == 200
    assert visit.lines.get().price == Decimal("200.00")
    shown = desk.get(reverse("web:appointment-detail", args=[visit.pk]), headers=HTMX)
    amounts = [f"R$\N{NO-BREAK SPACE}{amount}" for amount in ("200,00", "80,00")]
    assert " → ".join(amounts) in shown.text and f"Manter {amounts[0]}" in shown.text
    kept = desk.get(reverse("web:appointment-detail", args=[visit.pk]), {"preco": "fica"}, headers=HTMX)
    assert "Passar para" not in kept.text


def test_the_price_of_the_day_is_one_click(desk, clinic, doctor, procedure, ana):
    unimed = make_payer(clinic, name="Unimed")
    fields = {"clinic": clinic, "procedure": procedure, "payer": unimed, "valid_from": WEDNESDAY}
    ProcedurePrice.objects.create(price="80.00", **fields)
    visit = book_appointment(doctor, patient=ana.pk, starts_at=clinic.instant(WEDNESDAY, time(15)))
    desk.post(reverse("web:appointment-payer", args=[visit.pk]), {"payer": unimed.pk}, headers=HTMX)
    take = reverse("web:appointment-day-prices", args=[visit.pk])
    shown = desk.get(reverse("web:appointment-detail", args=[visit.pk]), headers=HTMX)
    seen = {"event": re.search('name="event" value="([0-9]+)"', shown.text)[1]}
    # Without a total, or an event, it only shows the appointment.
    assert desk.post(take, seen, headers=HTMX).status_code == 200
    assert desk.post(take, {"total": "80.00"}, headers=HTMX).status_code == 200
    old = desk.post(take, {"total": "80.00", "event": visit.events.first().pk}, headers=HTMX)
    assert old.status_code == 409
    stale = desk.post(take, seen | {"total": "70.00"}, headers=HTMX)
    assert stale.status_code == 409 and "Passar para" in stale.text
    assert visit.lines.get().price == Decimal("200.00")
    answer = desk.post(take, seen | {"total": "80.00"}, headers=HTMX)
    assert answer.status_code == 200 and "Preço alterado" in answer.text and "Passar para" not in answer.text
    assert visit.lines.get().price == Decimal("80.00")
