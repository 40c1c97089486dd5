"""The vendor's messages for every refused field and rule, exact to the letter; they are written here only.

The prefix `patient.` belongs to bodies with a `patient` inside; where the body is the patient itself, it is left out.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from clinic.api.imagemais.statuses import ACTIONS, FILTERS
from clinic.api.moments import SinceFault
from clinic.models import Doctor, Patient, Receipt
from clinic.models.doctor import LONGEST_INTERVAL, SHORTEST_INTERVAL
from clinic.models.limits import max_length
from clinic.models.phones import Fault
from clinic.queries.patients import SHORTEST_PHONE_PART
from clinic.refusals import Reason
from clinic.registry import PHONE_FAULTS, DoctorFault

# By field.
type Sentences = dict[str, tuple[str, ...]]
type Messages = dict[Reason, Message]

NUMBER = "{} must be a number conforming to the specified constraints"
BOOLEAN = "{} must be a boolean value"
SOME_OF = "each value in {} must be one of the following values: {}"
DATE = "{} must be a valid ISO 8601 date string"
DATE_MESSAGES = "A data deve ser hoje ou uma data futura", "A data deve ser uma data válida"
NO_PROCEDURES = "Procedimentos não encontrados", "Pelo menos um procedimento deve ser informado"
WEEKDAYS = "Segunda", "Terca", "Quarta", "Quinta", "Sexta", "Sabado", "Domingo"


PAYMENT_METHODS = {
    "dinheiro": Receipt.Method.CASH,
    "cartão de crédito": Receipt.Method.CREDIT_CARD,
    "cartão de débito": Receipt.Method.DEBIT_CARD,
    "pix": Receipt.Method.PIX,
    "transferência": Receipt.Method.TRANSFER,
    "cheque": Receipt.Method.CHEQUE,
    "outro": Receipt.Method.OTHER,
}


def _one_of(name: str, values: Iterable[str]) -> str:
    return f"{name} must be one of the following values: {', '.join(values)}"


# Messages for a field that is missing or null.
MISSING: Sentences = {
    "patient.cpf": ("patient.O CPF é necessário", "patient.cpf must be a string"),
    "patient.dateBirth": (
        "patient.A data de nascimento é necessária",
        "patient.dateBirth must be a valid ISO 8601 date string",
    ),
    "patient.phone": ("patient.O telefone é necessário", "patient.phone must be a string"),
    "patient.name": ("patient.O nome é necessário", "patient.name must be a string"),
    "procedures": (*NO_PROCEDURES, "Os procedimentos são necessários"),
    "doctorId": ("doctorId should not be empty", NUMBER.format("doctorId")),
    "date": ("date should not be empty", *DATE_MESSAGES),
    "startTime": ("startTime should not be empty", "startTime must be a string"),
    "endTime": ("endTime should not be empty", "endTime must be a string"),
    "action": ("action should not be empty", _one_of("action", ACTIONS)),
    "name": ("name should not be empty", "name must be a string"),
    "procedureIds": (*NO_PROCEDURES, "Os procedimentos são necessários"),
    "intervalMinutes": ("intervalMinutes should not be empty", NUMBER.format("intervalMinutes")),
    "workingDays": ("workingDays should not be empty", "workingDays must be an array"),
    "method": ("method should not be empty", _one_of("method", PAYMENT_METHODS)),
    "value": ("value should not be empty", NUMBER.format("value")),
}
# Messages for a field with a value of the wrong type.
UNREADABLE: Sentences = {
    "patient.cpf": ("patient.cpf must be a string",),
    "patient.dateBirth": ("patient.dateBirth must be a valid ISO 8601 date string",),
    "patient.phone": ("patient.phone must be a string",),
    "patient.name": ("patient.name must be a string",),
    "procedures": ("Procedimentos não encontrados",),
    "doctorId": MISSING["doctorId"],
    "date": DATE_MESSAGES,
    "startTime": ("startTime must be a string",),
    "endTime": ("endTime must be a string",),
    "discountId": (NUMBER.format("discountId"),),
    "notes": ("notes must be a string",),
    "action": (_one_of("action", ACTIONS),),
    "name": ("name must be a string",),
    "procedureIds": ("Procedimentos não encontrados",),
    "intervalMinutes": (NUMBER.format("intervalMinutes"),),
    "method": (_one_of("method", PAYMENT_METHODS),),
    "value": (NUMBER.format("value"),),
    "flag": ("flag must be a string",),
    "instalments": (NUMBER.format("instalments"),),
    "protocol": ("protocol must be a string",),
    "workingDays": (f"each value in {_one_of('workingDays', WEEKDAYS)}",),
}
MISSING_IN_QUERIES: Sentences = {"date": ("date should not be empty", DATE.format("date"))}
UNREADABLE_IN_QUERIES: Sentences = {
    "date": (DATE.format("date"),),
    "doctorId": (NUMBER.format("doctorId"),),
    "dateStart": (DATE.format("dateStart"),),
    "dateEnd": (DATE.format("dateEnd"),),
    "patientId": (NUMBER.format("patientId"),),
    "status": (_one_of("status", FILTERS),),
    "procedureId": (NUMBER.format("procedureId"),),
    "durationMinutes": ("durationMinutes must be an integer number",),
    "deleted": (_one_of("deleted", ("true", "false")),),
    "updatedSince": ("updatedSince deve ser um instante ISO 8601 com fuso, como 2025-12-22T16:35:33.920Z",),
    "after": ("after must be a string",),
    "limit": ("limit must be an integer number",),
    "offset": ("offset must be an integer number",),
    "cpf": ("O CPF deve estar no formato 123.456.789-00",),
    "phone": (f"O telefone deve ter pelo menos {SHORTEST_PHONE_PART} dígitos",),
}
PHONES_IN_QUERIES: dict[Fault, str] = {
    Fault.NOT_DIGITS: "O telefone contém “%(found)s”, que não é número",
    Fault.CARRIER: "O telefone começa por 00 e o código de uma operadora (%(carrier)s)",
    Fault.SEVERAL: "O telefone deve ser um só",
}
# For a text with NUL, half of a UTF-16 pair or another control character (`unstorable`).
UNSTORABLE = "{} contém caracteres que não podem ser gravados"
UNSTORABLE_IN_QUERIES = "{} contém caracteres inválidos"
FIELD_NAMES = {"patient.cpf": "patient.O CPF", "patient.phone": "patient.O telefone", "patient.name": "patient.O nome"}
UNSTORABLE_KEY = UNSTORABLE.format("O nome de um campo")
NOT_A_TIME = "{} deve estar no formato HH:mm"
NO_SUCH_TIME = "{} não existe nessa data: os relógios são adiantados"
NOT_A_POSITION = "after deve ser o que veio em Link, com os mesmos filtros"
OFFSET_WITH_AFTER = "offset e after não vão juntos: after já diz onde continua"
FILTER_WITH_SINCE = "{} e updatedSince não vão juntos: o que deixasse de caber no filtro não apareceria"
SINCE_FAULTS = {
    SinceFault.TOO_EARLY: "updatedSince deve ser de 2000-01-01T00:00:00Z em diante",
    SinceFault.FUTURE: "updatedSince não pode ser futuro",
}
LENGTH_TWICE = "durationMinutes e procedureId não vão juntos: os procedimentos já dizem a duração"
NAME_EMPTY = "name não pode ser vazio"
NAME_TOO_LONG = f"name deve ter no máximo {max_length(Patient, 'name')} caracteres"
TOO_SMALL = "{} must not be less than {}"
TOO_LARGE = "{} must not be greater than {}"
# Fields that one PATCH of an appointment does not change, and the call that does. They are refused, because a 200
# without the change would mislead the program; `null` clears, because clients omit fields that they do not know.
CALLS_FOR_OTHER_FIELDS = {
    "patient": "use PATCH /api/appointments/{id}",
    **dict.fromkeys(
        ("procedures", "discountId"),
        "cancele com PATCH /api/appointments/{id}/status e crie outro com POST /api/appointments",
    ),
    **dict.fromkeys(
        ("doctorId", "date", "startTime", "endTime", "withoutExpiredDiscount"),
        "use PATCH /api/appointments/{id}/reschedule",
    ),
    "notes": "use PATCH /api/appointments/{id}",
    **dict.fromkeys(("status", "action"), "use PATCH /api/appointments/{id}/status"),
}
NOT_CHANGED_HERE = "{} não muda por esta chamada: {}"
# The vendor's fields of a patient that are not kept here. A registration may have them all the same.
NOT_STORED_FIELDS = {"rg", "gender", "address", "contact.email", "contact.cellphone"}
NOT_STORED = "{} não é guardado nesta instalação: nada mudaria"
CONTACT_WITHOUT_PHONE = "patient.contact deve ser um objeto com phone"
TWO_PHONES = "patient.phone e contact.phone devem ser iguais"
NOT_AN_OBJECT = "O corpo da requisição deve ser um objeto JSON"
PROCEDURE_REPEATED = "O procedimento {} foi informado mais de uma vez"
ENDS_BEFORE_ITS_START = "dateEnd não pode ser anterior a dateStart"
OTHER_DOCTOR = "doctorId deve ser o médico do agendamento"

APPOINTMENT_UNKNOWN = "Agendamento não encontrado"
DOCTOR_UNKNOWN = "Médico não encontrado"
PATIENT_UNKNOWN = "Paciente não encontrado"
DOCTOR_EXISTS = "Já existe um médico ativo com esse nome"

WHEN = ("date", "startTime", "endTime")
AVAILABILITY = ("doctorId", *WHEN)


@dataclass(frozen=True)
class Message:
    """The message for a broken rule.

    `depends_on` are the fields that must be readable for the rule to have judged the intended values.
    """

    status: int
    field: str
    sentence: str
    depends_on: tuple[str, ...]


def _about(field: str, sentence: str, status: int = 400, depends_on: tuple[str, ...] = ()) -> Message:
    return Message(status, field, sentence, (field, *depends_on))


def _out_of_hours() -> Message:
    return _about("startTime", "Fora do expediente do médico", depends_on=AVAILABILITY)


# Every reason has a message, even those that this API cannot cause; only TRY_AGAIN is answered by the gateway (503).
REFUSALS: Messages = {
    Reason.PATIENT_MISSING: _about("patient.name", "patient.O nome é necessário"),
    Reason.PATIENT_UNKNOWN: _about("patient.name", PATIENT_UNKNOWN, 404),
    Reason.PATIENT_EXISTS: _about("patient.name", "patient.Já existe um paciente com esse nome e telefone", 409),
    Reason.PATIENT_CHANGED: _about("patient.name", "O paciente foi alterado nesse meio-tempo", 409),
    Reason.PATIENT_DIED: Message(409, "patient.name", "O paciente consta como falecido", ()),
    Reason.DIED_ON_IMPOSSIBLE: _about("patient.name", "patient.A data do falecimento no cadastro é inválida"),
    Reason.DIED_ON_WITHOUT_MARK: _about("patient.name", "patient.A data do falecimento no cadastro é inválida"),
    Reason.CPF_SHAPE: _about("patient.cpf", "patient.O CPF deve estar no formato 123.456.789-00"),
    Reason.CPF_IS_CNPJ: _about("patient.cpf", "patient.O CPF deve estar no formato 123.456.789-00"),
    Reason.CPF_INVALID: _about("patient.cpf", "patient.O CPF é inválido"),
    Reason.CPF_TAKEN: _about("patient.cpf", "patient.Já existe um paciente com esse CPF"),
    Reason.CPF_OTHER_BIRTH_DATE: _about(
        "patient.cpf",
        "patient.O CPF já está cadastrado com outra data de nascimento",
        depends_on=("patient.dateBirth",),
    ),
    Reason.BIRTH_DATE_IMPOSSIBLE: _about("patient.dateBirth", "patient.A data de nascimento deve ser anterior a hoje"),
    Reason.PHONE_MISSING: _about("patient.phone", "patient.O telefone é necessário"),
    **dict.fromkeys(
        PHONE_FAULTS.values(), _about("patient.phone", "patient.O telefone deve estar no formato (81) 99999-9999")
    ),
    **{
        PHONE_FAULTS[fault]: _about("patient.phone", f"patient.{sentence}")
        for fault, sentence in PHONES_IN_QUERIES.items()
    },
    Reason.NAME_MISSING: _about("patient.name", "patient.O nome é necessário"),
    Reason.NAME_TOO_LONG: _about("patient.name", "patient.O nome deve ter no máximo %(limit)s caracteres"),
    Reason.NAME_UNSTORABLE: _about("patient.name", UNSTORABLE.format("patient.O nome")),
    Reason.SOCIAL_NAME_UNSTORABLE: _about("patient.name", UNSTORABLE.format("patient.O nome social")),
    Reason.SOCIAL_NAME_TOO_LONG: _about("patient.name", "patient.O nome social passa de %(limit)s caracteres"),
    Reason.NAME_WITHOUT_LETTERS: _about("patient.name", "patient.O nome deve ter pelo menos uma letra"),
    Reason.SOCIAL_NAME_WITHOUT_LETTERS: _about("patient.name", "patient.O nome social não tem nenhuma letra"),
    Reason.ALERT_UNSTORABLE: _about("patient.name", UNSTORABLE.format("patient.O aviso do cadastro")),
    Reason.ALERT_TOO_LONG: _about("patient.name", "patient.O aviso do cadastro passa de %(limit)s caracteres"),
    Reason.PHONE_TO_WRITE: _about("patient.phone", "patient.O segundo telefone do cadastro é inválido"),
    Reason.LABEL_UNSTORABLE: _about("patient.phone", UNSTORABLE.format("patient.O telefone")),
    Reason.LABEL_TOO_LONG: _about("patient.phone", "patient.O texto ao lado do telefone passa de %(limit)s caracteres"),
    Reason.NIF_OF_NOBODY: _about("patient.name", "patient.O NIF do cadastro é inválido"),
    Reason.NIF_INVALID: _about("patient.name", "patient.O NIF do cadastro é inválido"),
    Reason.HEALTH_NUMBER_SHAPE: _about("patient.name", "patient.O número de utente do cadastro é inválido"),
    Reason.HEALTH_NUMBER_IS_NIF: _about("patient.name", "patient.O número de utente do cadastro é inválido"),
    Reason.HEALTH_NUMBER_TAKEN: _about("patient.name", "patient.O número de utente do cadastro é de outro paciente"),
    Reason.DOCUMENT_SHAPE: _about("patient.name", "patient.O documento do cadastro é inválido"),
    Reason.PAYER_UNKNOWN: _about("patient.name", "patient.O convênio do cadastro não é mais aceito"),
    Reason.PAYER_NOT_YET: _about("date", "O convênio ainda não é aceito nessa data"),
    Reason.PAYER_ENDED: _about("date", "O convênio não é mais aceito nessa data"),
    Reason.PAYER_NOT_TAKEN: _about("doctorId", "O médico não atende por esse convênio"),
    Reason.PAYER_NOT_THAT_WEEKDAY: _about("date", "O médico não atende por esse convênio nesse dia da semana"),
    Reason.PAYER_FULL: _about("date", "O convênio já tem %(count)s agendamentos nessa data"),
    Reason.PAYER_FULL_WITH_DOCTOR: _about("date", "O médico já tem %(count)s agendamentos desse convênio nessa data"),
    Reason.AUTHORIZATION_MISSING: _about("patient.name", "O convênio exige a guia"),
    Reason.CARD_NUMBER_SHAPE: _about("patient.name", "patient.O número da carteira do cadastro é inválido"),
    Reason.EMAIL_INVALID: _about("patient.name", "patient.O e-mail do cadastro é inválido"),
    Reason.PROCEDURES_MISSING: _about("procedures", "Pelo menos um procedimento deve ser informado"),
    Reason.PROCEDURES_TOO_MANY: _about("procedures", "Devem ser informados no máximo %(limit)s procedimentos"),
    Reason.PROCEDURE_UNKNOWN: _about("procedures", "Procedimentos não encontrados"),
    Reason.PROCEDURE_NOT_OFFERED: _about("procedures", "O médico não realiza: %(procedure)s", depends_on=("doctorId",)),
    Reason.DOCTOR_MISSING: _about("doctorId", "doctorId should not be empty"),
    Reason.DOCTOR_UNKNOWN: _about("doctorId", DOCTOR_UNKNOWN, 404),
    Reason.DATE_PAST: _about("date", "A data deve ser hoje ou uma data futura"),
    Reason.DATE_TOO_FAR: _about("date", "A data deve ser até %(date)s"),
    Reason.AGENDA_NOT_OPEN: _about("date", "A data deve ser até %(date)s", depends_on=("doctorId",)),
    Reason.PROCEDURE_NOT_OPEN: _about("date", "A data deve ser até %(date)s", depends_on=("procedures",)),
    Reason.NOTICE_TOO_SHORT: _about(
        "startTime", "O horário deve ter %(hours)s h de antecedência", depends_on=(*AVAILABILITY, "procedures")
    ),
    Reason.START_MISSING: _about("startTime", "startTime should not be empty", depends_on=WHEN),
    Reason.TIME_HAS_SECONDS: _about("startTime", NOT_A_TIME.format("startTime"), depends_on=WHEN),
    Reason.TIME_PAST: _about("startTime", "O horário deve ser futuro", depends_on=("date",)),
    Reason.OUTSIDE_HOURS: _out_of_hours(),
    Reason.ENDS_AFTER_HOURS: _out_of_hours(),
    Reason.DOCTOR_ABSENT: _out_of_hours(),
    Reason.CLINIC_CLOSED: _out_of_hours(),
    Reason.HOLIDAY: _out_of_hours(),
    Reason.END_NOT_AFTER_START: _about("endTime", "endTime deve ser posterior a startTime", depends_on=("startTime",)),
    Reason.TOO_LONG: _about("endTime", "O agendamento passa de %(hours)s horas", depends_on=("startTime",)),
    Reason.TOO_SHORT: _about(
        "endTime", "A duração dos procedimentos é de %(minutes)s minutos", depends_on=("startTime", "procedures")
    ),
    Reason.DISCOUNT_UNKNOWN: Message(404, "discountId", "Desconto não encontrado", ()),
    Reason.DISCOUNT_EXPIRED: Message(400, "discountId", "Desconto expirado: %(discount)s", ("date",)),
    Reason.DISCOUNT_ABOVE_LIMIT: Message(
        409, "discountId", "Desconto acima do limite de %(limit)s%%", ("most", "given")
    ),
    Reason.DISCOUNT_LEFT_BEHIND: Message(
        409,
        "discountId",
        "O desconto %(discount)s vale só até %(date)s. Para reagendar sem ele, envie withoutExpiredDiscount: true",
        ("date",),
    ),
    Reason.TOTAL_CHANGED: Message(409, "procedures", "O total mudou", ()),
    Reason.NOTES_TOO_LONG: _about("notes", "notes deve ter no máximo %(limit)s caracteres"),
    Reason.NOTES_UNSTORABLE: _about("notes", UNSTORABLE.format("notes")),
    Reason.METADATA_UNSTORABLE: _about("notes", UNSTORABLE.format("metadata")),
    Reason.DOCTOR_TAKEN: _about(
        "startTime", "Horários %(slots)s já estão ocupados por outros agendamentos", 409, AVAILABILITY
    ),
    Reason.DAY_FULL: _about(
        "startTime", "O médico já tem %(count)s agendamentos nesse dia, o máximo", 409, AVAILABILITY
    ),
    Reason.DAY_FULL_OF_PROCEDURE: _about(
        "startTime", "O médico já tem %(count)s vezes nesse dia: %(procedure)s", 409, (*AVAILABILITY, "procedures")
    ),
    Reason.PATIENT_ELSEWHERE: _about(
        "startTime", "O paciente já tem um agendamento às %(time)s com %(the_doctor)s", 409, AVAILABILITY
    ),
    Reason.ENCAIXE_TAKEN: _about("startTime", "O médico já tem um encaixe às %(time)s", 409, AVAILABILITY),
    Reason.ENCAIXE_LIMIT: _about("startTime", "O médico já tem %(count)s encaixes nesse dia", 409, AVAILABILITY),
    Reason.ENCAIXE_NOT_PERMITTED: Message(409, "startTime", "Encaixe não permitido", ()),
    Reason.ENCAIXE_NOT_APPROVED: Message(409, "startTime", "Encaixe não aprovado", ()),
    Reason.ENCAIXE_REASON_MISSING: Message(409, "startTime", "Encaixe sem motivo", ()),
    Reason.ENCAIXE_REASON_TOO_LONG: Message(409, "startTime", "O motivo passa de %(limit)s caracteres", ()),
    Reason.ENCAIXE_REASON_UNSTORABLE: Message(409, "startTime", UNSTORABLE.format("O motivo"), ()),
    Reason.CALL_AFTER_START: Message(409, "status", "O agendamento é em %(time)s", ()),
    Reason.CALL_NOT_NEEDED: Message(409, "status", "O agendamento já está %(current)s", ()),
    Reason.WAITING_TWICE: Message(409, "status", "O paciente já está na fila de espera", ()),
    Reason.WAITING_NOT_AHEAD: Message(409, "status", "O agendamento não está mais por vir", ()),
    Reason.WAITING_NOT_PERFORMED: Message(409, "status", "Os médicos não fazem esses procedimentos", ()),
    Reason.WAITING_NOTE_TOO_LONG: Message(409, "status", "A nota passa de %(limit)s caracteres", ()),
    Reason.WAITING_NOTE_UNSTORABLE: Message(409, "status", UNSTORABLE.format("A nota"), ()),
    Reason.WAITING_CLOSED: Message(409, "status", "O pedido já saiu da fila de espera", ()),
    Reason.WAITING_CHANGED: Message(409, "status", "O pedido da fila de espera foi alterado", ()),
    Reason.WAITING_APPOINTMENT_GONE: Message(409, "status", "O agendamento não pode mais ser trocado", ()),
    Reason.WAITING_NOT_EARLIER: Message(409, "status", "O horário não é antes do atual", ()),
    Reason.WAITING_ASK_WHO_PAYS: Message(409, "status", "O convênio do paciente deve ser verificado", ()),
    Reason.FAMILY_TWICE: Message(409, "patient.name", "O paciente está em duas linhas", ()),
    Reason.FAMILY_ASK_WHO_PAYS: Message(409, "patient.name", "O convênio do paciente deve ser verificado", ()),
    Reason.RECALL_NOT_SERVED: Message(409, "status", "O atendimento ainda não começou", ()),
    Reason.RECALL_TWICE: Message(409, "status", "O retorno já está anotado", ()),
    Reason.RECALL_NOT_PERFORMED: Message(409, "status", "O médico não faz esse procedimento", ()),
    Reason.RECALL_NOTE_TOO_LONG: Message(409, "status", "A nota passa de %(limit)s caracteres", ()),
    Reason.RECALL_NOTE_UNSTORABLE: Message(409, "status", UNSTORABLE.format("A nota"), ()),
    Reason.RECALL_BOOKED: Message(409, "status", "O retorno já foi agendado", ()),
    Reason.RECALL_CLOSED: Message(409, "status", "O retorno já foi fechado", ()),
    Reason.RECALL_CHANGED: Message(409, "status", "O retorno foi alterado", ()),
    Reason.RECALL_NOT_CLOSED: Message(409, "status", "O retorno não foi fechado", ()),
    Reason.RECALL_OUTCOME_UNKNOWN: Message(409, "status", "O motivo não é conhecido", ()),
    Reason.MERGED_ALREADY: Message(409, "patient.name", "O cadastro já foi juntado a outro", ()),
    Reason.MERGED_SINCE: Message(409, "patient.name", "O cadastro foi juntado depois a outro", ()),
    Reason.MERGE_CHANGED: Message(409, "patient.name", "O paciente foi alterado nesse meio-tempo", ()),
    Reason.MERGE_AT_ONE_TIME: Message(409, "patient.name", "Há agendamentos dos dois ao mesmo tempo", ()),
    Reason.MERGE_UNDONE: Message(409, "patient.name", "A junção já foi desfeita", ()),
    Reason.MERGE_TOO_OLD: Message(409, "patient.name", "A junção tem mais de %(limit)s dias", ()),
    Reason.NOT_MOVABLE: Message(409, "status", "Um agendamento com status %(current)s não pode ser reagendado", ()),
    Reason.NOT_REPEATABLE: Message(409, "status", "Um agendamento com status %(current)s não pode ser repetido", ()),
    Reason.NOT_CHANGEABLE: Message(409, "status", "Um agendamento com status %(current)s não pode ser alterado", ()),
    Reason.FINISHED_FOR_MANAGERS: Message(409, "status", "Um agendamento finalizado não pode ser alterado", ()),
    Reason.NOTHING_CHANGED: _about("startTime", "O agendamento já está nesse horário", 409, AVAILABILITY),
    Reason.TRANSITION_FORBIDDEN: Message(409, "status", "Transição de %(current)s para %(wanted)s não permitida", ()),
    Reason.NOT_THAT_DAY: Message(409, "status", "Só se %(act)s no dia do agendamento, %(date)s", ()),
    Reason.NOT_WAITING: Message(409, "status", "Só se chama quem fez check-in e espera", ()),
    Reason.NOT_IN_QUEUE: Message(409, "status", "A prioridade é de quem espera ou vem hoje", ()),
    Reason.NOT_YET_BEGUN: Message(409, "status", "Só se marca falta depois do início, às %(time)s", ()),
    Reason.ANOTHER_IN_SERVICE: Message(409, "status", "O médico já está atendendo outro paciente", ()),
    Reason.UNDO_TOO_LATE: Message(409, "status", "Um atendimento finalizado só volta atrás no mesmo dia", ()),
    Reason.NOTHING_TO_UNDO: Message(409, "status", "Não há o que desfazer neste agendamento", ()),
    Reason.CHANGED_MEANWHILE: Message(409, "status", "O agendamento foi alterado nesse meio-tempo", ()),
    Reason.NOT_PAYABLE: Message(409, "status", "Um agendamento com status %(current)s não recebe pagamento", ()),
    Reason.PAYMENT_METHOD_UNKNOWN: _about("method", _one_of("method", PAYMENT_METHODS)),
    Reason.PAYMENT_VALUE_IMPOSSIBLE: _about("value", "value deve ser maior que zero, com no máximo 2 casas decimais"),
    Reason.PAYMENT_FLAG_SHAPE: _about(
        "flag", "flag deve ter letras e dígitos, no máximo 30, e nunca o número do cartão"
    ),
    Reason.PAYMENT_INSTALMENTS: _about("instalments", "instalments deve ser de 1 a %(limit)s"),
    Reason.PAYMENT_PROTOCOL_SHAPE: _about(
        "protocol", "protocol deve ter letras sem acento, dígitos e . / : _ -, no máximo 60"
    ),
    Reason.CANCELLED_BY_MISSING: Message(400, "action", "Não se sabe quem cancelou", ()),
    Reason.CANCEL_REASON_TOO_LONG: Message(400, "action", "O motivo passa de %(limit)s caracteres", ()),
    Reason.CANCEL_REASON_UNSTORABLE: Message(400, "action", UNSTORABLE.format("O motivo"), ()),
}


def is_out_of_hours(reason: Reason) -> bool:
    """Return whether the vendor's one sentence for closed times stands for this reason."""
    return REFUSALS[reason] == _out_of_hours()


