"""The table of messages, one cause at a time and several at once, and everything that is no booking at all."""

from datetime import time, timedelta
from itertools import product

import pytest

from clinic.api.imagemais import messages
from clinic.models import Absence, Appointment, Patient
from clinic.models.titles import in_sentence
from clinic.refusals import Reason
from tests.api.imagemais.conftest import MONDAY
from tests.factories import cpf, make_clinic, make_discount, make_doctor, make_patient, make_procedure

CPF = ["patient.O CPF é necessário", "patient.cpf must be a string"]
BORN = [
    "patient.A data de nascimento é necessária",
    "patient.dateBirth must be a valid ISO 8601 date string",
]
PHONE = ["patient.O telefone é necessário", "patient.phone must be a string"]
UNSTORABLE = "{} contém caracteres que não podem ser gravados"
NAME = ["patient.O nome é necessário", "patient.name must be a string"]
PROCEDURES = [
    "Procedimentos não encontrados",
    "Pelo menos um procedimento deve ser informado",
    "Os procedimentos são necessários",
]
DOCTOR = ["doctorId should not be empty", "doctorId must be a number conforming to the specified constraints"]
DATE = ["date should not be empty", "A data deve ser hoje ou uma data futura", "A data deve ser uma data válida"]
START = ["startTime should not be empty", "startTime must be a string"]
END = ["endTime should not be empty", "endTime must be a string"]
OUTSIDE = ["Fora do expediente do médico"]


def of_patient(**changes):
    return lambda desk: desk.booking(patient=desk.patient(**changes))


def with_(**changes):
    return lambda desk: desk.booking(**changes)


def procedure_of_another_clinic(desk):
    return desk.booking(procedures=[{"id": make_procedure(make_clinic()).pk}])


def an_inactive_procedure(desk):
    gone = make_procedure(desk.clinic, active=False)
    desk.doctor.procedures.add(gone)
    return desk.booking(procedures=[{"id": gone.pk}])


def not_offered(desk):
    return desk.booking(procedures=[{"id": make_procedure(desk.clinic, name="Raio X").pk}])


def expired_discount(desk):
    gone = make_discount(desk.clinic, name="Natal", expires_on=MONDAY - timedelta(days=1))
    return desk.booking(discountId=gone.pk)


def expired_line_discount(desk):
    gone = make_discount(desk.clinic, name="Natal", expires_on=MONDAY - timedelta(days=1))
    return desk.booking(procedures=[{"id": desk.procedures[0].pk, "discountId": gone.pk}])


def on_a_day_off(desk):
    at = desk.clinic.instant(MONDAY, time(0))
    Absence.objects.create(
        clinic=desk.clinic, doctor=desk.doctor, starts_at=at, ends_at=at + timedelta(days=1), reason="férias"
    )
    return desk.booking()


def when_the_clinic_is_closed(desk):
    at = desk.clinic.instant(MONDAY, time(0))
    Absence.objects.create(clinic=desk.clinic, starts_at=at, ends_at=at + timedelta(days=1), reason="reforma")
    return desk.booking()


def on_a_holiday(desk):
    desk.clinic.observes_holidays = True
    desk.clinic.save()
    return desk.booking(date="2026-12-25")


def known_cpf_with_another_birth_date(desk):
    known = make_patient(desk.clinic, birth_date="1980-05-17")
    return desk.booking(patient=desk.patient(cpf=known.cpf))


def at_a_strict_clinic(desk):
    desk.clinic.strict_cpf = True
    desk.clinic.save()
    return desk.booking()


def today_already_past(desk):
    desk.doctor.hours.update(weekday=6)
    return desk.booking(date="2026-11-21", startTime="11:00", endTime="11:15")


