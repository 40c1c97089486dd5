"""Put the noted changes of a clinic's set-up into words. Reads only."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.db import models
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.models import Clinic, ClinicHoliday, Doctor, Payer, Procedure, RowChange, StaffUser
from clinic.models.clinic import name_of_region, written_amount
from clinic.models.row_change import NOTED_TABLES
from clinic.queries.patient_changes import Change

# The names of rows that columns refer to, by the model and the id.
type Names = Mapping[tuple[type[models.Model], int], str]

MODELS = {
    model._meta.db_table.removeprefix("clinic_"): model
    for model in apps.get_app_config("clinic").get_models(include_auto_created=True)
    if model._meta.db_table in NOTED_TABLES and not model._meta.proxy
}
# By table and column; one that there is no more has none.
FIELDS: dict[tuple[str, str], Any] = {
    (table, field.column): field
    for table, model in MODELS.items()
    for field in model._meta.concrete_fields
    if field.column
}
# Columns of which only is noted that they changed.
SECRETS = {"password": gettext_lazy("senha"), "pin": "PIN", "digest": gettext_lazy("código secreto")}
# What a column is called whose field has no name of its own for people.
LABELS = {
    "clinicholiday_id": gettext_lazy("feriado ou exceção"),
    "created_at": gettext_lazy("criado em"),
    "created_by_id": gettext_lazy("criado por"),
    "doctor_id": gettext_lazy("médico(a)"),
    "is_exception": gettext_lazy("só nestas datas"),
    "procedure_id": gettext_lazy("procedimento"),
    "recorded_at": gettext_lazy("registrado em"),
    "recorded_by_id": gettext_lazy("registrado por"),
    "revoked_at": gettext_lazy("revogado em"),
    "revoked_by_id": gettext_lazy("revogado por"),
    "user_id": gettext_lazy("usuário"),
}
# Columns that say nothing to people.
UNSAID = {"form_key", "jti"}
# After what was done to: nouns, since the names of tables are of either gender.
ACTS = {
    RowChange.Act.ADDED: gettext_lazy("inclusão"),
    RowChange.Act.CHANGED: gettext_lazy("alteração"),
    RowChange.Act.REMOVED: gettext_lazy("remoção"),
}
# The models whose rows columns name, each with the columns that its name is made of.
NAMED: dict[type[models.Model], tuple[str, ...]] = {
    Doctor: ("title", "name"),
    Payer: ("name",),
    Procedure: ("name",),
    StaffUser: ("name", "username"),
    ClinicHoliday: ("falls_on", "name"),
}


def label_of(table: str) -> str:
    """Return what a row of the table is, as people call it; of a table that a later version notes, its name."""
    if table == "doctor_procedures":
        return _("procedimento de médico(a)")
    if table == "clinicholiday_doctors":
        return _("médico(a) de uma exceção")
    return str(MODELS[table]._meta.verbose_name) if table in MODELS else table


def names_for(
    clinic: Clinic, changes: Iterable[RowChange], besides: Mapping[type[models.Model], Collection[int]] | None = None
) -> Names:
    """Return the names of the rows to which these changes refer, and of those `besides`, which are ids by models of
    NAMED. At most a query a model of NAMED."""
    wanted: dict[type[models.Model], set[int]] = defaultdict(set)
    for model, ids in (besides or {}).items():
        wanted[model] |= set(ids)
    for change in changes:
        for snapshot in (change.before, change.after):
            for column, value in snapshot.items():
                model = _model_of(change.table, column)
                if model in NAMED and isinstance(value, int):
                    wanted[model].add(value)
    return {
        (model, row.pk): str(row)
        for model, ids in wanted.items()
        for row in model._default_manager.filter(clinic=clinic, pk__in=ids).only(*NAMED[model])
    }


def subject(change: RowChange, names: Names) -> str:
    """Return which row it is: its name, or those of the rows that it joins."""
    present = change.before | change.after
    for column in ("name", "username", "prefix"):
        if present.get(column):
            return str(present[column])
    joined = ("clinicholiday_id", "payer_id", "doctor_id", "procedure_id", "user_id")
    columns = [column for column in joined if present.get(column)]
    return ", ".join(_name(change.table, column, present[column], names) for column in columns)


def in_words(change: RowChange, clinic: Clinic, names: Names, only: Collection[str] | None = None) -> list[Change]:
    """Return what was changed, `only` of these columns where they are given; of a row that was added or removed the
    values that it had."""
    present = change.before | change.after
    asked = present if only is None else [column for column in present if column in only]
    columns = [column for column in asked if _is_shown(change, column)]
    return [
        Change(
            _label(change.table, column),
            *(
                _written(change.table, column, side.get(column), clinic, names)
                for side in (change.before, change.after)
            ),
        )
        for column in columns
    ]


def _is_shown(change: RowChange, column: str) -> bool:
    """A secret is `true` on both sides; of a whole row what is empty says nothing."""
    if column in UNSAID:
        return False
    if change.act == RowChange.Act.CHANGED:
        return change.before.get(column) != change.after.get(column) or change.after.get(column) is True
    return bool((change.before | change.after)[column])


def _label(table: str, column: str) -> str:
    if column in SECRETS:
        return str(SECRETS[column])
    field = FIELDS.get((table, column))
    if field is None:
        return column
    return str(field.verbose_name if field._verbose_name else LABELS.get(column, field.verbose_name))


def _model_of(table: str, column: str) -> Any:
    field = FIELDS.get((table, column))
    return field.related_model if field is not None and field.is_relation else None


def _name(table: str, column: str, value: Any, names: Names) -> str:
    return names.get((_model_of(table, column), value), _("n.º %(id)s, que já não existe") % {"id": value})


def _written(table: str, column: str, value: Any, clinic: Clinic, names: Names) -> str:
    """Return a stored value as people of the clinic's country write it."""
    if column in SECRETS:
        return _("(não se mostra)")
    if isinstance(value, bool):
        return _("sim") if value else _("não")
    if value is None or value in ("", []):
        return _("vazio")
    field = FIELDS.get((table, column))
    if field is None:
        return str(value)
    if column == "region":
        return name_of_region(value)
    if _model_of(table, column) in NAMED:
        return _name(table, column, value, names)
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(value, list):
        known = dict(getattr(field, "base_field", field).flatchoices)
        return ", ".join(str(known.get(item, item)) for item in value)
    return _of_type(field, value, clinic)


def _of_type(field: Any, value: Any, clinic: Clinic) -> str:
    if isinstance(field, models.DecimalField):
        return written_amount(Decimal(str(value)))
    if isinstance(field, models.DateTimeField):
        instant: datetime | None = parse_datetime(value)
        return f"{clinic.local(instant):%d/%m/%Y %H:%M}" if instant else str(value)
    if isinstance(field, models.DateField):
        return f"{date.fromisoformat(value):%d/%m/%Y}"
    return str(value)[:5] if isinstance(field, models.TimeField) else str(value)
