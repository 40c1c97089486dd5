"""Deleting and blanking what is kept longer than it has to be, with a preview and a row that proves each run.

Nothing else depends on it: `purge_expired` forgets accesses and sign-ins of all clinics by the same terms.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models import Clinic, Memo, PatientAccess, RetentionRun, SignIn, StaffUser, WaitingEntry
from clinic.models.accesses import ACCESSES_KEPT, SIGN_INS_KEPT
from clinic.models.memo import MEMOS_KEPT
from clinic.models.waiting import WAITING_NOTES_KEPT
from clinic.registry import Author, anonymise, due_for_anonymising
from clinic.transactions import run_in_transaction


def _accesses(clinic: Clinic, now: datetime) -> QuerySet[Any]:
    return PatientAccess.objects.of(clinic).filter(at__lt=now - ACCESSES_KEPT)


def _sign_ins(clinic: Clinic, now: datetime) -> QuerySet[Any]:
    users = list(StaffUser.objects.of(clinic).order_by("pk").values_list("pk", flat=True))
    return SignIn.objects.filter(user__in=users, at__lt=now - SIGN_INS_KEPT)


def _memos(clinic: Clinic, now: datetime) -> QuerySet[Any]:
    return Memo.objects.of(clinic).filter(patient=None, appointment=None, done_at__lt=now - MEMOS_KEPT)


def _waiting(clinic: Clinic, now: datetime) -> QuerySet[Any]:
    closed = WaitingEntry.objects.of(clinic).filter(closed_at__lt=now - WAITING_NOTES_KEPT)
    return closed.exclude(note="")


def _blocked(clinic: Clinic, now: datetime) -> QuerySet[Any]:
    return due_for_anonymising(clinic, clinic.local(now).date())


KINDS: dict[str, tuple[Any, Callable[[Clinic, datetime], QuerySet[Any]]]] = {
    "accesses": (_("acessos a pacientes"), _accesses),
    "sign_ins": (_("entradas da equipe"), _sign_ins),
    "memos": (_("recados sobre ninguém"), _memos),
    "waiting_notes": (_("notas da fila de espera"), _waiting),
    "blocked": (_("pacientes bloqueados cujo prazo acabou"), _blocked),
}


def preview(clinic: Clinic, now: datetime | None = None) -> dict[str, int]:
    """Return how many rows of each kind are due at `now`; nothing is written."""
    now = now or timezone.now()
    return {kind: due(clinic, now).count() for kind, (_words, due) in KINDS.items()}


def apply(clinic: Clinic, by: Author, now: datetime | None = None) -> RetentionRun:
    """Delete accesses, sign-ins and memos, blank notes, anonymise patients; store and return the run.

    One transaction. Raises Refused (TRY_AGAIN)."""
    now = now or timezone.now()

    def work() -> RetentionRun:
        done = {
            "accesses": _accesses(clinic, now).delete()[0],
            "sign_ins": _sign_ins(clinic, now).delete()[0],
            "memos": _memos(clinic, now).delete()[0],
            "waiting_notes": _waiting(clinic, now).update(note=""),
            "blocked": 0,
        }
        for request in _blocked(clinic, now).select_for_update(no_key=True):
            anonymise(request, by, now)
            done["blocked"] += 1
        return RetentionRun.objects.create(clinic=clinic, at=now, user=by.user, credential=by.credential, done=done)

    return run_in_transaction(work)