TABLE = {
    "cpf missing": (of_patient(cpf=None), CPF),
    "cpf null": (lambda desk: desk.booking(patient=desk.patient() | {"cpf": None}), CPF),
    "cpf empty": (of_patient(cpf=""), CPF[:1]),
    "cpf a number": (of_patient(cpf=12345678900), CPF[1:]),
    "cpf too short": (of_patient(cpf="123.456.789"), ["patient.O CPF deve estar no formato 123.456.789-00"]),
    "cpf of letters": (of_patient(cpf="abc.def.ghi-jk"), ["patient.O CPF deve estar no formato 123.456.789-00"]),
    "cpf without digits": (of_patient(cpf=" .-"), ["patient.O CPF deve estar no formato 123.456.789-00"]),
    "cpf wrong, strict clinic": (at_a_strict_clinic, ["patient.O CPF é inválido"]),
    "cpf of another birth date": (
        known_cpf_with_another_birth_date,
        ["patient.O CPF já está cadastrado com outra data de nascimento"],
    ),
    "birth date missing": (of_patient(dateBirth=None), BORN),
    "birth date unreadable": (of_patient(dateBirth="01/01/1990"), BORN[1:]),
    "birth date that does not exist": (of_patient(dateBirth="1990-02-30"), BORN[1:]),
    "birth date a number": (of_patient(dateBirth=19900101), BORN[1:]),
    "birth date in the future": (
        of_patient(dateBirth="2026-11-22"),
        ["patient.A data de nascimento deve ser anterior a hoje"],
    ),
    "birth date before 1900": (
        of_patient(dateBirth="1899-12-31"),
        ["patient.A data de nascimento deve ser anterior a hoje"],
    ),
    "birth date in the year 1": (
        of_patient(dateBirth="0001-01-01"),
        ["patient.A data de nascimento deve ser anterior a hoje"],
    ),
    "phone missing": (of_patient(phone=None), PHONE),
    "phone empty": (of_patient(phone=""), PHONE[:1]),
    "phone a number": (of_patient(phone=81999999999), PHONE[1:]),
    "phone impossible": (
        of_patient(phone="99999-9999"),
        ["patient.O telefone deve estar no formato (81) 99999-9999"],
    ),
    "name missing": (of_patient(name=None), NAME),
    "name empty": (of_patient(name=""), NAME[:1]),
    "name of spaces": (of_patient(name="   "), NAME[:1]),
    "name only of NULs": (of_patient(name="\0\0"), [UNSTORABLE.format("patient.O nome")]),
    "name of marks that nobody sees": (of_patient(name="\u200f\u2066"), NAME[:1]),
    "phone with a control": (of_patient(phone="(81) 99999-9999\x07"), [UNSTORABLE.format("patient.O telefone")]),
    "cpf with half a pair": (of_patient(cpf="123.456.789-00\udfff"), [UNSTORABLE.format("patient.O CPF")]),
    "name an array": (of_patient(name=["João"]), NAME[1:]),
    "name too long": (of_patient(name="x" * 10_000), ["patient.O nome deve ter no máximo 160 caracteres"]),
    "patient missing": (with_(patient=None), CPF + BORN + PHONE + NAME),
    "patient a string": (with_(patient="João Silva"), CPF + BORN + PHONE + NAME),
    "patient an array": (with_(patient=[{"name": "João Silva"}]), CPF + BORN + PHONE + NAME),
    "procedures missing": (with_(procedures=None), PROCEDURES),
    "procedures an object": (with_(procedures={"id": 1}), PROCEDURES),
    "procedures empty": (with_(procedures=[]), PROCEDURES[:2]),
    "procedures bare ids": (with_(procedures=[1]), PROCEDURES[:1]),
    "procedures without an id": (with_(procedures=[{}]), PROCEDURES[:1]),
    "procedures with a boolean": (with_(procedures=[{"id": True}]), PROCEDURES[:1]),
    "procedure unknown": (with_(procedures=[{"id": 10**30}]), PROCEDURES[:1]),
    "procedure of another clinic": (procedure_of_another_clinic, PROCEDURES[:1]),
    "procedure inactive": (an_inactive_procedure, PROCEDURES[:1]),
    "procedure not offered": (not_offered, ["O médico não realiza: Raio X"]),
    "line's discount unreadable": (
        lambda desk: desk.booking(procedures=[{"id": desk.procedures[0].pk, "discountId": "x"}]),
        ["procedures.0.discountId must be a number conforming to the specified constraints"],
    ),
    "doctor missing": (with_(doctorId=None), DOCTOR),
    "doctor a boolean": (with_(doctorId=True), DOCTOR),
    "doctor a word": (with_(doctorId="Dr Victor"), DOCTOR),
    "doctor a fraction": (with_(doctorId=1.5), DOCTOR),
    "doctor an array": (with_(doctorId=[1]), DOCTOR),
    "date missing": (with_(date=None), DATE),
    "date empty": (with_(date=""), DATE),
    "date unreadable": (with_(date="23/11/2026"), DATE[1:]),
    "date that does not exist": (with_(date="2026-02-30"), DATE[1:]),
    "date a number": (with_(date=20261123), DATE[1:]),
    "date in the past": (with_(date="2026-11-20"), DATE[1:2]),
    "date in the year 1": (with_(date="0001-01-01"), DATE[1:2]),
    "date too far": (with_(date="9999-12-31"), ["A data deve ser até 20/11/2028"]),
    "start missing": (with_(startTime=None), START),
    "start a number": (with_(startTime=900), START[1:]),
    "start empty": (with_(startTime=""), START[:1]),
    "start of another shape": (with_(startTime="9:00"), ["startTime deve estar no formato HH:mm"]),
    "start at 24:00": (with_(startTime="24:00"), ["startTime deve estar no formato HH:mm"]),
    "start with a line break": (with_(startTime="09:00\n"), ["startTime deve estar no formato HH:mm"]),
    "end missing": (with_(endTime=None), END),
    "end of another shape": (with_(endTime="09h15"), ["endTime deve estar no formato HH:mm"]),
    "end is the start": (with_(endTime="09:00"), ["endTime deve ser posterior a startTime"]),
    "end before the start": (with_(endTime="08:00"), ["endTime deve ser posterior a startTime"]),
    "very long": (with_(startTime="00:00", endTime="23:00"), ["O agendamento passa de 12 horas"]),
    "today, but past": (today_already_past, ["O horário deve ser futuro"]),
    "outside the hours": (with_(startTime="07:00", endTime="07:15"), OUTSIDE),
    "over lunch": (with_(startTime="11:45", endTime="12:15"), OUTSIDE),
    "on a Sunday": (with_(date="2026-11-22"), OUTSIDE),
    "on a day off": (on_a_day_off, OUTSIDE),
    "clinic closed": (when_the_clinic_is_closed, OUTSIDE),
    "holiday": (on_a_holiday, OUTSIDE),
    "discount unreadable": (
        with_(discountId="dez"),
        ["discountId must be a number conforming to the specified constraints"],
    ),
    "discount expired": (expired_discount, ["Desconto expirado: Natal"]),
    "line's discount expired": (expired_line_discount, ["Desconto expirado: Natal"]),
    "notes a number": (with_(notes=1), ["notes must be a string"]),
    "notes too long": (with_(notes="x" * 5001), ["notes deve ter no máximo 5000 caracteres"]),
}


