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
from clinic.admin import filled
from clinic.admin.forms import (
    ClinicRowForm,
    ClinicRowFormSet,
    DateAndShortTime,
    LocalDecimalField,
    SentencesForm,
    ShortTimeInput,
)
from clinic.booking import BookingRefused, Reason, Refusal, is_in_somebodys_way
from clinic.form_fields import TypedDateField, TypedDateTimeField, TypedTimeField
from clinic.models import Clinic, names
from clinic.models.locks import get_locked, get_shared

WIDGETS = {
    models.DateField: {"form_class": TypedDateField},
    models.DateTimeField: {"form_class": TypedDateTimeField, "widget": DateAndShortTime},
    models.DecimalField: {"form_class": LocalDecimalField, "localize": True},
    models.TimeField: {"form_class": TypedTimeField, "widget": ShortTimeInput},
}


class NounAdmin(admin.ModelAdmin):
    form = SentencesForm
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
        typed = resumable_forms.take(request)
        if typed is not None:
            show_again(request, typed)
        view = request, object_id, form_url, extra_context
        try:
            return self._tried_twice(*view)
        except BookingRefused as refused:
            return self.shown_unsaved(refused.message, *view)
        except OperationalError as error:
            if not is_in_somebodys_way(error):
                raise
            return self.shown_unsaved(Refusal(Reason.TRY_AGAIN).message, *view)

    def _tried_twice(self, *view):
        """Another window may be quicker between the check and the write: then the check sees it and names the field."""
        try:
            return super().changeform_view(*view)
        except IntegrityError:
            return super().changeform_view(*view)

    def shown_unsaved(self, sentence, request, *view):
        """The form as it was typed, under why it is not saved; nothing is locked for it."""
        request.unsaved = sentence
        response = super().changeform_view(request, *view)
        response.status_code = 409
        return response

    def get_object(self, request, object_id, from_field=None):
        """To be saved, the row is locked, so that of two windows the second one sees what the first one wrote.

        Raises OperationalError (55P03, 57014) when it is not let go in time."""
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
        """Who saves what was not changed writes nothing."""
        if form.changed_data or not change:
            super().save_model(request, obj, form, change)

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        form, inlines = context["adminform"].form, context["inline_admin_formsets"]
        formsets = [inline.formset for inline in inlines]
        rows = [form, *(row for formset in formsets for row in formset.initial_forms)]
        context["filled_with"] = filled.sealed(rows) if change and self.has_change_permission(request, obj) else ""
        response = super().render_change_form(request, context, add, change, form_url, obj)
        if any(each.conflicts for each in [*rows, *formsets]):
            response.status_code = 409
        return response

    def get_search_results(self, request, queryset, search_term):
        """Every word in one of `folded_fields`, as `clinic.models.names` looks for it, or as `search_fields` say."""
        rows = queryset
        for text in search_term.split():
            words = names.words(text)
            folded = [Q(*(names.called(field, word) for word in words)) for field in self.folded_fields if words]
            plain = [Q((f"{field}__icontains", text)) for field in self.search_fields]
            rows = rows.filter(Q.create(folded + plain, connector=Q.OR))
        return rows, False

    def get_deleted_objects(self, objs, request):
        if needing := history_of(self.model, objs):
            return [], {}, set(), needing
        return super().get_deleted_objects(objs, request)

    def _get_obj_does_not_exist_redirect(self, request, opts, object_id):
        """What was typed of a row that another window has deleted comes back as a new one, not saved."""
        if filled.key(self.model(pk=unquote(object_id))) not in (filled.read(request.POST) or {}):
            raise Http404
        request.unsaved = _("Outra janela excluiu este cadastro. Está tudo aqui: para criá-lo de novo, salve.")
        add = reverse(f"admin:{opts.app_label}_{opts.model_name}_add")
        response = self._changeform_view(request, None, add, None)
        response.status_code = 409
        return response


class OneClinic:
    """Only the rows of `request.clinic`, in lists, forms, choices and actions.

    A superuser who has chosen no clinic looks at all of them and changes none.
    """

    def get_queryset(self, request):
        rows = super().get_queryset(request)
        return rows if sees_all(request) else rows.of(request.clinic)

    def get_field_queryset(self, db, db_field, request):
        related = db_field.remote_field.model
        rows = super().get_field_queryset(db, db_field, request)
        rows = related._default_manager.all() if rows is None else rows
        return rows if sees_all(request) else rows.of(request.clinic)

    def has_add_permission(self, request, *args):
        return request.clinic is not None and super().has_add_permission(request, *args)

    def has_change_permission(self, request, obj=None):
        return request.clinic is not None and super().has_change_permission(request, obj)

    def has_delete_permission(self, request, obj=None):
        return request.clinic is not None and super().has_delete_permission(request, obj)


