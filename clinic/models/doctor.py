import uuid
from datetime import date, time
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic.models.booking_limits import BookingLimits, limit_constraints
from clinic.models.clinic import ClinicQuerySet, ClinicRow
from clinic.models.ranges import Fold
from clinic.models.titles import Title, in_sentence, with_title, written

SHORTEST_INTERVAL, USUAL_INTERVAL, LONGEST_INTERVAL = 5, 15, 240  # minutes
MAX_ENCAIXES = 50


class Doctor(BookingLimits, ClinicRow):
    """A doctor of a clinic; `name` is without the title. `interval_minutes` is the step of the grid on which free times
    begin; `encaixes_per_day` at most are booked over other appointments of a local date."""

    uuid = models.UUIDField(default=uuid.uuid4, editable=False)
    title = models.CharField(
        _("título"),
        max_length=20,
        choices=Title,
        blank=True,
        default="",
        db_default="",
        help_text=_("Aparece antes do nome; as listas seguem o nome."),
    )
    name = models.CharField(_("nome"), max_length=120, help_text=_("Sem o título."))
    sort_name = models.GeneratedField(expression=Fold("name"), output_field=models.TextField(), db_persist=True)
    council_number = models.CharField(_("registro no conselho"), max_length=30, blank=True)
    specialty = models.CharField(_("especialidade"), max_length=80, blank=True)
    interval_minutes = models.PositiveSmallIntegerField(
        _("intervalo da grade"),
        default=USUAL_INTERVAL,
        help_text=_("De quantos em quantos minutos começam os horários livres."),
    )
    encaixes_per_day = models.PositiveSmallIntegerField(
        _("encaixes por dia"), default=2, db_default=2, help_text=_("Quantos encaixes no máximo em um dia. 0: nenhum.")
    )
    room = models.CharField(
        _("sala"),
        max_length=40,
        blank=True,
        default="",
        db_default="",
        help_text=_("Aparece no painel de chamada, por exemplo “Consultório 3”."),
    )
    procedures = models.ManyToManyField(
        "clinic.Procedure", related_name="doctors", verbose_name=_("procedimentos"), blank=True
    )
    active = models.BooleanField(_("ativo"), default=True)
    per_day = models.PositiveSmallIntegerField(
        _("agendamentos por dia"),
        null=True,
        blank=True,
        help_text=_("Quantos no máximo, com encaixes; mais, só com aprovação da gestão. Vazio: sem limite."),
    )

    class Meta:
        verbose_name = _("médico(a)")
        verbose_name_plural = _("médicos(as)")
        ordering = ["sort_name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["clinic", "uuid"], name="doctor_uuid_once"),
            models.UniqueConstraint(
                fields=["clinic", "council_number"], condition=~Q(council_number=""), name="doctor_council_number_once"
            ),
            models.CheckConstraint(
                condition=Q(interval_minutes__gte=SHORTEST_INTERVAL, interval_minutes__lte=LONGEST_INTERVAL),
                name="doctor_interval_5_to_240",
            ),
            models.CheckConstraint(
                condition=Q(encaixes_per_day__gte=0, encaixes_per_day__lte=MAX_ENCAIXES),
                name="doctor_encaixes_0_to_50",
            ),
            models.CheckConstraint(condition=Q(title__in=Title.values), name="doctor_title_known"),
            *limit_constraints("doctor"),
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        """The name as it is shown, "Dra. Helena Prado"."""
        return with_title(self.title, self.name)

    @property
    def written_title(self) -> str:
        """The title without its article, "Dra."; "" for none."""
        return written(self.title)

    @property
    def in_sentence(self) -> dict[str, str]:
        """The forms of the name that sentences need: see `clinic.models.titles.in_sentence`."""
        return in_sentence(self.full_name, self.title)

    @property
    def brief_name(self) -> str:
        """Title and first name, "Dra. Yasmin"; without a title the first two names."""
        first, *others = self.name.split()
        return with_title(self.title, first) if self.title else " ".join([first, *others[:1]])

    @property
    def spoken_name(self) -> str:
        """The name as one speaks it on the phone, "a Dra. Yasmin"; without a title the whole name."""
        return in_sentence(self.brief_name, self.title)["the_doctor"] if self.title else self.name


class CeasedProcedure(models.Model):
    """A procedure that a doctor performed once and performs no longer: what is still booked of it is pending.

    Database triggers keep these rows when what a doctor performs is changed (migration 0038). A row is no cause by
    itself: it says which appointments have to be looked at."""

    # The constraints are those of migration 0038, which delete these rows in the database: the triggers write them
    # while Django is deleting a doctor.
    doctor = models.ForeignKey(Doctor, models.CASCADE, related_name="+", db_constraint=False, db_index=False)
    procedure = models.ForeignKey(
        "clinic.Procedure", models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["doctor", "procedure"], name="ceasedprocedure_once")]

    def __str__(self) -> str:
        return f"{self.doctor_id}: {self.procedure_id}"


# For statements that are written out: the rows that hold on a local date from `first_day` to `last_day`.
VALID_SQL = (
    "(valid_from IS NULL OR valid_from <= %(last_day)s) AND (valid_until IS NULL OR valid_until >= %(first_day)s)"
)


def is_valid_on(day: date, valid_from: date | None, valid_until: date | None) -> bool:
    """Whether a local date lies between two, both included; None for an open end."""
    return (valid_from is None or valid_from <= day) and (valid_until is None or valid_until >= day)