@pytest.mark.parametrize("case", TABLE)
def test_every_cause_has_the_message_of_the_table(desk, case):
    spoilt, expected = TABLE[case]
    body = spoilt(desk)
    stored = Appointment.objects.count(), Patient.objects.count()
    answer = desk.ask("POST", "/appointments", body)
    assert answer.json() == {"message": expected, "error": "Bad Request", "statusCode": 400}
    assert answer.status_code == 400
    assert (Appointment.objects.count(), Patient.objects.count()) == stored


NOTHING = CPF + BORN + PHONE + NAME + PROCEDURES + DOCTOR + DATE + START + END


@pytest.mark.parametrize("raw", ["", "null", "{}", "[]", "5", '"x"', "true", '[{"doctorId": 1}]'])
def test_empty_body_gets_every_message_in_documented_order(desk, raw):
    answer = desk.ask("POST", "/appointments", raw=raw)
    assert (answer.status_code, answer.json()["message"]) == (400, NOTHING)


def test_bad_input_and_broken_rules_are_listed_in_documented_order(desk):
    body = desk.booking(
        patient=desk.patient(name=None, phone="1", dateBirth="2030-01-01", cpf="1"),
        procedures=[{"id": 10**9}],
        date="2026-11-20",
        startTime="09:00",
        endTime="9",
        discountId=False,
        notes="x" * 6000,
    )
    assert desk.ask("POST", "/appointments", body).json()["message"] == [
        "patient.O CPF deve estar no formato 123.456.789-00",
        "patient.A data de nascimento deve ser anterior a hoje",
        "patient.O telefone deve estar no formato (81) 99999-9999",
        *NAME,
        "Procedimentos não encontrados",
        "A data deve ser hoje ou uma data futura",
        "endTime deve estar no formato HH:mm",
        "discountId must be a number conforming to the specified constraints",
        "notes deve ter no máximo 5000 caracteres",
    ]


