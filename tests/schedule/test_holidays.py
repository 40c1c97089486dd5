"""Holidays of state, district and town, optional days, and exceptions that open; numbers are those of the cases."""

from datetime import date, time

import pytest
from django.core.exceptions import ValidationError

from clinic.models import ClinicHoliday
from clinic.models.holiday import date_in_year, read_date_rule
from clinic.schedule import ClosedReason, holiday_name, load_schedules, optional_name
from clinic.schedule.holidays import _stored_holidays
from tests.factories import make_clinic, make_doctor, make_lisbon

CONCEPTION = date(2026, 12, 8)  # a Tuesday
ASHES = date(2027, 2, 10)


def own(clinic, falls_on, name="Feriado", **fields):
    doctors = fields.pop("doctors", [])
    row = ClinicHoliday.objects.create(clinic=clinic, falls_on=falls_on, name=name, **fields)
    row.doctors.set(doctors)
    return row


def opened(doctor, day):
    clinic = doctor.clinic
    spans = load_schedules(clinic, [doctor], day, day).open(doctor.pk, day)
    return [(f"{clinic.local(span.starts_at):%H:%M}", f"{clinic.local(span.ends_at):%H:%M}") for span in spans]


def closed_by_holiday(doctor, day):
    spans = load_schedules(doctor.clinic, [doctor], day, day).closed(doctor.pk, day)
    return [span.reason for span in spans if span.closed_by is ClosedReason.HOLIDAY]


@pytest.mark.parametrize("year", [2000, 2024, 2027, 2076, 2099])
def test_easter_is_that_of_the_calendar_of_portugal(year):
    portugal = _stored_holidays("PT", None, "public", year)
    assert portugal[date_in_year("Páscoa+0", year)] == "Páscoa"


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("24/6", "24/06"),
        ("8-12-2026", "08/12/2026"),
        ("29/02", "29/02"),
        (" pascoa - 46 ", "Páscoa-46"),
        ("Páscoa", "Páscoa+0"),
    ],
)
def test_dates_are_read_as_written(typed, stored):
    assert read_date_rule(typed) == stored


@pytest.mark.parametrize("typed", ["31/02", "29/02/2027", "8/12/0000", "08/12/1999", "dia 8", "Páscoa-1000", "", "0/1"])
def test_dates_that_are_none_are_refused(typed):
    with pytest.raises(ValidationError):
        read_date_rule(typed)


def test_29_february_falls_in_leap_years_only():
    assert [date_in_year("29/02", year) for year in (2027, 2028)] == [None, date(2028, 2, 29)]


@pytest.mark.django_db
def test_case_27_the_state_closes_the_clinic_only_when_chosen():
    day = date(2027, 3, 6)
    with_state = make_clinic(observes_holidays=True, region="PE")
    assert holiday_name(with_state, day) == "Data Magna de Pernambuco"
    assert holiday_name(make_clinic(observes_holidays=True), day) == ""
    doctor = make_doctor(with_state, days=[6])
    assert opened(doctor, day) == [] and closed_by_holiday(doctor, day) == ["Data Magna de Pernambuco"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("region", "day", "name"),
    [
        ("11", date(2027, 6, 13), "Dia de Santo António"),
        ("20", date(2027, 5, 17), "Dia da Região Autónoma dos Açores"),
        ("30", date(2027, 7, 1), "Dia da Região Autónoma da Madeira e das Comunidades Madeirenses"),
    ],
)
def test_case_27_districts_and_regions_of_portugal(region, day, name):
    assert holiday_name(make_lisbon(observes_holidays=True, region=region), day) == name
    assert holiday_name(make_lisbon(observes_holidays=True), day) == ""


@pytest.mark.django_db
def test_case_28_the_towns_days_close_the_clinic():
    doctor = make_doctor(days=range(1, 8))
    names = {"24/06": "São João", "16/07": "N. Sra. do Carmo", "08/12": "N. Sra. da Conceição"}
    for falls_on, name in names.items():
        own(doctor.clinic, falls_on, name)
    days = date(2027, 6, 24), date(2027, 7, 16), CONCEPTION
    assert [closed_by_holiday(doctor, day) for day in days] == [[name] for name in names.values()]
    assert [opened(doctor, day) for day in days] == [[], [], []]


