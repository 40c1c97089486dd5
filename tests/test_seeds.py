"""`seed_demo` and `seed_load`: what they store, that they leave everything else alone, and that twice is once."""

import io
import stat
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
import time_machine
from django.contrib.auth.hashers import check_password
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from stdnum.br import cpf
from stdnum.pt import nif

from clinic.booking import Author
from clinic.management.demo import LOAD_SLUG
from clinic.management.demo.access import write_access_file
from clinic.management.demo.clinics import CLINICS, LISBOA, RECIFE
from clinic.management.demo.people import people
from clinic.management.demo.recalls import remind_some
from clinic.management.demo.rows import set_up
from clinic.management.demo.story import Attendance, Story, leave_some_open
from clinic.management.demo.visits import Book
from clinic.management.demo.waiting import put_some
from clinic.models import (
    Absence,
    Appointment,
    AppointmentEvent,
    AppointmentProcedure,
    Clinic,
    Patient,
    Payer,
    Recall,
    StaffUser,
    WaitingEntry,
)
from clinic.models.patient import phone_hash
from clinic.queries.holidays import coming_days
from clinic.schedule import load_schedules
from tests.factories import book_appointment, make_clinic, make_doctor, next_monday

Status = Appointment.Status

WEDNESDAY_MORNING = datetime(2026, 11, 25, 13, 30, tzinfo=UTC)  # 10:30 in Recife, 13:30 in Lisbon
MOMENTS = {
    "a morning": WEDNESDAY_MORNING,
    "a Sunday night": datetime(2026, 11, 23, 1, 0, tzinfo=UTC),
    "a holiday": datetime(2026, 12, 25, 15, 0, tzinfo=UTC),
    "before the clocks go back in Lisbon": datetime(2026, 10, 20, 10, 0, tzinfo=UTC),
    "before the clocks go forward in Lisbon": datetime(2027, 3, 24, 10, 0, tzinfo=UTC),
    "a new year": datetime(2027, 1, 1, 12, 0, tzinfo=UTC),
}


@pytest.fixture
def access_file(settings, tmp_path):
    settings.DATA_DIR = tmp_path / "not-yet-there"
    return settings.DATA_DIR / "demo-access.txt"


def seed_demo(**options):
    output = io.StringIO()
    call_command("seed_demo", past_weeks=0, coming_weeks=0, stdout=output, **options)
    return output.getvalue()


def seed_load(appointments):
    output = io.StringIO()
    call_command("seed_load", appointments=appointments, stdout=output)
    return output.getvalue()


def everything_stored():
    models = (Clinic, StaffUser, Patient, Absence, Appointment, AppointmentProcedure, AppointmentEvent)
    return {model: list(model.objects.order_by("pk").values()) for model in models}


# The demo -------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@time_machine.travel(WEDNESDAY_MORNING, tick=False)
def test_the_demo_is_a_day_in_full_swing_with_sign_ins_that_work(access_file):
    said = seed_demo()
    assert "Clínica Boa Viagem" in said and str(access_file) in said
    for slug in ("recife", "lisboa"):
        clinic = Clinic.objects.get(slug=slug)
        today = Appointment.objects.of(clinic).overlapping(*clinic.day(clinic.local(WEDNESDAY_MORNING).date()))
        statuses = Counter(today.values_list("status", flat=True))
        assert set(statuses) >= set(Status) - {Status.RESCHEDULED}
        assert len(set(today.values_list("source", flat=True))) > 1
        of_plan = Appointment.objects.of(clinic).filter(payer__requires_authorization=True)
        assert of_plan.exists() and not of_plan.filter(authorization_number="").exists()

    assert stat.S_IMODE(access_file.stat().st_mode) == 0o600
    passwords = dict(line.split(" ") for line in access_file.read_text().splitlines())
    assert list(passwords) == ["recepcao", "gestor", "master", "medica", "recepcao-lisboa", "master-lisboa"]
    for username, password in passwords.items():
        user = StaffUser.objects.get(username=username)
        assert check_password(password, user.password)
        assert user.clinic.slug == ("lisboa" if "lisboa" in username else "recife")


