"""What forms share: refusals at their fields, and fields without copies."""

from collections.abc import Iterable, Mapping
from typing import ClassVar

from django import forms

from clinic.refusals import Refusal


class Unchanging(dict):
    """The fields of a form class whose forms change none of them, so that each can use them without a deep copy."""

    def __deepcopy__(self, memo):
        return dict(self)


class RefusableForm(forms.Form):
    """A form that shows what booking refuses.

    `refused_at` maps a refusal's field to the form's, where it has another name; `sent_as` maps a field to the names
    that it is sent under, where there are more than its own.
    """

    refused_at: ClassVar[Mapping[str, str]] = {}
    sent_as: ClassVar[Mapping[str, Iterable[str]]] = {}

    def show_refusals(self, refusals: Iterable[Refusal]) -> None:
        """Put each sentence at its field, unless the field has a complaint already, or above the form."""
        for refusal in refusals:
            field = self.refused_at.get(refusal.field, refusal.field)
            if field not in self.errors:
                self.add_error(field if field in self.fields else None, refusal.message)

    def drop_untouched_errors(self, *, just_left: str | None) -> None:
        """Take back the complaints about empty fields, but for the one that was just left."""
        for field in list(self.errors):
            sent = [value for name in self.sent_as.get(field, [field]) for value in self.data.getlist(name)]
            if field != just_left and not any(value.strip() for value in sent):
                del self.errors[field]
