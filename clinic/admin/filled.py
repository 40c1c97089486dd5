"""What a form of the admin was filled with: sent along with its page, signed, and compared with what is stored when the
form comes back. So an older window writes only what was changed in it, and what both windows changed is asked about.

That needs no column, and holds for rows inside rows. A version of the whole row would refuse two people who change
different fields.

Compared are fields as a browser posts them (`Posted`), by the names of the fields without a prefix.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

FIELD = "filled_with"
SALT = "clinic.admin.filled"

type Posted = MultiValueDict[str, str]
type Page = Mapping[str, Posted]  # what each row was shown with, by `key`


class FilledForm(forms.ModelForm):
    """A form of a stored row, which the caller has locked.

    When it comes back, a field that was not changed in it takes what is stored now, so that rules and constraints look
    at what both windows make together. A field that both windows changed to different values is refused with both.
    Without the page's `filled_with` everything posted counts as changed here, with one that says nothing of this row
    every difference is refused.
    """

    def __init__(self, *args, page: Page | None = None, **kwargs):
        super().__init__(*args, **kwargs)
        self.conflicts = {}
        self.stored = self.untouched() if self.instance.pk else None
        page = read(self.data) if page is None else page
        if self.is_bound and self.stored is not None and page is not None:
            self.merge(page.get(key(self.instance)))

    def full_clean(self):
        super().full_clean()
        for name, sentence in self.conflicts.items():
            self.add_error(name, sentence)

    def comparable(self, name: str, value):
        """A posted value as it is compared with another: the same for all ways to write it."""
        with suppress(ValidationError):
            value = self.fields[name].clean(value)
        return value.replace("\r\n", "\n") if isinstance(value, str) else value

    def differs(self, posted: Posted, other: Posted) -> bool:
        return any(self._value(name, posted) != self._value(name, other) for name in self.base_fields)

    def in_words(self, posted: Posted) -> str:
        """The whole row as people read it."""
        words = (written(self.fields[name], self._raw(name, posted)) for name in self.base_fields)
        return " · ".join(filter(None, words))

    def merge(self, shown: Posted | None) -> None:
        """Lay what is posted over what is stored; `shown` is what the form was filled with, None if nobody knows."""
        typed = self._typed()
        for name in self.base_fields:
            if shown is None or self._raw(name, shown) != self._raw(name, self.stored):
                self._merge_field(name, shown, typed)

    def _merge_field(self, name, shown, typed):
        here, there = (self._value(name, posted) for posted in (typed, self.stored))
        if shown is not None and isinstance(here, frozenset):
            before = self._value(name, shown)
            self._take(name, MultiValueDict({name: sorted((there | (here - before)) - (before - here))}))
        elif shown is not None and here == self._value(name, shown):
            self._take(name, self.stored)
        elif here != there:
            self.conflicts[name] = self._both_values(name, typed)

    def _both_values(self, name, typed):
        stored, here = (
            f"“{text}”" if (text := written(self.fields[name], self._raw(name, posted))) else _("vazio")
            for posted in (self.stored, typed)
        )
        sentence = _(
            "Outra janela mudou este campo: lá ficou %(stored)s, aqui está %(here)s. "
            "Para gravar %(here)s, salve de novo."
        )
        return sentence % {"stored": stored, "here": here}

    def _take(self, name, posted):
        self.data = self.data.copy()
        for part in parts(self.fields[name].widget, name):
            self.data.pop(self.add_prefix(part), None)
            if part in posted:
                self.data.setlist(self.add_prefix(part), posted.getlist(part))

    def _typed(self) -> Posted:
        names = (part for name in self.base_fields for part in parts(self.fields[name].widget, name))
        prefixed = ((name, self.add_prefix(name)) for name in names)
        return MultiValueDict({name: self.data.getlist(there) for name, there in prefixed if there in self.data})

    def _raw(self, name, posted):
        return self.fields[name].widget.value_from_datadict(posted, {}, name)

    def _value(self, name, posted):
        raw = self._raw(name, posted)
        if isinstance(self.fields[name], forms.ModelMultipleChoiceField):
            return frozenset(raw)
        return self.comparable(name, raw)

    def untouched(self) -> Posted:
        """What a browser would post of the untouched form."""
        posted = MultiValueDict()
        for name in self.base_fields:
            field = self.fields[name]
            posted.update(as_posted(field.widget, name, field.prepare_value(self.get_initial_for_field(field, name))))
        return posted


class FilledFormSet(forms.BaseInlineFormSet):
    """Rows inside a locked row. What comes back is laid over the rows that are stored now; all are new in a new row.

    Those that another window added are then among them. One that another window deleted is left out and named; when it
    was changed here, it comes back as a new row. One that was changed there and is to be deleted here is named, too.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.conflicts = []
        self.page = read(self.data)
        if self.page is not None and self.management_form.is_valid():
            self._lay_over_stored_rows() if self.instance.pk else self._lay_out([], self._posted_rows())

    def get_form_kwargs(self, index):
        return super().get_form_kwargs(index) | {"page": self.page}

    def clean(self):
        super().clean()
        if self.conflicts:
            raise ValidationError(self.conflicts)

    def _lay_over_stored_rows(self):
        posted = self._posted_rows()
        initial = self.initial_form_count()
        known, rows = {row.get(self._pk_name): row for row in posted[:initial]}, []
        for stored in self.get_queryset():
            rows.append(self._stored_row(stored, known.pop(str(stored.pk), None)))
        again = [row for pk, row in known.items() if self._is_to_be_made_again(pk, row)]
        self._lay_out(rows, again + posted[initial:])

    @property
    def _pk_name(self):
        return self.model._meta.pk.name

    def _posted_rows(self) -> list[Posted]:
        return [self._posted_row(index) for index in range(self.total_form_count())]

    def _posted_row(self, index) -> Posted:
        prefix = f"{self.add_prefix(index)}-"
        names = [name for name in self.data if name.startswith(prefix)]
        return MultiValueDict({name.removeprefix(prefix): self.data.getlist(name) for name in names})

    def _stored_row(self, stored, row) -> Posted:
        form = self.form(instance=stored)
        if row is None:
            form.stored[self._pk_name] = str(stored.pk)
            return form.stored
        shown = self.page.get(key(stored))
        if "DELETE" in row and shown != form.stored:
            now = {"stored": form.in_words(form.stored), "shown": form.in_words(row if shown is None else shown)}
            sentence = _("Outra janela mudou “%(shown)s” para “%(stored)s”. Para excluir mesmo assim, salve de novo.")
            self.conflicts.append(sentence % now)
        return row

    def _is_to_be_made_again(self, pk, row):
        """Names a row that is no longer there, unless this window wanted the same."""
        form, shown = self.form(), self.page.get(key(self.model(pk=pk)))
        if "DELETE" in row:
            return False
        changed = shown is None or form.differs(row, shown)
        sentence = (
            _(
                "Outra janela excluiu “%(row)s”, que foi mudado nesta. Está abaixo como linha nova: salve de novo para "
                "criá-la, ou remova-a."
            )
            if changed
            else _("Outra janela excluiu “%(row)s”. O resto está como você deixou: confira e salve de novo.")
        )
        self.conflicts.append(sentence % {"row": form.in_words(row if shown is None else shown)})
        return changed

    def _lay_out(self, initial, new):
        data, management = self.data.copy(), self.management_form
        for index in range(self.total_form_count()):
            for name in self._posted_row(index):
                del data[f"{self.add_prefix(index)}-{name}"]
        whose = {self._pk_name, self.fk.name}
        new = [MultiValueDict({name: row.getlist(name) for name in row if name not in whose}) for row in new]
        for index, row in enumerate(initial + new):
            for name, values in row.lists():
                data.setlist(f"{self.add_prefix(index)}-{name}", values)
        data[management.add_prefix("TOTAL_FORMS")] = str(len(initial + new))
        data[management.add_prefix("INITIAL_FORMS")] = str(len(initial))
        self.data = data
        del self.management_form


