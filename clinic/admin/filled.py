"""Detect changes by other windows: an admin page carries, signed, the values that its form was rendered with.

When the form comes back, they are compared with the stored row, so that an older window writes only the fields that
were changed in it, and fields that both windows changed are asked about. This needs no column and works for inline
rows; a version number of the row would also refuse two people who change different fields. Fields are compared in the
form in which a browser posts them (`Posted`), by unprefixed names.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

FIELD = "filled_with"
SALT = "clinic.admin.filled"

type Posted = MultiValueDict[str, str]
type Page = Mapping[str, Posted]  # by `key` of the row


if TYPE_CHECKING:
    # with methods of Django's own that the stubs lack
    class ModelForm(forms.ModelForm[Any]):
        data: MultiValueDict[str, str]

        def _get_validation_exclusions(self) -> set[str]: ...

    class InlineFormSet(forms.BaseInlineFormSet[Any, Any, forms.ModelForm[Any]]):
        data: MultiValueDict[str, str]
        model: type[Model]
        form: type["FilledForm"]

        def _construct_form(self, i: int, **kwargs: Any) -> "FilledForm": ...

else:
    ModelForm, InlineFormSet = forms.ModelForm, forms.BaseInlineFormSet


class FilledForm(ModelForm):
    """A form of a stored row that the caller has locked.

    Fields that were not changed in this window take their stored values, so that validation sees the result of both
    windows. A field that both windows changed to different values is refused with both values. Without the page's
    `filled_with` every posted value counts as changed here; if `filled_with` lacks this row, every difference is
    refused.
    """

    def __init__(self, *args: Any, page: Page | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conflicts: dict[str, str] = {}
        self.is_stored = bool(self.instance.pk)
        self.stored: Posted = self.untouched() if self.is_stored else MultiValueDict()
        page = read(self.data) if page is None else page
        if self.is_bound and self.is_stored and page is not None:
            self.merge(page.get(key(self.instance)))

    def full_clean(self) -> None:
        super().full_clean()
        for name, sentence in self.conflicts.items():
            self.add_error(name, sentence)

    def comparable(self, name: str, value: Any) -> Any:
        """Normalise a posted value, so that different spellings of it compare equal."""
        with suppress(ValidationError):
            value = self.fields[name].clean(value)
        return value.replace("\r\n", "\n") if isinstance(value, str) else value

    def differs(self, posted: Posted, other: Posted) -> bool:
        return any(self._value(name, posted) != self._value(name, other) for name in self.base_fields)

    def in_words(self, posted: Posted) -> str:
        """Format the whole row for people."""
        words = (display_value(self.fields[name], self._raw(name, posted)) for name in self.base_fields)
        return " · ".join(filter(None, words))

    def merge(self, rendered: Posted | None) -> None:
        """Lay posted values over stored ones; `rendered` are the values the form was rendered with, None if unknown."""
        typed = self._typed()
        for name in self.base_fields:
            if rendered is None or self._raw(name, rendered) != self._raw(name, self.stored):
                self._merge_field(name, rendered, typed)

    def _merge_field(self, name: str, rendered: Posted | None, typed: Posted) -> None:
        here, there = (self._value(name, posted) for posted in (typed, self.stored))
        if rendered is not None and isinstance(here, frozenset):
            before = self._value(name, rendered)
            self._take(name, MultiValueDict({name: sorted((there | (here - before)) - (before - here))}))
        elif rendered is not None and here == self._value(name, rendered):
            self._take(name, self.stored)
        elif here != there:
            self.conflicts[name] = self._both_values(name, typed)

    def _both_values(self, name: str, typed: Posted) -> str:
        stored, here = (
            f"“{text}”" if (text := display_value(self.fields[name], self._raw(name, posted))) else _("vazio")
            for posted in (self.stored, typed)
        )
        sentence = _(
            "Outra janela mudou este campo: lá ficou %(stored)s, aqui está %(here)s. "
            "Para gravar %(here)s, salve de novo."
        )
        return sentence % {"stored": stored, "here": here}

    def _take(self, name: str, posted: Posted) -> None:
        self.data = self.data.copy()
        for part in parts(self.fields[name].widget, name):
            self.data.pop(self.add_prefix(part), None)
            if part in posted:
                self.data.setlist(self.add_prefix(part), posted.getlist(part))

    def _typed(self) -> Posted:
        names = (part for name in self.base_fields for part in parts(self.fields[name].widget, name))
        prefixed = ((name, self.add_prefix(name)) for name in names)
        return MultiValueDict({name: self.data.getlist(there) for name, there in prefixed if there in self.data})

    def _raw(self, name: str, posted: Posted) -> Any:
        return self.fields[name].widget.value_from_datadict(posted, {}, name)

    def _value(self, name: str, posted: Posted) -> Any:
        raw = self._raw(name, posted)
        if isinstance(self.fields[name], forms.ModelMultipleChoiceField):
            return frozenset(raw)
        return self.comparable(name, raw)

    def untouched(self) -> Posted:
        """Return the values that a browser would post for the unchanged form."""
        posted: Posted = MultiValueDict()
        for name in self.base_fields:
            field = self.fields[name]
            value = field.prepare_value(self.get_initial_for_field(field, name))
            for part, values in as_posted(field.widget, name, value).lists():
                posted.setlist(part, values)
        return posted


class FilledFormSet(InlineFormSet):
    """Inline rows of a locked row. Posted rows are laid over the rows stored now; in a new row all are new.

    Rows added by another window are then included. A row deleted by another window is left out and reported; if it was
    changed here, it comes back as a new row. A row changed there and deleted here is reported too.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conflicts: list[str] = []
        self.page = read(self.data)
        if self.page is not None and self.management_form.is_valid():
            self._lay_over_stored_rows() if self.instance.pk else self._lay_out([], self._posted_rows())

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        return super().get_form_kwargs(index) | {"page": self.page}

    def clean(self) -> None:
        super().clean()
        if self.conflicts:
            raise ValidationError(self.conflicts)

    def _lay_over_stored_rows(self) -> None:
        posted = self._posted_rows()
        initial = self.initial_form_count()
        known, rows = {row.get(self._pk_name): row for row in posted[:initial]}, []
        for stored in self.get_queryset():
            rows.append(self._stored_row(stored, known.pop(str(stored.pk), None)))
        again = [row for pk, row in known.items() if self._must_recreate(pk, row)]
        self._lay_out(rows, again + posted[initial:])

    @property
    def _pk_name(self) -> str:
        return self.model._meta.pk.name

    def _posted_rows(self) -> list[Posted]:
        return [self._posted_row(index) for index in range(self.total_form_count())]

    def _posted_row(self, index: int) -> Posted:
        prefix = f"{self.add_prefix(index)}-"
        names = [name for name in self.data if name.startswith(prefix)]
        return MultiValueDict({name.removeprefix(prefix): self.data.getlist(name) for name in names})

    def _rendered(self, row: Model) -> Posted | None:
        """Return the values that the page was rendered with for this row."""
        return self.page.get(key(row)) if self.page else None

    def _stored_row(self, stored: Model, row: Posted | None) -> Posted:
        form = self.form(instance=stored)
        if row is None:
            form.stored[self._pk_name] = str(stored.pk)
            return form.stored
        rendered = self._rendered(stored)
        if "DELETE" in row and rendered != form.stored:
            now = {"stored": form.in_words(form.stored), "shown": form.in_words(row if rendered is None else rendered)}
            sentence = _("Outra janela mudou “%(shown)s” para “%(stored)s”. Para excluir mesmo assim, salve de novo.")
            self.conflicts.append(sentence % now)
        return row

    def _must_recreate(self, pk: str | None, row: Posted) -> bool:
        """Report a row that another window deleted, unless it is deleted here too; return whether to recreate it."""
        form, rendered = self.form(), self._rendered(self.model(pk=pk))
        if "DELETE" in row:
            return False
        changed = rendered is None or form.differs(row, rendered)
        sentence = (
            _(
                "Outra janela excluiu “%(row)s”, que foi mudado nesta. Está abaixo como linha nova: salve de novo para "
                "criá-la, ou remova-a."
            )
            if changed
            else _("Outra janela excluiu “%(row)s”. O resto está como você deixou: confira e salve de novo.")
        )
        self.conflicts.append(sentence % {"row": form.in_words(row if rendered is None else rendered)})
        return changed

    def _lay_out(self, initial: list[Posted], new: list[Posted]) -> None:
        data, management = self.data.copy(), self.management_form
        for index in range(self.total_form_count()):
            for name in self._posted_row(index):
                del data[f"{self.add_prefix(index)}-{name}"]
        parent_fields = {self._pk_name, self.fk.name}
        new = [MultiValueDict({name: row.getlist(name) for name in row if name not in parent_fields}) for row in new]
        for index, row in enumerate(initial + new):
            for name, values in row.lists():
                data.setlist(f"{self.add_prefix(index)}-{name}", values)
        data[management.add_prefix("TOTAL_FORMS")] = str(len(initial + new))
        data[management.add_prefix("INITIAL_FORMS")] = str(len(initial))
        self.data = data
        del self.management_form


