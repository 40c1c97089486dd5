"""Writing memos of the front desk, and noting who has done them."""

from dataclasses import asdict, dataclass
from datetime import date, datetime, time
from uuid import UUID

from django.utils import timezone

from clinic.models import Clinic, Memo, Patient, StaffUser
from clinic.models.locks import get_locked, get_shared
from clinic.registry.merged import current_id
from clinic.transactions import run_in_transaction


@dataclass(frozen=True)
class MemoDetails:
    """A memo as a person has written it; the ids are of rows of the same clinic, `phone` is E.164."""

    kind: str
    name: str = ""
    phone: str = ""
    text: str = ""
    day: date | None = None
    hour: time | None = None
    patient_id: int | None = None
    appointment_id: int | None = None
    recipient_id: int | None = None


class MemoDone(Exception):
    """The memo was done by another person, or again: `by` at the instant `at`."""

    def __init__(self, by: StaffUser, at: datetime) -> None:
        super().__init__(by, at)
        self.by, self.at = by, at


def write_memo(clinic: Clinic, details: MemoDetails, *, key: UUID, by: StaffUser) -> Memo:
    """Store a memo and return it; sent again with the same `key` (a double click) the one that is stored already. Of a
    merged patient it becomes the kept one's.

    Shares the patient's row (FOR SHARE): a merge under way is waited for. Raises Refused (TRY_AGAIN)."""

    def work() -> Memo:
        memo = Memo(clinic=clinic, uuid=key, written_by=by, **asdict(details))
        if memo.patient_id:
            get_shared(Patient, memo.patient_id)
            memo.patient_id = current_id(clinic, memo.patient_id)
        Memo.objects.bulk_create([memo], ignore_conflicts=True)
        return Memo.objects.of(clinic).get(uuid=key)

    return run_in_transaction(work)


def finish_memo(memo_id: int, *, clinic: Clinic, by: StaffUser, now: datetime | None = None) -> Memo:
    """Return the memo, done by this user at `now`; one that they have done already stays as it is.

    Locks the memo's row. Raises MemoDone where another person was first, Memo.DoesNotExist, Refused (TRY_AGAIN).
    """

    def work() -> Memo:
        memo = get_locked(Memo.objects.of(clinic).filter(pk=memo_id))
        if memo.done_by and memo.done_at:
            if memo.done_by != by:
                raise MemoDone(memo.done_by, memo.done_at)
            return memo
        return _set_done(memo, by, now or timezone.now())

    return run_in_transaction(work)


def reopen_memo(memo_id: int, *, clinic: Clinic, seen: datetime | None) -> Memo:
    """Return the memo as one that nobody has done, if it was done at the instant `seen` and not again since.

    Locks its row. Raises MemoDone where it was, Memo.DoesNotExist, Refused (TRY_AGAIN)."""

    def work() -> Memo:
        memo = get_locked(Memo.objects.of(clinic).filter(pk=memo_id))
        if memo.done_by and memo.done_at and memo.done_at != seen:
            raise MemoDone(memo.done_by, memo.done_at)
        return _set_done(memo, None, None)

    return run_in_transaction(work)


def _set_done(memo: Memo, by: StaffUser | None, at: datetime | None) -> Memo:
    memo.done_by, memo.done_at = by, at
    memo.save(update_fields=["done_by", "done_at"])
    return memo
