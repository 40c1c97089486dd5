from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.models.clinic import ClinicRow
from clinic.models.names import Letters
from clinic.models.patient import Patient
from clinic.models.ranges import Fold


class FormerName(ClinicRow):
    """A name that a patient had until the instant `until`, by which searches of the desk still find them.

    Only `clinic.registry` writes it: a name whose letters are those of the present one is none, and of who has a nome
    social none is kept."""

    patient = models.ForeignKey(Patient, models.CASCADE, related_name="former_names", verbose_name=_("paciente"))
    name = models.CharField(_("nome"), max_length=160)
    until = models.DateTimeField(default=timezone.now)
    search = models.GeneratedField(expression=Fold("name"), output_field=models.TextField(), db_persist=True)

    class Meta:
        verbose_name = _("nome anterior")
        verbose_name_plural = _("nomes anteriores")
        ordering = ["-until", "-pk"]
        constraints = [models.UniqueConstraint(fields=["clinic", "patient", "name"], name="formername_once")]
        indexes = [
            GinIndex(fields=["search"], opclasses=["gin_trgm_ops"], name="formername_search_trigram"),
            GinIndex(OpClass(Letters("search"), name="gin_trgm_ops"), name="formername_letters_trigram"),
        ]

    def __str__(self) -> str:
        return self.name
