"""Two windows outside the admin: on one appointment, and on the own password."""

import re
from contextlib import closing
from datetime import timedelta
from threading import Event, Thread

import pytest
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from clinic.booking import Author, change_status, reschedule
from clinic.models import Appointment, Doctor, StaffUser
from tests.factories import PASSWORD, book_appointment, make_doctor, make_master, make_procedure, make_user
from tests.locks import wait_until_somebody_waits_for_a_lock
from tests.windows import Window

pytestmark = pytest.mark.django_db

MOVES = [
    ({"doctor": "other"}, {"starts": "11:00"}),
    ({"starts": "10:00"}, {"doctor": "other"}),
    ({"starts": "10:00"}, {"starts": "11:00"}),
    ({"date": "tuesday"}, {"starts": "11:00"}),
    ({"doctor": "other", "date": "tuesday", "starts": "16:00"}, {"date": "tuesday"}),
]


@pytest.mark.parametrize(("first", "second"), MOVES)
def test_an_older_window_moves_no_appointment_back(client, first, second):
    procedure = make_procedure()
    doctor, other = (make_doctor(procedure.clinic, procedures=[procedure]) for _ in range(2))
    appointment = book_appointment(doctor)
    tuesday = f"{procedure.clinic.local(appointment.starts_at) + timedelta(days=1):%d/%m/%Y}"
    first, second = (
        {name: {"other": str(other.pk), "tuesday": tuesday}.get(text, text) for name, text in typed.items()}
        for typed in (first, second)
    )
    client.force_login(make_user(procedure.clinic))
    older, newer = (
        Window(client, reverse("web:appointment-reschedule", args=[appointment.pk]), "booking") for _ in "12"
    )
    assert newer.save(move="1", **first).status_code == 302
    appointment.refresh_from_db()
    stands = appointment.doctor, appointment.starts_at

    answer = older.save(move="1", **second)

    assert answer.status_code == 409
    at = procedure.clinic.local(appointment.starts_at)
    assert f"Outra janela já remarcou este agendamento para {at:%d/%m} às {at:%H:%M}, com {stands[0]}" in answer.text
    appointment.refresh_from_db()
    assert (appointment.doctor, appointment.starts_at) == stands
    assert {name: older.fields[name] for name in second} == {name: [text] for name, text in second.items()}
    assert older.save(move="1").status_code == 302, "both places were seen, and this one is meant"
    appointment.refresh_from_db()
    assert (appointment.doctor, appointment.starts_at) != stands


def test_a_move_sent_twice_is_no_conflict(client):
    appointment = book_appointment()
    client.force_login(make_user(appointment.clinic))
    address = reverse("web:appointment-reschedule", args=[appointment.pk])
    older, newer = Window(client, address, "booking"), Window(client, address, "booking")

    newer.save(move="1", starts="11:00")

    assert "Este já é o horário do agendamento" in older.save(move="1", starts="11:00").text


@pytest.mark.parametrize("moved", [{"starts": "11:00"}, {"date": "tuesday", "starts": "11:00"}])
def test_an_end_drawn_before_a_move_ends_no_visit_elsewhere(client, moved):
    appointment = book_appointment()
    tuesday = f"{appointment.clinic.local(appointment.starts_at) + timedelta(days=1):%d/%m/%Y}"
    client.force_login(make_user(appointment.clinic))
    change, move = (reverse(f"web:appointment-{act}", args=[appointment.pk]) for act in ("change", "reschedule"))
    older, newer = Window(client, change, "booking"), Window(client, move, "booking")
    newer.save(move="1", **{name: text.replace("tuesday", tuesday) for name, text in moved.items()})
    appointment.refresh_from_db()
    stands = appointment.starts_at, appointment.ends_at

    answer = older.save(save="1", ends="09:45")

    assert answer.status_code == 409
    assert "foi alterado em outra janela" in answer.text and "das 11:00 às 11:30" in answer.text
    appointment.refresh_from_db()
    assert (appointment.starts_at, appointment.ends_at) == stands
    assert older.fields["ends"] == ["11:30"], "what was typed is no end of that time"
    assert older.save(save="1", ends="11:45").status_code == 302


