from datetime import datetime, time, timedelta

from django.contrib import admin
from django.contrib.admin.utils import display_for_value, unquote
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import IntegrityError, OperationalError, models
from django.db.models import Max, Min, Q
from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from clinic.access import resumable_forms
from clinic.admin import filled, once
from clinic.admin.forms import (
    ClinicRowForm,
    ClinicRowFormSet,
    ConstraintMessagesForm,
    DateAndShortTime,
    LocalDecimalField,
    ShortTimeInput,
)
from clinic.form_fields import TypedDateField, TypedDateTimeField, TypedTimeField
from clinic.models import Clinic, names
from clinic.models.locks import get_locked, get_shared
from clinic.refusals import Reason, Refusal, Refused
from clinic.transactions import is_transient

WIDGETS = {
    models.DateField: {"form_class": TypedDateField},
    models.DateTimeField: {"form_class": TypedDateTimeField, "widget": DateAndShortTime},
    models.DecimalField: {"form_class": LocalDecimalField, "localize": True},
    models.TimeField: {"form_class": TypedTimeField, "widget": ShortTimeInput},
}


class BaseAdmin(admin.ModelAdmin):
    form = ConstraintMessagesForm
    formfield_overrides = WIDGETS
    list_per_page = 50
    folded_fields = ()

    @resumable_forms.resumable
    def add_view(self, request, form_url="", extra_context=None):
        return super().add_view(request, form_url, extra_context)

    @resumable_forms.resumable
    def change_view(self, request, object_id, form_url="", extra_context=None):
        return super().change_view(request, object_id, form_url, extra_context)

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        """Show the form again, as entered, when the session had ended or the row cannot be saved now."""
        typed = resumable_forms.take(request)
        if typed is not None:
            bind_kept_form(request, typed)
        view = request, object_id, form_url, extra_context
        try:
            return self._tried_twice(*view)
        except Refused as refused:
            return self.render_unsaved(refused.message, *view)
        except OperationalError as error:
            if not is_transient(error):
                raise
            return self.render_unsaved(Refusal(Reason.TRY_AGAIN).message, *view)

    def _tried_twice(self, *view):
        """Run the view again after a conflict with another window: the second time, validation names the field."""
        try:
            return super().changeform_view(*view)
        except IntegrityError:
            return super().changeform_view(*view)

    def _changeform_view(self, request, object_id, form_url, extra_context):
        """Add no row again that the same form has added already."""
        adds = request.method == "POST" and object_id is None and not getattr(request, "unsaved", "")
        if adds and self.has_add_permission(request) and (added := self._added_before(request)):
            return self.response_add(request, added)
        return super()._changeform_view(request, object_id, form_url, extra_context)

    def _added_before(self, request):
        pk = once.added_before(request, self.model)
        return self.get_queryset(request).filter(pk=pk).first() if pk else None

    def log_addition(self, request, obj, message):
        known_by = once.sending(request)
        return super().log_addition(request, obj, [*message, {"sent_as": known_by}] if known_by else message)

    def render_unsaved(self, reason, request, *view):
        """Render the form as entered, with the reason why it is not saved, without locking any row."""
        request.unsaved = reason
        response = super().changeform_view(request, *view)
        response.status_code = 409
        return response

    def get_object(self, request, object_id, from_field=None):
        """Lock the row before a save, so that the second of two windows sees the changes of the first.

        Raises OperationalError (55P03, 57014) when the row is not released in time.
        """
        if request.method != "POST" or getattr(request, "unsaved", ""):
            return super().get_object(request, object_id, from_field)
        try:
            pk = self.opts.pk.to_python(object_id)
            return get_locked(self.get_queryset(request).filter(pk=pk))
        except (self.model.DoesNotExist, ValidationError):
            return None

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change, **kwargs)
        form.unsaved = getattr(request, "unsaved", "")
        return form

    def save_model(self, request, obj, form, change):
        """Write nothing when nothing was changed."""
        if form.changed_data or not change:
            super().save_model(request, obj, form, change)

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        form, inlines = context["adminform"].form, context["inline_admin_formsets"]
        formsets = [inline.formset for inline in inlines]
        rows = [form, *(row for formset in formsets for row in formset.initial_forms)]
        context["filled_with"] = filled.sealed(rows) if change and self.has_change_permission(request, obj) else ""
        context["add_key"] = once.new_key() if add else ""
        response = super().render_change_form(request, context, add, change, form_url, obj)
        if any(form.conflicts for form in [*rows, *formsets]):
            response.status_code = 409
        return response

    def get_search_results(self, request, queryset, search_term):
        """Require every word in one of `folded_fields`, as `clinic.models.names` matches it, or in `search_fields`."""
        rows = queryset
        for text in search_term.split():
            words = names.words(text)
            folded = [Q(*(names.contains_word(field, word) for word in words)) for field in self.folded_fields if words]
            plain = [Q((f"{field}__icontains", text)) for field in self.search_fields]
            rows = rows.filter(Q.create(folded + plain, connector=Q.OR))
        return rows, False

    def get_deleted_objects(self, objs, request):
        if protected := protecting_relations(self.model, objs):
            return [], {}, set(), protected
        return super().get_deleted_objects(objs, request)

    def _get_obj_does_not_exist_redirect(self, request, opts, object_id):
        """Show the fields of a row that another window has deleted as a new row, not saved."""
        if filled.key(self.model(pk=unquote(object_id))) not in (filled.read(request.POST) or {}):
            raise Http404
        request.unsaved = _("Outra janela excluiu este cadastro. Está tudo aqui: para criá-lo de novo, salve.")
        add = reverse(f"admin:{opts.app_label}_{opts.model_name}_add")
        response = self._changeform_view(request, None, add, None)
        response.status_code = 409
        return response


