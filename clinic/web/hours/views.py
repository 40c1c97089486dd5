"""Hours as text, read back while they are typed."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from clinic.access.requests import ClinicRequest
from clinic.access.roles import manager_required
from clinic.form_fields import read_back


@require_POST
@never_cache
@manager_required
def read(request: ClinicRequest) -> HttpResponse:
    """Answer how the week is understood that was typed so far, or what is wrong with it. Nothing is read or written."""
    return render(request, "hours/read.html", {"read": read_back(request.POST.get("week", ""))})
