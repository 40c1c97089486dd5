"""Fields that forms share without copies, and the base of forms that show refusals."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django import forms
from django.http import QueryDict

from clinic.refusals import Refusal


class SharedFields(dict[str, forms.Field]):
    """The fields of a form class whose forms change none of them, so that each can use them without a deep copy."""

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, forms.Field]:
        return dict(self)


class RefusableForm(forms.Form):
    """A form that shows what booking refuses.

    `refused_at` maps a refusal's field to the form's, where it has another name; `sent_as` maps a field to the names
    that it is sent under, where there are more than its own.
    """

    data: QueryDict
    refused_at: ClassVar[Mapping[str, str]] = {}
    sent_as: ClassVar[Mapping[str, Iterable[str]]] = {}

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