class ClinicScopedAdminMixin:
    """Restrict lists, forms, choices and actions to the rows of `request.clinic`.

    A superuser who has chosen no clinic sees all rows and cannot change them.
    """

    def get_queryset(self, request):
        rows = super().get_queryset(request)
        return rows if sees_all_clinics(request) else rows.of(request.clinic)

    def get_field_queryset(self, db, db_field, request):
        related = db_field.remote_field.model
        rows = super().get_field_queryset(db, db_field, request)
        rows = related._default_manager.all() if rows is None else rows
        return rows if sees_all_clinics(request) else rows.of(request.clinic)

    def has_add_permission(self, request, *args):
        return request.clinic is not None and super().has_add_permission(request, *args)

    def has_change_permission(self, request, obj=None):
        return request.clinic is not None and super().has_change_permission(request, obj)

    def has_delete_permission(self, request, obj=None):
        return request.clinic is not None and super().has_delete_permission(request, obj)


class ClinicRowAdmin(ClinicScopedAdminMixin, BaseAdmin):
    form = ClinicRowForm

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change, **kwargs)
        form.clinic = request.clinic
        return form

    def get_exclude(self, request, obj=None):
        return [*(super().get_exclude(request, obj) or []), "clinic"]

    def get_list_display(self, request):
        return [*self.list_display, "clinic"] if sees_all_clinics(request) else self.list_display

    def get_list_filter(self, request):
        return ["clinic", *self.list_filter] if sees_all_clinics(request) else self.list_filter

    def get_list_select_related(self, request):
        return [*(self.list_select_related or []), "clinic"]


class ClinicTimeAdminMixin:
    """For forms with local times, and for doctors: keep the clinic's time zone unchanged during the save.

    The times are read in the zone that the clinic has at the save; until it ends, no other transaction can change that
    zone (`clinic.booking.time_zone`).
    """

    def _changeform_view(self, request, object_id, form_url, extra_context):
        """Lock the clinic in the transaction of a POST, before any other row.

        Raises OperationalError like `get_object`.
        """
        if request.method == "POST" and request.clinic and not getattr(request, "unsaved", ""):
            request.clinic = get_shared(Clinic, request.clinic.pk)
            timezone.activate(request.clinic.zone)
        return super()._changeform_view(request, object_id, form_url, extra_context)


