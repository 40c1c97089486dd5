"""Every reason for a refusal, with the field it blames and the very sentence people read."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.utils.translation import override

from clinic.booking import (
    Author,
    LineRequest,
    PayerWish,
    Payment,
    RecallWish,
    WaitingWish,
    begin_call,
    book,
    book_family,
    book_recall,
    book_series,
    book_waiting,
    call_later,
    call_to_room,
    change_procedures,
    change_status,
    check,
    close_recall,
    mark_priority,
    merge_patients,
    postpone_recall,
    put_on_waiting_list,
    receive_payment,
    reopen_recall,
    reschedule,
    undo,
    undo_merge,
    withdraw_waiting,
    write_recall,
)
from clinic.models import Absence, Appointment, AppointmentEvent, PayerDoctor, PriorityMark
from clinic.models.appointment import Status
from clinic.refusals import Reason
from clinic.registry import change_patient, patient_version, register_patient
from clinic.schedule import Recurrence
from tests.booking.desk import BY, MONDAY, details, refused, stored
from tests.booking.test_encaixe import SENTENCES as OF_ENCAIXES
from tests.factories import make_discount, make_doctor, make_patient, make_payer, make_procedure, make_user

BOOKINGS, ACTS = {}, {}


def of_booking(reason, field, sentence):
    """Registers a function that makes a proposal which breaks that one rule."""
    return lambda proposal: BOOKINGS.setdefault(reason, (proposal, field, sentence))


def of_act(reason, field, sentence):
    """Registers a function that does something else than booking and breaks that one rule."""
    return lambda act: ACTS.setdefault(reason, (act, field, sentence))


def typed(desk, **changes):
    return desk.proposal(details=details(**changes))


def away(desk, **fields):
    Absence.objects.create(clinic=desk.clinic, starts_at=desk.at(8), ends_at=desk.at(11), **fields)
    return desk.proposal()


def demanding(clinic):
    clinic.requires_duration = True
    return clinic


@of_act(Reason.PAYER_UNKNOWN, "payer", "Este convênio não é mais aceito. Escolha outro, ou particular.")
def pay_by_a_payer_of_another_clinic(desk):
    change_patient(desk.patient.pk, {"payer_id": make_payer().pk}, clinic=desk.clinic, by=BY)


@of_act(
    Reason.DISCOUNT_ABOVE_LIMIT,
    "discount",
    "Seu limite de desconto é de 10%, R$\xa025,20; este dá R$\xa0126,00. Escolha outro, ou peça à gestão.",
)
def give_more_than_allowed(desk):
    rita = make_user(desk.clinic, max_discount_percent=10)
    half = make_discount(desk.clinic, percentage=Decimal(50), fixed=None)
    desk.book(discount=half.pk, by=Author(channel=AppointmentEvent.Channel.BROWSER, user=rita))


@of_act(Reason.NOT_THAT_DAY, "status", "Só se faz check-in no dia do agendamento, 23/11/2026.")
def check_in_the_day_before(desk):
    appointment = desk.book()
    yesterday = desk.now - timedelta(days=1)
    change_status(appointment.pk, "checked_in", clinic=desk.clinic, by=BY, now=yesterday)


@of_act(
    Reason.DISCOUNT_LEFT_BEHIND,
    "discount",
    "O desconto Verão vale só até 23/11/2026. Escolha uma data até lá, ou remarque sem o desconto.",
)
def move_beyond_a_discount(desk):
    discount = make_discount(desk.clinic, name="Verão", expires_on=MONDAY)
    appointment = desk.book(discount=discount.pk)
    tuesday = desk.at(9, day=MONDAY + timedelta(days=1))
    reschedule(appointment.pk, clinic=desk.clinic, doctor=desk.doctor.pk, starts_at=tuesday, by=BY, now=desk.now)


of_booking(Reason.PATIENT_MISSING, "patient", "Escolha um paciente da lista ou cadastre um novo.")(
    lambda desk: desk.proposal(patient=None)
)
of_booking(
    Reason.PATIENT_UNKNOWN, "patient", "Este paciente não está mais no cadastro. Busque de novo pelo nome ou telefone."
)(lambda desk: desk.proposal(patient=make_patient().pk))
of_booking(
    Reason.PATIENT_DIED,
    "patient",
    "Rui Morto consta como falecido(a). Se for engano, desfaça a marca no cadastro e tente de novo.",
)(lambda desk: desk.proposal(patient=make_patient(desk.clinic, name="Rui Morto", died=True).pk))
of_booking(
    Reason.DIED_ON_IMPOSSIBLE,
    "died_on",
    "A data do falecimento deve ficar entre o nascimento e hoje. Corrija ou apague.",
)(lambda desk: typed(desk, died=True, died_on=date(2199, 1, 1)))
of_booking(Reason.DIED_ON_WITHOUT_MARK, "died_on", "Selecione “Falecido(a)” para gravar esta data, ou apague a data.")(
    lambda desk: typed(desk, died_on=date(2026, 1, 1))
)
of_booking(Reason.NAME_MISSING, "name", "Informe o nome do paciente.")(lambda desk: typed(desk, name=" \u200f "))
of_booking(Reason.NAME_TOO_LONG, "name", "O nome tem 10000 caracteres; o máximo é 160.")(
    lambda desk: typed(desk, name="a" * 10_000)
)
of_booking(
    Reason.NAME_UNSTORABLE,
    "name",
    "O nome tem caracteres que não podem ser gravados (U+0000). Escreva-o de novo.",
)(lambda desk: typed(desk, name="Ana\0"))
of_booking(
    Reason.SOCIAL_NAME_UNSTORABLE,
    "social_name",
    "O nome social tem caracteres que não podem ser gravados (U+D800). Escreva-o de novo.",
)(lambda desk: typed(desk, social_name="Ana\ud800"))
of_booking(
    Reason.NOTES_UNSTORABLE,
    "notes",
    "As observações têm caracteres que não podem ser gravados (U+0007). Escreva de novo essa parte.",
)(lambda desk: desk.proposal(notes="a\x07b"))
of_booking(Reason.METADATA_UNSTORABLE, "metadata", "Os metadados têm caracteres que não podem ser gravados (U+0000).")(
    lambda desk: desk.proposal(metadata={"a": ["\0"]})
)
of_booking(Reason.LABEL_UNSTORABLE, "phone_of", "Há caracteres que não podem ser gravados (U+D800). Escreva de novo.")(
    lambda desk: typed(desk, phone_of="mãe\ud800")
)
of_booking(Reason.LABEL_TOO_LONG, "phone_of", "São 61 caracteres; o máximo é 60.")(
    lambda desk: typed(desk, phone_of="b" * 61)
)
of_booking(Reason.SOCIAL_NAME_TOO_LONG, "social_name", "O nome social tem 161 caracteres; o máximo é 160.")(
    lambda desk: typed(desk, social_name="b" * 161)
)
of_booking(Reason.ALERT_TOO_LONG, "alert", "O aviso tem 81 caracteres; o máximo é 80.")(
    lambda desk: typed(desk, alert="b" * 81)
)
of_booking(
    Reason.ALERT_UNSTORABLE,
    "alert",
    "O aviso tem caracteres que não podem ser gravados (U+0007). Escreva-o de novo.",
)(lambda desk: typed(desk, alert="a\x07b"))
of_booking(Reason.PHONE_MISSING, "phone", "Informe um telefone com DDD, por exemplo (81) 99999-9999.")(
    lambda desk: typed(desk, phone="  ")
)
of_booking(
    Reason.PHONE_IMPOSSIBLE,
    "phone",
    "Este telefone não existe. Escreva com DDD, por exemplo (81) 99999-9999, ou com + e o código do país.",
)(lambda desk: typed(desk, phone="+999 99876-5432"))
of_booking(
    Reason.PHONE_NOT_DIGITS,
    "phone",
    "O telefone tem “CASA”, que não é número. Escreva só os dígitos, por exemplo (81) 99999-9999.",
)(lambda desk: typed(desk, phone="81-3222-CASA"))
of_booking(
    Reason.PHONE_CARRIER,
    "phone",
    "O telefone começa por 00 e o código de uma operadora, 15. Escreva só DDD e número, por exemplo (81) 99999-9999, ou"
    " + e o código do país.",
)(lambda desk: typed(desk, phone="00 15 81 98876 5432"))
of_booking(Reason.PHONE_SEVERAL, "phone", "São vários telefones. Escreva um aqui, por exemplo (81) 99999-9999.")(
    lambda desk: typed(desk, phone="(81) 99876-5432 / (81) 3421-5678")
)
of_booking(
    Reason.PHONE_TOO_SHORT,
    "phone",
    "Faltam dígitos: são só 2. Escreva com DDD, por exemplo (81) 99999-9999.",
)(lambda desk: typed(desk, phone="12"))
of_booking(Reason.PHONE_DIGIT_MISSING, "phone", "Falta um dígito: (81) 99999-999_. Confira o número com a pessoa.")(
    lambda desk: typed(desk, phone="(81) 99999-999")
)
of_booking(Reason.PHONE_DIGITS_MISSING, "phone", "Faltam 2 dígitos: (81) 99999-99__. Confira o número com a pessoa.")(
    lambda desk: typed(desk, phone="(81) 99999-99")
)
of_booking(
    Reason.PHONE_TOO_LONG,
    "phone",
    "Há dígitos a mais: são 12, 1 além do possível. Confira, ou comece por + e o código do país.",
)(lambda desk: typed(desk, phone="(81) 99876-54321"))
of_booking(Reason.PHONE_AREA_MISSING, "phone", "Falta o DDD: (__) 99876-5432. Escreva, por exemplo, (81) 99999-9999.")(
    lambda desk: typed(desk, phone="99876-5432")
)
of_booking(Reason.PHONE_AREA_UNKNOWN, "phone", "Não existe o DDD 20. Confira, ou comece por + e o código do país.")(
    lambda desk: typed(desk, phone="(20) 99999-9999")
)
of_booking(
    Reason.PHONE_NOT_IN_BRAZIL,
    "phone",
    "Este número não existe no Brasil: depois do DDD 81 começa por 8. Confira, ou comece por + e o código do país.",
)(lambda desk: typed(desk, phone="(81) 89999-9999"))
of_booking(
    Reason.PHONE_NOT_IN_PORTUGAL,
    "phone",
    "Este número não existe em Portugal: começa por 5. Confira, ou comece por + e o código do país.",
)(lambda desk: typed(desk, phone="+351 512345678"))
of_booking(
    Reason.PHONE_NINTH_DIGIT,
    "phone",
    "Acrescentamos o 9: (81) 99999-9999. Confere? Selecione a caixa, ou corrija o número.",
)(lambda desk: typed(desk, phone="(81) 9999-9999"))
of_booking(
    Reason.PHONE_TEN_DIGITS,
    "phone",
    "São dez dígitos. Se falta o 9 do celular, é (81) 99999-9999: confere? Selecione a caixa, ou complete o número.",
)(lambda desk: typed(desk, phone="8199999999"))


@of_booking(
    Reason.PHONE_OF_BRAZIL,
    "phone",
    "Este número não existe em Portugal. É do Brasil, +55 81 99999-9999? Selecione a caixa, ou corrija o número.",
)
def type_a_brazilian_number_in_portugal(desk):
    desk.clinic.country = "PT"
    return typed(desk, phone="(81) 99999-9999")


of_booking(Reason.NAME_WITHOUT_LETTERS, "name", "O nome não tem nenhuma letra. Escreva o nome do paciente.")(
    lambda desk: typed(desk, name="12345")
)
of_booking(
    Reason.SOCIAL_NAME_WITHOUT_LETTERS,
    "social_name",
    "O nome social não tem nenhuma letra. Escreva como a pessoa quer ser chamada, ou deixe em branco.",
)(lambda desk: typed(desk, social_name="---"))
of_booking(Reason.CPF_IS_CNPJ, "cpf", "Isto é um CNPJ; aqui vai o CPF da pessoa. Corrija ou deixe em branco.")(
    lambda desk: typed(desk, cpf="12.ABC.345/01DE-35")
)
of_booking(Reason.PHONE_TO_WRITE, "second_phone", "É (81) 99999-9999? Escreva o número por inteiro, ou corrija.")(
    lambda desk: typed(desk, second_phone="(81) 9999-9999")
)
of_booking(Reason.HEALTH_NUMBER_SHAPE, "health_number", "São 9 dígitos. Corrija ou deixe em branco.")(
    lambda desk: typed(desk, health_number="12345678")
)
of_booking(
    Reason.HEALTH_NUMBER_IS_NIF,
    "health_number",
    "Este é o NIF; o número do SNS é outro. Corrija ou deixe em branco.",
)(lambda desk: typed(desk, nif="245624139", health_number="245 624 139"))
of_booking(
    Reason.HEALTH_NUMBER_TAKEN,
    "health_number",
    "Este número do SNS já é de Rui Sá. Escolha esse cadastro na busca ou corrija o número.",
)(
    lambda desk: typed(
        desk, health_number=make_patient(desk.clinic, name="Rui Sá", health_number="123456789").health_number
    )
)
of_booking(
    Reason.DOCUMENT_SHAPE,
    "document_number",
    "O número do documento tem de 4 a 30 letras sem acento e dígitos, por exemplo FX123456.",
)(lambda desk: typed(desk, document_number="FX1"))
of_booking(
    Reason.CARD_NUMBER_SHAPE,
    "card_number",
    "O número da carteira tem dígitos e letras sem acento, 30 no máximo. Corrija ou deixe em branco.",
)(lambda desk: typed(desk, payer_id=make_payer(desk.clinic).pk, card_number="sem número"))
of_booking(Reason.NIF_OF_NOBODY, "nif", "É o NIF de consumidor final. Deixe em branco.")(
    lambda desk: typed(desk, nif="999 999 990")
)
of_booking(
    Reason.BIRTH_DATE_IMPOSSIBLE,
    "birth_date",
    "A data de nascimento deve ficar entre 1900 e hoje.",
)(lambda desk: typed(desk, birth_date=MONDAY + timedelta(days=1)))
of_booking(Reason.CPF_SHAPE, "cpf", "O CPF tem 11 dígitos, por exemplo 529.982.247-25. Corrija ou deixe em branco.")(
    lambda desk: typed(desk, cpf="529.982.247")
)
of_booking(Reason.CPF_INVALID, "cpf", "Os dígitos deste CPF não conferem. Corrija ou deixe em branco por enquanto.")(
    lambda desk: typed(desk, cpf="123.456.789-00")
)
of_booking(Reason.CPF_TAKEN, "cpf", "Este CPF já é de Ana Souza. Escolha esse cadastro na busca ou corrija o número.")(
    lambda desk: typed(desk, cpf=desk.patient.cpf)
)
of_booking(
    Reason.CPF_OTHER_BIRTH_DATE, "cpf", "Este CPF já está cadastrado com outra data de nascimento. Confira os dois."
)(lambda desk: typed(desk, name="Ana Souza", cpf=desk.patient.cpf, birth_date=date(1980, 5, 18)))
of_booking(Reason.NIF_INVALID, "nif", "Este NIF não é válido. São 9 dígitos; corrija ou deixe em branco.")(
    lambda desk: typed(desk, nif="123456780")
)
of_booking(Reason.EMAIL_INVALID, "email", "Este e-mail não é válido. Exemplo: nome@provedor.com.")(
    lambda desk: typed(desk, email="joao@")
)
of_booking(Reason.DOCTOR_MISSING, "doctor", "Escolha o médico ou a médica.")(lambda desk: desk.proposal(doctor=None))
of_booking(Reason.DOCTOR_UNKNOWN, "doctor", "Este profissional não atende mais aqui. Escolha outro.")(
    lambda desk: desk.proposal(doctor=make_doctor(desk.clinic, active=False).pk)
)
of_booking(Reason.PROCEDURES_MISSING, "procedures", "Escolha pelo menos um procedimento.")(
    lambda desk: desk.proposal(lines=())
)
of_booking(
    Reason.PROCEDURES_TOO_MANY, "procedures", "No máximo 20 procedimentos por agendamento (foram escolhidos 21)."
)(lambda desk: desk.proposal(lines=(LineRequest(desk.procedure.pk),) * 21, ends_at=desk.at(10)))
of_booking(Reason.PROCEDURE_UNKNOWN, "procedures", "Um dos procedimentos não é mais oferecido. Escolha de novo.")(
    lambda desk: desk.proposal(lines=(LineRequest(make_procedure(desk.clinic, active=False).pk),))
)
of_booking(
    Reason.PROCEDURE_NOT_OFFERED,
    "procedures",
    "A Dra. Helena Prado não realiza Cateterismo. Troque o procedimento ou o médico.",
)(lambda desk: desk.proposal(lines=(LineRequest(make_procedure(desk.clinic, name="Cateterismo").pk),)))
of_booking(Reason.DISCOUNT_UNKNOWN, "discount", "Este desconto não existe mais. Escolha outro ou nenhum.")(
    lambda desk: desk.proposal(discount=make_discount().pk)
)
of_booking(
    Reason.TOTAL_CHANGED,
    "total",
    "O total mudou enquanto o painel estava aberto: era R$\xa0250,00, agora é R$\xa0252,00. Confira e tente de novo.",
)(lambda desk: desk.proposal(shown_total=Decimal("250.00")))
of_booking(
    Reason.DISCOUNT_EXPIRED, "discount", "O desconto Primavera vale só até 22/11/2026. Escolha outro ou nenhum."
)(
    lambda desk: desk.proposal(
        discount=make_discount(desk.clinic, name="Primavera", expires_on=MONDAY - timedelta(days=1)).pk
    )
)
of_booking(Reason.NOTES_TOO_LONG, "notes", "As observações têm 5001 caracteres; o máximo é 5000.")(
    lambda desk: desk.proposal(notes="x" * 5001)
)
of_booking(Reason.START_MISSING, "starts_at", "Escolha a data e o horário.")(lambda desk: desk.proposal(starts_at=None))
of_booking(Reason.TIME_HAS_SECONDS, "starts_at", "O início e o fim são em minutos inteiros, sem segundos.")(
    lambda desk: desk.proposal(starts_at=desk.at(9) + timedelta(microseconds=123_456), ends_at=desk.at(10))
)
of_booking(Reason.END_NOT_AFTER_START, "ends_at", "O fim deve ser depois do início.")(
    lambda desk: desk.proposal(ends_at=desk.at(9))
)
of_booking(Reason.TOO_LONG, "ends_at", "O agendamento passa de 12 horas. Confira o início e o fim.")(
    lambda desk: desk.proposal(ends_at=desk.at(21, 1))
)
of_booking(Reason.TOO_SHORT, "ends_at", "A duração dos procedimentos é de 30 minutos.")(
    lambda desk: desk.proposal(
        clinic=demanding(desk.clinic), starts_at=desk.at(9), ends_at=desk.at(9, 29), in_full=True
    )
)
of_booking(Reason.DATE_PAST, "date", "Esta data já passou. Escolha hoje ou uma data futura.")(
    lambda desk: desk.proposal(starts_at=desk.at(9, day=MONDAY - timedelta(days=1)))
)
of_booking(Reason.DATE_TOO_FAR, "date", "Esta data está longe demais. Escolha até 22/11/2028.")(
    lambda desk: desk.proposal(starts_at=desk.at(9, day=date(2028, 11, 23)))
)


def limited(desk, of, **limits):
    for name, value in limits.items():
        setattr(of, name, value)
    of.save(update_fields=limits.keys())
    return desk.proposal(starts_at=desk.at(9, day=MONDAY + timedelta(days=1)), with_notice=True)


def on_a_full_day(desk, of):
    desk.book(starts_at=desk.at(14, day=MONDAY + timedelta(days=1)), patient=desk.another_patient().pk)
    return limited(desk, of, per_day=1)


of_booking(
    Reason.NOTICE_TOO_SHORT,
    "starts_at",
    "É preciso marcar com 48 h de antecedência. Escolha um horário a partir de 25/11 07:00.",
)(lambda desk: limited(desk, desk.doctor, notice_hours=48))
of_booking(
    Reason.AGENDA_NOT_OPEN, "date", "A agenda da Dra. Helena Prado está aberta até 24/11/2026. Escolha um dia até lá."
)(lambda desk: replace(limited(desk, desk.doctor, days_ahead=1), starts_at=desk.at(9, day=MONDAY + timedelta(days=2))))
of_booking(
    Reason.PROCEDURE_NOT_OPEN, "date", "A agenda de Consulta está aberta até 24/11/2026. Escolha um dia até lá."
)(
    lambda desk: replace(
        limited(desk, desk.procedure, days_ahead=1), starts_at=desk.at(9, day=MONDAY + timedelta(days=2))
    )
)
of_booking(
    Reason.DAY_FULL,
    "date",
    "O máximo por dia da Dra. Helena Prado é 1, e em 24/11/2026 já há 1. Escolha outro dia.",
)(lambda desk: on_a_full_day(desk, desk.doctor))
of_booking(
    Reason.DAY_FULL_OF_PROCEDURE,
    "date",
    "O máximo por dia de Consulta com a Dra. Helena Prado é 1, e em 24/11/2026 já há 1. Escolha outro dia.",
)(lambda desk: on_a_full_day(desk, desk.procedure))
of_booking(Reason.TIME_PAST, "starts_at", "Este horário já passou: são 07:00. Escolha um horário futuro.")(
    lambda desk: desk.proposal(starts_at=desk.at(7))
)
of_booking(
    Reason.OUTSIDE_HOURS,
    "starts_at",
    "A Dra. Helena Prado não atende nesse horário: nesse dia atende das 08:00 às 12:00 e das 13:00 às 18:00.",
)(lambda desk: desk.proposal(starts_at=desk.at(7, 45)))
of_booking(
    Reason.ENDS_AFTER_HOURS,
    "starts_at",
    "A Dra. Helena Prado não atende nesse horário: nesse dia atende das 08:00 às 12:00 e das 13:00 às 18:00; "
    "terminaria às 12:15.",
)(lambda desk: desk.proposal(starts_at=desk.at(11, 45)))
of_booking(Reason.DOCTOR_ABSENT, "starts_at", "A Dra. Helena Prado não atende nesse horário por ausência: congresso.")(
    lambda desk: away(desk, doctor=desk.doctor, reason="congresso")
)
of_booking(Reason.CLINIC_CLOSED, "starts_at", "A clínica estará fechada: reforma.")(
    lambda desk: away(desk, reason="reforma")
)


def at_christmas(desk):
    desk.clinic.observes_holidays = True
    return desk.proposal(starts_at=desk.at(9, day=date(2026, 12, 25)))


of_booking(Reason.HOLIDAY, "date", "A clínica fecha no feriado: Natal.")(at_christmas)


def paid(desk, **payer):
    return desk.proposal(payer=PayerWish(make_payer(desk.clinic, name="Unimed", **payer).pk))


def taken(desk, doctor=None, **fields):
    proposal = paid(desk)
    taker = {"clinic": desk.clinic, "doctor": doctor or desk.doctor, "payer_id": proposal.payer.payer}
    PayerDoctor.objects.create(**taker | fields)
    return proposal


def beside_another_of_the_payer(desk, proposal):
    desk.book(payer=proposal.payer, starts_at=desk.at(14), patient=desk.another_patient().pk)
    return proposal


of_booking(
    Reason.PAYER_NOT_YET, "payer", "Unimed só é aceito a partir de 24/11/2026. Escolha outro dia, ou particular."
)(lambda desk: paid(desk, valid_from=MONDAY + timedelta(days=1)))
of_booking(Reason.PAYER_ENDED, "payer", "Unimed foi aceito só até 22/11/2026. Escolha outro convênio, ou particular.")(
    lambda desk: paid(desk, valid_until=MONDAY - timedelta(days=1))
)
of_booking(
    Reason.PAYER_NOT_TAKEN,
    "payer",
    "A Dra. Helena Prado não atende por Unimed. Escolha outro médico, ou particular.",
)(lambda desk: taken(desk, desk.another_doctor()))
of_booking(
    Reason.PAYER_NOT_THAT_WEEKDAY,
    "payer",
    "A Dra. Helena Prado só atende por Unimed nestes dias: terça-feira, sexta-feira. Escolha outro dia, ou particular.",
)(lambda desk: taken(desk, weekdays=[5, 2]))
of_booking(
    Reason.PAYER_FULL, "payer", "Agendamentos por Unimed em 23/11/2026: já há 1, o máximo é 1. Escolha outro dia."
)(lambda desk: beside_another_of_the_payer(desk, paid(desk, per_day=1)))
of_booking(
    Reason.PAYER_FULL_WITH_DOCTOR,
    "payer",
    "Agendamentos da Dra. Helena Prado por Unimed em 23/11/2026: já há 1, o máximo é 1. Escolha outro dia.",
)(lambda desk: beside_another_of_the_payer(desk, taken(desk, per_day=1)))
of_booking(Reason.AUTHORIZATION_MISSING, "authorization_number", "Unimed exige a guia. Escreva o número dela.")(
    lambda desk: paid(desk, requires_authorization=True)
)


def beside_another_patient(desk):
    desk.book(patient=desk.another_patient().pk)
    return desk.proposal(starts_at=desk.at(9, 15))


of_booking(Reason.DOCTOR_TAKEN, "starts_at", "O horário das 09:15 da Dra. Helena Prado já está ocupado.")(
    beside_another_patient
)


def with_another_doctor(desk):
    desk.book()
    return desk.proposal(doctor=desk.another_doctor().pk, starts_at=desk.at(9, 15))


of_booking(Reason.PATIENT_ELSEWHERE, "starts_at", "Ana Souza já tem agendamento às 09:00 com a Dra. Helena Prado.")(
    with_another_doctor
)


@of_act(
    Reason.TRANSITION_FORBIDDEN,
    "status",
    "Não dá para passar de “Agendado” para “Finalizado”. Confira a última mudança no histórico.",
)
def finish_what_has_not_begun(desk):
    change_status(desk.book().pk, "finished", clinic=desk.clinic, by=BY, now=desk.now)


@of_act(
    Reason.NOT_WAITING,
    "status",
    "Só se chama quem fez check-in e espera; a situação é “Agendado”. Veja a fila de novo.",
)
def call_a_patient_who_has_not_come(desk):
    call_to_room(desk.book().pk, clinic=desk.clinic, by=BY, now=desk.now)


@of_act(
    Reason.NOT_IN_QUEUE,
    "status",
    "A prioridade é de quem espera ou vem hoje; a situação é “Agendado”. Veja a fila de novo.",
)
def mark_a_patient_of_another_day(desk):
    another_day = desk.now - timedelta(days=3)
    mark_priority(desk.book().pk, PriorityMark.Kind.PREGNANT, clinic=desk.clinic, by=BY, now=another_day)


@of_act(Reason.NOT_YET_BEGUN, "status", "Só se marca falta depois do início, às 09:00.")
def mark_as_missed_too_early(desk):
    change_status(desk.book().pk, "no_show", clinic=desk.clinic, by=BY, now=desk.at(8, 59))


@of_act(
    Reason.ANOTHER_IN_SERVICE,
    "status",
    "A Dra. Helena Prado já está atendendo outra pessoa. Finalize esse atendimento antes.",
)
def see_two_patients_at_once(desk):
    for hour, patient in ((9, desk.patient), (10, desk.another_patient())):
        appointment = desk.book(starts_at=desk.at(hour), patient=patient.pk)
        for status in ("checked_in", "in_service"):
            change_status(appointment.pk, status, clinic=desk.clinic, by=BY, now=desk.at(10))


@of_act(Reason.UNDO_TOO_LATE, "status", "Um atendimento finalizado só volta atrás no mesmo dia.")
def reopen_yesterdays(desk):
    appointment = desk.book()
    for status in ("checked_in", "in_service", "finished"):
        change_status(appointment.pk, status, clinic=desk.clinic, by=BY, now=desk.at(9))
    tomorrow = desk.at(0, day=MONDAY + timedelta(days=1))
    change_status(appointment.pk, "in_service", clinic=desk.clinic, by=BY, now=tomorrow)


@of_act(Reason.NOTHING_TO_UNDO, "status", "Não há o que desfazer neste agendamento.")
def undo_the_booking_itself(desk):
    undo(desk.book().pk, clinic=desk.clinic, by=BY, now=desk.now)


@of_act(
    Reason.CHANGED_MEANWHILE,
    "status",
    "Este agendamento foi alterado depois do que você viu. Confira a última mudança no histórico.",
)
def undo_what_somebody_else_did_since(desk):
    appointment = desk.book()
    change_status(appointment.pk, Status.CONFIRMED, clinic=desk.clinic, by=BY, now=desk.now)
    seen = appointment.events.last()
    change_status(appointment.pk, Status.CHECKED_IN, clinic=desk.clinic, by=BY, now=desk.now)
    undo(appointment.pk, clinic=desk.clinic, by=BY, now=desk.now, seen=seen.pk)


@of_act(Reason.PATIENT_EXISTS, "", "Já existe Ana Souza com este telefone. Confirme se é a mesma pessoa.")
def register_somebody_again(desk):
    register_patient(desk.clinic, details(name="ana  SOUZA", phone=desk.patient.phone.as_e164), by=BY)


@of_act(Reason.PATIENT_CHANGED, "", "Este cadastro foi alterado depois do que você viu. Confira e salve de novo.")
def change_a_patient_whom_another_changed_since(desk):
    seen = patient_version(desk.patient)
    change_patient(desk.patient.pk, {"notes": "liga de volta"}, clinic=desk.clinic, by=BY)
    change_patient(desk.patient.pk, {"notes": ""}, clinic=desk.clinic, seen=seen, by=BY)


@of_act(Reason.CALL_AFTER_START, "call_at", "O horário do paciente é em 23/11/2026 09:00. Escolha uma hora antes.")
def call_a_patient_who_is_here_by_then(desk):
    call_later(desk.book().pk, desk.at(9), clinic=desk.clinic, by=BY, now=desk.now)


@of_act(Reason.CALL_NOT_NEEDED, "status", "tests já marcou este agendamento como “Confirmado”: não é preciso ligar.")
def call_a_patient_who_has_confirmed(desk):
    visit = desk.book()
    change_status(visit.pk, "confirmed", clinic=desk.clinic, by=BY, now=desk.now)
    begin_call(visit.pk, clinic=desk.clinic, caller=make_user(desk.clinic), now=desk.now)


def wait(desk, now=None, **wish):
    """Ana Souza waits for a consultation, or with an appointment for an earlier time."""
    wanted = WaitingWish(**({} if "appointment" in wish else {"procedures": [desk.procedure.pk]}) | wish)
    return put_on_waiting_list(desk.patient.pk, wanted, clinic=desk.clinic, by=BY, now=now or desk.now)


def give_nine(desk, entry, seen=None, place=None):
    target = {"doctor": desk.doctor.pk, "starts_at": desk.at(9), "seen": seen, "place": place}
    return book_waiting(entry.pk, clinic=desk.clinic, by=BY, now=desk.now, **target)


@of_act(Reason.WAITING_TWICE, "", "Ana Souza já está na fila de espera por isto. Altere o pedido que está na fila.")
def wait_twice_for_the_same(desk):
    wait(desk), wait(desk)


@of_act(Reason.WAITING_NOT_AHEAD, "appointment", "Este agendamento não está mais por vir: não há o que antecipar.")
def wait_for_what_has_begun(desk):
    wait(desk, appointment=desk.book().pk, now=desk.at(9, 1))


@of_act(
    Reason.WAITING_NOT_PERFORMED,
    "doctors",
    "Quem você escolheu não faz todos esses procedimentos. Escolha outros, ou qualquer profissional.",
)
def wait_for_a_doctor_who_does_something_else(desk):
    wait(desk, doctors=[make_doctor(desk.clinic).pk])


@of_act(Reason.WAITING_NOTE_TOO_LONG, "note", "A nota tem 201 caracteres; o máximo é 200.")
def wait_with_a_long_note(desk):
    wait(desk, note="a" * 201)


@of_act(
    Reason.WAITING_NOTE_UNSTORABLE,
    "note",
    "A nota tem caracteres que não podem ser gravados (U+0000). Escreva-a de novo.",
)
def wait_with_a_note_that_cannot_be_stored(desk):
    wait(desk, note="a\x00")


@of_act(Reason.WAITING_CLOSED, "", "Este pedido já saiu da fila de espera. Nada foi alterado.")
def withdraw_twice(desk):
    entry = wait(desk)
    for _ in range(2):
        withdraw_waiting(entry.pk, clinic=desk.clinic, by=BY, now=desk.now, seen=None)


@of_act(
    Reason.WAITING_CHANGED,
    "",
    "Este pedido foi alterado depois do que você viu. Leia-o de novo antes de oferecer.",
)
def offer_what_is_no_longer_wanted(desk):
    give_nine(desk, wait(desk), seen=7)


@of_act(
    Reason.WAITING_APPOINTMENT_GONE,
    "",
    "O agendamento que seria trocado foi cancelado, realizado ou removido; nada foi alterado. Mantenha o pedido na fila"
    " sem ele, ou retire o pedido.",
)
def swap_what_was_cancelled_meanwhile(desk):
    far = desk.book(starts_at=desk.at(11))
    entry = wait(desk, appointment=far.pk)
    change_status(far.pk, "cancelled", clinic=desk.clinic, by=BY, now=desk.now, cancelled_by="patient")
    give_nine(desk, entry)


@of_act(
    Reason.WAITING_NOT_EARLIER,
    "",
    "Este horário não é antes do que o paciente tem, 23/11/2026 08:30. Nada foi alterado.",
)
def swap_for_a_later_time(desk):
    give_nine(desk, wait(desk, appointment=desk.book(starts_at=desk.at(8, 30)).pk))


@of_act(
    Reason.WAITING_ASK_WHO_PAYS,
    "",
    "O convênio de Ana Souza não é mais aceito ou exige a guia, ou a carteira vence antes desse dia; nada foi agendado."
    " Agende pelo painel, onde se vê quem paga, e depois retire o pedido.",
)
def give_a_time_to_whose_payer_is_accepted_no_more(desk):
    desk.patient.payer = make_payer(desk.clinic, active=False)
    desk.patient.save()
    give_nine(desk, wait(desk))


def remind(desk, visit=None, **wish):
    """Ana Souza, whose visit is over, is to be called for another one in two weeks."""
    wanted = {"due_on": MONDAY + timedelta(weeks=2), "procedure": desk.procedure.pk} | wish
    visit = visit or over(desk)
    return write_recall(visit.pk, RecallWish(**wanted), clinic=desk.clinic, by=BY, now=desk.now)


def over(desk):
    visit = desk.book()
    Appointment.objects.filter(pk=visit.pk).update(status="finished")
    return visit


def closed(desk, recall, outcome="declined"):
    return close_recall(recall.pk, outcome, clinic=desk.clinic, by=BY, now=desk.now, seen=None)


@of_act(
    Reason.RECALL_NOT_SERVED,
    "status",
    "O retorno é anotado quando o atendimento começou; a situação é “Agendado”.",
)
def remind_before_the_visit(desk):
    remind(desk, desk.book())


@of_act(
    Reason.RECALL_TWICE,
    "procedure",
    "Esta consulta já tem um retorno em aberto deste procedimento. Adie ou feche o que está na lista.",
)
def remind_twice_of_the_same(desk):
    remind(desk, remind(desk).appointment)


@of_act(
    Reason.RECALL_NOT_PERFORMED,
    "doctor",
    "Quem você escolheu não faz esse procedimento. Escolha outro, ou qualquer profissional.",
)
def remind_of_what_the_doctor_does_not_do(desk):
    remind(desk, doctor=make_doctor(desk.clinic).pk)


@of_act(Reason.RECALL_NOTE_TOO_LONG, "note", "A nota tem 201 caracteres; o máximo é 200.")
def remind_with_a_long_note(desk):
    remind(desk, note="a" * 201)


@of_act(
    Reason.RECALL_NOTE_UNSTORABLE,
    "note",
    "A nota tem caracteres que não podem ser gravados (U+0000). Escreva-a de novo.",
)
def remind_with_a_note_that_cannot_be_stored(desk):
    remind(desk, note="a\x00")


@of_act(Reason.RECALL_BOOKED, "", "tests já agendou este retorno para 23/11/2026 10:00. Nada foi alterado.")
def book_a_return_twice(desk):
    recall = remind(desk)
    for hour in (10, 11):
        book_recall(recall.pk, desk.proposal(starts_at=desk.at(hour)), by=BY, now=desk.now)


@of_act(Reason.RECALL_CLOSED, "", "tests já fechou este retorno: não quer. Nada foi alterado.")
def close_a_recall_twice(desk):
    recall = remind(desk)
    closed(desk, recall), closed(desk, recall)


@of_act(Reason.RECALL_CHANGED, "", "Este retorno foi alterado depois do que você viu. Leia-o de novo.")
def postpone_what_another_has_changed(desk):
    postpone_recall(remind(desk).pk, MONDAY, clinic=desk.clinic, by=BY, seen=7, now=desk.now)


@of_act(
    Reason.RECALL_NOT_CLOSED,
    "",
    "Este retorno não foi fechado à mão: cancele o agendamento para tê-lo de volta.",
)
def open_a_recall_that_is_open(desk):
    reopen_recall(remind(desk).pk, clinic=desk.clinic, by=BY, now=desk.now, seen=None)


@of_act(Reason.RECALL_OUTCOME_UNKNOWN, "outcome", "Diga se o paciente não quer, ou se já tem horário.")
def close_a_recall_for_no_reason(desk):
    closed(desk, remind(desk), "x")


@of_act(Reason.FAMILY_TWICE, "patient", "Ana Souza está em duas linhas. Deixe só uma.")
def book_one_patient_twice_in_a_family(desk):
    rows = [desk.proposal(starts_at=desk.at(hour)) for hour in (9, 10)]
    book_family(rows, key=uuid4(), by=BY, now=desk.now)


@of_act(
    Reason.FAMILY_ASK_WHO_PAYS,
    "",
    "O convênio de Ana Souza não é mais aceito ou exige a guia, ou a carteira vence antes desse dia. Agende pelo"
    " painel, onde se vê quem paga.",
)
def book_a_family_whose_payer_is_accepted_no_more(desk):
    desk.patient.payer = make_payer(desk.clinic, active=False)
    desk.patient.save()
    book_family([desk.proposal()], key=uuid4(), by=BY, now=desk.now)


def merged(desk, **other):
    """The desk's patient and another one, who are merged; and what undoing it takes."""
    kept, act = desk.patient, {"clinic": desk.clinic, "by": BY, "now": desk.now}
    other = make_patient(desk.clinic, name="Ana Sousa", **other)
    return kept, other, merge_patients(kept.pk, other.pk, sides={}, **act), act