def test_past_date_is_reported_even_without_times(desk):
    body = desk.booking(date="2026-11-20", startTime=None, endTime=None)
    assert desk.ask("POST", "/appointments", body).json()["message"] == [DATE[1], *START, *END]


def test_order_of_times_is_checked_even_without_a_date(desk):
    body = desk.booking(date=None, startTime="10:00", endTime="09:00")
    sentences = desk.ask("POST", "/appointments", body).json()["message"]
    assert sentences == [*DATE, "endTime deve ser posterior a startTime"]


def test_unreadable_hours_are_not_judged(desk):
    sentences = desk.ask("POST", "/appointments", desk.booking(date="2026-11-22", endTime=None)).json()["message"]
    assert sentences == END


def test_invalid_hours_are_reported_with_a_missing_name(desk):
    body = desk.booking(patient=desk.patient(name=None), date="2026-11-22")
    assert desk.ask("POST", "/appointments", body).json()["message"] == NAME + OUTSIDE


def test_400_comes_before_404_and_404_before_409(desk):
    desk.book()
    body = desk.booking(patient=desk.patient(name="Outra Pessoa"), discountId=10**9)
    assert desk.ask("POST", "/appointments", body).json()["message"] == "Desconto não encontrado"
    body["doctorId"] = 10**30
    answer = desk.ask("POST", "/appointments", body)
    assert answer.json() == {"message": "Médico não encontrado", "error": "Not Found", "statusCode": 404}
    body["notes"] = 5
    assert desk.ask("POST", "/appointments", body).json()["message"] == ["notes must be a string"]


@pytest.mark.parametrize("doctor", [0, -1, 2**63, 10**30, "99999999999999999999", 1e300])
def test_an_id_of_nobody_is_unknown(desk, doctor):
    assert desk.ask("POST", "/appointments", desk.booking(doctorId=doctor)).status_code == 404
    discount = desk.ask("POST", "/appointments", desk.booking(discountId=doctor))
    assert (discount.status_code, discount.json()["message"]) == (404, "Desconto não encontrado")


def test_ids_may_be_numbers_or_digits_and_cpf_and_phone_bare(desk):
    body = desk.booking(
        patient=desk.patient(cpf=cpf(123456789), phone="81999999999"),
        procedures=[{"id": str(desk.procedures[0].pk), "discountId": None}],
        doctorId=str(desk.doctor.pk),
        discountId=float(desk.discount.pk),
        date=f"{MONDAY}T00:00:00.000Z",
    )
    (element,) = desk.ask("POST", "/appointments", body).json()
    number = cpf(123456789)
    assert element["patient"]["cpf"] == f"{number[:3]}.{number[3:6]}.{number[6:9]}-{number[9:]}"
    assert element["patient"]["contact"] == {"phone": "(81) 99999-9999"}
    assert element["appointmentProcedures"]["discountsAppointmentProcedures"][0]["value"] == "8"


ODD = {
    "null": None,
    "true": True,
    "zero": 0,
    "a fraction": 0.1,
    "a huge number": 10**30,
    "a huge float": 1e308,
    "an empty text": "",
    "a NUL": "\0",
    "a lone surrogate": "\ud800",
    "a long text": "x" * 10_000,
    "percent signs": "%s %(name)s",
    "an empty array": [],
    "an array": [[], {}, None, "x"],
    "an empty object": {},
    "an object": {"id": {"id": []}},
}
FIELDS = [
    "patient",
    "patient.cpf",
    "patient.dateBirth",
    "patient.phone",
    "patient.name",
    "procedures",
    "procedures.id",
    "procedures.discountId",
    "doctorId",
    "date",
    "startTime",
    "endTime",
    "discountId",
    "notes",
]


