"""What the admin asks before a clinic gets another zone, and before days are closed on which appointments lie."""

from datetime import date, time, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic.models import Absence, Appointment, Clinic, ClinicEvent, Closure
from tests.factories import (
    book_appointment,
    make_clinic,
    make_doctor,
    make_lisbon,
    make_manager,
    make_master,
    make_patient,
    make_superuser,
    make_user,
    next_monday,
)

pytestmark = pytest.mark.django_db

MANAUS, LISBON, RECIFE = "America/Manaus", "Europe/Lisbon", "America/Recife"


@pytest.fixture
def master(client):
    master = make_master()
    client.force_login(master)
    return master


def page(clinic):
    return reverse("admin:clinic_clinic_change", args=[clinic.pk])


def save(client, clinic, **typed):
    stored = Clinic.objects.get(pk=clinic.pk)
    names = ("name", "slug", "country", "time_zone", "language", "currency")
    form = {name: getattr(stored, name) for name in names} | {"active": "on"}
    form |= {"observes_holidays": "on"} if stored.observes_holidays else {}
    return client.post(page(clinic), form | typed)


def test_a_new_clinic_has_no_time_zone_until_one_is_chosen(client):
    client.force_login(make_superuser())
    address = reverse("admin:clinic_clinic_add")
    zones = client.get(address).context["adminform"].form.fields["time_zone"].widget.choices
    assert zones[0][0] == ""
    typed = {"name": "Nova", "slug": "nova", "country": "PT", "language": "pt-pt", "currency": "EUR", "active": "on"}
    form = client.post(address, typed | {"time_zone": ""}).context["adminform"].form
    assert form.errors.keys() == {"time_zone"}
    assert not Clinic.objects.filter(slug="nova").exists()


def answered(client, clinic, zone, keep, **typed):
    asked = f"{Clinic.objects.get(pk=clinic.pk).time_zone} {zone}"
    return save(client, clinic, time_zone=zone, keep=keep, keep_asked=asked, **typed)


def zone_of(clinic):
    return Clinic.objects.get(pk=clinic.pk).time_zone


def book(clinic, count=1):
    doctor = make_doctor(clinic)
    monday = next_monday(clinic)
    return [book_appointment(doctor, starts_at=monday + timedelta(minutes=30 * n)) for n in range(count)]


def at_clock(row):
    row.refresh_from_db()
    return f"{Clinic.objects.get(pk=row.clinic_id).local(row.starts_at):%H:%M}"


# Who may, and what is asked ------------------------------------------------------------------------------------------


def test_a_manager_reads_the_zone_and_cannot_change_it(client):
    manager = make_manager()
    client.force_login(manager)
    shown = client.get(page(manager.clinic)).text
    assert RECIFE in shown and 'name="time_zone"' not in shown
    assert answered(client, manager.clinic, MANAUS, "instant").status_code == 302
    assert zone_of(manager.clinic) == RECIFE and not ClinicEvent.objects.exists()


@pytest.mark.parametrize("make", [make_user, make_manager])
def test_below_a_master_nobody_changes_a_zone(client, make):
    user = make()
    book(user.clinic)
    client.force_login(user)
    answered(client, user.clinic, MANAUS, "clock")
    assert zone_of(user.clinic) == RECIFE


@pytest.mark.parametrize("make", [make_master, make_superuser])
def test_masters_and_superusers_are_asked_with_the_numbers(client, make):
    user = make()
    clinic = user.clinic or make_clinic()
    client.force_login(user)
    rows = book(clinic, 3)
    Absence.objects.create(
        clinic=clinic, starts_at=rows[0].starts_at, ends_at=rows[0].starts_at + timedelta(days=9), reason="x"
    )
    answer = save(client, clinic, time_zone=MANAUS, name="Nova")
    assert answer.status_code == 200 and zone_of(clinic) == RECIFE
    assert "3 agendamentos futuros e 1 ausência ou fechamento" in answer.text
    assert "o que era às 09:00 continua às 09:00" in answer.text
    assert "o que era às 09:00 em Recife passa a ser às 08:00 em Manaus" in answer.text
    assert 'value="Nova"' in answer.text
    assert "checked" not in answer.text.partition('id="keep_clock"')[2].partition("</section>")[0]


@pytest.mark.parametrize(("keep", "shown"), [("clock", "09:00"), ("instant", "08:00")])
def test_chosen_answer_is_applied_and_reported_with_numbers(client, master, keep, shown):
    (row,) = book(master.clinic)
    answer = answered(client, master.clinic, MANAUS, keep)
    assert answer.status_code == 302 and zone_of(master.clinic) == MANAUS
    assert at_clock(row) == shown
    event = ClinicEvent.objects.get()
    assert (event.user, event.channel, event.after["keep"]) == (master, "browser", keep)
    listed = client.get(answer["Location"]).text
    assert "1 agendamento futuro:" in listed
    assert "Fuso horário de Recife para Manaus." in client.get(page(master.clinic)).text


