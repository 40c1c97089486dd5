"""A doctor need not have a specialty, whichever door adds one; where it is missing, nothing stands in its place."""

from datetime import time

import pytest
from django.urls import reverse

from clinic.models import Doctor
from clinic.registry import Hours, register_doctor
from tests.booking.desk import BY
from tests.factories import book_appointment, make_clinic, make_manager, make_procedure, make_user
from tests.windows import Window

pytestmark = pytest.mark.django_db


@pytest.fixture
def doctor():
    """As an API registers one."""
    clinic = make_clinic()
    hours = [Hours(weekday, time(8), time(18)) for weekday in range(1, 8)]
    performed = [make_procedure(clinic).pk]
    return register_doctor(clinic, name="Dr Victor", by=BY, procedures=performed, hours=hours)


def test_a_manager_switches_off_a_doctor_without_one(client, doctor):
    client.force_login(make_manager(doctor.clinic))
    window = Window(client, reverse("admin:clinic_doctor_change", args=[doctor.pk]), "doctor_form")
    window.fields.pop("active")
    assert window.save().status_code == 302
    assert not Doctor.objects.get(pk=doctor.pk).active


def test_no_page_shows_a_separator_before_nothing(client, doctor):
    appointment = book_appointment(doctor)
    client.force_login(make_user(doctor.clinic))
    day = doctor.clinic.local(appointment.starts_at).date()
    panel = f"{reverse('web:appointment-book')}?medico={doctor.pk}&data={day}"
    acts = [
        reverse(f"web:appointment-{act}", args=[appointment.pk]) for act in ("reschedule", "change", "cancel", "notes")
    ]
    for address in [reverse("web:agenda-day", args=[day]), panel, *acts]:
        page = client.get(address).text
        assert "Dr Victor" in page
        assert "Dr Victor ·" not in page and "Dr Victor —" not in page and '<span title=""></span>' not in page, address


def test_the_admins_filter_lists_no_nameless_specialty(client, doctor):
    client.force_login(make_manager(doctor.clinic))
    page = client.get(reverse("admin:clinic_doctor_changelist"))
    (of_specialty,) = [each for each in page.context["cl"].filter_specs if each.title == "especialidade"]
    assert list(of_specialty.lookup_choices) == []