@of_act(
    Reason.MERGED_ALREADY,
    "",
    "O cadastro de Ana Sousa já foi juntado a outro. Nada foi alterado: abra a ficha de novo.",
)
def merge_who_was_merged(desk):
    kept, other, _done, act = merged(desk)
    merge_patients(kept.pk, other.pk, sides={}, **act)


@of_act(Reason.MERGED_SINCE, "", "O cadastro de Ana Souza foi juntado depois a outro. Desfaça primeiro essa junção.")
def undo_the_older_of_two_merges(desk):
    kept, _other, done, act = merged(desk)
    merge_patients(make_patient(desk.clinic).pk, kept.pk, sides={}, **act)
    undo_merge(done.pk, **act)


@of_act(
    Reason.MERGE_CHANGED,
    "",
    "Um dos cadastros foi alterado depois do que você viu. Leia os dois de novo e junte.",
)
def merge_what_was_changed(desk):
    other = make_patient(desk.clinic)
    merge_patients(desk.patient.pk, other.pk, sides={}, seen={}, clinic=desk.clinic, by=BY)


@of_act(
    Reason.MERGE_AT_ONE_TIME,
    "",
    "Os dois têm agendamento ao mesmo tempo: 23/11/2026 09:00 (Dra. Helena Prado) e 23/11/2026 09:00 (Dr. Rui Alves)."
    " Cancele ou remarque um deles e junte de novo. Nada foi alterado.",
)
def merge_two_who_are_booked_at_once(desk):
    other = make_patient(desk.clinic)
    desk.book()
    desk.book(patient=other.pk, doctor=make_doctor(desk.clinic, name="Dr. Rui Alves", procedures=[desk.procedure]).pk)
    merge_patients(desk.patient.pk, other.pk, sides={}, clinic=desk.clinic, by=BY)


