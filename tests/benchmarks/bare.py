"""The clinic with two bare Django views beside it, in one process: no middleware, no session, no rules, no checks.

`bare/agendar/` makes the four inserts that a booking with a discount makes and nothing else, `bare/mover/` the update
and the two inserts of a move, its event and that its patient was shown; `bare/304/` says that nothing has changed, and
`inalterado/` the same to who is signed in;
`bare/<clinic>/dia/<date>/` shows the day's appointments in a plain table, `bare/<clinic>/semana/<doctor>/<date>/` those
of a doctor on seven days; `bare/<clinic>/relatorio/<name>/<first>/<last>/` answers one GROUP BY of the rows that a
report reads. What the clinic's own pages take beyond these is the price of what they do.
"""

import os
from datetime import date, datetime, timedelta

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection, transaction
from django.http import HttpResponse, HttpResponseNotModified, HttpResponseRedirect
from django.template import engines
from django.test import override_settings
from django.urls import include, path
from django.utils import timezone

django.setup()

from clinic.models import (  # noqa: E402 - models need the set-up
    AppliedDiscount,
    Appointment,
    AppointmentEvent,
    AppointmentProcedure,
    PatientAccess,
)
from tests.benchmarks.by_hand import BY_HAND  # noqa: E402 - sorted behind the models

LENGTH = timedelta(minutes=30)
TABLE = engines["django"].from_string("""<!doctype html><title>Dia</title><table>{% for appointment in appointments %}
<tr><td>{{ appointment.starts_at|date:"H:i" }}<td>{{ appointment.ends_at|date:"H:i" }}<td>{{ appointment.doctor.name }}
<td>{{ appointment.patient.name }}<td>{{ appointment.get_status_display }}<td>{{ appointment.notes }}{% endfor %}
</table>""")


def book(request):
    fields = request.POST
    clinic, doctor, starts_at = fields["clinic"], fields["doctor"], datetime.fromisoformat(fields["starts_at"])
    with transaction.atomic():
        appointment = Appointment.objects.create(
            clinic_id=clinic,
            doctor_id=doctor,
            patient_id=fields["patient"],
            starts_at=starts_at,
            ends_at=starts_at + LENGTH,
        )
        line = AppointmentProcedure.objects.create(
            clinic_id=clinic,
            appointment=appointment,
            position=0,
            procedure_id=fields["procedure"],
            price=fields["price"],
        )
        AppliedDiscount.objects.create(
            clinic_id=clinic, line=line, discount_id=fields["discount"], value=fields["value"]
        )
        AppointmentEvent.objects.create(
            clinic_id=clinic,
            appointment=appointment,
            kind=AppointmentEvent.Kind.BOOKED,
            channel=AppointmentEvent.Channel.BROWSER,
            after={"doctor": doctor, "starts_at": fields["starts_at"], "status": appointment.status},
        )
    return HttpResponseRedirect("/")


def move(request):
    fields = request.POST
    clinic, appointment = fields["clinic"], fields["appointment"]
    starts_at = datetime.fromisoformat(fields["starts_at"])
    place = {
        "doctor": int(fields["doctor"]),
        "doctor_name": fields["doctor_name"],
        "starts_at": fields["starts_at"],
        "ends_at": (starts_at + LENGTH).isoformat(),
        "status": Appointment.Status.RESCHEDULED,
    }
    with transaction.atomic():
        Appointment.objects.filter(pk=appointment).update(
            starts_at=starts_at,
            ends_at=starts_at + LENGTH,
            status=place["status"],
            status_since=timezone.now(),
        )
        AppointmentEvent.objects.create(
            clinic_id=clinic,
            appointment_id=appointment,
            kind=AppointmentEvent.Kind.RESCHEDULED,
            channel=AppointmentEvent.Channel.BROWSER,
            before=place | {"starts_at": fields["stored"]},
            after=place,
        )
        PatientAccess.objects.create(clinic_id=clinic, patient_id=fields["patient"], page="bare")
    return HttpResponse()


def unchanged(request):
    """Behind the middleware its user is read with the session, as for every page of the desk."""
    return HttpResponseNotModified()


def day(request, clinic, date_):
    return table(date_, 1, clinic_id=clinic)


def week(request, clinic, doctor, date_):
    return table(date_, 7, clinic_id=clinic, doctor_id=doctor)


def table(date_, days, **ids):
    first = datetime.combine(date.fromisoformat(date_), datetime.min.time()).astimezone()
    appointments = Appointment.objects.filter(
        starts_at__gte=first, starts_at__lt=first + timedelta(days=days), **ids
    ).select_related("doctor", "patient")
    # Reading a phone means parsing it: nothing that a page without phones should be slowed down by.
    appointments = appointments.defer("patient__phone")
    return HttpResponse(TABLE.render({"appointments": appointments}))


def report(request, clinic, name, first, last):
    since, until = (
        datetime.combine(date.fromisoformat(each), datetime.min.time()).astimezone() for each in (first, last)
    )
    with connection.cursor() as cursor:
        cursor.execute(BY_HAND[name], [clinic, since, until + timedelta(days=1)])
        return HttpResponse("\n".join(map(str, cursor.fetchall())))


urlpatterns = [
    path("bare/agendar/", book),
    path("bare/mover/", move),
    path("bare/304/", unchanged),
    path("inalterado/", unchanged),
    path("bare/<int:clinic>/dia/<str:date_>/", day),
    path("bare/<int:clinic>/relatorio/<str:name>/<str:first>/<str:last>/", report),
    path("bare/<int:clinic>/semana/<int:doctor>/<str:date_>/", week),
    path("", include("clinic.urls")),
]

settings.ROOT_URLCONF = __name__
from clinic.wsgi import application as whole  # noqa: E402 - loads the addresses above

with override_settings(MIDDLEWARE=[]):
    bare = WSGIHandler()  # loads its middleware here, once


def application(environ, start_response):
    handler = bare if environ["PATH_INFO"].startswith("/bare/") else whole
    return handler(environ, start_response)
