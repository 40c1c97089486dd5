"""The page *Reajustar preços*: old beside new before anything is written, and every rise with its button to undo it."""

from collections.abc import Iterable
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.access import resumable_forms
from clinic.admin.base import ListMixin, admin_request
from clinic.form_fields import PercentField, TypedDateField
from clinic.models import Clinic, Payer, PriceRise, Procedure
from clinic.models.clinic import written_amount
from clinic.refusals import Refused
from clinic.registry import (
    NewPrice,
    Rise,
    RiseFault,
    RiseRefused,
    check_new_prices,
    new_prices,
    prices_to_give_back,
    raise_prices,
    raised_payers,
    take_back,
)

PERCENT, AMOUNT = "percentage", "amount"
PRIVATE, EVERYBODY = "private", "all"
ROUNDINGS = ["0", "0.50", "1", "5"]
RISES_SHOWN = 20
FAULTS = {
    RiseFault.NOTHING_CHANGES: gettext_lazy("Assim nenhum preço muda. Escreva outro valor."),
    RiseFault.NO_PRICES: gettext_lazy("Neste dia o convênio não tem preço próprio nos procedimentos escolhidos."),
    RiseFault.BELOW_ZERO: gettext_lazy("Ficaria abaixo de zero: %(names)s. Diminua menos, ou tire da lista."),
    RiseFault.TOO_HIGH: gettext_lazy("Ficaria alto demais: %(names)s. Aumente menos, ou tire da lista."),
    RiseFault.CHANGED_MEANWHILE: gettext_lazy(
        "Não são mais os preços que foram mostrados. Veja de novo antes de reajustar."
    ),
    RiseFault.CHANGED_SINCE: gettext_lazy("Depois deste reajuste mudou o preço de: %(names)s. Nada foi desfeito."),
    RiseFault.TAKEN_BACK: gettext_lazy("Este reajuste já foi desfeito."),
}


class RiseForm(forms.Form):
    """By how much, of which procedures and payers, from when on. The procedures are those that are ticked."""

    kind = forms.ChoiceField(
        label=gettext_lazy("Reajuste"),
        choices=[(PERCENT, gettext_lazy("em porcentagem")), (AMOUNT, gettext_lazy("em valor"))],
        widget=forms.RadioSelect,
        initial=PERCENT,
    )
    value = PercentField(
        label=gettext_lazy("Quanto"),
        localize=True,
        max_digits=10,
        decimal_places=2,
        widget=forms.TextInput({"size": 10, "inputmode": "decimal", "autocomplete": "off"}),
        help_text=gettext_lazy("Por exemplo 8 ou 12,50. Com o sinal de menos diminui."),
    )
    rounding = forms.ChoiceField(label=gettext_lazy("Arredondar"), initial="0")
    whose = forms.ChoiceField(label=gettext_lazy("Preços"), initial=PRIVATE)
    first = TypedDateField(
        label=gettext_lazy("Vale a partir de"),
        help_text=gettext_lazy("O dia do agendamento conta. O que já está agendado fica com o seu preço."),
    )

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = clinic.local(timezone.now()).date()
        self.clinic = clinic
        choices = [
            (
                step,
                _("a %(amount)s") % {"amount": clinic.money(Decimal(step))} if Decimal(step) else _("sem arredondar"),
            )
            for step in ROUNDINGS
        ]
        # Payers without a price of their own cost what private patients pay.
        self.payers = list(Payer.objects.of(clinic).filter(active=True, prices__isnull=False).distinct())
        whose = [(PRIVATE, _("de particular")), *((str(payer.pk), payer.name) for payer in self.payers)]
        whose += [(EVERYBODY, _("de particular e de todos os convênios"))] if self.payers else []
        self.fields["whose"] = forms.ChoiceField(
            label=_("Preços"),
            choices=whose,
            initial=PRIVATE,
            help_text=_("Sem preço próprio em um procedimento, o convênio segue o de particular."),
        )
        self.fields["rounding"] = forms.ChoiceField(label=_("Arredondar"), choices=choices, initial="0")

    def clean_first(self) -> Any:
        first = self.cleaned_data["first"]
        if first < self.today:
            raise ValidationError(_("O que já passou não muda. Escreva hoje ou um dia depois."))
        return first

    def clean(self) -> dict[str, Any]:
        value = self.cleaned_data.get("value")
        if value is not None and self.cleaned_data.get("kind") == PERCENT and not -100 <= value <= 1000:
            self.add_error("value", _("Use uma porcentagem de −100 a 1000."))
        return self.cleaned_data

    @property
    def rise(self) -> Rise:
        """What a valid form says."""
        values = self.cleaned_data
        return Rise(
            first=values["first"],
            rounding=Decimal(values["rounding"]),
            is_private=values["whose"] in {PRIVATE, EVERYBODY},
            payers=tuple(payer.pk for payer in self.payers if values["whose"] in {str(payer.pk), EVERYBODY}),
            **{values["kind"]: values["value"]},
        )


