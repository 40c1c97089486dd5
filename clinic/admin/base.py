from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, cast

from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import display_for_value, unquote
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import IntegrityError, OperationalError, models
from django.db.models import ForeignObjectRel, Max, Min, Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from clinic.access import resumable_forms
from clinic.access.requests import StaffRequest
from clinic.admin import filled, once
from clinic.admin.forms import (
    ClinicRowForm,
    ClinicRowFormSet,
    ConstraintMessagesForm,
    DateAndShortTime,
    ShortTimeInput,
)
from clinic.form_fields import LocalDecimalField, TypedDateField, TypedDateTimeField, TypedTimeField
from clinic.models import Clinic, StaffUser, names, titles
from clinic.models.clinic import ClinicQuerySet
from clinic.models.locks import get_locked, get_shared
from clinic.refusals import Reason, Refusal, Refused
from clinic.transactions import is_transient

if TYPE_CHECKING:
    from django.contrib.admin.options import BaseModelAdmin
    from django.contrib.admin.views.main import ChangeList
    from django_stubs_ext import StrOrPromise

    # with a method of Django's own that the stubs lack
    class ModelAdmin(admin.ModelAdmin[Any]):
        def _changeform_view(
            self, request: HttpRequest, object_id: str | None, form_url: str, extra_context: dict[str, Any] | None
        ) -> HttpResponse: ...

    TabularInline = admin.TabularInline[Any, Any]
    # The bases of mixins: one for inlines too, and one for models only.
    AdminMixin = BaseModelAdmin[Any]
    ListMixin = ModelAdmin
    RowPaginator = Paginator[Any]
else:
    ModelAdmin, TabularInline, RowPaginator = admin.ModelAdmin, admin.TabularInline, Paginator
    AdminMixin = ListMixin = object

WIDGETS: "dict[type[models.Field[Any, Any]], dict[str, Any]]" = {
    models.DateField: {"form_class": TypedDateField},
    models.DateTimeField: {"form_class": TypedDateTimeField, "widget": DateAndShortTime},
    models.DecimalField: {"form_class": LocalDecimalField, "localize": True},
    models.TimeField: {"form_class": TypedTimeField, "widget": ShortTimeInput},
}


class AdminRequest(StaffRequest):
    """A request in the admin. `unsaved` is the reason why a form is shown again unsaved; often it is not set.

    `pending_before` are the ids of the appointments that were pending before a save, for `admin.closing`."""

    user: StaffUser
    unsaved: "StrOrPromise"
    pending_before: set[int]


def admin_request(request: HttpRequest) -> AdminRequest:
    """Return the same request, typed as the admin gets it; Django's methods are declared with any request."""
    return cast("AdminRequest", request)


def is_unsaved(request: HttpRequest) -> bool:
    """Return whether the form is shown again without being saved."""
    return bool(getattr(request, "unsaved", ""))


