"""Blank what was written about a patient (`registry.redact_patient`), as LGPD art. 18 and RGPD art. 17 may demand."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from clinic.management.lookup import get_clinic, get_master
from clinic.models import Patient, PatientEvent
from clinic.refusals import Refused
from clinic.registry import Author, redact_patient


class Command(BaseCommand):
    help = "Blanks notes, reasons and former values of one patient's data; who did what and when stays."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--clinic", required=True, help="the clinic's slug")
        parser.add_argument("--patient", required=True, type=int, help="the patient's id, as in the card's address")
        parser.add_argument("--by", required=True, help="user name of the master who decided it")
        parser.add_argument("--reason", required=True, help="why; it is shown on the card")

    def handle(self, *, clinic: str, patient: int, by: str, reason: str, **options: Any) -> None:
        found = get_clinic(clinic)
        user = get_master(by)
        if not user.is_superuser and user.clinic_id != found.pk:
            raise CommandError(f"The user {user.username} works for another clinic.")
        author = Author(PatientEvent.Channel.COMMAND, user=user)
        try:
            redacted = redact_patient(patient, clinic=found, by=author, reason=reason)
        except Patient.DoesNotExist as missing:
            raise CommandError(f"This clinic has no patient {patient}.") from missing
        except Refused as refused:
            raise CommandError("Another transaction is changing this patient. Try again.") from refused
        except ValueError as error:
            raise CommandError("Give a reason of 1 to 200 characters.") from error
        self.stdout.write(f"Redacted: the patient and {redacted.appointments} appointments; {redacted.left} are ahead.")
