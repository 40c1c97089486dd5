"""Booking the visit that a patient is called for."""

from datetime import datetime

from django.utils import timezone

from clinic.booking import sql
from clinic.booking.book import BookedAppointment, book
from clinic.booking.proposal import Proposal
from clinic.booking.recalls import close_with_booking, lock_recall
from clinic.models import Recall
from clinic.refusals import Reason, Refusal, Refused
from clinic.registry import Author
from clinic.registry.merged import current_id
from clinic.transactions import run_as_one


def book_recall(recall_id: int, proposal: Proposal, *, by: Author, now: datetime | None = None) -> "BookedAppointment":
    """Book the proposal and close the open recall with it, in one transaction; return the appointment.

    Nothing but the patient has to be what the recall asks for. One of another patient, or of one who is described, is
    an ordinary booking, and the recall stays open. Locks the doctor's row, the patient's, then the recall's, before the
    rules are asked: who is second reads what the first one did (RECALL_BOOKED, RECALL_CLOSED), and also that the recall
    has become that of another patient (RECALL_CHANGED). Raises Refused like `book`, Recall.DoesNotExist.
    """
    now = now or timezone.now()

    def work() -> "BookedAppointment":
        clinic = proposal.clinic
        unlocked = Recall.objects.of(clinic).get(pk=recall_id)
        if proposal.patient is None or current_id(clinic, proposal.patient) != unlocked.patient_id:
            return book(proposal, by=by, now=now)
        sql.load_rows(clinic, doctor=proposal.doctor, patient=proposal.patient, lock=True)
        recall = lock_recall(clinic, recall_id)
        if current_id(clinic, proposal.patient) != recall.patient_id:
            raise Refused([Refusal(Reason.RECALL_CHANGED)])
        appointment = book(proposal, by=by, now=now)
        close_with_booking(recall, appointment, by, now)
        return appointment

    return run_as_one(work)
