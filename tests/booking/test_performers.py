"""What a doctor performs, asked at every place that needs it."""

from uuid import uuid4

import pytest

from clinic.booking import LineRequest, check, doctors_performing, doctors_performing_all
from clinic.queries import booking_options
from clinic.refusals import Reason
from tests.booking.desk import refused
from tests.factories import make_doctor, make_procedure

PERFORMS = {
    "performed": ({}, {}, True),
    "of another doctor": ({"procedures": []}, {}, False),
    "no longer offered": ({}, {"active": False}, False),
}


@pytest.mark.parametrize(("doctor", "procedure", "is_performed"), PERFORMS.values(), ids=PERFORMS)
def test_every_door_knows_what_a_doctor_performs(desk, doctor, procedure, is_performed):
    offered = make_procedure(desk.clinic, **procedure)
    doctor = make_doctor(desk.clinic, **{"procedures": [offered]} | doctor)
    proposal = desk.proposal(doctor=doctor.pk, lines=(LineRequest(offered.pk),))
    listed = booking_options.procedures(desk.clinic, doctor.pk, [])

    assert (check(proposal, now=desk.now) is None) is is_performed
    assert (offered in listed) is is_performed
    if is_performed:
        assert doctors_performing(desk.clinic, offered.uuid, doctor.uuid) == [doctor]
    else:
        refusal = refused(doctors_performing, desk.clinic, offered.uuid, doctor.uuid)
        assert refusal.reasons == check(proposal, now=desk.now).reasons


def test_nobody_performs_what_no_doctor_does(desk):
    assert doctors_performing(desk.clinic, make_procedure(desk.clinic).uuid) == []
    assert refused(doctors_performing, desk.clinic, uuid4()).reasons == {Reason.PROCEDURE_UNKNOWN}
    unknown = refused(doctors_performing, desk.clinic, desk.procedure.uuid, uuid4())
    assert unknown.reasons == {Reason.DOCTOR_UNKNOWN}


def test_doctors_performing_all_come_in_order_of_name(desk):
    procedures = [make_procedure(desk.clinic) for _ in range(2)]
    names = [f"Dra. {letter}" for letter in "HGFEDCBA"]
    doctors = [make_doctor(desk.clinic, name=name, procedures=procedures) for name in names]
    make_doctor(desk.clinic, procedures=procedures[:1])

    assert doctors_performing_all(desk.clinic, [procedure.pk for procedure in procedures]) == doctors[::-1]
