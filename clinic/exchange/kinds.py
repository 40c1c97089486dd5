"""What differs between the kinds of spreadsheets; `clinic.exchange.runs` does the rest for all of them."""

from collections.abc import Callable
from dataclasses import dataclass

from clinic.exchange import appointments, doctors, patients, procedures
from clinic.exchange.appointment_columns import APPOINTMENTS
from clinic.exchange.columns import PATIENTS, Columns
from clinic.exchange.directory_columns import DOCTORS, PROCEDURES
from clinic.models import Clinic, ImportRow, ImportRun
from clinic.registry import Author

type Step = Callable[[ImportRun, list[ImportRow], Clinic, Author], None]


@dataclass(frozen=True)
class Kind:
    """The columns of one kind, what is done with a batch of its rows in each state, and which of the rows of a batch,
    the first ones, are imported in one transaction."""

    columns: Columns
    check: Step
    import_rows: Step
    take_back: Step
    portion: Callable[[list[ImportRow]], list[ImportRow]]


KINDS = {
    ImportRun.Kind.PROCEDURES: Kind(PROCEDURES, procedures.check, procedures.import_rows, procedures.take_back, list),
    ImportRun.Kind.DOCTORS: Kind(DOCTORS, doctors.check, doctors.import_rows, doctors.take_back, list),
    ImportRun.Kind.PATIENTS: Kind(PATIENTS, patients.check, patients.import_rows, patients.take_back, list),
    ImportRun.Kind.APPOINTMENTS: Kind(
        APPOINTMENTS, appointments.check, appointments.import_rows, appointments.take_back, appointments.portion
    ),
}


def kind_of(kind: str) -> Kind:
    """Return what is to be done with runs of this kind. Raises ValueError for an unknown one."""
    return KINDS[ImportRun.Kind(kind)]