@of_act(Reason.MERGE_UNDONE, "", "Esta junção já foi desfeita.")
def undo_a_merge_twice(desk):
    _kept, _other, done, act = merged(desk)
    for _ in range(2):
        undo_merge(done.pk, **act)


@of_act(Reason.MERGE_TOO_OLD, "", "Uma junção só se desfaz em 30 dias, e já passaram mais.")
def undo_an_old_merge(desk):
    _kept, _other, done, act = merged(desk)
    undo_merge(done.pk, **act | {"now": desk.now + timedelta(days=31)})


@of_act(Reason.NOT_MOVABLE, "status", "Um agendamento “Check-in” não pode ser remarcado.")
def move_a_patient_who_is_here(desk):
    appointment = desk.book()
    change_status(appointment.pk, "checked_in", clinic=desk.clinic, by=BY, now=desk.now)
    move(desk, appointment, starts_at=desk.at(10))


@of_act(Reason.NOT_REPEATABLE, "status", "Um agendamento “Cancelado” não pode ser repetido.")
def repeat_a_cancelled_appointment(desk):
    appointment = desk.book()
    change_status(appointment.pk, "cancelled", clinic=desk.clinic, by=BY, now=desk.now, cancelled_by="clinic")
    rule, starts = Recurrence(every=1, count=1), [desk.at(9, day=MONDAY + timedelta(days=1))]
    book_series(appointment.pk, starts, rule, clinic=desk.clinic, key=uuid4(), by=BY, now=desk.now)


