"""Fields that forms share without copies, and the base of forms that show refusals."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, ClassVar

from django import forms
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.functional import cached_property

from clinic.refusals import Refusal


class SharedFields(dict[str, forms.Field]):
    """The fields of a form class whose forms change none of them, so that each can use them without a deep copy."""

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, forms.Field]:
        return dict(self)

    @cached_property
    def unsent(self) -> dict[str, Any]:
        """What each field is cleaned to where nothing is sent for it; one that is refused then is left out."""
        nothing, values = QueryDict(), {}
        for name, field in self.items():
            with suppress(forms.ValidationError):
                values[name] = field.clean(field.widget.value_from_datadict(nothing, MultiValueDict(), name))
        return values


class RefusableForm(forms.Form):
    """A form that shows what booking refuses.

    `refused_at` maps a refusal's field to the form's, where it has another name; `sent_as` maps a field to the names
    that it is sent under, where there are more than its own.
    """

    data: QueryDict
    refused_at: ClassVar[Mapping[str, str]] = {}
    sent_as: ClassVar[Mapping[str, Iterable[str]]] = {}

    def _clean_fields(self) -> None:
        """Clean fields as Django does, but for those whose `unsent` value is theirs: a card that is dragged sends five
        of seventeen, and Django makes a bound field of each that it cleans."""
        shared, fields = self.base_fields, self.fields
        if isinstance(shared, SharedFields):
            unsent = {name: value for name, value in shared.unsent.items() if self._is_unsent(name, shared)}
            self.cleaned_data |= unsent
            self.fields = {name: field for name, field in fields.items() if name not in unsent}
        super()._clean_fields()  # type: ignore[misc]  # not in the stubs
        self.fields = fields

    def _is_unsent(self, name: str, shared: SharedFields) -> bool:
        """Return whether nothing is sent for a field that is the shared one, neither disabled nor cleaned by a method
        of the form. A box that is not ticked sends nothing either: its widget never says that nothing was sent."""
        field = self.fields.get(name)
        if field is None or field is not shared[name] or field.disabled or hasattr(self, f"clean_{name}"):
            return False
        return bool(field.widget.value_omitted_from_data(self.data, self.files, self.add_prefix(name)))

    @property
    def first_wrong(self) -> str:
        """The name of the first field with a complaint, which has the focus; "" for none: it stays where it is."""
        return next((name for name in self.fields if name in self.errors), "")

    def show_refusals(self, refusals: Iterable[Refusal]) -> None:
        """Show each message at its field, unless the field has an error already, or above the form."""
        for refusal in refusals:
            field = self.refused_at.get(refusal.field, refusal.field)
            if field not in self.errors:
                self.add_error(field if field in self.fields else None, refusal.message)

    def drop_untouched_errors(self, *, just_left: str | None) -> None:
        """Remove the errors of empty fields, except the one that was just left."""
        for field in list(self.errors):
            sent = [value for name in self.sent_as.get(field, [field]) for value in self.data.getlist(name)]
            if field != just_left and not any(value.strip() for value in sent):
                del self.errors[field]