# Where the body is the patient itself, another patient's CPF is a conflict instead of an invalid field.
REFUSALS_OF_PATIENTS: Messages = REFUSALS | {
    Reason.CPF_TAKEN: _about("patient.cpf", "Já existe um paciente com esse CPF", 409),
    Reason.PATIENT_EXISTS: _about("patient.name", "Já existe um paciente com esse nome e telefone", 409),
}

# For a status that makes the appointment take its time again: no field of the request is invalid.
REFUSALS_OF_STATUSES: Messages = REFUSALS | {
    Reason.DOCTOR_UNKNOWN: _about("doctorId", "O médico não atende mais na clínica", 409),
    **{
        reason: _about("startTime", "Fora do expediente do médico. Horários livres mais próximos: %(nearest)s", 409)
        for reason in REFUSALS
        if is_out_of_hours(reason)
    },
}


# For a visit that another doctor begins, the one in the request.
REFUSALS_OF_DOCTORS: Messages = REFUSALS_OF_STATUSES | {
    reason: REFUSALS[reason] for reason in (Reason.DOCTOR_UNKNOWN, Reason.PROCEDURE_NOT_OFFERED)
}


def example(reason: Reason, messages: Messages = REFUSALS, **params: str) -> str:
    """Return the message for a broken rule as the API answers it, for the reference."""
    return messages[reason].sentence % params