@pytest.mark.django_db
def test_four_of_the_demos_patients_wait_for_an_earlier_time():
    doctor, by = make_doctor(), Author(channel="command", credential="demo")
    for days in range(5):
        for minutes in (0, 30):
            ahead = timedelta(weeks=2, days=days, minutes=minutes)
            book_appointment(doctor, starts_at=next_monday(doctor.clinic) + ahead)
    put_some(doctor.clinic, by, timezone.now())
    entries = list(WaitingEntry.objects.of(doctor.clinic).open().in_order().in_full())
    days = {doctor.clinic.local(entry.appointment.starts_at).date() for entry in entries}
    assert len(entries) == len(days) == 4 and entries[0].is_urgent


@pytest.mark.django_db
def test_some_of_the_demos_patients_are_to_be_called_again():
    doctor, by, now = make_doctor(), Author(channel="command", credential="demo"), timezone.now()
    for weeks in range(3, 8):
        starts_at = next_monday(doctor.clinic) - timedelta(weeks=weeks)
        visit = book_appointment(doctor, starts_at=starts_at, now=starts_at - timedelta(days=1))
        Appointment.objects.filter(pk=visit.pk).update(status="finished")
    remind_some(doctor.clinic, by, now)
    today = doctor.clinic.local(now).date()
    due = sorted((recall.due_on - today).days for recall in Recall.objects.of(doctor.clinic).open())
    assert due == [-9, -2, 0, 3, 12]


@pytest.mark.django_db
@time_machine.travel(WEDNESDAY_MORNING, tick=False)
def test_seeding_the_demo_again_changes_nothing(access_file):
    seed_demo()
    stored, written = everything_stored(), access_file.read_bytes()
    assert "nothing was changed" in seed_demo()
    assert everything_stored() == stored and access_file.read_bytes() == written

    access_file.unlink()
    assert "manage.py changepassword" in seed_demo()
    assert everything_stored() == stored and not access_file.exists()


@pytest.mark.django_db
def test_the_demo_stays_out_of_a_database_with_a_real_clinic(access_file):
    make_clinic(slug="recife")
    with pytest.raises(CommandError, match="real clinic"):
        seed_demo()
    assert Clinic.objects.count() == 1 and not access_file.exists()


@pytest.mark.django_db
def test_demo_reports_a_taken_user_name(access_file):
    StaffUser.objects.create_superuser("master", "garoa-fina-na-varanda", name="Dona")
    with pytest.raises(CommandError, match="master"):
        seed_demo()
    assert not Clinic.objects.exists()