def key(row: Model) -> str:
    return f"{row._meta.label_lower}:{row.pk}"


def sealed(shown: Iterable[FilledForm]) -> str:
    """What the page with these forms sends along."""
    rows = {key(form.instance): dict(form.stored.lists()) for form in shown if form.stored is not None}
    return signing.dumps(rows, salt=SALT, compress=True)


def read(data: Mapping[str, str]) -> Page | None:
    """What the page was filled with that posts `data`; of no row when it is none of ours, None when it does not say."""
    if FIELD not in data:
        return None
    try:
        rows = signing.loads(data[FIELD], salt=SALT)
    except signing.BadSignature:
        rows = {}
    return {row: MultiValueDict(posted) for row, posted in rows.items()}


def as_posted(widget: forms.Widget, name: str, value) -> Posted:
    """What a browser posts of that widget untouched."""
    widget = visible(widget)
    if isinstance(widget, forms.MultiWidget):
        values = zip(parts(widget, name), widget.widgets, widget.decompress(value), strict=True)
        return MultiValueDict(
            {part: posted for each in values for part, posted in as_posted(each[1], each[0], each[2]).lists()}
        )
    if isinstance(widget, forms.CheckboxInput):
        return MultiValueDict({name: ["on"]} if value else {})
    shown = widget.format_value(value)
    return MultiValueDict({name: shown if isinstance(shown, list) else [shown or ""]})


def parts(widget: forms.Widget, name: str) -> Iterator[str]:
    """The names under which a browser posts that widget."""
    widget = visible(widget)
    suffixes = widget.widgets_names if isinstance(widget, forms.MultiWidget) else [""]
    return (name + suffix for suffix in suffixes)


def visible(widget: forms.Widget) -> forms.Widget:
    """The admin puts links around some."""
    return getattr(widget, "widget", widget)


def written(field: forms.Field, value) -> str:
    """A posted value as people read it."""
    if isinstance(value, bool):
        return _("sim") if value else _("não")
    values = value if isinstance(value, list) else [value]
    if isinstance(field, forms.ChoiceField | forms.ModelChoiceField):
        chosen = {str(choice): str(label) for choice, label in field.choices if choice}
        return ", ".join(chosen.get(each, each) for each in values if each)
    return " ".join(each for each in values if each).strip()