@pytest.mark.parametrize("keep", ["", "both", "CLOCK", "clock\0", "1"])
def test_an_answer_that_is_none_is_asked_again(client, master, keep):
    book(master.clinic)
    assert answered(client, master.clinic, MANAUS, keep).status_code == 200
    assert zone_of(master.clinic) == RECIFE


@pytest.mark.parametrize("asked", ["", f"{LISBON} {MANAUS}", f"{RECIFE} {LISBON}", "x"])
def test_an_answer_to_another_change_is_asked_again(client, master, asked):
    book(master.clinic)
    answer = save(client, master.clinic, time_zone=MANAUS, keep="clock", keep_asked=asked)
    assert answer.status_code == 200 and zone_of(master.clinic) == RECIFE


def test_with_nothing_ahead_the_zone_is_changed_at_once(client, master):
    assert save(client, master.clinic, time_zone=MANAUS).status_code == 302
    assert zone_of(master.clinic) == MANAUS
    assert ClinicEvent.objects.get().after["keep"] == ""


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "America", "../../etc/passwd", "UTC\0", "x" * 70])
def test_a_zone_that_is_none_is_refused_and_nothing_is_asked(client, master, zone):
    book(master.clinic)
    answer = answered(client, master.clinic, zone, "clock")
    assert answer.status_code == 200 and zone_of(master.clinic) == RECIFE
    assert "time_zone" in answer.context["adminform"].form.errors


def test_the_same_zone_asks_nothing_and_writes_no_event(client, master):
    book(master.clinic)
    assert save(client, master.clinic, name="Nova").status_code == 302
    assert not ClinicEvent.objects.exists()


def test_a_zone_from_elsewhere_is_not_changed_by_saving_a_name(client, master):
    Clinic.objects.filter(pk=master.clinic.pk).update(time_zone="Europe/Madrid")
    assert '<option value="Europe/Madrid" selected>' in client.get(page(master.clinic)).text
    save(client, master.clinic, name="Nova")
    assert zone_of(master.clinic) == "Europe/Madrid"


def test_another_clinics_zone_is_not_found(client, master):
    other = make_clinic()
    book(other)
    assert answered(client, other, MANAUS, "clock").status_code == 404
    assert zone_of(other) == RECIFE


def test_times_that_would_clash_are_named_and_the_instant_is_offered(client):
    clinic = make_clinic()
    master = make_master(clinic)
    client.force_login(master)
    doctor = make_doctor(clinic, days=range(1, 8), hours=((time(0), time(12)),))
    jump = date(2027, 3, 28)
    rows = [
        Appointment.objects.create(
            clinic=clinic,
            doctor=doctor,
            doctor_name=doctor.full_name,
            patient=make_patient(clinic, name=name),
            starts_at=clinic.instant(jump, wall),
            ends_at=clinic.instant(jump, wall) + timedelta(minutes=30),
        )
        for name, wall in (("Ana Souza", time(1, 30)), ("Rui Nunes", time(2, 30)))
    ]
    answer = answered(client, clinic, LISBON, "clock")
    assert answer.status_code == 200 and zone_of(clinic) == RECIFE
    for row, name in zip(rows, ("Ana Souza", "Rui Nunes"), strict=True):
        assert name in answer.text and reverse("web:appointment-detail", args=[row.pk]) in answer.text
    assert 'id="keep_clock"' not in answer.text and 'id="keep_instant"' in answer.text
    assert answered(client, clinic, LISBON, "instant").status_code == 302
    assert zone_of(clinic) == LISBON


# Two windows ---------------------------------------------------------------------------------------------------------


def test_an_older_window_does_not_change_the_zone_back(client, master):
    book(master.clinic)
    shown = client.get(page(master.clinic))
    filled = shown.context["filled_with"]
    answered(client, master.clinic, MANAUS, "clock")
    older = {"name": "Nova", "time_zone": RECIFE, "language": "pt-br", "filled_with": filled}
    assert client.post(page(master.clinic), older).status_code == 302
    assert Clinic.objects.get(pk=master.clinic.pk).name == "Nova"
    assert zone_of(master.clinic) == MANAUS and ClinicEvent.objects.count() == 1


def test_two_windows_with_two_zones_are_shown_both(client, master):
    book(master.clinic)
    filled = client.get(page(master.clinic)).context["filled_with"]
    answered(client, master.clinic, MANAUS, "clock")
    older = {"name": "Nova", "time_zone": LISBON, "language": "pt-br", "filled_with": filled}
    older |= {"keep": "clock", "keep_asked": f"{RECIFE} {LISBON}"}
    assert client.post(page(master.clinic), older).status_code == 409
    assert zone_of(master.clinic) == MANAUS


# Days that are closed ------------------------------------------------------------------------------------------------


