"""The same bad booking knocks on every door: one rule set answers, and nothing is written."""

from datetime import date, datetime, time, timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic.access import access_tokens, api_keys
from clinic.api.mivicall import errors as mivicall
from clinic.booking import Author, LineRequest, Proposal, book, place
from clinic.models import Absence, ApiKey, Appointment, Discount, Doctor, Patient, Procedure
from clinic.queries import pending
from clinic.refusals import Reason, Refused
from clinic.registry import PatientDetails
from tests.factories import (
    book_appointment,
    cpf,
    make_clinic,
    make_discount,
    make_doctor,
    make_master,
    make_patient,
    make_procedure,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday")]

MONDAY = date(2026, 11, 23)


@pytest.fixture
def saturday(time_machine):
    time_machine.move_to("2026-11-21T15:00:00Z", tick=False)


@pytest.fixture
def good():
    """A booking that every door takes, as a plain dict; the cases spoil one thing."""
    clinic = make_clinic()
    doctor = make_doctor(clinic, procedures=[make_procedure(clinic, name="Consulta")], name="Dra. Helena Prado")
    return {
        "clinic": clinic,
        "doctor": doctor.pk,
        "procedure": doctor.procedures.get().pk,
        "discount": None,
        "patient": make_patient(clinic).pk,
        "details": None,
        "day": MONDAY,
        "starts": time(9),
        "ends": None,
        "notes": "",
    }


def at(good, hour, minute=0):
    return good["clinic"].instant(MONDAY, time(hour, minute))


def spoil_taken(good):
    book_appointment(good["clinic"].doctor_set.get(), starts_at=at(good, 9))


def spoil_patient_elsewhere(good):
    other = make_doctor(good["clinic"])
    book_appointment(other, patient=good["patient"], starts_at=at(good, 9))


def spoil_patient(good):
    Patient.objects.filter(pk=good["patient"]).update(died=True)


def spoil_absence(good):
    Absence.objects.create(clinic=good["clinic"], starts_at=at(good, 8), ends_at=at(good, 12), reason="dedetização")


def spoil_doctor_absent(good):
    Absence.objects.create(
        clinic=good["clinic"],
        doctor_id=good["doctor"],
        starts_at=at(good, 9, 15),
        ends_at=at(good, 12),
        reason="doença",
    )


def spoil_procedure(good):
    good["procedure"] = make_procedure(good["clinic"]).pk


def spoil_discount(good):
    good["discount"] = make_discount(good["clinic"], expires_on=date(2026, 11, 20)).pk


def spoil_cpf(good):
    good |= {"patient": None, "details": {"name": "Ana", "phone": "81 99999-9999", "cpf": "123.456.789-00"}}


def spoil_phone(good):
    good |= {"patient": None, "details": {"name": "Ana", "phone": "99"}}


BAD = {
    "taken": (spoil_taken, Reason.DOCTOR_TAKEN),
    "patient elsewhere": (spoil_patient_elsewhere, Reason.PATIENT_ELSEWHERE),
    "clinic closed": (spoil_absence, Reason.CLINIC_CLOSED),
    "doctor absent": (spoil_doctor_absent, Reason.DOCTOR_ABSENT),
    "procedure not offered": (spoil_procedure, Reason.PROCEDURE_NOT_OFFERED),
    "discount expired": (spoil_discount, Reason.DISCOUNT_EXPIRED),
    "cpf with wrong digits": (spoil_cpf, Reason.CPF_INVALID),
    "impossible phone": (spoil_phone, Reason.PHONE_TOO_SHORT),
    "outside hours": (lambda good: good.update(starts=time(7)), Reason.OUTSIDE_HOURS),
    "past": (lambda good: good.update(day=MONDAY - timedelta(days=7)), Reason.DATE_PAST),
    "end before start": (lambda good: good.update(ends=time(8, 30)), Reason.END_NOT_AFTER_START),
    "too long notes": (lambda good: good.update(notes="x" * 5001), Reason.NOTES_TOO_LONG),
    "unknown doctor": (lambda good: good.update(doctor=10**9), Reason.DOCTOR_UNKNOWN),
    "another clinic's patient": (lambda good: good.update(patient=make_patient().pk), Reason.PATIENT_UNKNOWN),
    "no procedure": (lambda good: good.update(procedure=None), Reason.PROCEDURES_MISSING),
    "a patient who died": (spoil_patient, Reason.PATIENT_DIED),
}


def through_booking(good, client):
    """{field: sentences} that the rule set itself refuses with."""
    clinic = good["clinic"]
    proposal = Proposal(
        clinic=clinic,
        doctor=good["doctor"],
        lines=(LineRequest(good["procedure"], good["discount"]),) if good["procedure"] else (),
        starts_at=clinic.instant(good["day"], good["starts"]),
        ends_at=clinic.instant(good["day"], good["ends"]) if good["ends"] else None,
        patient=good["patient"],
        details=PatientDetails(**good["details"]) if good["details"] else None,
        notes=good["notes"],
    )
    with pytest.raises(Refused) as refused:
        book(proposal, by=Author(channel="command", credential="test"))
    return {refusal.message for refusal in refused.value.refusals}


def through_browser(good, client):
    client.force_login(make_user(good["clinic"]))
    fields = {
        "doctor": good["doctor"],
        "procedure": good["procedure"] or "",
        "discount": good["discount"] or "",
        "date": f"{good['day']:%d/%m/%Y}",
        "starts": f"{good['starts']:%H:%M}",
        "ends": f"{good['ends']:%H:%M}" if good["ends"] else "",
        "notes": good["notes"],
        "patient": good["patient"] or "",
        **({"is_new": "1"} | good["details"] if good["details"] else {}),
    }
    answer = client.post(reverse("web:appointment-book"), fields)
    assert answer.status_code in {409, 422}
    return {sentence for sentences in answer.context["form"].errors.values() for sentence in sentences}


def words_of(sentence):
    """What a sentence says besides its parameters tells which reason it was."""
    return [part.split(")s")[-1] for part in str(sentence).split("%(")]


@pytest.mark.parametrize("door", [through_booking, through_browser])
@pytest.mark.parametrize(("spoil", "reason"), BAD.values(), ids=BAD)
def test_a_bad_booking_is_refused_for_the_same_reason_at_every_door(good, client, door, spoil, reason):
    spoil(good)
    stored = Appointment.objects.count(), Patient.objects.count()
    (sentence,) = door(good, client)
    assert all(word in sentence for word in words_of(reason.sentence))
    assert (Appointment.objects.count(), Patient.objects.count()) == stored


# Registering a patient who is there already: every door that registers one.


def again_on_the_patients_page(client, patient, typed):
    client.force_login(make_user(patient.clinic))
    return client.post(reverse("web:patient-add"), typed)


def again_in_the_panel(client, patient, typed):
    client.force_login(make_user(patient.clinic))
    doctor = patient.clinic.doctor_set.get()
    when = {"date": f"{MONDAY:%d/%m/%Y}", "starts": "09:00"}
    lines = {"doctor": doctor.pk, "procedure": doctor.procedures.get().pk}
    return client.post(reverse("web:appointment-book"), typed | when | lines | {"is_new": "1"})


def again_in_the_admin(client, patient, typed):
    client.force_login(make_user(patient.clinic, role="manager"))
    return client.post(reverse("admin:clinic_patient_add"), typed)


def again_through_imagemais(client, patient, typed):
    _, token = access_tokens.release(patient.clinic, make_master(patient.clinic), channel="command")
    headers = {"Authorization": f"Bearer {token}"}
    body = {"name": typed["name"], "phone": typed["phone"], "dateBirth": "1980-05-17"}
    return client.post("/api/patients", body, content_type="application/json", headers=headers)


DOORS_THAT_REGISTER = {
    again_on_the_patients_page: (409, "é a mesma pessoa?"),
    again_in_the_panel: (409, "é a mesma pessoa?"),
    again_in_the_admin: (200, "é a mesma pessoa?"),
    again_through_imagemais: (409, "Já existe um paciente com esse nome e telefone"),
}


@pytest.mark.parametrize(
    "name", ["Gilda Repetida", "gilda  REPETIDA", "GÍLDA repetida", "Gilda-Repetida", "Gilda Repetida."]
)
@pytest.mark.parametrize("door", DOORS_THAT_REGISTER, ids=lambda door: door.__name__)
def test_no_door_makes_a_silent_double(good, client, door, name):
    gilda = make_patient(good["clinic"], name="Gilda Repetida", phone="+5581983331010", cpf=None)
    before = Patient.objects.count()

    answer = door(client, gilda, {"name": name, "phone": "(81) 98333-1010"})

    status, sentence = DOORS_THAT_REGISTER[door]
    assert answer.status_code == status and sentence in answer.content.decode()
    assert (Patient.objects.count(), Appointment.objects.count()) == (before, 0)


def test_mivicall_books_who_is_there_and_makes_no_double(good, client):
    before = Patient.objects.count()
    assert through_mivicall(good, client)[0] == 201
    assert Patient.objects.count() == before and Appointment.objects.get().patient_id == good["patient"]


# ImageMais has words of its own for every reason, and no way to name a patient by id.
TOLD_BY_IMAGEMAIS = {
    "taken": "Horários 09:00, 09:15 já estão ocupados por outros agendamentos",
    "patient elsewhere": "O paciente já tem um agendamento às 09:00 com Outra Médica",
    "clinic closed": ["Fora do expediente do médico"],
    "doctor absent": ["Fora do expediente do médico"],
    "procedure not offered": ["O médico não realiza: Raio X"],
    "discount expired": ["Desconto expirado: Natal"],
    "cpf with wrong digits": ["patient.O CPF é inválido"],
    "impossible phone": ["patient.O telefone deve estar no formato (81) 99999-9999"],
    "outside hours": ["Fora do expediente do médico"],
    "past": ["A data deve ser hoje ou uma data futura"],
    "end before start": ["endTime deve ser posterior a startTime"],
    "too long notes": ["notes deve ter no máximo 5000 caracteres"],
    "unknown doctor": "Médico não encontrado",
    "a patient who died": "O paciente consta como falecido",
    "no procedure": ["Procedimentos não encontrados", "Pelo menos um procedimento deve ser informado"],
}


def through_imagemais(good, client):
    clinic = good["clinic"]
    clinic.strict_cpf = True
    clinic.save()
    patient = Patient.objects.filter(pk=good["patient"]).values("name", "cpf", "phone").first()
    ends = good["ends"] or (datetime.combine(good["day"], good["starts"]) + timedelta(minutes=30)).time()
    who = patient | {"phone": str(patient["phone"])} if patient else good["details"]
    body = {
        "patient": {"dateBirth": "1980-05-17", "cpf": cpf(1)} | who,
        "procedures": [{"id": good["procedure"], "discountId": good["discount"]}] if good["procedure"] else [],
        "doctorId": good["doctor"],
        "date": f"{good['day']}",
        "startTime": f"{good['starts']:%H:%M}",
        "endTime": f"{ends:%H:%M}",
        "notes": good["notes"],
    }
    _, token = access_tokens.release(clinic, make_master(clinic), channel="command")
    headers = {"Authorization": f"Bearer {token}"}
    answer = client.post("/api/appointments", body, content_type="application/json", headers=headers)
    told = answer.json()
    assert answer.status_code == told["statusCode"]
    assert {list: {400}, str: {404, 409}}[type(told["message"])] >= {answer.status_code}
    return told["message"]


@pytest.mark.parametrize("case", TOLD_BY_IMAGEMAIS)
def test_imagemais_refuses_the_same_bookings_in_its_own_words(good, client, case):
    spoil, _ = BAD[case]
    spoil(good)
    Procedure.objects.filter(pk=good["procedure"]).exclude(name="Consulta").update(name="Raio X")
    Discount.objects.update(name="Natal")
    Doctor.objects.exclude(pk=good["doctor"]).update(name="Outra Médica")
    stored = Appointment.objects.count(), Patient.objects.count()
    assert through_imagemais(good, client) == TOLD_BY_IMAGEMAIS[case]
    assert (Appointment.objects.count(), Patient.objects.count()) == stored


def test_imagemais_is_asked_everything_but_what_it_cannot_be():
    assert BAD.keys() - TOLD_BY_IMAGEMAIS.keys() == {"another clinic's patient"}


# MiviCall knows no discounts, no CPF, no end and no patient's id; it has sentences of its own for three reasons.
MIVICALL = [
    "taken",
    "patient elsewhere",
    "clinic closed",
    "doctor absent",
    "procedure not offered",
    "impossible phone",
    "outside hours",
    "past",
    "too long notes",
    "unknown doctor",
    "a patient who died",
]


def through_mivicall(good, client):
    """(status, the path or code, the sentence) of the one thing that is wrong."""
    clinic = good["clinic"]
    every = ApiKey.Scope.values
    _, secret = api_keys.create(
        clinic, name="bot", scopes=every, source="voice_ai", is_live=True, by=None, channel="command"
    )
    known = Patient.objects.of(clinic).filter(pk=good["patient"]).first()
    doctor = Doctor.objects.of(clinic).filter(pk=good["doctor"]).first()
    body = {
        "professionalId": str(doctor.uuid if doctor else uuid4()),
        "serviceTypeId": str(Procedure.objects.of(clinic).get(pk=good["procedure"]).uuid),
        "patientName": known.name if known else good["details"]["name"],
        "patientPhone": known.phone.as_e164 if known else f"+55{good['details']['phone']}",
        "startsAt": clinic.local(clinic.instant(good["day"], good["starts"])).isoformat(),
        "patientNotes": good["notes"],
    }
    answer = client.post(
        "/v1/appointments", body, content_type="application/json", headers={"Authorization": f"Bearer {secret}"}
    )
    told = answer.json()
    if answer.status_code == 422:
        (error,) = told["errors"]
        return 422, error["path"], error["message"]
    return answer.status_code, told.get("error"), told.get("message")


@pytest.mark.parametrize(("spoil", "reason"), [BAD[name] for name in MIVICALL], ids=MIVICALL)
def test_a_bad_booking_is_refused_for_the_same_reason_by_mivicall(good, client, spoil, reason):
    spoil(good)
    stored = Appointment.objects.count(), Patient.objects.count()
    status, code, sentence = through_mivicall(good, client)
    assert (status, code) == mivicall.ANSWERS_OF_REASONS.get(reason, (422, mivicall.FIELDS_OF_REASONS.get(reason)))
    assert all(word in sentence for word in words_of(mivicall.OWN_SENTENCES.get(reason, reason.sentence)))
    assert (Appointment.objects.count(), Patient.objects.count()) == stored


def test_a_good_booking_is_taken_by_mivicall(good, client):
    assert through_mivicall(good, client)[0] == 201
    assert Appointment.objects.get().source == "voice_ai"


# An absence is in the way at every door until it is taken back; what it made pending is resolved through any of them.


@pytest.mark.parametrize("door", [through_browser, through_imagemais, through_mivicall])
def test_an_absence_taken_back_is_in_the_way_at_no_door(good, client, door):
    spoil_doctor_absent(good)
    before = door(good, client)
    assert not Appointment.objects.exists()
    client.force_login(make_user(good["clinic"], may_record_absence=True))
    assert client.post(reverse("web:absence-undo", args=[Absence.objects.get().pk])).status_code == 302
    spoil_taken(good)
    assert before not in (door(good, client), None)
    assert Appointment.objects.count() == 1


def moved_in_the_panel(client, visit, to):
    client.force_login(make_user(visit.clinic))
    form = {"doctor": visit.doctor_id, "date": f"{to:%d/%m/%Y}", "starts": f"{to:%H:%M}", "move": "1"}
    return client.post(reverse("web:appointment-reschedule", args=[visit.pk]), form)


def moved_from_the_pending(client, visit, to):
    client.force_login(make_user(visit.clinic))
    return client.post(
        reverse("web:pending-move", args=[visit.pk]),
        {"to": f"{visit.doctor_id}|{to.isoformat()}", "place": place(visit)},
    )


def moved_through_imagemais(client, visit, to):
    _, token = access_tokens.release(visit.clinic, make_master(visit.clinic), channel="command")
    ends = to + timedelta(minutes=30)
    body = {
        "doctorId": visit.doctor_id,
        "date": f"{to:%Y-%m-%d}",
        "startTime": f"{to:%H:%M}",
        "endTime": f"{ends:%H:%M}",
    }
    address, headers = f"/api/appointments/{visit.pk}/reschedule", {"Authorization": f"Bearer {token}"}
    return client.patch(address, body, content_type="application/json", headers=headers)


def moved_through_mivicall(client, visit, to):
    rights = {"scopes": ApiKey.Scope.values, "source": "voice_ai", "is_live": True, "by": None, "channel": "command"}
    _, secret = api_keys.create(visit.clinic, name="bot", **rights)
    headers = {"Authorization": f"Bearer {secret}"}
    body = {"startsAt": to.isoformat()}
    return client.patch(f"/v1/appointments/{visit.uuid}", body, content_type="application/json", headers=headers)


DOORS_THAT_MOVE = [moved_in_the_panel, moved_from_the_pending, moved_through_imagemais, moved_through_mivicall]


@pytest.mark.parametrize("door", DOORS_THAT_MOVE)
def test_a_move_through_any_door_resolves_what_is_pending(good, client, door):
    clinic, doctor = good["clinic"], Doctor.objects.get(pk=good["doctor"])
    visit = book_appointment(doctor, patient=good["patient"], starts_at=at(good, 9))
    spoil_doctor_absent(good)
    now = timezone.now()
    assert [row.pk for row in pending.pending(clinic, now=now)] == [visit.pk]
    assert door(client, visit, clinic.local(at(good, 10))).status_code in {302, 400, 409, 422}
    assert [row.pk for row in pending.pending(clinic, now=now)] == [visit.pk]
    assert door(client, visit, clinic.local(at(good, 15))).status_code in {200, 302}
    assert pending.pending(clinic, now=now) == []
    assert [row.appointment.pk for row in pending.resolved_today(clinic, now=now, still=set())] == [visit.pk]


# An encaixe has one door: the desk. The APIs name no field for it, and nothing that they are sent makes one.

ASKED_OF_API = {
    "encaixe_reason": "dor",
    "approved_by": 1,
    "approver": 1,
    "approval_pin": "2580",
    "encaixeReason": "dor",
    "encaixe": True,
    "motive": "dor",
}


@pytest.mark.parametrize("door", [through_imagemais, through_mivicall])
def test_no_api_makes_an_encaixe_and_its_answer_stays(good, client, monkeypatch, door):
    spoil_taken(good)
    make_user(good["clinic"], may_squeeze_in=True)
    plain = door(good, client)
    post = client.post
    monkeypatch.setattr(client, "post", lambda path, body, **options: post(path, body | ASKED_OF_API, **options))

    answer = door(good, client)
    assert not Appointment.objects.filter(encaixe_by__isnull=False).exists() and Appointment.objects.count() == 1
    assert answer == plain
