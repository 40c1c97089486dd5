"""Hours as text, read back while they are typed, and written while they are dragged."""

from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from clinic.access.requests import ClinicRequest
from clinic.access.roles import manager_required
from clinic.form_fields import read_back, read_dragged
from clinic.web.hours.forms import DragForm


@require_POST
@never_cache
@manager_required
def read(request: ClinicRequest) -> HttpResponse:
    """Answer how the week is understood that was typed so far, or what is wrong with it. The database is not asked."""
    return render(request, "hours/read.html", {"read": read_back(request.POST.get("week", ""))})


@require_POST
@never_cache
@manager_required
def drag(request: ClinicRequest) -> HttpResponse:
    """Answer the typed week with some of its hours changed, and how it is understood. Nothing is read or stored.

    Raises BadRequest for what no bar of the grid sends."""
    form = DragForm(request.POST)
    if not form.is_valid():
        raise BadRequest
    return render(request, "hours/read.html", {"read": read_dragged(request.POST.get("week", ""), **form.cleaned_data)})
