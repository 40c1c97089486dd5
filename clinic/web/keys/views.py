from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from clinic.access.requests import ClinicRequest
from clinic.access.roles import doctors_too


@doctors_too
@require_safe
def keys(request: ClinicRequest) -> HttpResponse:
    """Answer the list of keys of the page whose view is named in `de`, which shows a day or a week if `day` is sent,
    and has a button that prints if `print` is; a page asks for it when `?` is pressed."""
    sent = request.GET
    context = {"page": sent.get("de", ""), "has_day": "day" in sent, "has_print": "print" in sent}
    return render(request, "keys/list.html", context)
