"""Write all that is stored about one patient as JSON, as the page *Exportar dados* does."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone, translation

from clinic.access import accesses
from clinic.management.lookup import get_clinic, get_master
from clinic.models import shown
from clinic.queries import patient_export
from clinic.registry import current_patient


class Command(BaseCommand):
    help = "Writes one patient's data as JSON to standard output. It is recorded as an access of the master's."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--clinic", required=True, help="the clinic's slug")
        parser.add_argument("--patient", required=True, type=int, help="the patient's id, as in the card's address")
        parser.add_argument("--by", required=True, help="user name of the master who asks")

    def handle(self, *, clinic: str, patient: int, by: str, **options: Any) -> None:
        found, user = get_clinic(clinic), get_master(by)
        if not user.is_superuser and user.clinic_id != found.pk:
            raise CommandError(f"The user {user.username} works for another clinic.")
        exported = current_patient(found, patient)
        if exported is None:
            raise CommandError(f"This clinic has no patient {patient}.")
        seen = shown.Shown(patients={exported.pk: found.pk})
        accesses.record(seen, accesses.Viewer(found, user, "", ""), "command:export_patient")
        with translation.override(found.language):
            for part in patient_export.as_json(exported, timezone.now()):
                self.stdout.write(part, ending="")