@of_act(Reason.NOT_CHANGEABLE, "status", "Os procedimentos de um agendamento “Cancelado” não podem ser alterados.")
def change_procedures_of_a_cancelled_appointment(desk):
    appointment = desk.book()
    change_status(appointment.pk, "cancelled", clinic=desk.clinic, by=BY, now=desk.now, cancelled_by="clinic")
    change_procedures(appointment.pk, clinic=desk.clinic, lines=(), by=BY, now=desk.now)


@of_act(
    Reason.FINISHED_FOR_MANAGERS,
    "status",
    "Depois de “Finalizado”, só a gestão altera os procedimentos. Peça a alteração à gestão.",
)
def change_procedures_of_a_finished_appointment(desk):
    appointment = desk.book()
    for status in ("checked_in", "in_service", "finished"):
        change_status(appointment.pk, status, clinic=desk.clinic, by=BY, now=desk.at(9, 5))
    change_procedures(appointment.pk, clinic=desk.clinic, lines=(), by=BY, now=desk.at(9, 10))


@of_act(Reason.NOTHING_CHANGED, "starts_at", "Este já é o horário do agendamento. Escolha outro.")
def move_to_the_same_time(desk):
    move(desk, desk.book(), starts_at=desk.at(9))


@of_act(Reason.CANCELLED_BY_MISSING, "cancelled_by", "Diga quem cancelou: o paciente ou a clínica.")
def cancel_by_nobody(desk):
    change_status(desk.book().pk, "cancelled", clinic=desk.clinic, by=BY, now=desk.now, cancelled_by="vizinho")


