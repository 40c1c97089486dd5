"""What was sent of a patient with a booking and differs from what is stored of the patient.

A booking overwrites nothing of a known patient, so the other name, phone or birth date is kept on the appointment,
until a person decides. What the patient has by now, however it was written there, is no longer to be confirmed.
"""

from django.db.models import Case, F, Func, Q, TextField, Value, When
from django.db.models.lookups import Exact

from clinic.models.names import Letters
from clinic.models.ranges import Fold

# The columns of an appointment, by the field of the patient that each is about.
UNVERIFIED = {"name": "unverified_name", "phone": "unverified_phone", "birth_date": "unverified_birth_date"}

_NAME = Letters(Fold(F("unverified_name")))
_IS_CALLED_SO = Exact(_NAME, Letters(F("patient__folded_name"))) | Exact(
    _NAME, Letters(Fold(F("patient__social_name")))
)
_DIFFERING = {
    "cpf": ~Q(unverified_cpf=""),
    "name": ~Q(unverified_name="") & ~Q(_IS_CALLED_SO),
    "phone": ~Q(unverified_phone="")
    & (Q(patient__phone=None) | ~Q(unverified_phone=F("patient__phone")))
    & (Q(patient__second_phone=None) | ~Q(unverified_phone=F("patient__second_phone"))),
    "birth_date": Q(unverified_birth_date__isnull=False)
    & (Q(patient__birth_date=None) | ~Q(unverified_birth_date=F("patient__birth_date"))),
}


def unverified_fields() -> Func:
    """Return the expression of the fields of an appointment's patient that are to be confirmed, as `cpf,phone`."""
    fields = [Case(When(condition, then=Value(name))) for name, condition in _DIFFERING.items()]
    return Func(Value(","), *fields, function="concat_ws", output_field=TextField())
