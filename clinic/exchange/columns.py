"""Which column of a spreadsheet is which field: guessed from its heading, and from what stands in it."""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic.models import Clinic, documents
from clinic.models.patient import DATES

# What a column can be: the fields of PatientDetails, and parts of the name. As they are chosen on the page.
FIELDS = {
    "name": _("Nome"),
    "middle_name": _("Nome do meio"),
    "surname": _("Sobrenome"),
    "social_name": _("Nome social"),
    "birth_date": _("Data de nascimento"),
    "phone": _("Telefone"),
    "phone_of": _("De quem é o telefone"),
    "second_phone": _("Segundo telefone"),
    "second_phone_of": _("De quem é o segundo telefone"),
    "email": _("E-mail"),
    "cpf": _("CPF"),
    "nif": _("NIF"),
    "health_number": _("Número do SNS"),
    "document_number": _("Outro documento"),
    "document_type": _("Tipo do documento"),
    "document_country": _("País do documento"),
    "no_document": _("Por que não tem CPF ou NIF"),
    "guardian_name": _("Responsável"),
    "guardian_relation": _("Parentesco do responsável"),
    "payer_id": _("Convênio"),
    "card_number": _("Carteira"),
    "card_expires_on": _("Validade da carteira"),
    "accepts_whatsapp": _("Aceita mensagens por WhatsApp"),
    "alert": _("Aviso"),
    "notes": _("Observações"),
    "died": _("Falecido(a)"),
    "died_on": _("Data do falecimento"),
}
PARTS_OF_NAME = ("name", "middle_name", "surname")
# Headings as programs of both countries write them, by their letters and digits; the first that fits wins.
HEADINGS = {
    "social_name": "nome social|nome preferido|preferred name|social name",
    "guardian_name": "responsavel|nome do responsavel|encarregado|encarregado de educacao|guardian|nome da mae|mae",
    "guardian_relation": "parentesco|grau de parentesco|parentesco do responsavel|relationship",
    "surname": "sobrenome|apelido|apelidos|last name|surname|family name",
    "middle_name": "nome do meio|middle name",
    "name": "nome|nome completo|paciente|nome do paciente|nome paciente|utente|nome do utente|cliente|nome do cliente"
    "|name|full name|patient|patient name|first name|primeiro nome|nome proprio",
    "second_phone_of": "de quem e o segundo telefone",
    "phone_of": "de quem e o telefone",
    "second_phone": "segundo telefone|telefone 2|telefone2|celular 2|telemovel 2|outro telefone|telefone alternativo"
    "|telefone fixo|fixo|residencial|telefone residencial|tel residencial|home phone|phone 2|phone 2 value"
    "|telefone de casa|telefone comercial|telefone recado",
    "phone": "celular|telemovel|telefone|telefone celular|telefone 1|celular 1|tel|tel celular|fone|whatsapp|contato"
    "|contacto|phone|phone number|mobile|mobile phone|cell phone|phone 1|phone 1 value|telefones|n telemovel",
    "birth_date": "nascimento|data de nascimento|data nascimento|data nasc|dt nasc|dt nascimento|dtnasc|nasc"
    "|aniversario|data de nasc|birth date|birthdate|date of birth|dob|birthday|data de nascimento do paciente",
    "email": "email|e mail|correio eletronico|e mail 1 value|email address|endereco de e mail",
    "cpf": "cpf|cpf do paciente|numero do cpf|cpf cnpj|documento cpf|cic",
    "nif": "nif|contribuinte|numero de contribuinte|n contribuinte|n de contribuinte|tax number|vat",
    "health_number": "numero de utente|n de utente|n utente|n utente sns|numero sns|numero do sns|sns|utente sns"
    "|numero de utente do sns",
    "document_number": "rg|identidade|documento|outro documento|numero do documento|passaporte|cartao de cidadao|bi"
    "|passport|n do documento|id document",
    "document_type": "tipo do documento|tipo de documento|document type",
    "document_country": "pais do documento|document country",
    "no_document": "por que nao tem cpf ou nif",
    "card_expires_on": "validade da carteira|validade|validade carteirinha|validade do cartao|validade carteira",
    "card_number": "carteira|carteirinha|numero da carteira|n da carteira|numero da carteirinha|matricula do convenio"
    "|numero de beneficiario|n beneficiario|n de beneficiario|card number|member number",
    "payer_id": "convenio|plano|plano de saude|seguro|seguradora|entidade|subsistema|insurance|health plan|operadora",
    "accepts_whatsapp": "aceita mensagens por whatsapp|aceita whatsapp|aceita mensagens|recebe whatsapp",
    "died_on": "data do falecimento|falecimento|data do obito|obito|date of death",
    "died": "falecido a|falecido|falecida|deceased",
    "alert": "aviso|alerta|alert",
    "notes": "observacoes|observacao|obs|notas|nota|notes|comentarios|anotacoes|remarks",
}
# Words that are something else in this country: a nickname; and a mother is not always who is responsible.
NOT_MEANT: dict[str, set[str]] = {Clinic.Country.BRAZIL: {"apelido", "apelidos", "nome da mae", "mae"}}
LOOKED_AT = 10  # rows in which the headings are sought: titles and logos stand above them
DAY_AND_MONTH = re.compile(r"\s*(\d{1,2})[/.-](\d{1,2})[/.-](?:\d{4}|\d{2})\b")
ENOUGH = 0.8  # of the values of a column, to tell what it is