class BaseAdmin(ModelAdmin):
    """A model in the admin: two windows do not overwrite each other, and a form is not lost with the session.

    `folded_fields` are lookups of folded texts that a search compares word by word, `title_fields` those of doctors'
    titles.
    """

    form = ConstraintMessagesForm
    formfield_overrides = WIDGETS
    list_per_page = 50
    folded_fields: Sequence[str] = ()
    title_fields: Sequence[str] = ()

    @resumable_forms.resumable
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().add_view(request, form_url, extra_context)

    @resumable_forms.resumable
    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().change_view(request, object_id, form_url, extra_context)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show the form again, as entered, when the session had ended or the row cannot be saved now."""
        typed = resumable_forms.take(request)
        if typed is not None:
            bind_kept_form(request, typed)
        view = request, object_id, form_url, extra_context
        try:
            return self._with_one_retry(*view)
        except Refused as refused:
            return self.render_unsaved(refused.message, *view)
        except OperationalError as error:
            if not is_transient(error):
                raise
            return self.render_unsaved(Refusal(Reason.TRY_AGAIN).message, *view)

    def _with_one_retry(self, *view: Any) -> HttpResponse:
        """Run the view again after a conflict with another window: the second time, validation names the field."""
        try:
            return super().changeform_view(*view)
        except IntegrityError:
            return super().changeform_view(*view)

    def _changeform_view(
        self, request: HttpRequest, object_id: str | None, form_url: str, extra_context: dict[str, Any] | None
    ) -> HttpResponse:
        """Add no row again that the same form has added already."""
        adds = request.method == "POST" and object_id is None and not is_unsaved(request)
        if adds and self.has_add_permission(request) and (added := self._added_before(request)):
            return self.response_add(request, added)
        return super()._changeform_view(request, object_id, form_url, extra_context)

    def _added_before(self, request: HttpRequest) -> Any:
        pk = once.added_before(request, self.model)
        return self.get_queryset(request).filter(pk=pk).first() if pk else None

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry:
        submission = once.submission_id(request)
        return super().log_addition(request, obj, [*message, {"sent_as": submission}] if submission else message)

    def render_unsaved(self, reason: "StrOrPromise", request: HttpRequest, *view: Any) -> HttpResponse:
        """Render the form as entered, with the reason why it is not saved, without locking any row."""
        admin_request(request).unsaved = reason
        response = super().changeform_view(request, *view)
        response.status_code = 409
        return response

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Lock the row before a save, so that the second of two windows sees the changes of the first.

        Raises OperationalError (55P03, 57014) when the row is not released in time.
        """
        if request.method != "POST" or is_unsaved(request):
            return super().get_object(request, object_id, from_field)
        try:
            pk = self.opts.pk.to_python(object_id)
            return get_locked(self.get_queryset(request).filter(pk=pk))
        except (self.model.DoesNotExist, ValidationError):
            return None

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.unsaved = getattr(request, "unsaved", "")
        return form

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Write nothing when nothing was changed."""
        if form.changed_data or not change:
            super().save_model(request, obj, form, change)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        form, inlines = context["adminform"].form, context["inline_admin_formsets"]
        formsets = [inline.formset for inline in inlines]
        rows = [form, *(row for formset in formsets for row in formset.initial_forms)]
        context["filled_with"] = (
            filled.signed_values(rows) if change and self.has_change_permission(request, obj) else ""
        )
        context["add_key"] = once.new_key() if add else ""
        response = super().render_change_form(request, context, add, change, form_url, obj)
        if any(form.conflicts for form in [*rows, *formsets]):
            response.status_code = 409
        return response

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Require every word in one of `folded_fields`, as `clinic.models.names` matches it, of `title_fields`, or in
        `search_fields`."""
        rows = queryset
        for text in search_term.split():
            words = names.words(text)
            folded = [Q(*(names.contains_word(field, word) for word in words)) for field in self.folded_fields if words]
            of_titles = [titles.contains_word(field, text) for field in self.title_fields]
            plain = [Q((f"{field}__icontains", text)) for field in self.search_fields]
            rows = rows.filter(Q.create([*folded, *of_titles, *plain], connector=Q.OR))
        return rows, False

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        if protected := protecting_relations(self.model, objs):
            return [], {}, set(), protected
        deleted, counts, lacking, protected = super().get_deleted_objects(objs, request)
        joins = join_tables()
        of_joins = tuple(f"{capfirst(join.verbose_name)}: " for join in joins)
        for join in joins:
            counts.pop(join.verbose_name_plural, None)
        return without_lines(deleted, of_joins), counts, lacking, protected

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        """Show the fields of a row that another window has deleted as a new row, not saved."""
        if filled.key(self.model(pk=unquote(object_id))) not in (filled.read(request.POST) or {}):
            raise Http404
        reason = _("Outra janela excluiu este cadastro. Está tudo aqui: para criá-lo de novo, salve.")
        return self.render_without_row(request, reason, reverse(f"admin:{opts.app_label}_{opts.model_name}_add"))

    def render_without_row(self, request: HttpRequest, reason: "StrOrPromise", form_url: str) -> HttpResponse:
        """Render the posted fields as those of a new row, not saved, with the reason; the form posts to `form_url`."""
        admin_request(request).unsaved = reason
        response = self._changeform_view(request, None, form_url, None)
        response.status_code = 409
        return response


class ClinicScopedAdminMixin(AdminMixin):
    """Restrict lists, forms, choices and actions to the rows of `request.clinic`.

    A superuser who has chosen no clinic sees all rows and cannot change them.
    """

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return visible_rows(request, super().get_queryset(request))

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest) -> QuerySet[Any]:
        related = db_field.remote_field.model
        ordered = super().get_field_queryset(db, db_field, request)
        return visible_rows(request, related._default_manager.all() if ordered is None else ordered)

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return admin_request(request).clinic is not None and super().has_add_permission(request, *args)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin_request(request).clinic is not None and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin_request(request).clinic is not None and super().has_delete_permission(request, obj)