@pytest.mark.django_db
def test_another_clinics_days_close_nothing():
    doctor, stranger = make_doctor(), make_clinic()
    own(stranger, "08/12")
    assert len(opened(doctor, CONCEPTION)) == 2


@pytest.mark.django_db
def test_case_30_an_optional_day_closes_only_where_chosen():
    day = date(2027, 2, 9)
    lisbon, other = make_doctor(make_lisbon(observes_holidays=True)), make_doctor(make_lisbon(observes_holidays=True))
    own(lisbon.clinic, "Páscoa-47", "Carnaval")
    assert (opened(lisbon, day), closed_by_holiday(lisbon, day)) == ([], ["Carnaval"])
    assert len(opened(other, day)) == 2 and closed_by_holiday(other, day) == []
    assert optional_name(other.clinic, day) == "Carnaval"


@pytest.mark.django_db
def test_case_31_ashes_from_two_in_the_afternoon():
    doctor = make_doctor()
    own(doctor.clinic, "Páscoa-46", "Cinzas", ends=time(14))
    assert opened(doctor, ASHES) == [("14:00", "18:00")]
    assert closed_by_holiday(doctor, ASHES) == ["Cinzas"]
    assert len(opened(doctor, date(2027, 2, 11))) == 2


@pytest.mark.django_db
def test_an_afternoon_off_ends_with_the_day():
    doctor = make_doctor(days=range(1, 8))
    own(doctor.clinic, "24/12", "Véspera de Natal", starts=time(12))
    assert opened(doctor, date(2026, 12, 24)) == [("08:00", "12:00")]


@pytest.mark.django_db
@pytest.mark.parametrize("make", [make_clinic, make_lisbon])
def test_case_32_one_speciality_is_open_on_a_holiday(make):
    clinic = make(observes_holidays=True)
    imaging, other = make_doctor(clinic, specialty="Imagiologia"), make_doctor(clinic, specialty="Cardiologia")
    if clinic.country == "BR":
        own(clinic, "08/12", "N. Sra. da Conceição")
    hours = {"starts": time(8), "ends": time(12)}
    own(clinic, "08/12/2026", "Imagiologia aberta", kind="opens", specialty="Imagiologia", **hours)
    assert (opened(imaging, CONCEPTION), opened(other, CONCEPTION)) == ([("08:00", "12:00")], [])
    assert len(closed_by_holiday(imaging, CONCEPTION)) == 2 and len(closed_by_holiday(other, CONCEPTION)) == 1


@pytest.mark.django_db
def test_single_doctors_are_open_on_a_holiday():
    clinic = make_clinic()
    first, second, third = (make_doctor(clinic, specialty="Ortopedia" if n == 2 else "") for n in range(3))
    own(clinic, "08/12")
    own(clinic, "08/12", kind="opens", doctors=[first], specialty="Ortopedia")
    assert [len(opened(doctor, CONCEPTION)) for doctor in (first, second, third)] == [2, 0, 2]


@pytest.mark.django_db
def test_doctors_loaded_together_are_open_each_by_their_own():
    clinic = make_clinic()
    one, other = make_doctor(clinic), make_doctor(clinic)
    own(clinic, "08/12")
    own(clinic, "08/12", kind="opens", doctors=[one])
    loaded = load_schedules(clinic, [one, other], CONCEPTION, CONCEPTION)
    assert [len(loaded.open(doctor.pk, CONCEPTION)) for doctor in (one, other)] == [2, 0]


@pytest.mark.django_db
def test_a_night_before_a_holiday_ends_with_its_midnight():
    doctor = make_doctor(days=[1], hours=[(time(20), time(6))])
    own(doctor.clinic, "08/12")
    assert opened(doctor, date(2026, 12, 7)) == [("20:00", "00:00")]
