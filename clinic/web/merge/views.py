"""Finding the other record of a patient, comparing and merging the two, and undoing it.

For everybody of the front desk: duplicates are noticed at the counter and on the phone, and who has to ask a manager
leaves them there. Nothing is lost by a merge: what is not taken stands in the changes on the card, which says who
merged which record, and undoes it for 30 days.
"""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from clinic.access.requests import ClinicRequest
from clinic.access.resumable_forms import resumable, take
from clinic.booking import Separated, merge_patients, undo_merge
from clinic.models import Patient, PatientMerge, shown
from clinic.queries import merges, patients
from clinic.refusals import Reason, Refused
from clinic.web.htmx import partial_or_page, redirect
from clinic.web.merge.forms import MergeForm
from clinic.web.panel import author
from clinic.web.patient.lookup import patient_or_404

MAX_LISTED = 20


@resumable
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def search(request: ClinicRequest, pk: int) -> HttpResponse:
    """Search for the posted `q` among all others; without a text list who is probably the same person."""
    patient = patient_or_404(request, pk)
    typed = request.POST if request.method == "POST" else take(request)
    text = typed.get("q", "")[: patients.LONGEST_TEXT] if typed else ""
    context = {"patient": patient, "q": text, "limit": MAX_LISTED}
    return partial_or_page(request, "merge/search.html", "found", context | _found(request, patient, text))


@resumable
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def merge(request: ClinicRequest, pk: int, other: int) -> HttpResponse:
    """Show both patients side by side and merge the other one into the first."""
    kept, merged = patient_or_404(request, pk), patient_or_404(request, other)
    if pk == other:
        raise Http404
    if kept == merged:  # a second click, or a colleague was faster
        messages.info(request, _("Os dois cadastros já são um só."))
        return redirect(request, "web:patient-detail", kept.pk)
    form = MergeForm(request.POST if request.method == "POST" else take(request), kept=kept, merged=merged)
    if form.is_bound and not form.is_valid():
        sentence = _("Nada foi juntado: leia os dois de novo e escolha onde falta.")
        return _compared(request, form.again(kept, merged), [sentence], 422)
    sentences: list[str] = []
    if request.method == "POST":
        try:
            done = _merge(request, form)
        except Refused as refused:
            if Reason.MERGED_ALREADY in refused.reasons:
                messages.error(request, refused.message)
                return redirect(request, "web:patient-detail", patient_or_404(request, pk).pk)
            sentences = [refusal.message for refusal in refused.refusals]
            if Reason.MERGE_CHANGED in refused.reasons:
                form = form.again(patient_or_404(request, kept.pk), patient_or_404(request, merged.pk))
        else:
            messages.success(request, _merged_message(done, merged))
            return redirect(request, "web:patient-detail", kept.pk)
    return _compared(request, form, sentences, 409 if sentences else None)


@require_POST
@never_cache
def undo(request: ClinicRequest, pk: int) -> HttpResponse:
    """Undo the merge, and say what went back and what could not."""
    try:
        separated = undo_merge(pk, clinic=request.clinic, by=author(request))
    except (PatientMerge.DoesNotExist, Patient.DoesNotExist) as missing:
        raise Http404 from missing
    except Refused as refused:
        messages.error(request, refused.message)
        kept = PatientMerge.objects.of(request.clinic).get(pk=pk).kept_id
    else:
        messages.success(request, _separated_message(separated))
        kept = separated.merge.kept_id
    return redirect(request, "web:patient-detail", kept)


def _found(request: ClinicRequest, patient: Patient, text: str) -> dict[str, Any]:
    if not text.strip():
        return {"found": merges.probable_doubles(patient), "has_more": False}
    with shown.choosing():
        found = patients.search(request.clinic, text, MAX_LISTED + 2, dead_too=True, widely=True)
        found = [other for other in found if other.pk != patient.pk]
    shown.add(found[:MAX_LISTED])
    return {"found": found[:MAX_LISTED], "has_more": len(found) > MAX_LISTED}


def _merge(request: ClinicRequest, form: MergeForm) -> PatientMerge:
    return merge_patients(
        form.kept.pk, form.merged.pk, clinic=request.clinic, sides=form.sides, seen=form.seen, by=author(request)
    )


def _compared(request: ClinicRequest, form: MergeForm, sentences: list[str], status: int | None) -> HttpResponse:
    counts = merges.visit_counts(request.clinic, [form.kept, form.merged], timezone.now())
    context = {
        "form": form,
        "sentences": sentences,
        "focus": next((name for name in form.fields if name in form.errors), ""),
        "sides": [(form.kept, counts[0], True), (form.merged, counts[1], False)],
    }
    return partial_or_page(request, "merge/compare.html", "form", context, status)


def _merged_message(done: PatientMerge, merged: Patient) -> str:
    count = len(done.moved["appointments"])
    moved = ngettext(
        "%(count)d agendamento de %(name)s está agora aqui.",
        "%(count)d agendamentos de %(name)s estão agora aqui.",
        count,
    ) % {"count": count, "name": merged.display_name}
    return " ".join([_("Cadastros juntados."), *([moved] if count else [])])


def _separated_message(separated: Separated) -> str:
    merge = separated.merge
    sentences = [_("Cadastros separados de novo.")]
    if separated.appointments:
        sentences.append(
            ngettext(
                "%(count)d agendamento voltou para %(name)s.",
                "%(count)d agendamentos voltaram para %(name)s.",
                separated.appointments,
            )
            % {"count": separated.appointments, "name": merge.merged.display_name}
        )
    if separated.since:
        sentences.append(
            ngettext(
                "%(count)d agendamento feito depois da junção continua com %(name)s.",
                "%(count)d agendamentos feitos depois da junção continuam com %(name)s.",
                separated.since,
            )
            % {"count": separated.since, "name": merge.kept.display_name}
        )
    if separated.left.changed:
        fields = _labels(separated.left.changed)
        sentences.append(_("Ficou como está, porque mudou depois: %(fields)s.") % {"fields": fields})
    if separated.left.taken:
        fields = _labels(separated.left.taken)
        sentences.append(_("Não voltou, porque hoje é de outro paciente: %(fields)s.") % {"fields": fields})
    return " ".join(sentences)


def _labels(names: list[str]) -> str:
    labels = {field.attname: capfirst(str(field.verbose_name)) for field in Patient._meta.fields}
    return ", ".join(labels[name] for name in names)
