"""What every view of the panel beside the day shares: who acts, and the answer."""

from django.utils import timezone
from django.utils.cache import patch_cache_control

from clinic.booking import Author
from clinic.models import AppointmentEvent
from clinic.web.agenda import views as agenda
from clinic.web.htmx import partial_or_page, wants_partial


def author(request) -> Author:
    return Author(channel=AppointmentEvent.Channel.BROWSER, user=request.user)


def beside_the_day(request, template, context, day, status=None):
    """The panel alone for htmx, else the page of that day with the panel open. No browser keeps either."""
    if not wants_partial(request):
        context = agenda.page(request, day or request.clinic.local(timezone.now()).date()) | context
    response = partial_or_page(request, template, "panel", context, status)
    patch_cache_control(response, private=True, no_store=True)
    return response
