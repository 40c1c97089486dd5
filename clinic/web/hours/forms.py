"""What the grid of a week sends when hours are dragged in it."""

import re
from datetime import time
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from clinic.schedule import DAY_MINUTES, Hours

BAR = re.compile(r"([1-7]) ([0-9]{1,4}) ([0-9]{1,4})")


class BarField(forms.CharField):
    """Hours as a bar has them: the ISO weekday, and their start and end in minutes since its midnight, "1 480 750".

    The value is the Hours, None for an empty text. An end on the day after is one after 1440."""

    def clean(self, value: Any) -> Any:
        """Return the Hours. Raises ValidationError for what no bar can be."""
        text = super().clean(value)
        if not text:
            return None
        match = BAR.fullmatch(text)
        weekday, starts, ends = map(int, match.groups()) if match else (0, 0, 0)
        if not (starts < DAY_MINUTES and starts < ends <= starts + DAY_MINUTES):
            raise ValidationError("no bar", code="invalid")
        return Hours(weekday, _clock(starts), _clock(ends))


class DragForm(forms.Form):
    """The hours that were taken hold of, None for new ones, and what they became, None for removed ones."""

    was = BarField(required=False)
    becomes = BarField(required=False)


def _clock(minutes: int) -> time:
    hour, minute = divmod(minutes % DAY_MINUTES, 60)
    return time(hour, minute)
