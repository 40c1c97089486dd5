"""What the front desk of a demo clinic has noted: calls to return, and notes for today and for a patient."""

from datetime import datetime, timedelta
from uuid import uuid4

from clinic.management.demo.visits import Registry
from clinic.models import StaffUser
from clinic.models.memo import Memo
from clinic.models.phones import made_up_phone
from clinic.registry import MemoDetails, finish_memo, write_memo

CALL, NOTE = Memo.Kind.CALL, Memo.Kind.NOTE


def write_memos(registry: Registry, staff: StaffUser, now: datetime) -> None:
    """Store the memos as of the instant `now`; one of them is done."""
    clinic, local = registry.clinic, registry.clinic.local(now)
    today, tomorrow = local.date(), local.date() + timedelta(days=1)
    asked = (local - timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
    patient = registry.patients[0][1]
    phone = made_up_phone(clinic.country, 900)
    for details in (
        MemoDetails(
            CALL,
            "Teresa Vilela",
            phone,
            "Quer saber o preço do exame.",
            day=asked.date(),
            hour=asked.time(),
        ),
        MemoDetails(CALL, "Sr. Gouveia", made_up_phone(clinic.country, 901), "Só pode falar de manhã.", day=tomorrow),
        MemoDetails(NOTE, text="A sala 3 está sem impressora: use a da entrada.", day=today),
        MemoDetails(NOTE, text="Pedir o relatório do exame anterior.", patient_id=patient.pk),
    ):
        write_memo(clinic, details, key=uuid4(), by=staff)
    done = write_memo(clinic, MemoDetails(NOTE, text="Avisar o laboratório."), key=uuid4(), by=staff)
    finish_memo(done.pk, clinic=clinic, by=staff, now=now - timedelta(hours=2))
