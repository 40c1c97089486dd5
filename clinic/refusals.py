"""The reasons for which something is refused: a stable code, a field, and the sentence that people read."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from clinic.schedule import Opening

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


class Reason(Enum):
    """`name` is the stable code. Sentences are Brazilian Portuguese; `%(…)s` are the refusal's params, where a doctor's
    name comes in the forms of `clinic.models.titles.in_sentence`."""

    def __init__(self, field: str, sentence: "StrPromise") -> None:
        self.field = field
        self.sentence = sentence

    PATIENT_MISSING = "patient", _("Escolha um paciente da lista ou cadastre um novo.")
    PATIENT_UNKNOWN = "patient", _("Este paciente não está mais no cadastro. Busque de novo pelo nome ou telefone.")
    PATIENT_EXISTS = "", _("Já existe %(name)s com este telefone. Confirme se é a mesma pessoa.")
    PATIENT_CHANGED = "", _("Este cadastro foi alterado depois do que você viu. Confira e salve de novo.")
    PATIENT_DIED = (
        "patient",
        _("%(patient)s consta como falecido(a). Se for engano, desfaça a marca no cadastro e tente de novo."),
    )
    MERGED_ALREADY = "", _("O cadastro de %(patient)s já foi juntado a outro. Nada foi alterado: abra a ficha de novo.")
    MERGED_SINCE = "", _("O cadastro de %(patient)s foi juntado depois a outro. Desfaça primeiro essa junção.")
    MERGE_CHANGED = "", _("Um dos cadastros foi alterado depois do que você viu. Leia os dois de novo e junte.")
    MERGE_AT_ONE_TIME = (
        "",
        _(
            "Os dois têm agendamento ao mesmo tempo: %(one)s e %(other)s. Cancele ou remarque um deles e junte de novo."
            " Nada foi alterado."
        ),
    )
    MERGE_UNDONE = "", _("Esta junção já foi desfeita.")
    MERGE_TOO_OLD = "", _("Uma junção só se desfaz em %(limit)s dias, e já passaram mais.")
    DIED_ON_IMPOSSIBLE = "died_on", _("A data do falecimento deve ficar entre o nascimento e hoje. Corrija ou apague.")
    DIED_ON_WITHOUT_MARK = "died_on", _("Selecione “Falecido(a)” para gravar esta data, ou apague a data.")
    NAME_MISSING = "name", _("Informe o nome do paciente.")
    NAME_WITHOUT_LETTERS = "name", _("O nome não tem nenhuma letra. Escreva o nome do paciente.")
    SOCIAL_NAME_WITHOUT_LETTERS = (
        "social_name",
        _("O nome social não tem nenhuma letra. Escreva como a pessoa quer ser chamada, ou deixe em branco."),
    )
    NAME_TOO_LONG = "name", _("O nome tem %(length)s caracteres; o máximo é %(limit)s.")
    SOCIAL_NAME_TOO_LONG = "social_name", _("O nome social tem %(length)s caracteres; o máximo é %(limit)s.")
    NAME_UNSTORABLE = "name", _("O nome tem caracteres que não podem ser gravados (%(characters)s). Escreva-o de novo.")
    SOCIAL_NAME_UNSTORABLE = (
        "social_name",
        _("O nome social tem caracteres que não podem ser gravados (%(characters)s). Escreva-o de novo."),
    )
    ALERT_TOO_LONG = "alert", _("O aviso tem %(length)s caracteres; o máximo é %(limit)s.")
    ALERT_UNSTORABLE = (
        "alert",
        _("O aviso tem caracteres que não podem ser gravados (%(characters)s). Escreva-o de novo."),
    )
    LABEL_TOO_LONG = "", _("São %(length)s caracteres; o máximo é %(limit)s.")
    LABEL_UNSTORABLE = "", _("Há caracteres que não podem ser gravados (%(characters)s). Escreva de novo.")
    PHONE_MISSING = "phone", _("Informe um telefone com DDD, por exemplo %(example)s.")
    PHONE_IMPOSSIBLE = (
        "phone",
        _("Este telefone não existe. Escreva com DDD, por exemplo %(example)s, ou com + e o código do país."),
    )
    PHONE_NOT_DIGITS = (
        "phone",
        _("O telefone tem “%(found)s”, que não é número. Escreva só os dígitos, por exemplo %(example)s."),
    )
    PHONE_CARRIER = (
        "phone",
        _(
            "O telefone começa por 00 e o código de uma operadora, %(carrier)s. Escreva só DDD e número, por exemplo"
            " %(example)s, ou + e o código do país."
        ),
    )
    PHONE_SEVERAL = "phone", _("São vários telefones. Escreva um aqui, por exemplo %(example)s.")
    PHONE_TOO_SHORT = "phone", _("Faltam dígitos: são só %(count)s. Escreva com DDD, por exemplo %(example)s.")
    PHONE_DIGIT_MISSING = "phone", _("Falta um dígito: %(phone)s. Confira o número com a pessoa.")
    PHONE_DIGITS_MISSING = "phone", _("Faltam %(count)s dígitos: %(phone)s. Confira o número com a pessoa.")
    PHONE_TOO_LONG = (
        "phone",
        _("Há dígitos a mais: são %(count)s, %(over)s além do possível. Confira, ou comece por + e o código do país."),
    )
    PHONE_AREA_MISSING = "phone", _("Falta o DDD: (__) %(phone)s. Escreva, por exemplo, %(example)s.")
    PHONE_AREA_UNKNOWN = "phone", _("Não existe o DDD %(area)s. Confira, ou comece por + e o código do país.")
    PHONE_NOT_IN_BRAZIL = (
        "phone",
        _(
            "Este número não existe no Brasil: depois do DDD %(area)s começa por %(begins)s. Confira, ou comece por +"
            " e o código do país."
        ),
    )
    PHONE_NOT_IN_PORTUGAL = (
        "phone",
        _("Este número não existe em Portugal: começa por %(begins)s. Confira, ou comece por + e o código do país."),
    )
    PHONE_NINTH_DIGIT = "phone", _("Acrescentamos o 9: %(phone)s. Confere? Selecione a caixa, ou corrija o número.")
    PHONE_TEN_DIGITS = (
        "phone",
        _("São dez dígitos. Se falta o 9 do celular, é %(phone)s: confere? Selecione a caixa, ou complete o número."),
    )
    PHONE_OF_BRAZIL = (
        "phone",
        _("Este número não existe em Portugal. É do Brasil, %(phone)s? Selecione a caixa, ou corrija o número."),
    )
    PHONE_TO_WRITE = "second_phone", _("É %(phone)s? Escreva o número por inteiro, ou corrija.")
    BIRTH_DATE_IMPOSSIBLE = "birth_date", _("A data de nascimento deve ficar entre 1900 e hoje.")
    CPF_SHAPE = "cpf", _("O CPF tem 11 dígitos, por exemplo 529.982.247-25. Corrija ou deixe em branco.")
    CPF_IS_CNPJ = "cpf", _("Isto é um CNPJ; aqui vai o CPF da pessoa. Corrija ou deixe em branco.")
    CPF_INVALID = "cpf", _("Os dígitos deste CPF não conferem. Corrija ou deixe em branco por enquanto.")
    CPF_TAKEN = "cpf", _("Este CPF já é de %(name)s. Escolha esse cadastro na busca ou corrija o número.")
    CPF_OTHER_BIRTH_DATE = "cpf", _("Este CPF já está cadastrado com outra data de nascimento. Confira os dois.")
    NIF_INVALID = "nif", _("Este NIF não é válido. São 9 dígitos; corrija ou deixe em branco.")
    NIF_OF_NOBODY = "nif", _("É o NIF de consumidor final. Deixe em branco.")
    HEALTH_NUMBER_SHAPE = "health_number", _("São 9 dígitos. Corrija ou deixe em branco.")
    HEALTH_NUMBER_IS_NIF = "health_number", _("Este é o NIF; o número do SNS é outro. Corrija ou deixe em branco.")
    HEALTH_NUMBER_TAKEN = (
        "health_number",
        _("Este número do SNS já é de %(name)s. Escolha esse cadastro na busca ou corrija o número."),
    )
    DOCUMENT_SHAPE = (
        "document_number",
        _("O número do documento tem de %(least)s a %(most)s letras sem acento e dígitos, por exemplo FX123456."),
    )
    PAYER_UNKNOWN = "payer", _("Este convênio não é mais aceito. Escolha outro, ou particular.")
    PAYER_NOT_YET = "payer", _("%(payer)s só é aceito a partir de %(date)s. Escolha outro dia, ou particular.")
    PAYER_ENDED = "payer", _("%(payer)s foi aceito só até %(date)s. Escolha outro convênio, ou particular.")
    PAYER_NOT_TAKEN = "payer", _("%(The_doctor)s não atende por %(payer)s. Escolha outro médico, ou particular.")
    PAYER_NOT_THAT_WEEKDAY = (
        "payer",
        _("%(The_doctor)s só atende por %(payer)s nestes dias: %(days)s. Escolha outro dia, ou particular."),
    )
    PAYER_FULL = (
        "payer",
        _("Agendamentos por %(payer)s em %(date)s: já há %(count)s, o máximo é %(limit)s. Escolha outro dia."),
    )
    PAYER_FULL_WITH_DOCTOR = (
        "payer",
        _(
            "Agendamentos %(of_doctor)s por %(payer)s em %(date)s: já há %(count)s, o máximo é %(limit)s. Escolha outro"
            " dia."
        ),
    )
    AUTHORIZATION_MISSING = "authorization_number", _("%(payer)s exige a guia. Escreva o número dela.")
    CARD_NUMBER_SHAPE = (
        "card_number",
        _("O número da carteira tem dígitos e letras sem acento, %(most)s no máximo. Corrija ou deixe em branco."),
    )
    EMAIL_INVALID = "email", _("Este e-mail não é válido. Exemplo: nome@provedor.com.")
    DOCTOR_MISSING = "doctor", _("Escolha o médico ou a médica.")
    DOCTOR_UNKNOWN = "doctor", _("Este profissional não atende mais aqui. Escolha outro.")
    PROCEDURES_MISSING = "procedures", _("Escolha pelo menos um procedimento.")
    PROCEDURES_TOO_MANY = (
        "procedures",
        _("No máximo %(limit)s procedimentos por agendamento (foram escolhidos %(count)s)."),
    )
    PROCEDURE_UNKNOWN = "procedures", _("Um dos procedimentos não é mais oferecido. Escolha de novo.")
    PROCEDURE_NOT_OFFERED = (
        "procedures",
        _("%(The_doctor)s não realiza %(procedure)s. Troque o procedimento ou o médico."),
    )
    DISCOUNT_UNKNOWN = "discount", _("Este desconto não existe mais. Escolha outro ou nenhum.")
    DISCOUNT_EXPIRED = "discount", _("O desconto %(discount)s vale só até %(date)s. Escolha outro ou nenhum.")
    DISCOUNT_LEFT_BEHIND = (
        "discount",
        _("O desconto %(discount)s vale só até %(date)s. Escolha uma data até lá, ou remarque sem o desconto."),
    )
    DISCOUNT_ABOVE_LIMIT = (
        "discount",
        _("Seu limite de desconto é de %(limit)s%%, %(most)s; este dá %(given)s. Escolha outro, ou peça à gestão."),
    )
    TOTAL_CHANGED = (
        "total",
        _("O total mudou enquanto o painel estava aberto: era %(shown)s, agora é %(total)s. Confira e tente de novo."),
    )
    NOTES_TOO_LONG = "notes", _("As observações têm %(length)s caracteres; o máximo é %(limit)s.")
    NOTES_UNSTORABLE = (
        "notes",
        _("As observações têm caracteres que não podem ser gravados (%(characters)s). Escreva de novo essa parte."),
    )
    METADATA_UNSTORABLE = "metadata", _("Os metadados têm caracteres que não podem ser gravados (%(characters)s).")
    START_MISSING = "starts_at", _("Escolha a data e o horário.")
    TIME_HAS_SECONDS = "starts_at", _("O início e o fim são em minutos inteiros, sem segundos.")
    END_NOT_AFTER_START = "ends_at", _("O fim deve ser depois do início.")
    TOO_LONG = "ends_at", _("O agendamento passa de %(hours)s horas. Confira o início e o fim.")
    TOO_SHORT = "ends_at", _("A duração dos procedimentos é de %(minutes)s minutos.")
    DATE_PAST = "date", _("Esta data já passou. Escolha hoje ou uma data futura.")
    DATE_TOO_FAR = "date", _("Esta data está longe demais. Escolha até %(date)s.")
    NOTICE_TOO_SHORT = (
        "starts_at",
        _("É preciso marcar com %(hours)s h de antecedência. Escolha um horário a partir de %(first)s."),
    )
    AGENDA_NOT_OPEN = "date", _("A agenda %(of_doctor)s está aberta até %(date)s. Escolha um dia até lá.")
    PROCEDURE_NOT_OPEN = "date", _("A agenda de %(procedure)s está aberta até %(date)s. Escolha um dia até lá.")
    DAY_FULL = (
        "date",
        _("O máximo por dia %(of_doctor)s é %(limit)s, e em %(date)s já há %(count)s. Escolha outro dia."),
    )
    DAY_FULL_OF_PROCEDURE = (
        "date",
        _(
            "O máximo por dia de %(procedure)s com %(the_doctor)s é %(limit)s, e em %(date)s já há %(count)s. Escolha"
            " outro dia."
        ),
    )
    TIME_PAST = "starts_at", _("Este horário já passou: são %(now)s. Escolha um horário futuro.")
    OUTSIDE_HOURS = "starts_at", _("%(The_doctor)s não atende nesse horário: %(hours)s.")
    ENDS_AFTER_HOURS = (
        "starts_at",
        _("%(The_doctor)s não atende nesse horário: %(hours)s; terminaria às %(end)s."),
    )
    DOCTOR_ABSENT = "starts_at", _("%(The_doctor)s não atende nesse horário por ausência: %(reason)s.")
    CLINIC_CLOSED = "starts_at", _("A clínica estará fechada: %(reason)s.")
    HOLIDAY = "date", _("A clínica fecha no feriado: %(reason)s.")
    DOCTOR_TAKEN = "starts_at", _("O horário das %(time)s %(of_doctor)s já está ocupado.")
    PATIENT_ELSEWHERE = "starts_at", _("%(patient)s já tem agendamento às %(time)s com %(the_doctor)s.")
    ENCAIXE_NOT_PERMITTED = (
        "",
        _("Este usuário não tem permissão para encaixe. Peça à gestão, ou escolha um horário livre."),
    )
    ENCAIXE_NOT_APPROVED = (
        "approval",
        _("Quem aprova um encaixe é da gestão desta clínica. Escolha outra pessoa."),
    )
    ENCAIXE_REASON_MISSING = "encaixe_reason", _("Diga o motivo do encaixe.")
    ENCAIXE_REASON_TOO_LONG = (
        "encaixe_reason",
        _("O motivo do encaixe tem %(length)s caracteres; o máximo é %(limit)s."),
    )
    ENCAIXE_REASON_UNSTORABLE = (
        "encaixe_reason",
        _("O motivo do encaixe tem caracteres que não podem ser gravados (%(characters)s). Escreva-o de novo."),
    )
    ENCAIXE_TAKEN = (
        "starts_at",
        _("%(The_doctor)s já tem um encaixe às %(time)s. Escolha um horário sem outro encaixe."),
    )
    ENCAIXE_LIMIT = (
        "starts_at",
        _("O máximo de encaixes por dia %(of_doctor)s é %(limit)s, e em %(date)s já há %(count)s. Escolha outro dia."),
    )
    TRANSITION_FORBIDDEN = (
        "status",
        _("Não dá para passar de “%(current)s” para “%(wanted)s”. Confira a última mudança no histórico."),
    )
    NOT_WAITING = (
        "status",
        _("Só se chama quem fez check-in e espera; a situação é “%(current)s”. Veja a fila de novo."),
    )
    NOT_IN_QUEUE = (
        "status",
        _("A prioridade é de quem espera ou vem hoje; a situação é “%(current)s”. Veja a fila de novo."),
    )
    NOT_THAT_DAY = "status", _("Só se %(act)s no dia do agendamento, %(date)s.")
    NOT_YET_BEGUN = "status", _("Só se marca falta depois do início, às %(time)s.")
    ANOTHER_IN_SERVICE = "status", _("%(The_doctor)s já está atendendo outra pessoa. Finalize esse atendimento antes.")
    UNDO_TOO_LATE = "status", _("Um atendimento finalizado só volta atrás no mesmo dia.")
    NOTHING_TO_UNDO = "status", _("Não há o que desfazer neste agendamento.")
    CHANGED_MEANWHILE = (
        "status",
        _("Este agendamento foi alterado depois do que você viu. Confira a última mudança no histórico."),
    )
    CALL_NOT_NEEDED = "status", _("%(author)s já marcou este agendamento como “%(current)s”: não é preciso ligar.")
    CALL_AFTER_START = "call_at", _("O horário do paciente é em %(time)s. Escolha uma hora antes.")
    NOT_MOVABLE = "status", _("Um agendamento “%(current)s” não pode ser remarcado.")
    NOT_REPEATABLE = "status", _("Um agendamento “%(current)s” não pode ser repetido.")
    NOT_CHANGEABLE = "status", _("Os procedimentos de um agendamento “%(current)s” não podem ser alterados.")
    FINISHED_FOR_MANAGERS = (
        "status",
        _("Depois de “Finalizado”, só a gestão altera os procedimentos. Peça a alteração à gestão."),
    )
    NOTHING_CHANGED = "starts_at", _("Este já é o horário do agendamento. Escolha outro.")
    NOT_PAYABLE = "status", _("Um agendamento “%(current)s” não recebe pagamento.")
    PAYMENT_METHOD_UNKNOWN = "method", _("Escolha a forma do pagamento.")
    PAYMENT_VALUE_IMPOSSIBLE = "value", _("O valor deve ser maior que zero, em centavos inteiros.")
    PAYMENT_FLAG_SHAPE = "flag", _("A bandeira tem letras e dígitos, 30 no máximo, e nunca o número do cartão.")
    PAYMENT_INSTALMENTS = "instalments", _("Use de 1 a %(limit)s parcelas.")
    PAYMENT_PROTOCOL_SHAPE = "protocol", _("O protocolo tem letras sem acento e dígitos, 60 no máximo.")
    CANCELLED_BY_MISSING = "cancelled_by", _("Diga quem cancelou: o paciente ou a clínica.")
    CANCEL_REASON_TOO_LONG = "reason", _("O motivo tem %(length)s caracteres; o máximo é %(limit)s.")
    CANCEL_REASON_UNSTORABLE = (
        "reason",
        _("O motivo tem caracteres que não podem ser gravados (%(characters)s). Escreva-o de novo."),
    )
    WAITING_TWICE = "", _("%(patient)s já está na fila de espera por isto. Altere o pedido que está na fila.")
    WAITING_NOT_AHEAD = "appointment", _("Este agendamento não está mais por vir: não há o que antecipar.")
    WAITING_NOT_PERFORMED = (
        "doctors",
        _("Quem você escolheu não faz todos esses procedimentos. Escolha outros, ou qualquer profissional."),
    )
    WAITING_NOTE_TOO_LONG = "note", _("A nota tem %(length)s caracteres; o máximo é %(limit)s.")
    WAITING_NOTE_UNSTORABLE = (
        "note",
        _("A nota tem caracteres que não podem ser gravados (%(characters)s). Escreva-a de novo."),
    )
    WAITING_CLOSED = "", _("Este pedido já saiu da fila de espera. Nada foi alterado.")
    WAITING_CHANGED = "", _("Este pedido foi alterado depois do que você viu. Leia-o de novo antes de oferecer.")
    WAITING_APPOINTMENT_GONE = (
        "",
        _(
            "O agendamento que seria trocado foi cancelado, realizado ou removido; nada foi alterado. Mantenha o pedido"
            " na fila sem ele, ou retire o pedido."
        ),
    )
    WAITING_NOT_EARLIER = "", _("Este horário não é antes do que o paciente tem, %(time)s. Nada foi alterado.")
    WAITING_ASK_WHO_PAYS = (
        "",
        _(
            "O convênio de %(patient)s não é mais aceito ou exige a guia, ou a carteira vence antes desse dia; nada foi"
            " agendado. Agende pelo painel, onde se vê quem paga, e depois retire o pedido."
        ),
    )
    FAMILY_TWICE = "patient", _("%(patient)s está em duas linhas. Deixe só uma.")
    FAMILY_ASK_WHO_PAYS = (
        "",
        _(
            "O convênio de %(patient)s não é mais aceito ou exige a guia, ou a carteira vence antes desse dia. Agende"
            " pelo painel, onde se vê quem paga."
        ),
    )
    RECALL_NOT_SERVED = "status", _("O retorno é anotado quando o atendimento começou; a situação é “%(current)s”.")
    RECALL_TWICE = (
        "procedure",
        _("Esta consulta já tem um retorno em aberto deste procedimento. Adie ou feche o que está na lista."),
    )
    RECALL_NOT_PERFORMED = (
        "doctor",
        _("Quem você escolheu não faz esse procedimento. Escolha outro, ou qualquer profissional."),
    )
    RECALL_NOTE_TOO_LONG = "note", _("A nota tem %(length)s caracteres; o máximo é %(limit)s.")
    RECALL_NOTE_UNSTORABLE = (
        "note",
        _("A nota tem caracteres que não podem ser gravados (%(characters)s). Escreva-a de novo."),
    )
    RECALL_BOOKED = "", _("%(who)s já agendou este retorno para %(time)s. Nada foi alterado.")
    RECALL_CLOSED = "", _("%(who)s já fechou este retorno: %(outcome)s. Nada foi alterado.")
    RECALL_CHANGED = "", _("Este retorno foi alterado depois do que você viu. Leia-o de novo.")
    RECALL_NOT_CLOSED = "", _("Este retorno não foi fechado à mão: cancele o agendamento para tê-lo de volta.")
    RECALL_OUTCOME_UNKNOWN = "outcome", _("Diga se o paciente não quer, ou se já tem horário.")
    TRY_AGAIN = "", _("Outra pessoa está gravando isto neste momento. Nada foi gravado aqui: tente de novo.")


@dataclass(frozen=True)
class Refusal:
    """A broken rule: its reason, and the values of the placeholders in the sentence.

    `at` is the field, where one reason serves several.
    """

    reason: Reason
    params: dict[str, Any] = field(default_factory=dict)
    at: str = ""

    @property
    def field(self) -> str:
        return self.at or self.reason.field

    @property
    def message(self) -> str:
        """The sentence in the active language."""
        return str(self.reason.sentence) % self.params


class Refused(Exception):
    """Raised when nothing was written; `refusals` holds every broken rule."""

    def __init__(self, refusals: Iterable[Refusal]) -> None:
        self.refusals = list(refusals)
        super().__init__(", ".join(refusal.reason.name for refusal in self.refusals))

    @property
    def alternatives(self) -> list[Opening]:
        """The free times nearest to the one that was refused; none when something else was refused."""
        return []

    @property
    def following(self) -> list[Opening]:
        """The next free times from the one that was refused on."""
        return []

    @property
    def reasons(self) -> set[Reason]:
        return {refusal.reason for refusal in self.refusals}

    @property
    def message(self) -> str:
        """The sentences of all refusals, in the active language."""
        return " ".join(refusal.message for refusal in self.refusals)


def refuse(refusals: list[Refusal]) -> None:
    """Raise Refused if there are refusals."""
    if refusals:
        raise Refused(refusals)