class ClinicRowAdmin(OneClinic, NounAdmin):
    form = ClinicRowForm

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change, **kwargs)
        form.clinic = request.clinic
        return form

    def get_exclude(self, request, obj=None):
        return [*(super().get_exclude(request, obj) or []), "clinic"]

    def get_list_display(self, request):
        return [*self.list_display, "clinic"] if sees_all(request) else self.list_display

    def get_list_filter(self, request):
        return ["clinic", *self.list_filter] if sees_all(request) else self.list_filter

    def get_list_select_related(self, request):
        return [*(self.list_select_related or []), "clinic"]


class TypedByTheClock:
    """Its forms hold times on the clinic's clock, or make doctors. They are read by the zone that the clinic has when
    they are saved; until then nobody gives it another one (`clinic.booking.time_zone`)."""

    def _changeform_view(self, request, object_id, form_url, extra_context):
        """Within the transaction of a POST, before any other row is locked. Raises OperationalError like get_object."""
        if request.method == "POST" and request.clinic and not getattr(request, "unsaved", ""):
            request.clinic = get_shared(Clinic, request.clinic.pk)
            timezone.activate(request.clinic.zone)
        return super()._changeform_view(request, object_id, form_url, extra_context)


class ShortPaginator(Paginator):
    """Counts only as far as people leaf: counting all rows of a large table takes longer than showing fifty."""

    FURTHEST = 2000

    @cached_property
    def count(self):
        return min(self._counted, self.FURTHEST)

    @property
    def has_more(self):
        return self._counted > self.FURTHEST

    @cached_property
    def _counted(self):
        return self.object_list[: self.FURTHEST + 1].count()


class LargeTable:
    """A list that opens as fast over a million rows as over a hundred: nothing in it asks for all of them."""

    paginator = ShortPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def get_changelist_instance(self, request):
        """The date hierarchy offers every year, month or day from the first row to the last, with rows or without."""
        changelist = super().get_changelist_instance(request)
        rows = changelist.queryset
        rows.datetimes = lambda field, kind: steps(rows.aggregate(first=Min(field), last=Max(field)), kind)
        return changelist


def steps(span: dict, kind: str) -> list[datetime]:
    """The years, months or days that a span of instants touches, each by its local beginning."""
    if span["first"] is None:
        return []
    first, last = (timezone.localtime(instant).date() for instant in (span["first"], span["last"]))
    days = (first + timedelta(days=offset) for offset in range((last - first).days + 1))
    begun = {"year": lambda day: day.replace(month=1, day=1), "month": lambda day: day.replace(day=1)}
    beginnings = dict.fromkeys(begun.get(kind, lambda day: day)(day) for day in days)
    return [datetime.combine(day, time(12), timezone.get_current_timezone()) for day in beginnings]


class ClinicRowInline(OneClinic, admin.TabularInline):
    form = ClinicRowForm
    formset = ClinicRowFormSet
    formfield_overrides = WIDGETS
    exclude = ["clinic"]
    extra = 0
    show_change_link = False


class LookOnly:
    """Read here, written elsewhere."""

    def has_add_permission(self, request, *args):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


class OwnRowsFilter(admin.RelatedFieldListFilter):
    """A filter by another noun that offers only this clinic's rows of it."""

    def field_choices(self, field, request, model_admin):
        limits = {} if sees_all(request) else {"clinic": request.clinic}
        ordering = self.field_admin_ordering(field, request, model_admin)
        return field.get_choices(include_blank=False, ordering=ordering, limit_choices_to=limits)


def show_again(request, typed) -> None:
    """Have the admin take a GET for the POST that came too late; the form refuses to save it (SentencesForm)."""
    request._load_post_and_files()  # else whoever asks for the files first reads the empty body over what is set here
    request.method, request.POST = "POST", typed
    request.unsaved = _("A sessão terminou antes de gravar. Está tudo aqui: confira e salve de novo.")


def shown(path, label):
    """A column for a field that has no Portuguese name of its own; `path` as in a lookup."""

    @admin.display(description=label, ordering=path)
    def value(self, row):
        for name in path.split("__"):
            row = getattr(row, f"get_{name}_display", lambda row=row, name=name: getattr(row, name))()
        return display_for_value(row, "—")

    return value


def sees_all(request) -> bool:
    return request.user.is_superuser and request.clinic is None


def history_of(model, objs) -> list[str]:
    """What stands in the way of deleting these rows, in words; at most one query for each kind of it."""
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
