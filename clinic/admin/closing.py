"""Ask before a save makes appointments pending: an absence, a closure, other hours, a doctor who leaves, a holiday.

The save is made and looked at; without the answer to the question its transaction is rolled back. So the question is
asked by the rule that decides what is pending, whatever was changed. Nothing is cancelled: people call the patients.
"""

from collections.abc import Collection
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.admin.base import BaseAdmin, admin_request
from clinic.models import Clinic
from clinic.queries.pending import Affected, newly_pending, pending


class AnswerMissing(Exception):
    """Raised within the transaction of a save that makes appointments pending and has no answer to the question."""

    def __init__(self, affected: Affected) -> None:
        super().__init__(affected.asked)
        self.affected = affected


def require_answer(request: HttpRequest, clinic: Clinic, before: Collection[int]) -> None:
    """Raise AnswerMissing if appointments are pending that are not in `before`, and the answer is not about them."""
    found = newly_pending(clinic, before, now=timezone.now())
    if not found:
        return
    affected = Affected(clinic, found)
    if affected.asked not in (request.POST.get("close_over"), request.POST.get("move_over")):
        raise AnswerMissing(affected)


class AskBeforeClosing(BaseAdmin):
    """A form that may make appointments pending.

    `close_over` or `move_over` is the answer: what `Affected.asked` was when the question was shown.
    """

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        view = request, object_id, form_url
        if request.method == "POST" and "back" in request.POST:
            admin_request(request).unsaved = _("Nada foi gravado ainda. Confira e salve.")
            return super().changeform_view(*view, extra_context)
        try:
            return super().changeform_view(*view, extra_context)
        except AnswerMissing as missing:
            affected = missing.affected
        numbers = {"numbers": affected.numbers}
        admin_request(request).unsaved = _("%(numbers)s. Nada foi gravado ainda: escolha no alto.") % numbers
        return super().changeform_view(*view, {**(extra_context or {}), "affected": affected})

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        clinic = self._clinic_of(obj)
        before = Clinic.objects.filter(pk=clinic.pk).first() if clinic.pk else None
        pending_before = pending(before, now=timezone.now()) if before else []
        admin_request(request).pending_before = {row.pk for row in pending_before}
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Raise AnswerMissing if appointments have become pending and the answer is not about them."""
        super().save_related(request, form, formsets, change)
        clinic = Clinic.objects.get(pk=self._clinic_of(form.instance).pk)
        before = admin_request(request).pending_before
        require_answer(request, clinic, before)

    def response_post_save_add(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        return self._pending_page(request) or super().response_post_save_add(request, obj)

    def response_post_save_change(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        return self._pending_page(request) or super().response_post_save_change(request, obj)

    def _pending_page(self, request: HttpRequest) -> HttpResponseRedirect | None:
        if "move_over" not in request.POST:
            return None
        return HttpResponseRedirect(reverse("web:pending-list"))

    def _clinic_of(self, obj: Any) -> Clinic:
        return obj if isinstance(obj, Clinic) else obj.clinic