@dataclass(frozen=True)
class Columns:
    """What a column of one kind of spreadsheet can be: its fields as they are chosen on the page, those that are dates,
    the headings by which each is known, and the fields of which one is always needed, with what is asked for without
    any of them."""

    fields: Mapping[str, object]
    dates: Collection[str]
    headings: Mapping[str, str]
    needed: Sequence[tuple[Collection[str], object]]

    def heading_row(self, rows: Sequence[Sequence[str]], country: str) -> int:
        """Return the place of the row with most known headings among the first ones; without any, the first one."""
        known = [sum(self.field_of(cell, country) != "" for cell in row) for row in rows[:LOOKED_AT]]
        return known.index(max(known)) if known else 0

    def field_of(self, heading: str, country: str) -> str:
        """Return the field that a heading names in a `Clinic.Country`, "" for none."""
        simplified = _simplified(heading)
        if simplified in NOT_MEANT.get(country, set()):
            return ""
        own = (field for field, label in self.fields.items() if _simplified(str(label)) == simplified)
        return self._by_heading.get(simplified) or next(own, "")

    def guess(self, headings: Sequence[str], rows: Sequence[Sequence[str]], country: str) -> list[str]:
        """Return the field of each column, "" for a column that is not brought along; each field is given once."""
        found: list[str] = []
        for place, heading in enumerate(headings):
            values = [row[place] for row in rows if place < len(row) and row[place]]
            field = self.field_of(heading, country) or _field_of_values(values)
            if field == "phone" and "phone" in found:
                field = "second_phone"
            found.append("" if field in found or field not in self.fields else field)
        return found

    def fault(self, columns: Sequence[str]) -> str:
        """Return what is wrong with these fields for the columns as a sentence, "" for nothing."""
        chosen = [field for field in columns if field]
        for field in chosen:
            if field not in self.fields or chosen.count(field) > 1:
                return gettext("“%(field)s” foi escolhido para duas colunas.") % {
                    "field": self.fields.get(field, field)
                }
        missing = (sentence for fields, sentence in self.needed if not set(fields) & set(chosen))
        return str(next(missing, ""))

    @cached_property
    def _by_heading(self) -> dict[str, str]:
        return {heading: field for field, headings in self.headings.items() for heading in headings.split("|")}


PATIENTS = Columns(
    FIELDS, DATES, HEADINGS, [({"name", "surname"}, _("Escolha em que coluna está o nome dos pacientes."))]
)


def is_month_first(text: str) -> bool:
    """Return whether a date can only be month/day/year: 03/25/1980."""
    match = DAY_AND_MONTH.match(text)
    return match is not None and int(match[1]) <= 12 < int(match[2]) <= 31


def is_ambiguous(text: str) -> bool:
    """Return whether a date is another one when day and month are exchanged: 03/04/1980."""
    match = DAY_AND_MONTH.match(text)
    return match is not None and match[1].lstrip("0") != match[2].lstrip("0") and max(map(int, match.groups())) <= 12


def _simplified(heading: str) -> str:
    decomposed = unicodedata.normalize("NFKD", heading.replace("º", " ").replace("ª", " ").lower())
    letters = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(re.sub(r"[^a-z0-9]+", " ", letters).split())


def _field_of_values(values: Sequence[str]) -> str:
    if not values:
        return ""
    tests = {
        "cpf": lambda value: documents.is_cpf(documents.read_cpf(value)),
        "email": _is_email,
    }
    return next((field for field, test in tests.items() if sum(map(test, values)) >= ENOUGH * len(values)), "")


def _is_email(value: str) -> bool:
    try:
        validate_email(value)
    except ValidationError:
        return False
    return True