@pytest.fixture
def on_holiday(master):
    """A booked appointment on the next Christmas, and one on the day before its eve."""
    clinic = master.clinic
    today = clinic.local(timezone.now()).date()
    christmas = date(today.year + (today >= date(today.year, 12, 25)), 12, 25)
    doctor = make_doctor(clinic, days=range(1, 8))
    patient = make_patient(clinic, name="Ana Souza")
    under = book_appointment(doctor, starts_at=clinic.instant(christmas, time(9)), patient=patient.pk)
    book_appointment(doctor, starts_at=clinic.instant(christmas - timedelta(days=2), time(9)))
    return under


def test_switching_holidays_on_shows_who_lies_under_them(client, master, on_holiday):
    answer = save(client, master.clinic, observes_holidays="on")
    assert answer.status_code == 200
    assert "1 pessoa já está agendada nesse período" in answer.text
    assert "Ana Souza" in answer.text and reverse("web:appointment-detail", args=[on_holiday.pk]) in answer.text
    assert f"{master.clinic.local(on_holiday.starts_at):%d/%m/%Y} 09:00" in answer.text
    assert not Clinic.objects.get(pk=master.clinic.pk).observes_holidays

    confirmed = answer.context["affected"].asked
    assert save(client, master.clinic, observes_holidays="on", close_over=confirmed).status_code == 302
    assert Clinic.objects.get(pk=master.clinic.pk).observes_holidays


@pytest.mark.parametrize("confirmed", ["", "on", "1", "0-", "2-1-2", "x"])
def test_a_confirmation_of_something_else_is_asked_again(client, master, on_holiday, confirmed):
    assert save(client, master.clinic, observes_holidays="on", close_over=confirmed).status_code == 200
    assert not Clinic.objects.get(pk=master.clinic.pk).observes_holidays


def test_new_bookings_are_shown_before_closing_is_confirmed(client, master, on_holiday):
    asked = save(client, master.clinic, observes_holidays="on").context["affected"].asked
    starts_at = on_holiday.starts_at + timedelta(hours=1)
    book_appointment(on_holiday.doctor, starts_at=starts_at, patient=make_patient(master.clinic).pk)
    answer = save(client, master.clinic, observes_holidays="on", close_over=asked)
    assert answer.status_code == 200 and "2 pessoas já estão agendadas" in answer.text


@pytest.mark.parametrize("fields", [{"status": "cancelled", "cancelled_by": "clinic"}, {"status": "no_show"}])
def test_appointment_that_takes_no_time_is_under_no_holiday(client, master, on_holiday, fields):
    Appointment.objects.filter(pk=on_holiday.pk).update(**fields)
    assert save(client, master.clinic, observes_holidays="on").status_code == 302


def test_switching_holidays_off_asks_nothing(client, master, on_holiday):
    Clinic.objects.filter(pk=master.clinic.pk).update(observes_holidays=True)
    assert save(client, master.clinic, observes_holidays="").status_code == 302


def test_another_country_has_other_holidays(client):
    """10 June closes Portugal alone."""
    clinic = make_clinic(observes_holidays=True)
    client.force_login(make_superuser())
    doctor = make_doctor(clinic, days=range(1, 8))
    today = clinic.local(timezone.now()).date()
    tenth = date(today.year + (today >= date(today.year, 6, 10)), 6, 10)
    book_appointment(doctor, starts_at=clinic.instant(tenth, time(9)))
    answer = save(client, clinic, country="PT")
    assert answer.status_code == 200 and "1 pessoa já está agendada" in answer.text


# Closures ------------------------------------------------------------------------------------------------------------


def closing(row, hours=2, **typed):
    clinic = row.clinic
    starts, ends = (clinic.local(each) for each in (row.starts_at, row.starts_at + timedelta(hours=hours)))
    spans = {"starts_at_0": f"{starts:%d/%m/%Y}", "starts_at_1": f"{starts:%H:%M}"}
    spans |= {"ends_at_0": f"{ends:%d/%m/%Y}", "ends_at_1": f"{ends:%H:%M}"}
    return {"reason": "Obras"} | spans | typed


def test_closure_lists_affected_appointments_and_longer_only_new(client, master):
    first, second = book(master.clinic, 2)
    add = reverse("admin:clinic_closure_add")
    answer = client.post(add, closing(first, hours=0.5))
    assert answer.status_code == 200 and "1 pessoa já está agendada" in answer.text
    assert not Closure.objects.exists()
    confirmed = answer.context["affected"].asked
    assert client.post(add, closing(first, hours=0.5, close_over=confirmed)).status_code == 302

    change = reverse("admin:clinic_closure_change", args=[Closure.objects.get().pk])
    assert client.post(change, closing(first, hours=0.5, reason="Pintura")).status_code == 302
    answer = client.post(change, closing(first, hours=2))
    assert answer.status_code == 200 and "1 pessoa já está agendada" in answer.text
    assert reverse("web:appointment-detail", args=[second.pk]) in answer.text


def test_each_country_reads_the_questions_in_its_own_words(client):
    clinic = make_lisbon()
    client.force_login(make_master(clinic))
    book(clinic, 2)
    answer = save(client, clinic, time_zone="Atlantic/Azores")
    assert "2 marcações futuras" in answer.text and "agendamento" not in answer.text