class ShortPaginator(Paginator):
    """Count up to MAX_COUNT rows only: counting a large table takes longer than showing fifty rows."""

    MAX_COUNT = 2000

    @cached_property
    def count(self):
        return min(self._counted, self.MAX_COUNT)

    @property
    def has_more(self):
        return self._counted > self.MAX_COUNT

    @cached_property
    def _counted(self):
        return self.object_list[: self.MAX_COUNT + 1].count()


class LargeTable:
    """Keep a list fast over a million rows: nothing in it reads all of them.

    It counts a part ("mais de 2000"), sorts by one column, and searches people as the patients' page does. Counting all
    rows, sorting by a joined column and searching notes and phones took 10 s at 100 000 appointments.
    """

    paginator = ShortPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def get_changelist_instance(self, request):
        """Have the date hierarchy offer every year, month or day from the first row to the last, even without rows."""
        changelist = super().get_changelist_instance(request)
        rows = changelist.queryset
        rows.datetimes = lambda field, kind: steps(rows.aggregate(first=Min(field), last=Max(field)), kind)
        return changelist


def steps(span: dict, kind: str) -> list[datetime]:
    """Return the years, months or days that a span of instants touches, as the noon of their first local day."""
    if span["first"] is None:
        return []
    first, last = (timezone.localtime(instant).date() for instant in (span["first"], span["last"]))
    days = (first + timedelta(days=offset) for offset in range((last - first).days + 1))
    starts = {"year": lambda day: day.replace(month=1, day=1), "month": lambda day: day.replace(day=1)}
    first_days = dict.fromkeys(starts.get(kind, lambda day: day)(day) for day in days)
    return [datetime.combine(day, time(12), timezone.get_current_timezone()) for day in first_days]


class ClinicRowInline(ClinicScopedAdminMixin, admin.TabularInline):
    form = ClinicRowForm
    formset = ClinicRowFormSet
    formfield_overrides = WIDGETS
    exclude = ["clinic"]
    extra = 0
    show_change_link = False


class ReadOnlyAdminMixin:
    """Allow viewing only; the rows are written elsewhere."""

    def has_add_permission(self, request, *args):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class OwnRowsFilter(admin.RelatedFieldListFilter):
    """Filter by a related model, offering only rows of this clinic."""

    def field_choices(self, field, request, model_admin):
        limits = {} if sees_all_clinics(request) else {"clinic": request.clinic}
        ordering = self.field_admin_ordering(field, request, model_admin)
        return field.get_choices(include_blank=False, ordering=ordering, limit_choices_to=limits)


def bind_kept_form(request, typed) -> None:
    """Turn a GET into the POST that came too late; the form refuses to save it (ConstraintMessagesForm)."""
    # otherwise reading request.FILES later would parse the empty body and overwrite POST
    request._load_post_and_files()
    request.method, request.POST = "POST", typed
    request.unsaved = _("A sessão terminou antes de gravar. Está tudo aqui: confira e salve de novo.")


def column(path, label):
    """Return a column for a field without a Portuguese name of its own; `path` is that of a lookup."""

    @admin.display(description=label, ordering=path)
    def value(self, row):
        for name in path.split("__"):
            row = getattr(row, f"get_{name}_display", lambda row=row, name=name: getattr(row, name))()
        return display_for_value(row, "—")

    return value


def sees_all_clinics(request) -> bool:
    return request.user.is_superuser and request.clinic is None


def protecting_relations(model, objs) -> list[str]:
    """Return descriptions of the rows that prevent deleting `objs`; at most one query per model."""
    protecting = [
        relation
        for relation in model._meta.get_fields(include_hidden=True)
        if relation.auto_created and getattr(relation, "on_delete", None) is models.PROTECT
    ]
    return [
        _("%(what)s no histórico") % {"what": relation.related_model._meta.verbose_name_plural}
        for relation in protecting
        if relation.related_model._base_manager.filter((f"{relation.field.name}__in", list(objs))).exists()
    ]