class ClinicRowAdmin(ClinicScopedAdminMixin, BaseAdmin):
    """A model whose rows belong to clinics."""

    form = ClinicRowForm

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.clinic = admin_request(request).clinic
        return form

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*(super().get_exclude(request, obj) or []), "clinic"]

    def get_list_display(self, request: HttpRequest) -> Any:
        return [*self.list_display, "clinic"] if sees_all_clinics(request) else self.list_display

    def get_list_filter(self, request: HttpRequest) -> Any:
        return [("clinic", RealClinicsFilter), *self.list_filter] if sees_all_clinics(request) else self.list_filter

    def get_list_select_related(self, request: HttpRequest) -> list[str]:
        own = self.list_select_related
        return [*(own if isinstance(own, Sequence) else []), "clinic"]


class NamesakesAdmin(ClinicRowAdmin):
    """A model of which two rows may have one name: a person who adds the second one reads that there is another.

    `rows_named` returns the rows of a clinic that are in use with a name."""

    rows_named: Callable[[Clinic, str], QuerySet[Any]]

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        if self.rows_named(obj.clinic, obj.name).exclude(pk=obj.pk).exists():
            sentence = _("Já havia outro cadastro com o nome “%(name)s”. Se for o mesmo, exclua um dos dois.")
            self.message_user(request, sentence % {"name": obj.name}, messages.WARNING)
        return super().response_add(request, obj, post_url_continue)


class ClinicTimeAdminMixin(ListMixin):
    """For forms with local times, and for doctors: keep the clinic's time zone unchanged during the save.

    The times are read in the zone that the clinic has at the save; until it ends, no other transaction can change that
    zone (`clinic.booking.time_zone`).
    """

    def _changeform_view(
        self, request: HttpRequest, object_id: str | None, form_url: str, extra_context: dict[str, Any] | None
    ) -> HttpResponse:
        """Lock the clinic in the transaction of a POST, before any other row.

        Raises OperationalError like `get_object`.
        """
        clinic = admin_request(request).clinic
        if request.method == "POST" and clinic and not is_unsaved(request):
            locked = get_shared(Clinic, clinic.pk)
            admin_request(request).clinic = locked
            timezone.activate(locked.zone)
        return super()._changeform_view(request, object_id, form_url, extra_context)


class ShortPaginator(RowPaginator):
    """Count up to MAX_COUNT rows only: counting a large table takes longer than showing fifty rows."""

    MAX_COUNT = 2000

    @cached_property
    def count(self) -> int:
        return min(self._counted, self.MAX_COUNT)

    @property
    def has_more(self) -> bool:
        return self._counted > self.MAX_COUNT

    @cached_property
    def _counted(self) -> int:
        return cast("QuerySet[Any]", self.object_list)[: self.MAX_COUNT + 1].count()


class LargeTable(ListMixin):
    """Keep a list fast over a million rows: nothing in it reads all of them.

    It counts a part ("mais de 2000"), sorts by one column, and searches people as the patients' page does. Counting all
    rows, sorting by a joined column and searching notes and phones took 10 s at 100 000 appointments.
    """

    paginator = ShortPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def get_changelist_instance(self, request: HttpRequest) -> "ChangeList":
        """Have the date hierarchy offer every year, month or day from the first row to the last, even without rows."""
        changelist = super().get_changelist_instance(request)
        rows = changelist.queryset
        rows.datetimes = lambda field, kind: steps(rows.aggregate(first=Min(field), last=Max(field)), kind)
        return changelist


def steps(span: dict[str, Any], kind: str) -> list[datetime]:
    """Return the years, months or days that a span of instants touches, as the noon of their first local day."""
    if span["first"] is None:
        return []
    first, last = (timezone.localtime(instant).date() for instant in (span["first"], span["last"]))
    days = (first + timedelta(days=offset) for offset in range((last - first).days + 1))
    first_days = dict.fromkeys(_start_of(kind, day) for day in days)
    return [datetime.combine(day, time(12), timezone.get_current_timezone()) for day in first_days]


def _start_of(kind: str, day: date) -> date:
    """Return the first day of the year or month of this day, or the day itself."""
    if kind == "year":
        return day.replace(month=1, day=1)
    return day.replace(day=1) if kind == "month" else day