DOCTOR_FAULTS = {
    DoctorFault.NAME_MISSING: ("name", "name should not be empty"),
    DoctorFault.NAME_WITHOUT_LETTERS: ("name", "name must contain at least one letter"),
    DoctorFault.NAME_TOO_LONG: (
        "name",
        f"name must be shorter than or equal to {max_length(Doctor, 'name')} characters",
    ),
    DoctorFault.NAME_UNSTORABLE: ("name", UNSTORABLE.format("name")),
    DoctorFault.NAME_TAKEN: ("name", DOCTOR_EXISTS),
    DoctorFault.PROCEDURE_UNKNOWN: ("procedureIds", "Procedimentos não encontrados"),
    DoctorFault.ENDS_NOT_AFTER_START: ("endTime", "endTime deve ser posterior a startTime"),
    DoctorFault.HOURS_OVERLAP: ("startTime", "Os horários do mesmo dia se cruzam"),
    DoctorFault.INTERVAL_TOO_SHORT: ("intervalMinutes", f"intervalMinutes must not be less than {SHORTEST_INTERVAL}"),
    DoctorFault.SPECIALTY_TOO_LONG: ("specialty", TOO_LARGE.format("specialty", max_length(Doctor, "specialty"))),
    DoctorFault.SPECIALTY_UNSTORABLE: ("specialty", UNSTORABLE.format("specialty")),
    DoctorFault.INTERVAL_TOO_LONG: ("intervalMinutes", f"intervalMinutes must not be greater than {LONGEST_INTERVAL}"),
}