def test_old_access_file_is_replaced_and_a_link_is_not_followed(access_file, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine\n")
    access_file.parent.mkdir()
    access_file.symlink_to(elsewhere)
    write_access_file({"recepcao": "abcd"})
    assert elsewhere.read_text() == "mine\n"
    assert not access_file.is_symlink() and access_file.read_text() == "recepcao abcd\n"


@pytest.mark.django_db
@pytest.mark.parametrize("demo", CLINICS, ids=lambda demo: demo.slug)
@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
def test_the_plan_of_seven_weeks_breaks_no_rule_whenever_it_is_made(demo, moment):
    rng = Random(1)  # noqa: S311 - the same every time, to be found again
    registry = set_up(demo, moment, rng)
    today = registry.clinic.local(moment).date()
    first, last = today - timedelta(weeks=3), today + timedelta(weeks=4)
    visits = Book(registry, today, rng).fill(first, last)
    schedules = load_schedules(registry.clinic, registry.doctors, first, last)

    times, days = defaultdict(list), defaultdict(list)
    for visit in visits:
        day = registry.clinic.local(visit.starts_at).date()
        assert any(span.contains(visit.starts_at, visit.ends_at) for span in schedules.open(visit.doctor.pk, day))
        times[visit.doctor.pk].append((visit.starts_at, visit.ends_at))
        days[visit.patient.pk].append(day)
        if visit.first_time:
            times[visit.doctor.pk].append((visit.first_time.starts_at, visit.first_time.ends_at))
            days[visit.patient.pk].append(registry.clinic.local(visit.first_time.starts_at).date())
    for spans in times.values():
        assert all(before[1] <= after[0] for before, after in pairwise(sorted(spans)))
    for dates in days.values():
        assert len(dates) == len(set(dates))

    story = Story(registry, None, moment, rng)
    story.write(visits)
    steps = defaultdict(list)
    for step in sorted(story.steps):
        steps[step.visit].append(step.at)
    assert all(steps[visit][0] < min(moment, visit.starts_at) for visit in visits)


@pytest.mark.django_db
@pytest.mark.parametrize("demo", CLINICS, ids=lambda demo: demo.slug)
def test_near_days_are_well_filled_and_later_ones_thinner(demo):
    rng = Random(1)  # noqa: S311 - the same every time, to be found again
    registry = set_up(demo, WEDNESDAY_MORNING, rng)
    today = registry.clinic.local(WEDNESDAY_MORNING).date()
    visits = Book(registry, today, rng).fill(today, today + timedelta(weeks=4))
    schedules = load_schedules(registry.clinic, registry.doctors, today, today + timedelta(weeks=4))

    def fullness(first, last):
        days = [today + timedelta(days=number) for number in range(first, last)]
        spans = [span for day in days for doctor in registry.doctors for span in schedules.open(doctor.pk, day)]
        taken = [visit for visit in visits if registry.clinic.local(visit.starts_at).date() in days]
        length = sum((span.ends_at - span.starts_at for span in spans), timedelta())
        return sum((visit.ends_at - visit.starts_at for visit in taken), timedelta()) / length

    assert 0.7 < fullness(0, 7) < 0.9
    assert fullness(0, 7) > fullness(8, 14) > fullness(15, 21) > fullness(22, 28) > 0.05


def test_one_patient_is_in_service_and_one_waits_even_at_night():
    at = datetime(2026, 11, 25, 9, tzinfo=UTC)
    hours = [at + timedelta(hours=number) for number in range(4)]
    day = [Attendance(None, hour, hour + timedelta(minutes=5), hour + timedelta(minutes=25)) for hour in hours]
    leave_some_open(day, at + timedelta(hours=12))
    assert (day[3].begins, day[3].ends) == (hours[3] + timedelta(minutes=5), None)
    assert (day[2].begins, day[2].ends) == (None, None)
    assert day[1].ends


@pytest.mark.parametrize("demo", [RECIFE, LISBOA], ids=lambda demo: demo.slug)
def test_invented_people_have_unique_valid_documents_and_accents(demo):
    crowd = people(demo.country, 300, WEDNESDAY_MORNING.date(), Random(1))  # noqa: S311 - the same every time
    assert all((cpf if demo.country == "BR" else nif).is_valid(person.document) for person in crowd)
    assert len({person.document for person in crowd}) == 300
    assert any(person.social_name for person in crowd) and not all(person.is_complete for person in crowd)
    assert any("ã" in person.name for person in crowd)
    assert all(person.born < WEDNESDAY_MORNING.date() for person in crowd)


@pytest.mark.django_db
@pytest.mark.parametrize("demo", CLINICS, ids=lambda demo: demo.slug)
def test_the_demo_has_holidays_of_its_region_and_town(demo):
    clinic = set_up(demo, WEDNESDAY_MORNING, Random(1)).clinic  # noqa: S311 - the same every time
    days = {day.name: day for day in coming_days(clinic, date(2026, 11, 25), date(2027, 11, 24))}
    region, own = {"BR": ("Data Magna de Pernambuco", "São João"), "PT": ("", "Santo António")}[demo.country]
    assert clinic.region_name == {"BR": "Pernambuco", "PT": "Lisboa"}[demo.country]
    assert not region or days[region].closes
    assert days[own].closes and days[own].row.clinic == clinic


@pytest.mark.django_db
@pytest.mark.parametrize("demo", CLINICS, ids=lambda demo: demo.slug)
def test_the_demos_plans_have_prices_that_end_and_change(demo):
    payers = Payer.objects.of(set_up(demo, WEDNESDAY_MORNING, Random(1)).clinic)  # noqa: S311 - the same every time
    today = WEDNESDAY_MORNING.date()
    assert not payers.exclude(prices__valid_from__lt=today).exists()
    assert payers.filter(prices__valid_until__gt=today).exists()
    assert payers.filter(prices__valid_from__gt=today).exists()
    assert Patient.objects.filter(payer=payers.get(requires_authorization=True)).exists()


@pytest.mark.django_db
@pytest.mark.parametrize("demo", CLINICS, ids=lambda demo: demo.slug)
def test_a_guardian_answers_for_some_of_the_demos_children(demo):
    patients = set_up(demo, WEDNESDAY_MORNING, Random(1)).patients  # noqa: S311 - the same every time
    found = [(person, patient) for person, patient in patients if patient.guardian_name]
    assert len(found) > 20
    for person, patient in found:
        guardian = next(
            each for each, _ in patients if each.name == patient.guardian_name and each.phone == person.phone
        )
        years = (person.born - guardian.born).days / 365
        assert (WEDNESDAY_MORNING.date() - person.born).days < 15 * 365 and years >= 18
        assert patient.guardian_relation in ({"mãe", "avó"} if guardian.woman else {"pai", "avô"})
        assert patient.answers_phone == f"{guardian.name} ({patient.guardian_relation})"


@pytest.mark.django_db
@pytest.mark.parametrize("demo", CLINICS, ids=lambda demo: demo.slug)
def test_the_demos_discounts_are_meant_for_the_patients_age(demo):
    rng = Random(1)  # noqa: S311 - the same every time
    registry = set_up(demo, WEDNESDAY_MORNING, rng)
    today = registry.clinic.local(WEDNESDAY_MORNING).date()
    visits = Book(registry, today, rng).fill(today - timedelta(weeks=3), today + timedelta(weeks=4))
    seniors = [visit for visit in visits if visit.discount and visit.discount.minimum_age]
    assert seniors
    for visit in seniors:
        born = visit.patient.birth_date
        assert born and visit.discount.is_for_age(born, registry.clinic.local(visit.starts_at).date())


# The load -------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_load_has_the_requested_size_and_is_topped_up_not_doubled():
    assert "400 appointments added" in seed_load(400)
    assert "350 appointments added" in seed_load(750)
    assert "0 appointments added" in seed_load(750)
    clinic = Clinic.objects.get(slug=LOAD_SLUG)
    for model in (Appointment, AppointmentProcedure, AppointmentEvent):
        assert model.objects.of(clinic).count() == 750
    connection.check_constraints()


@pytest.mark.django_db
def test_copied_rows_equal_rows_of_booking():
    seed_load(400)
    clinic = Clinic.objects.get(slug=LOAD_SLUG)
    patient = Patient.objects.of(clinic).order_by("?").first()
    assert patient.phone_hash == phone_hash(patient.phone.as_e164, clinic.pk) and patient.phone.is_valid()
    appointment = Appointment.objects.of(clinic).order_by("?").first()
    appointment.full_clean(exclude=["encaixe_reason", "cancelled_by"], validate_constraints=False)
    assert appointment.lines.get().price == appointment.lines.get().procedure.price
    event = appointment.events.get()
    assert event.kind == AppointmentEvent.Kind.BOOKED and event.after["starts_at"] == appointment.starts_at.isoformat()
    day = clinic.local(appointment.starts_at).date()
    opened = load_schedules(clinic, [appointment.doctor], day, day).open(appointment.doctor_id, day)
    assert any(span.contains(appointment.starts_at, appointment.ends_at) for span in opened)


@pytest.mark.django_db
def test_rows_can_be_added_the_usual_way_after_a_copy():
    seed_load(400)
    clinic = Clinic.objects.get(slug=LOAD_SLUG)
    newest = Patient.objects.order_by("pk").last()
    added = Patient.objects.create(clinic=clinic, name="Depois da carga", phone="+5581900000000")
    assert added.pk > newest.pk


@pytest.mark.django_db
def test_the_load_stays_out_of_a_database_with_a_real_clinic():
    make_clinic()
    with pytest.raises(CommandError, match="real clinic"):
        seed_load(10)
    assert Clinic.objects.count() == 1 and not Appointment.objects.exists()