class ClinicRowInline(ClinicScopedAdminMixin, TabularInline):
    """Rows of a clinic inside the form of the row that they belong to."""

    form = ClinicRowForm
    formset = ClinicRowFormSet
    formfield_overrides = WIDGETS
    exclude = ["clinic"]
    extra = 0
    show_change_link = False


class ReadOnlyAdminMixin(AdminMixin):
    """Allow viewing only; the rows are written elsewhere."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class RealClinicsFilter(admin.RelatedFieldListFilter):
    """Filter by the clinic, offering no sandbox."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> "list[tuple[str, StrOrPromise]]":
        choices: list[tuple[str, StrOrPromise]] = field.get_choices(
            include_blank=False,
            ordering=self.field_admin_ordering(field, request, model_admin),
            limit_choices_to={"sandbox_of": None},
        )
        return choices


class OwnRowsFilter(admin.RelatedFieldListFilter):
    """Filter by a related model, offering only rows of this clinic."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> "list[tuple[str, StrOrPromise]]":
        limits = {} if sees_all_clinics(request) else {"clinic": admin_request(request).clinic}
        ordering = self.field_admin_ordering(field, request, model_admin)
        choices: list[tuple[str, StrOrPromise]] = field.get_choices(
            include_blank=False, ordering=ordering, limit_choices_to=limits
        )
        return choices


def join_tables() -> list[Any]:
    """Return the options of the tables that Django made for relations: they have no name for people."""
    models_of_clinic = apps.get_app_config("clinic").get_models(include_auto_created=True)
    return [model._meta for model in models_of_clinic if model._meta.auto_created]


def without_lines(nested: list[Any], beginnings: tuple[str, ...]) -> list[Any]:
    """Return nested lists of lines without the lines that begin so."""
    kept = [without_lines(line, beginnings) if isinstance(line, list) else line for line in nested]
    return [line for line in kept if line and (isinstance(line, list) or not line.startswith(beginnings))]


def bind_kept_form(request: HttpRequest, typed: QueryDict) -> None:
    """Turn a GET into the POST that came too late; the form refuses to save it (ConstraintMessagesForm)."""
    # otherwise reading request.FILES later would parse the empty body and overwrite POST
    request._load_post_and_files()
    request.method = "POST"
    request.POST = typed  # type: ignore[assignment]  # the stubs want a private class of theirs
    admin_request(request).unsaved = _("A sessão terminou antes de gravar. Está tudo aqui: confira e salve de novo.")


def column(path: str, label: "StrOrPromise") -> Callable[[Any, Any], str]:
    """Return a column for a field without a Portuguese name of its own; `path` is that of a lookup."""

    @admin.display(description=label, ordering=path)
    def value(self: Any, row: Any) -> str:
        for name in path.split("__"):
            row = getattr(row, f"get_{name}_display", lambda row=row, name=name: getattr(row, name))()
        return display_for_value(row, "—")

    return value


def local_today(request: HttpRequest) -> date:
    """Return the date on the clock of the request's clinic; of a superuser who has chosen none that of the request's
    zone."""
    clinic = admin_request(request).clinic
    return clinic.local(timezone.now()).date() if clinic else timezone.localdate()


def sees_all_clinics(request: HttpRequest) -> bool:
    """Return whether the user is a superuser who has chosen no clinic."""
    return admin_request(request).user.is_superuser and admin_request(request).clinic is None


def visible_rows(request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return the rows of the request's clinic; all for a superuser who has chosen none."""
    clinic = admin_request(request).clinic
    if clinic is not None:
        return cast("ClinicQuerySet[Any]", rows).of(clinic)
    return rows.exclude(clinic__in=Clinic.objects.sandboxes()) if sees_all_clinics(request) else rows.none()


def protecting_relations(model: type[Model], objs: Iterable[Model]) -> list[str]:
    """Return descriptions of the rows that prevent deleting `objs`; at most one query per model."""
    protecting = [
        relation
        for relation in model._meta.get_fields(include_hidden=True)
        if isinstance(relation, ForeignObjectRel) and relation.on_delete is models.PROTECT
    ]
    return [
        _("%(what)s no histórico") % {"what": relation.related_model._meta.verbose_name_plural}
        for relation in protecting
        if relation.related_model._base_manager.filter((f"{relation.field.name}__in", list(objs))).exists()
    ]