@pytest.mark.parametrize(
    ("there", "here"),
    [
        ("checked_in", "confirmed"),
        ("checked_in", "no_show"),
        ("in_service", "checked_in"),
        ("confirmed", "no_show"),
        ("moved", "confirmed"),
    ],
)
def test_a_button_drawn_earlier_takes_no_change_back(client, time_machine, there, here):
    appointment = book_appointment()
    doctor, clinic = appointment.doctor, appointment.clinic
    time_machine.move_to(appointment.starts_at + timedelta(minutes=1), tick=False)
    client.force_login(make_user(clinic))
    address = reverse("web:appointment-detail", args=[appointment.pk])
    drawn = re.search(r'name="seen" value="([^"]+)"', client.get(address).text)[1]
    by = Author(channel="browser", credential="other window")
    if there == "moved":
        moved_to = appointment.starts_at + timedelta(hours=2)
        reschedule(appointment.pk, clinic=clinic, doctor=doctor.pk, starts_at=moved_to, by=by)
    else:
        for status in {"in_service": ["checked_in", "in_service"]}.get(there, [there]):
            change_status(appointment.pk, status, clinic=clinic, by=by)
    appointment.refresh_from_db()
    stands = appointment.status

    press = reverse("web:appointment-status", args=[appointment.pk])
    answer = client.post(press, {"status": here, "seen": drawn})

    assert answer.status_code == 409 and "foi alterado depois do que você viu" in answer.text
    appointment.refresh_from_db()
    assert appointment.status == stands
    assert f'name="seen" value="{stands}|' in answer.text


def test_a_cancelling_begun_before_a_move_is_asked_about(client):
    appointment = book_appointment()
    client.force_login(make_user(appointment.clinic))
    cancel, move = (reverse(f"web:appointment-{act}", args=[appointment.pk]) for act in ("cancel", "reschedule"))
    older, newer = Window(client, cancel, "cancelling"), Window(client, move, "booking")
    newer.save(move="1", starts="11:00")

    answer = older.save(cancelled_by="patient", reason="viagem")

    assert answer.status_code == 409
    assert "foi alterado depois do que você viu" in answer.text and "11:00" in answer.text
    assert (older.fields["cancelled_by"], older.fields["reason"]) == (["patient"], ["viagem"])
    appointment.refresh_from_db()
    assert appointment.status == "rescheduled"
    older.save()
    appointment.refresh_from_db()
    assert (appointment.status, appointment.cancel_reason) == ("cancelled", "viagem")


@pytest.mark.django_db(transaction=True)
def test_the_own_password_takes_back_no_right(client):
    """The page reads the user before a master takes the rights away, and writes after it."""
    user = make_master(password=PASSWORD)
    client.force_login(user)
    written = Event()

    def other_master():
        with closing(connection), transaction.atomic():
            StaffUser.objects.filter(pk=user.pk).update(role="receptionist", is_active=False)
            written.set()
            wait_until_somebody_waits_for_a_lock()

    other = Thread(target=other_master)
    other.start()
    written.wait(10)
    new = "outra-garoa-na-varanda"
    typed = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    client.post(reverse("web:password-change"), typed)
    other.join()

    user.refresh_from_db()
    assert (user.role, user.is_active, user.check_password(new)) == ("receptionist", False, True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", ["change", "reschedule", "cancel", "notes"])
def test_an_appointment_deleted_while_an_act_waits_is_not_found(client, act):
    """As by an API, between loading the appointment and locking it."""
    appointment = book_appointment()
    client.force_login(make_user(appointment.clinic))
    day = f"{appointment.clinic.local(appointment.starts_at):%d/%m/%Y}"
    typed = {
        "change": {"save": "1", "procedure": appointment.lines.get().procedure_id, "ends": "09:45"},
        "reschedule": {"move": "1", "doctor": appointment.doctor_id, "date": day, "starts": "11:00"},
        "cancel": {"cancelled_by": "patient", "reason": "viagem"},
        "notes": {"notes": "em jejum", "seen": ""},
    }[act]
    locked = Event()

    def delete_it():
        with closing(connection), transaction.atomic():
            Doctor.objects.select_for_update().get(pk=appointment.doctor_id)
            Appointment.objects.select_for_update().get(pk=appointment.pk)
            locked.set()
            wait_until_somebody_waits_for_a_lock()
            Appointment.objects.filter(pk=appointment.pk).update(deleted_at=timezone.now())

    other = Thread(target=delete_it)
    other.start()
    locked.wait(10)
    answer = client.post(reverse(f"web:appointment-{act}", args=[appointment.pk]), typed)
    other.join()

    assert answer.status_code == 404
