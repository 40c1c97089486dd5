from django import forms
from django.contrib import admin, messages
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.access.middleware import choose_clinic
from clinic.admin.base import NounAdmin
from clinic.admin.forms import NamedForm
from clinic.models import Clinic, clinic

TIME_ZONES = sorted(zone for zones in clinic.TIME_ZONES.values() for zone in zones)


class ClinicForm(NamedForm):
    class Meta:
        widgets = {"time_zone": forms.Select(choices=[(name, name.replace("_", " ")) for name in TIME_ZONES])}


@admin.register(Clinic)
class ClinicAdmin(NounAdmin):
    """A manager edits the own clinic; superusers add clinics, switch them off and choose the one they work in."""

    form = ClinicForm
    fields = [
        "name",
        "slug",
        "country",
        "time_zone",
        "language",
        "currency",
        "observes_holidays",
        "strict_cpf",
        "active",
    ]
    list_display = ["name", "slug", "country", "time_zone", "active"]
    search_fields = ["name", "slug"]
    actions = ["work_here", "leave"]

    def get_queryset(self, request):
        clinics = super().get_queryset(request)
        return clinics if request.user.is_superuser else clinics.filter(pk=request.clinic.pk)

    def get_readonly_fields(self, request, obj=None):
        return [] if request.user.is_superuser else ["slug", "country", "currency", "active"]

    def has_add_permission(self, request):
        return request.user.is_superuser

    def has_delete_permission(self, request, obj=None):
        return request.user.is_superuser

    def has_choose_permission(self, request):
        return request.user.is_superuser

    @admin.action(
        description=gettext_lazy("Trabalhar nesta clínica"),
        permissions=["choose"],
        location=[admin.ActionLocation.CHANGE_LIST, admin.ActionLocation.CHANGE_FORM],
    )
    def work_here(self, request, queryset):
        clinic = queryset.first()
        choose_clinic(request, clinic)
        self.message_user(request, _("Agora você trabalha em %(clinic)s.") % {"clinic": clinic}, messages.SUCCESS)

    @admin.action(description=gettext_lazy("Ver todas as clínicas"), permissions=["choose"])
    def leave(self, request, queryset):
        choose_clinic(request, None)
        self.message_user(request, _("Agora você vê todas as clínicas, sem alterar nenhuma."), messages.SUCCESS)