@of_act(
    Reason.CANCEL_REASON_UNSTORABLE,
    "reason",
    "O motivo tem caracteres que não podem ser gravados (U+001B). Escreva-o de novo.",
)
def cancel_with_a_control_character(desk):
    change_status(
        desk.book().pk, "cancelled", clinic=desk.clinic, by=BY, now=desk.now, cancelled_by="clinic", reason="r\x1b"
    )


@of_act(Reason.CANCEL_REASON_TOO_LONG, "reason", "O motivo tem 201 caracteres; o máximo é 200.")
def cancel_at_length(desk):
    change_status(
        desk.book().pk, "cancelled", clinic=desk.clinic, by=BY, now=desk.now, cancelled_by="clinic", reason="r" * 201
    )


def receive(desk, **changes):
    payment = Payment(**{"method": "cash", "value": Decimal(10)} | changes)
    receive_payment(desk.book().pk, payment, clinic=desk.clinic, by=BY, now=desk.now)


@of_act(Reason.NOT_PAYABLE, "status", "Um agendamento “Cancelado” não recebe pagamento.")
def receive_for_a_cancelled_appointment(desk):
    appointment = desk.book()
    change_status(appointment.pk, "cancelled", clinic=desk.clinic, by=BY, now=desk.now, cancelled_by="clinic")
    receive_payment(appointment.pk, Payment(method="cash", value=Decimal(1)), clinic=desk.clinic, by=BY, now=desk.now)


