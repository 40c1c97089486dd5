"""The text in an archive that says what is in it, for people who read it with other programs."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from clinic.exchange.archive.tables import Table
from clinic.models import Clinic

NAME = "LEIA-ME.txt"
TYPES = {
    "BigAutoField": gettext_lazy("número da linha"),
    "BigIntegerField": gettext_lazy("número inteiro"),
    "IntegerField": gettext_lazy("número inteiro"),
    "PositiveIntegerField": gettext_lazy("número inteiro"),
    "PositiveSmallIntegerField": gettext_lazy("número inteiro"),
    "DecimalField": gettext_lazy("valor com duas casas"),
    "BooleanField": gettext_lazy("verdadeiro ou falso"),
    "DateField": gettext_lazy("data, AAAA-MM-DD"),
    "TimeField": gettext_lazy("hora no relógio da clínica"),
    "DateTimeField": gettext_lazy("instante em UTC"),
    "UUIDField": "UUID",
    "JSONField": "JSON",
    "ArrayField": gettext_lazy("lista"),
}


def read_me(clinic: Clinic, tables: Sequence[Table]) -> str:
    """Return the text, in the clinic's language."""
    with override(clinic.language):
        return "\n".join([*_head(clinic), *(line for table in tables for line in _about(table))]) + "\n"


def _head(clinic: Clinic) -> Iterator[str]:
    yield _("Todos os dados de uma clínica: %(name)s") % {"name": clinic.name}
    yield ""
    yield _("Cada arquivo em tables/ é uma tabela: texto UTF-8, uma linha em JSON por registro, pela ordem do id.")
    yield _("Valores em %(currency)s. Durações em minutos. Telefones em E.164 (+5581912345678).") % {
        "currency": clinic.currency
    }
    yield _(
        "Instantes são ISO 8601 em UTC; horários de trabalho e datas são do relógio da clínica, no fuso %(zone)s."
    ) % {"zone": clinic.time_zone}
    yield _("Dias da semana: 1 é segunda-feira, 7 é domingo. null: sem valor.")
    yield _("archive.json diz de quando é, de qual versão das tabelas, e quantos registros cada uma tem.")
    yield _("Da equipe vêm só nomes e funções, e quem está nela.")
    yield _("Senhas, chaves, endereços e sessões não estão aqui, nem o que mudou neles ou na equipe.")
    yield _("Há dados de saúde de pessoas: guarde onde só quem pode vê-los entra, e apague quando não precisar mais.")


def _about(table: Table) -> Iterator[str]:
    yield ""
    yield f"{table.name}: {table.model._meta.verbose_name_plural}"
    for field in table.fields:
        label = str(field.verbose_name)
        words = [_type(field), *([label] if label != field.name.replace("_", " ") else [])]
        yield f"  {field.column}: {'; '.join(words)}"


def _type(field: Any) -> str:
    if field.is_relation:
        return _("id em %(table)s") % {"table": Table(field.related_model).name}
    return str(TYPES.get(field.get_internal_type(), _("texto")))
