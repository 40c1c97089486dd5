"""What forms of many fields share."""

import re
from datetime import date

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.patient import OLDEST, years_between

SHORT_NUMBER = re.compile(r"[0-9]{1,18}")  # fits PostgreSQL's bigint, and Python reads no number of thousands of digits


def is_short_number(text: str) -> bool:
    return SHORT_NUMBER.fullmatch(text) is not None


def ids_in(data: QueryDict, name: str) -> list[int]:
    """The ids that these fields hold, each several or one; what is no id is left out."""
    return [int(each) for each in " ".join(data.getlist(name)).split() if is_short_number(each)]


def ask_about_age(form: forms.Form, stored: date | None = None) -> None:
    """Refuse a birth date above OLDEST years, unless it is `stored` or `old_is_right` confirms that very day.

    `form.old` is then what there is to confirm: (the day in ISO form, the age)."""
    born = form.cleaned_data.get("birth_date")
    years = years_between(born, timezone.localdate()) if born else 0
    form.old = (born.isoformat(), years) if years > OLDEST and born != stored else None
    if form.old and form.data.get("old_is_right") != form.old[0]:
        sentence = _("São %(age)s anos. Confira o ano; se está certo, marque a caixa ao lado e salve de novo.")
        form.add_error("birth_date", ValidationError(sentence, code="old", params={"age": years}))


class Unchanging(dict):
    """The fields of a form class whose forms change none of them, so that each can use them without a deep copy."""

    def __deepcopy__(self, memo):
        return dict(self)