class HoursQuerySet(ClinicQuerySet["WorkingHours"]):
    """Working hours, those that are over and those that are not valid yet included."""

    def valid_between(self, first: date, last: date) -> Self:
        """Return the hours that hold on a local date from `first` to `last`, both included."""
        return self.not_over_on(first).filter(Q(valid_from=None) | Q(valid_from__lte=last))

    def not_over_on(self, first: date) -> Self:
        """Return the hours that hold on a local date from `first` on."""
        return self.filter(Q(valid_until=None) | Q(valid_until__gte=first))


def written_validity(valid_from: date | None, valid_until: date | None) -> str:
    """Return "de 01/12/2026 até 31/12/2026", "só 05/12/2026" for a single date, "" where both ends are open."""
    first, last = ("" if day is None else f"{day:%d/%m/%Y}" for day in (valid_from, valid_until))
    if first and first == last:
        return gettext("só %(day)s") % {"day": first}
    parts = [
        gettext("de %(day)s") % {"day": first} if first else "",
        gettext("até %(day)s") % {"day": last} if last else "",
    ]
    return " ".join(part for part in parts if part)


def end_of_hours(ends: time) -> str:
    """Format the end of working hours, as 18:00; midnight is 24:00."""
    return "24:00" if ends == time.min else f"{ends:%H:%M}"


class WorkingHours(ClinicRow):
    """Working hours in local time of the clinic; a doctor may have several on a day.

    `weekday` is the ISO weekday of the start. An end that is not after the start is on the next day: 00:00 is the
    midnight that ends the day. The row holds on local dates from `valid_from` to `valid_until`, both included, null for
    an open end; hours that run over midnight belong to the date on which they begin. `is_exception` marks those that
    were added to the week for a single date.
    """

    class Weekday(models.IntegerChoices):
        MONDAY = 1, _("Segunda-feira")
        TUESDAY = 2, _("Terça-feira")
        WEDNESDAY = 3, _("Quarta-feira")
        THURSDAY = 4, _("Quinta-feira")
        FRIDAY = 5, _("Sexta-feira")
        SATURDAY = 6, _("Sábado")
        SUNDAY = 7, _("Domingo")

    doctor = models.ForeignKey(Doctor, models.CASCADE, related_name="hours", verbose_name=_("médico(a)"))
    weekday = models.PositiveSmallIntegerField(_("dia da semana"), choices=Weekday)
    starts = models.TimeField(_("das"))
    ends = models.TimeField(_("às"))
    valid_from = models.DateField(_("vale de"), null=True, blank=True, help_text=_("Vazio: desde sempre."))
    valid_until = models.DateField(_("vale até"), null=True, blank=True, help_text=_("Vazio: sem fim."))
    is_exception = models.BooleanField(default=False, db_default=False, editable=False)

    objects: ClassVar = HoursQuerySet.as_manager()

    class Meta:
        verbose_name = _("horário de atendimento")
        verbose_name_plural = _("horários de atendimento")
        ordering = ["weekday", "starts", "valid_from", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(weekday__gte=1, weekday__lte=7), name="workinghours_weekday_iso"),
            models.CheckConstraint(condition=~Q(ends=F("starts")) | Q(ends=time.min), name="workinghours_have_length"),
            models.CheckConstraint(
                condition=Q(valid_from=None) | Q(valid_until=None) | Q(valid_until__gte=F("valid_from")),
                name="workinghours_valid_in_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.span}"

    def holds_on(self, day: date) -> bool:
        """Whether these hours hold on a local date."""
        return is_valid_on(day, self.valid_from, self.valid_until)

    def is_over_on(self, day: date) -> bool:
        """Whether these hours have held on earlier dates only."""
        return self.valid_until is not None and self.valid_until < day

    @property
    def validity(self) -> str:
        """The dates on which they hold, as "até 31/12/2026"; "" for always."""
        return written_validity(self.valid_from, self.valid_until)

    @property
    def span(self) -> str:
        """Format the hours as 08:00–12:00; midnight at the end is 24:00."""
        return f"{self.starts:%H:%M}–{end_of_hours(self.ends)}"


WEEKDAYS = WorkingHours.Weekday.values  # ISO


class Absence(ClinicRow):
    """Time away of one doctor, or of the whole clinic when `doctor` is empty.

    Entered in local time and stored as instants, so that an overlap is one comparison in SQL; working hours stay local
    times.
    """

    doctor = models.ForeignKey(
        Doctor,
        models.CASCADE,
        related_name="absences",
        null=True,
        blank=True,
        verbose_name=_("médico(a)"),
        help_text=_("Vazio: a clínica inteira fecha."),
    )
    starts_at = models.DateTimeField(_("início"))
    ends_at = models.DateTimeField(_("fim"))
    reason = models.CharField(_("motivo"), max_length=80, help_text=_("Aparece na agenda, por exemplo “férias”."))

    class Meta:
        verbose_name = _("ausência")
        verbose_name_plural = _("ausências")
        ordering = ["-starts_at", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="absence_ends_after_start"),
        ]
        indexes = [models.Index(fields=["clinic", "ends_at"], name="absence_clinic_ends_at")]

    def __str__(self) -> str:
        return self.reason


class Closure(Absence):
    """An absence of the whole clinic, as a model of its own for the admin."""

    class Meta:
        proxy = True
        verbose_name = _("fechamento da clínica")
        verbose_name_plural = _("fechamentos da clínica")