def key(row: Model) -> str:
    """Return the name of a row on a page."""
    return f"{row._meta.label_lower}:{row.pk}"


def signed_values(forms_on_page: Iterable[FilledForm]) -> str:
    """Return the signed values of these forms, to be carried by the page."""
    rows = {key(form.instance): dict(form.stored.lists()) for form in forms_on_page if form.is_stored}
    return signing.dumps(rows, salt=SALT, compress=True)


def read(data: Mapping[str, str]) -> Page | None:
    """Return the values that the posting page was rendered with: no rows for a forged value, None for a missing one."""
    if FIELD not in data:
        return None
    try:
        rows = signing.loads(data[FIELD], salt=SALT)
    except signing.BadSignature:
        rows = {}
    return {row: MultiValueDict(posted) for row, posted in rows.items()}


def rows_of(model: type[Model], data: Mapping[str, str]) -> list[str]:
    """Return the ids of those rows of the model with which the posting page was rendered."""
    names = (name.partition(":") for name in read(data) or {})
    return [pk for label, _sep, pk in names if label == model._meta.label_lower]


def as_posted(widget: forms.Widget, name: str, value: Any) -> Posted:
    """Return the values that a browser posts for an untouched widget."""
    widget = visible(widget)
    if isinstance(widget, forms.MultiWidget):
        values = zip(parts(widget, name), widget.widgets, widget.decompress(value) or [], strict=True)
        return MultiValueDict(
            {
                part: posted
                for part_name, inner, part_value in values
                for part, posted in as_posted(inner, part_name, part_value).lists()
            }
        )
    if isinstance(widget, forms.CheckboxInput):
        return MultiValueDict({name: ["on"]} if value else {})
    formatted = widget.format_value(value)
    return MultiValueDict({name: formatted if isinstance(formatted, list) else [formatted or ""]})


def parts(widget: forms.Widget, name: str) -> Iterator[str]:
    """Return the names under which a browser posts the widget."""
    widget = visible(widget)
    suffixes = [""]
    if isinstance(widget, forms.MultiWidget):
        suffixes = widget.widgets_names  # type: ignore[attr-defined]  # not in the stubs
    return (name + suffix for suffix in suffixes)


def visible(widget: forms.Widget) -> forms.Widget:
    """Return the widget inside the admin's wrapper, which adds links around some widgets."""
    return getattr(widget, "widget", widget)


def display_value(field: forms.Field, value: Any) -> str:
    """Format a posted value for people."""
    if isinstance(value, bool):
        return _("sim") if value else _("não")
    values: list[str] = value if isinstance(value, list) else [value]
    if isinstance(field, forms.ChoiceField | forms.ModelChoiceField):
        chosen = {
            str(choice): str(label) for choice, label in cast("Iterable[tuple[Any, Any]]", field.choices) if choice
        }
        return ", ".join(chosen.get(text, text) for text in values if text)
    return " ".join(text for text in values if text).strip()