class PriceRises(ListMixin):
    """The page, for the admin of procedures."""

    @admin.action(description=gettext_lazy("Reajustar preços…"), permissions=["change"])
    def raise_chosen(self, request: HttpRequest, queryset: QuerySet[Procedure]) -> HttpResponse:
        """Open the page with these procedures ticked."""
        chosen = queryset.order_by("pk").values_list("pk", flat=True)
        return HttpResponseRedirect(reverse("admin:clinic_procedure_rise", query={"de": ",".join(map(str, chosen))}))

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("reajustar/", wrap(self.rise_view), name="clinic_procedure_rise"),
            path("reajustes/<int:pk>/desfazer/", wrap(self.take_back_view), name="clinic_procedure_take_back"),
            *super().get_urls(),
        ]

    @resumable_forms.resumable
    def rise_view(self, request: HttpRequest) -> HttpResponse:
        """Show what to raise; a POST shows old and new prices, and with `save` writes those that were seen."""
        clinic = self._clinic_to_change(request)
        typed = request.POST if request.method == "POST" else resumable_forms.take(request)
        if typed is None:
            today = f"{clinic.local(timezone.now()):%d/%m/%Y}"
            return self._rise_page(request, RiseForm(initial={"first": today}, clinic=clinic), _ids(request.GET))
        form, chosen = RiseForm(typed, clinic=clinic), _ids(typed)
        if request.method != "POST":
            sentence = _("A sessão terminou antes de gravar. Está tudo aqui: confira e salve de novo.")
            return self._rise_page(request, form, chosen, reason=sentence)
        if not form.is_valid():
            return self._rise_page(request, form, chosen)
        if not chosen:
            return self._rise_page(request, form, chosen, reason=_("Escolha ao menos um procedimento."))
        prices = new_prices(clinic, form.rise, chosen)
        try:
            check_new_prices(form.rise, prices)
            if "save" not in request.POST:
                return self._rise_page(request, form, chosen, prices=prices)
            if request.POST.get("seen") != _digest(prices):
                raise RiseRefused(RiseFault.CHANGED_MEANWHILE)
            rise = raise_prices(clinic, form.rise, prices, chosen, by=admin_request(request).user)
        except RiseRefused as refused:
            is_shown = refused.fault is RiseFault.CHANGED_MEANWHILE
            shown = new_prices(clinic, form.rise, chosen) if is_shown else None
            return self._rise_page(request, form, chosen, prices=shown, reason=_sentence(refused))
        except Refused as refused:
            return self._rise_page(request, form, chosen, reason=refused.message)
        self._log_rise(request, rise, _("Preço reajustado: %(old)s → %(new)s a partir de %(day)s."), "old", "new")
        self.message_user(request, _("Os preços foram reajustados."), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:clinic_procedure_rise"))

    def take_back_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask first, with the prices before the rise beside those of now; a POST takes it back, or says why not."""
        clinic = self._clinic_to_change(request)
        if request.method != "POST":
            return self._take_back_page(request, clinic, pk)
        try:
            rise = take_back(pk, clinic=clinic, by=admin_request(request).user)
        except PriceRise.DoesNotExist:
            return HttpResponse(status=404)
        except RiseRefused as refused:
            self.message_user(request, _sentence(refused), messages.ERROR)
        except Refused as refused:
            self.message_user(request, refused.message, messages.ERROR)
        else:
            self._log_rise(request, rise, _("Reajuste desfeito: %(old)s → %(new)s a partir de %(day)s."), "new", "old")
            self.message_user(request, _("O reajuste foi desfeito."), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:clinic_procedure_rise"))

    def _take_back_page(self, request: HttpRequest, clinic: Clinic, pk: int) -> HttpResponse:
        """Show what taking a rise back gives back; one that was taken back already leads to the page of all."""
        rise = PriceRise.objects.of(clinic).select_related("made_by").filter(pk=pk).first()
        if rise is None:
            return HttpResponse(status=404)
        if rise.taken_back_at is not None:
            return HttpResponseRedirect(reverse("admin:clinic_procedure_rise"))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Desfazer o reajuste?"),
            "opts": self.opts,
            "clinic": clinic,
            "rise": rise,
            "words": _in_words(rise),
            "prices": prices_to_give_back(rise),
        }
        return TemplateResponse(request, "admin/clinic/procedure/take_back.html", context)

    def _clinic_to_change(self, request: HttpRequest) -> Clinic:
        """Return the clinic whose prices the user may change. Raises PermissionDenied."""
        clinic = admin_request(request).clinic
        if clinic is None or not self.has_change_permission(request):
            raise PermissionDenied
        return clinic

    def _log_rise(self, request: HttpRequest, rise: PriceRise, sentence: str, before: str, after: str) -> None:
        """Write the change of every procedure into the admin's log, as a change in its form is."""
        money = rise.clinic.money
        for change in prices_to_give_back(rise):
            values = {"old": money(getattr(change, before)), "new": money(getattr(change, after))}
            message = sentence % (values | {"day": f"{change.first:%d/%m/%Y}"})
            self.log_change(request, change.procedure, f"{change.payer}: {message}" if change.payer else message)

    def _rise_page(
        self,
        request: HttpRequest,
        form: RiseForm,
        chosen: list[int],
        *,
        prices: list[NewPrice] | None = None,
        reason: str = "",
    ) -> HttpResponse:
        clinic = form.clinic
        offered = new_prices(clinic, Rise(first=form.today, amount=Decimal(0)))
        rises = PriceRise.objects.of(clinic).select_related("made_by", "taken_back_by")[:RISES_SHOWN]
        context = {
            **self.admin_site.each_context(request),
            "title": _("Reajustar preços"),
            "opts": self.opts,
            "form": form,
            "clinic": clinic,
            "procedures": [price for price in offered if price.first == form.today],
            "chosen": set(chosen) or ({price.procedure.pk for price in offered} if not form.is_bound else set()),
            "prices": prices,
            "seen": _digest(prices) if prices is not None else "",
            "reason": reason,
            "rises": [(rise, _in_words(rise)) for rise in rises],
        }
        response = TemplateResponse(request, "admin/clinic/procedure/rise.html", context)
        response.status_code = 409 if reason and request.method == "POST" else 200
        return response


def _ids(data: Any) -> list[int]:
    """Return the ids of the procedures that are ticked, or named by the address."""
    texts = data.getlist("procedure") or data.get("de", "").split(",")
    return sorted({int(text) for text in texts if text.isascii() and text.isdecimal() and len(text) < 19})


def _digest(prices: Iterable[NewPrice]) -> str:
    parts = [(*price.key, price.old, price.new, price.until) for price in prices]
    return blake2b(repr(parts).encode(), digest_size=12).hexdigest()


def _sentence(refused: RiseRefused) -> str:
    return FAULTS[refused.fault] % {"names": ", ".join(refused.names)}


def _in_words(rise: PriceRise) -> str:
    """Return "+8,00 %" or "−R$ 5,00", the rounding where there is one, and whose prices if not the private ones
    alone."""
    value = rise.percentage if rise.percentage is not None else rise.amount or Decimal(0)
    number = f"{written_amount(abs(value))}\N{NO-BREAK SPACE}%" if rise.percentage is not None else ""
    text = f"{'−' if value < 0 else '+'}{number or rise.clinic.money(abs(value))}"
    if rise.rounding:
        text = _("%(rise)s, arredondado a %(amount)s") % {"rise": text, "amount": rise.clinic.money(rise.rounding)}
    payers = raised_payers(rise)
    if payers in ([], [None]):
        return text
    return f"{text} ({', '.join(payer or _('particular') for payer in payers)})"