@pytest.mark.parametrize("field", FIELDS)
def test_any_field_value_gets_an_enveloped_answer_never_a_500(desk, settings, field):
    settings.API_REQUESTS_A_SECOND = 1000
    for odd in ODD.values():
        body = desk.booking()
        if field.startswith("procedures."):
            body["procedures"][0][field.partition(".")[2]] = odd
        elif field.startswith("patient."):
            body["patient"][field.partition(".")[2]] = odd
        else:
            body[field] = odd
        answer = desk.ask("POST", "/appointments", body)
        assert answer.status_code in {201, 400, 404, 409}, (odd, answer.content)
        if answer.status_code != 201:
            assert answer.json().keys() == {"message", "error", "statusCode"}
            assert answer.json()["statusCode"] == answer.status_code
            assert isinstance(answer.json()["message"], list) is (answer.status_code == 400)


def test_a_pair_of_odd_fields_is_answered_as_well(desk, settings):
    settings.API_REQUESTS_A_SECOND = settings.API_REQUESTS_A_MINUTE = 10_000
    for (first, second), odd in product(
        [("date", "startTime"), ("doctorId", "procedures"), ("endTime", "date")], ODD.values()
    ):
        answer = desk.ask("POST", "/appointments", desk.booking() | {first: odd, second: odd})
        assert answer.status_code in {400, 404}, (first, odd)


def test_every_reason_of_booking_has_its_sentence():
    mapped = {*messages.REFUSALS, Reason.TRY_AGAIN}
    assert mapped == set(Reason)
    assert {line.status for line in messages.REFUSALS.values()} == {400, 404, 409}


@pytest.mark.parametrize("reason", messages.REFUSALS, ids=lambda reason: reason.name)
def test_a_sentence_asks_for_nothing_that_the_reason_does_not_tell(reason):
    names = "limit count procedure date end hours discount slots time current wanted act nearest found minutes most"
    given = dict.fromkeys([*names.split(), "carrier"], "x") | in_sentence("x")
    assert "%(" not in messages.REFUSALS[reason].sentence % given


# Times that are taken ------------------------------------------------------------------------------------------------


def other(desk):
    return desk.patient(name="Maria Souza", phone="(81) 98888-7777")


def test_only_the_taken_ones_of_the_requested_slots_are_named(desk):
    desk.book(startTime="09:15", endTime="09:45")
    answer = desk.ask("POST", "/appointments", desk.booking(patient=other(desk), startTime="09:00", endTime="10:00"))
    assert answer.status_code == 409
    assert answer.json()["message"] == "Horários 09:15, 09:30 já estão ocupados por outros agendamentos"


def test_slots_are_counted_from_the_requested_start(desk):
    desk.book(startTime="09:00", endTime="09:15")
    answer = desk.ask("POST", "/appointments", desk.booking(patient=other(desk), startTime="08:50", endTime="09:10"))
    assert answer.json()["message"] == "Horários 08:50, 09:05 já estão ocupados por outros agendamentos"


def test_an_appointment_may_follow_another(desk):
    desk.book()
    assert desk.book(patient=other(desk), startTime="09:15", endTime="09:30")


def test_a_patient_cannot_be_in_two_places(desk):
    desk.book()
    colleague = make_doctor(desk.clinic, name="Dra Ana", procedures=desk.procedures)
    answer = desk.ask("POST", "/appointments", desk.booking(doctorId=colleague.pk))
    assert answer.json() == {
        "message": "O paciente já tem um agendamento às 09:00 com o Dr Victor",
        "error": "Conflict",
        "statusCode": 409,
    }


def test_skipped_local_time_is_reported(saturday, lisbon, imagemais):
    doctor = make_doctor(lisbon, days=range(1, 8), hours=((time(0), time(23)),))
    patient = {"name": "Ana", "phone": "912345678", "dateBirth": "1990-01-01", "cpf": "12345678900"}
    body = {
        "patient": patient,
        "procedures": [{"id": doctor.procedures.get().pk}],
        "doctorId": doctor.pk,
        "date": "2027-03-28",
        "startTime": "01:30",
        "endTime": "02:30",
    }
    answer = imagemais(lisbon)("POST", "/appointments", body)
    assert answer.json()["message"] == ["startTime não existe nessa data: os relógios são adiantados"]
