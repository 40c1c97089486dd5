"""The page behind the link that `manage.py start` prints while nobody can sign in yet."""

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from clinic import transactions
from clinic.access import first_clinic, known_browser
from clinic.access.roles import clinic_optional
from clinic.refusals import Refused
from clinic.web.first_clinic.forms import FirstClinicForm


@clinic_optional
@login_not_required
@never_cache
@sensitive_post_parameters("password1", "password2")
def create(request: HttpRequest) -> HttpResponse:
    """Create the first clinic and its master, who is then signed in and led to the first steps. Without a link,
    lead a signed-in user there."""
    if "link" not in request.GET and request.method == "GET" and request.user.is_authenticated:
        return redirect("web:first-steps")
    if not first_clinic.is_good(request.GET.get("link", "")) or not first_clinic.is_needed():
        return _invalid_link_page(request)
    form = FirstClinicForm(request.POST or None)
    if not form.is_valid():
        return render(request, "signin/first_clinic.html", {"form": form}, status=422 if form.is_bound else 200)
    try:
        with transactions.try_again_when_held():
            first_clinic.create(form.clinic, form.master)
    except first_clinic.NotNeeded:  # another window was quicker
        return _invalid_link_page(request)
    except Refused as refused:
        form.add_error(None, refused.message)
        return render(request, "signin/first_clinic.html", {"form": form}, status=409)
    response = redirect("web:first-steps")
    known_browser.remember(request, response, form.master.folded_username)
    login(request, form.master, backend="clinic.access.backends.StaffBackend")
    with override(form.clinic.language):
        messages.success(request, _("A clínica está criada. Faltam poucos passos até o primeiro agendamento."))
    return response


def _invalid_link_page(request: HttpRequest) -> HttpResponse:
    return render(request, "signin/no_first_clinic.html", {"is_needed": first_clinic.is_needed()}, status=404)