for reason, field, sentence, changes in [
    (Reason.PAYMENT_METHOD_UNKNOWN, "method", "Escolha a forma do pagamento.", {"method": "gold"}),
    (
        Reason.PAYMENT_VALUE_IMPOSSIBLE,
        "value",
        "O valor deve ser maior que zero, em centavos inteiros.",
        {"value": Decimal("0.333")},
    ),
    (
        Reason.PAYMENT_FLAG_SHAPE,
        "flag",
        "A bandeira tem letras e dígitos, 30 no máximo, e nunca o número do cartão.",
        {"flag": "a" * 31},
    ),
    (Reason.PAYMENT_INSTALMENTS, "instalments", "Use de 1 a 48 parcelas.", {"instalments": 49}),
    (
        Reason.PAYMENT_PROTOCOL_SHAPE,
        "protocol",
        "O protocolo tem letras sem acento e dígitos, 60 no máximo.",
        {"protocol": "João Silva"},
    ),
]:
    of_act(reason, field, sentence)(lambda desk, changes=changes: receive(desk, **changes))


def move(desk, appointment, *, starts_at, doctor=None, **changes):
    doctor = doctor or desk.doctor
    return reschedule(
        appointment.pk, clinic=desk.clinic, doctor=doctor.pk, starts_at=starts_at, by=BY, now=desk.now, **changes
    )


