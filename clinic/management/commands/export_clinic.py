"""Write a whole clinic as one archive, as the page *Levar a clínica inteira* does."""

import os
import secrets
from contextlib import closing
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from clinic.access import accesses
from clinic.exchange import archive
from clinic.local.postgres_server import private
from clinic.management.lookup import get_clinic, get_master
from clinic.models import AppointmentEvent, Clinic, StaffUser, shown
from clinic.queries import exported
from clinic.registry import Author


class Command(BaseCommand):
    help = (
        "Writes all data of a clinic to one file, which `import_clinic` reads into an empty installation. It holds"
        " no passwords, keys, links, sessions or access log. It is recorded as an access of the master's."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("clinic", metavar="SLUG", help="the clinic's slug")
        parser.add_argument("file", type=Path, help="replaced when the archive is complete, and left as it is before")
        parser.add_argument("--by", required=True, help="user name of the master who asks")

    def handle(self, *, clinic: str, file: Path, by: str, verbosity: int, **options: Any) -> None:
        found, user = get_clinic(clinic), get_master(by)
        if not user.is_superuser and user.clinic_id != found.pk:
            raise CommandError(f"The user {user.username} works for another clinic.")
        fresh = file.with_name(f".clinic-archive-{secrets.token_hex(8)}")
        try:
            with closing(archive.ArchiveLock(found)) as lock, open(fresh, "xb", opener=private) as target:
                counts = archive.write_archive(lock, target, timezone.now())
                target.flush()
                os.fsync(target.fileno())
            self._record(found, user)
            fresh.replace(file)
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from error
        except archive.BeingWritten as error:
            raise CommandError(
                "Another archive of this clinic is being written or sent. Wait until it is done."
            ) from error
        finally:
            fresh.unlink(missing_ok=True)
        if verbosity:
            self.stdout.write(f"{file}: {sum(counts.values())} rows, {file.stat().st_size} bytes.")
            self.stdout.write("It holds the data of all patients: keep it where only you can read it.")

    def _record(self, clinic: Clinic, user: StaffUser) -> None:
        archive.record_export(clinic, Author(AppointmentEvent.Channel.COMMAND, user=user, credential="export_clinic"))
        seen = shown.Shown(patients=dict.fromkeys(exported.patient_ids(clinic), clinic.pk))
        if seen.patients:
            accesses.record(seen, accesses.Viewer(clinic, user, "", ""), "command:export_clinic")
