"""Which columns a spreadsheet of appointments can have, and their headings in programs of both countries."""

from django.utils.translation import gettext_lazy as _

from clinic.exchange.columns import FIELDS, HEADINGS, Columns

# The fields by which a patient is found, as in a spreadsheet of patients.
OF_PATIENT = ("name", "cpf", "nif", "health_number", "phone", "birth_date")
APPOINTMENT_FIELDS = {
    "starts_on": _("Data, ou data e hora"),
    "starts_at": _("Hora de início"),
    "ends_at": _("Hora do fim"),
    "minutes": _("Duração em minutos"),
    "doctor": _("Médico(a)"),
    "council_number": _("Registro no conselho"),
    "procedure": _("Procedimento"),
    **{field: FIELDS[field] for field in OF_PATIENT},
    "name": _("Paciente"),
    "status": _("Situação"),
    "payer_id": _("Convênio"),
    "notes": _("Observações do agendamento"),
}
APPOINTMENT_HEADINGS = {
    "starts_on": "data|dia|data da consulta|data consulta|data do agendamento|data agendamento|data hora|data e hora"
    "|data e hora de inicio|data do atendimento|data atendimento|data marcacao|data da marcacao|data inicio"
    "|data de inicio|inicio em|date|start date|appointment date|date time|datetime|start time date|quando",
    "starts_at": "hora|horario|hora inicio|hora de inicio|hora inicial|inicio|horario inicio|hora da consulta"
    "|horario da consulta|hora marcada|time|start|start time|hora do agendamento|hora agendamento",
    "ends_at": "fim|termino|hora fim|hora final|hora do fim|hora termino|hora de termino|horario fim|ate|end"
    "|end time|data e hora de fim|data fim",
    "minutes": "duracao|duracao em minutos|duracao min|minutos|min|tempo|duration|duration min|duration minutes",
    "doctor": "medico|medica|medico a|profissional|doutor|doutora|doctor|provider|nome do medico|nome do profissional"
    "|prestador|especialista|agenda|responsavel pelo atendimento|physician|practitioner",
    "council_number": "crm|registro no conselho|conselho|numero do conselho|registro|crm medico|crm do medico|cedula"
    "|cedula profissional|numero da ordem|n ordem|ordem|om|license|license number|registo profissional",
    "procedure": "procedimento|procedimentos|servico|servicos|tipo de consulta|tipo consulta|tipo|exame|consulta|ato"
    "|ato medico|codigo do procedimento|procedure|service|appointment type|especialidade e tipo|tratamento",
    "status": "situacao|status|estado|state|situacao da consulta|status do agendamento|estado da consulta|presenca",
    "notes": f"{HEADINGS['notes']}|observacoes do agendamento|observacao do agendamento|motivo|descricao|comments",
    **{field: HEADINGS[field] for field in (*OF_PATIENT, "payer_id")},
}
APPOINTMENTS = Columns(
    APPOINTMENT_FIELDS,
    {"starts_on", "birth_date"},
    APPOINTMENT_HEADINGS,
    [
        ({"starts_on"}, _("Escolha em que coluna está a data.")),
        ({"doctor", "council_number"}, _("Escolha em que coluna está o médico ou a médica.")),
        ({"procedure"}, _("Escolha em que coluna está o procedimento.")),
        ({"name", "cpf", "nif", "health_number"}, _("Escolha em que coluna está o nome ou o número do paciente.")),
    ],
)