def told(refusal):
    return [(each.reason, each.field, each.message) for each in refusal.refusals]


@pytest.mark.parametrize("reason", BOOKINGS, ids=lambda reason: reason.name)
def test_booking_that_breaks_one_rule_is_refused_and_writes_nothing(desk, reason):
    make, field, sentence = BOOKINGS[reason]
    proposal = make(desk)
    before = stored()

    assert told(refused(book, proposal, by=BY, now=desk.now)) == [(reason, field, sentence)]
    assert told(check(proposal, now=desk.now)) == [(reason, field, sentence)]
    assert stored() == before


@pytest.mark.parametrize("reason", ACTS, ids=lambda reason: reason.name)
def test_act_that_breaks_one_rule_is_refused(desk, reason):
    act, field, sentence = ACTS[reason]

    assert told(refused(act, desk)) == [(reason, field, sentence)]


def test_every_reason_has_its_case():
    told_in_races = {Reason.TRY_AGAIN}

    assert BOOKINGS.keys() | ACTS.keys() | OF_ENCAIXES.keys() | told_in_races == set(Reason)


def test_the_sentence_of_a_reason_never_fails_to_be_made():
    """A placeholder without its parameter would be a 500 in front of the patient."""
    for reason, (make, _, sentence) in (BOOKINGS | ACTS).items():
        assert make and "%(" not in sentence, reason


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (ACTS[Reason.NOT_THAT_DAY][0], "Só se regista a chegada no dia da marcação, 23/11/2026."),
        (BOOKINGS[Reason.OUTSIDE_HOURS][0], "não dá consultas a essa hora: nesse dia dá consultas das 08:00 às 12:00"),
    ],
)
def test_portugal_reads_its_own_words(desk, act, sentence):
    with override("pt-pt"):
        refusal = refused(lambda: book(act(desk), by=BY, now=desk.now))
        assert sentence in refusal.message
