"""The access log: who was shown which patient, by which page or operation; and who signed in.

A row a patient is written by one statement after the answer is made and before it leaves, so that nothing is seen
without a row: if it cannot be written, the answer is an error. Its transaction does not wait for the disk
(`synchronous_commit`): a crash of the database's machine may lose the rows of its last half second, and no page waits
for a flush. Law: Lei 58/2019 art. 29.º, LGPD art. 37 and 46.
"""

from datetime import date, datetime
from http import HTTPStatus
from typing import Any, NamedTuple

from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from clinic.access.addresses import client_address
from clinic.access.middleware import GetResponse
from clinic.access.open_sessions import digest_of
from clinic.cursors import prepared_cursor
from clinic.models import Clinic, PatientAccess, SignIn, StaffUser, shown
from clinic.models.accesses import ACCESSES_KEPT, SIGN_INS_KEPT
from clinic.models.limits import max_length

MAX_PAGE_LENGTH = max_length(PatientAccess, "page")
# Answers that show nobody.
SHOWS_NOBODY = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
INSERT_SQL = """
    WITH own_transaction AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
    INSERT INTO clinic_patientaccess (clinic_id, patient_id, day, at, user_id, credential, page, session)
    SELECT clinic_id, patient_id, day, %s, %s, %s, %s, %s
    FROM own_transaction, unnest(%s::bigint[], %s::bigint[], %s::date[]) AS seen (clinic_id, patient_id, day)
"""


class Viewer(NamedTuple):
    """Who is shown something: a user in a browser's session, or a credential; None and "" for nobody known."""

    clinic: Clinic | None
    user: StaffUser | None
    credential: str
    session: str


class AccessLogMiddleware:
    """Write the access log of every request. The innermost one: it sees pages and operations only."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with shown.collecting() as seen:
            response = self.get_response(request)
        if (seen.patients or seen.days) and _shows_patients(response):
            try:
                record(seen, _viewer(request), _page(request))
            except BaseException:
                response.close()  # it is not sent, and may hold a file
                raise
        return response


def record(seen: shown.Shown, viewer: Viewer, page: str, at: datetime | None = None) -> None:
    """Store a row for each patient and each day; none for the invented patients of a sandbox. One statement."""
    if viewer.clinic and viewer.clinic.sandbox_of_id:
        return
    own = viewer.clinic.pk if viewer.clinic else None
    rows: list[tuple[int | None, int | None, date | None]] = [
        *((clinic or own, patient, None) for patient, clinic in seen.patients.items()),
        *((own, None, day) for day in seen.days),
    ]
    clinics, patients, days = (list(column) for column in zip(*rows, strict=True))
    user = viewer.user.pk if viewer.user else None
    with prepared_cursor() as cursor:
        cursor.execute(
            INSERT_SQL,
            [at or timezone.now(), user, viewer.credential, page, viewer.session, clinics, patients, days],
        )


def forget(now: datetime) -> int:
    """Delete the rows whose time is over at `now`; return how many."""
    accesses, _ = PatientAccess.objects.filter(at__lt=now - ACCESSES_KEPT).delete()
    sign_ins, _ = SignIn.objects.filter(at__lt=now - SIGN_INS_KEPT).delete()
    return accesses + sign_ins


def record_sign_in(sender: type[StaffUser], request: HttpRequest, user: StaffUser, **_signal: Any) -> None:
    """Store that the user signed in; receives Django's signal."""
    SignIn.objects.create(user=user, address=client_address(request) or "", session=_digest(request))


def follow_sign_ins() -> None:
    """Have every sign-in recorded from now on."""
    user_logged_in.connect(record_sign_in, dispatch_uid="clinic.access.accesses")


def _shows_patients(response: HttpResponseBase) -> bool:
    status = response.status_code
    return status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in SHOWS_NOBODY and not 300 <= status < 400


def _viewer(request: HttpRequest) -> Viewer:
    """Return who sent the request: its program, or else its user."""
    if caller := getattr(request, "caller", None):
        return Viewer(caller.clinic, caller.author.user, caller.author.credential, "")
    user = request.user if request.user.is_authenticated else None
    return Viewer(getattr(request, "clinic", None), user, "", _digest(request))


def _digest(request: HttpRequest) -> str:
    """Return sixteen letters that tell the browser's session from others and do not open it; "" without one."""
    key = request.session.session_key
    return digest_of(key) if key else ""


def _page(request: HttpRequest) -> str:
    """Return the name of the route, of an API its method and pattern; never a path, which holds ids."""
    match = request.resolver_match
    if match is None:
        return ""
    is_program = getattr(request, "caller", None) is not None
    return (f"{request.method} /{match.route}" if is_program else match.view_name)[:MAX_PAGE_LENGTH]
