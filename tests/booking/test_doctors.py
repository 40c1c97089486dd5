"""Adding a doctor: the rules of the admin's form, whoever asks."""

from datetime import time

import pytest

from clinic.models import Doctor
from clinic.registry import DoctorFault, DoctorRefused, Hours, check_doctor, register_doctor
from tests.booking.desk import BY
from tests.factories import make_clinic, make_procedure

pytestmark = pytest.mark.django_db

MORNING, AFTERNOON = Hours(1, time(8), time(12)), Hours(1, time(13), time(18))


@pytest.fixture
def wanted():
    clinic = make_clinic()
    return {
        "clinic": clinic,
        "name": " Dra.  Ana\u200b ",
        "procedures": [make_procedure(clinic).pk],
        "hours": [AFTERNOON, MORNING],
        "interval_minutes": 15,
    }


def test_a_doctor_is_added_with_procedures_and_hours(wanted):
    assert check_doctor(**wanted) == []
    doctor = register_doctor(**wanted, by=BY)
    assert (doctor.title, doctor.name, doctor.active, doctor.interval_minutes) == ("a Dra.", "Ana", True, 15)
    assert list(doctor.procedures.values_list("pk", flat=True)) == wanted["procedures"]
    assert list(doctor.hours.values_list("weekday", "starts", "ends")) == [MORNING, AFTERNOON]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"name": " \u200b "}, DoctorFault.NAME_MISSING),
        ({"name": "Dra. Ana\0"}, DoctorFault.NAME_UNSTORABLE),
        ({"name": "Dra. Ana\ud800"}, DoctorFault.NAME_UNSTORABLE),
        ({"name": "Dra. Ana\x1b[0m"}, DoctorFault.NAME_UNSTORABLE),
        ({"name": "x" * 121}, DoctorFault.NAME_TOO_LONG),
        ({"procedures": [10**30]}, DoctorFault.PROCEDURE_UNKNOWN),
        ({"hours": [Hours(1, time(9), time(9))]}, DoctorFault.ENDS_NOT_AFTER_START),
        ({"hours": [MORNING, Hours(1, time(11), time(13))]}, DoctorFault.HOURS_OVERLAP),
        ({"interval_minutes": 4}, DoctorFault.INTERVAL_TOO_SHORT),
        ({"interval_minutes": 241}, DoctorFault.INTERVAL_TOO_LONG),
    ],
)
def test_invalid_arguments_are_named_and_nothing_is_written(wanted, changes, fault):
    assert check_doctor(**wanted | changes) == [fault]
    with pytest.raises(DoctorRefused) as refused:
        register_doctor(**wanted | changes, by=BY)
    assert refused.value.faults == [fault]
    assert not Doctor.objects.exists()


def test_hours_may_touch_and_other_days_do_not_count(wanted):
    hours = [MORNING, Hours(1, time(12), time(13)), Hours(2, time(9), time(10))]
    assert check_doctor(**wanted | {"hours": hours}) == []
