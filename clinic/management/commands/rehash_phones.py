"""Rewrite the stored phone hashes after PHONE_HASH_KEY has changed; until then they belong to the old key."""

from django.core.management.base import BaseCommand
from django.db import transaction

from clinic.models import Patient
from clinic.models.patient import phone_hash

BATCH = 500


class Command(BaseCommand):
    help = "Rewrites the phone hashes of all patients under the present PHONE_HASH_KEY. May be stopped and run again."

    def handle(self, *, verbosity: int, **options: object) -> None:
        rewritten = 0
        last: int | None = 0
        while last is not None:
            changed, last = rehash_after(last)
            rewritten += changed
        if verbosity:
            self.stdout.write(f"{rewritten} phone hashes rewritten.")


@transaction.atomic
def rehash_after(pk: int) -> tuple[int, int | None]:
    """Rewrite one batch; return how many rows changed, and the last id of the batch or None.

    Locks its rows. `updated_at` is kept, because open forms would otherwise report a change by a colleague. Programs
    that keep a copy of the patients get the new hashes; those in a copy of the appointments stay the old ones.
    """
    patients = list(
        Patient.objects.filter(pk__gt=pk)
        .only("phone", "phone_hash", "clinic_id")
        .order_by("pk")
        .select_for_update(no_key=True)[:BATCH]
    )
    changed = [patient for patient in patients if patient.phone_hash != _hash(patient)]
    for patient in changed:
        patient.phone_hash = _hash(patient)
    Patient.objects.bulk_update(changed, ["phone_hash"])
    return len(changed), patients[-1].pk if patients else None


def _hash(patient: Patient) -> str:
    return phone_hash(patient.phone.as_e164, patient.clinic_id) if patient.phone else ""
