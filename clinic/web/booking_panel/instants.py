"""Local dates and times of a form as instants of its clinic."""

from datetime import date, datetime, time

from django.utils.translation import gettext as _

from clinic.models import Clinic, NonexistentTime
from clinic.web.fields import RefusableForm


class ReadsInstants(RefusableForm):
    clinic: Clinic

    def instant(self, field: str, day: date | None, wall: time | None) -> datetime | None:
        """Return the instant; None without a date or a time, and with an error at `field` where the clocks skip it."""
        if day is None or wall is None:
            return None
        try:
            return self.clinic.instant(day, wall)
        except NonexistentTime:
            self.add_error(field, _("Este horário não existe nesse dia: os relógios adiantam. Escolha outro."))
            return None
