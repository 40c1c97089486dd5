"""Which columns spreadsheets of procedures and of doctors can have, and their headings as programs write them."""

from django.utils.translation import gettext_lazy as _

from clinic.exchange.columns import Columns

PROCEDURE_FIELDS = {
    "name": _("Procedimento"),
    "duration_minutes": _("Duração em minutos"),
    "price": _("Preço"),
    "code": _("Código"),
    "preparation": _("Preparo"),
}
PROCEDURE_HEADINGS = {
    "name": "procedimento|procedimentos|nome|nome do procedimento|servico|nome do servico|exame|ato|ato medico"
    "|tipo de consulta|descricao|descricao do procedimento|procedure|service|name|designacao",
    "duration_minutes": "duracao|duracao em minutos|duracao min|minutos|min|tempo|tempo em minutos|duration|minutes",
    "price": "preco|valor|valor particular|preco particular|valor r|preco r|valor unitario|price|amount|pvp|custo",
    "code": "codigo|codigo do procedimento|cod|codigo tuss|tuss|codigo interno|code|referencia",
    "preparation": "preparo|preparacao|instrucoes|orientacoes|preparation",
}
PROCEDURES = Columns(
    PROCEDURE_FIELDS,
    set(),
    PROCEDURE_HEADINGS,
    [
        ({"name"}, _("Escolha em que coluna está o nome dos procedimentos.")),
        ({"price"}, _("Escolha em que coluna está o preço.")),
    ],
)
DOCTOR_FIELDS = {
    "name": _("Nome, com ou sem título"),
    "title": _("Título"),
    "council_number": _("Registro no conselho"),
    "specialty": _("Especialidade"),
    "procedures": _("Procedimentos"),
    "week": _("Horário da semana"),
}
DOCTOR_HEADINGS = {
    "name": "nome|nome completo|medico|medica|medico a|medicos|profissional|nome do medico|nome do profissional|doutor"
    "|doctor|provider|name|full name|prestador|especialista",
    "title": "titulo|tratamento|title|prefixo",
    "council_number": "crm|registro no conselho|registro|numero do conselho|conselho|cedula|cedula profissional"
    "|numero da ordem|n ordem|ordem|om|license|license number|registo profissional|registo na ordem",
    "specialty": "especialidade|especialidades|area|specialty|speciality",
    "procedures": "procedimentos|servicos|procedimentos que faz|atos|exames|procedures|services",
    "week": "horario|horarios|semana|horario da semana|horario de atendimento|agenda|hours|working hours",
}
DOCTORS = Columns(
    DOCTOR_FIELDS, set(), DOCTOR_HEADINGS, [({"name"}, _("Escolha em que coluna está o nome de cada médico(a)."))]
)
