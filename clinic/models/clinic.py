import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Self
from zoneinfo import ZoneInfo, available_timezones

from django.contrib.postgres.functions import RandomUUID
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.formats import number_format
from django.utils.text import format_lazy
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from phonenumber_field.phonenumber import PhoneNumber

from clinic.models import phones
from clinic.models.message_texts import KNOWN, KNOWN_IN_RECALLS, validate_message_text, validate_recall_text

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


class EndOfDay(time):
    """24:00, the midnight that ends a local day; stored as a time of day it is 00:00."""


END_OF_DAY = EndOfDay()


class NonexistentTime(ValueError):
    """A local time that is skipped in that zone on that day, because clocks go forward."""


# The zones of the two countries with the names that people call them by, by Clinic.Country, in the order of the names;
# a command may have given a clinic another zone.
TIME_ZONES = {
    "BR": {
        "America/Araguaina": "Araguaína",
        "America/Belem": "Belém",
        "America/Boa_Vista": "Boa Vista",
        "America/Sao_Paulo": "Brasília (São Paulo)",
        "America/Campo_Grande": "Campo Grande",
        "America/Cuiaba": "Cuiabá",
        "America/Eirunepe": "Eirunepé",
        "America/Noronha": "Fernando de Noronha",
        "America/Fortaleza": "Fortaleza",
        "America/Maceio": "Maceió",
        "America/Manaus": "Manaus",
        "America/Porto_Velho": "Porto Velho",
        "America/Recife": "Recife",
        "America/Rio_Branco": "Rio Branco",
        "America/Bahia": "Salvador",
        "America/Santarem": "Santarém",
    },
    "PT": {"Atlantic/Azores": "Açores", "Europe/Lisbon": "Lisboa", "Atlantic/Madeira": "Madeira"},
}
ZONE_NAMES = {zone: name for zones in TIME_ZONES.values() for zone, name in zones.items()}
GROUPED_IN_PORTUGAL = 10_000


# States of Brazil, and districts and autonomous regions of Portugal, by the codes of the library `holidays`.
REGIONS = {
    "BR": {
        "AC": "Acre",
        "AL": "Alagoas",
        "AP": "Amapá",
        "AM": "Amazonas",
        "BA": "Bahia",
        "CE": "Ceará",
        "DF": "Distrito Federal",
        "ES": "Espírito Santo",
        "GO": "Goiás",
        "MA": "Maranhão",
        "MT": "Mato Grosso",
        "MS": "Mato Grosso do Sul",
        "MG": "Minas Gerais",
        "PA": "Pará",
        "PB": "Paraíba",
        "PR": "Paraná",
        "PE": "Pernambuco",
        "PI": "Piauí",
        "RJ": "Rio de Janeiro",
        "RN": "Rio Grande do Norte",
        "RS": "Rio Grande do Sul",
        "RO": "Rondônia",
        "RR": "Roraima",
        "SC": "Santa Catarina",
        "SP": "São Paulo",
        "SE": "Sergipe",
        "TO": "Tocantins",
    },
    "PT": {
        "20": "Açores",
        "01": "Aveiro",
        "02": "Beja",
        "03": "Braga",
        "04": "Bragança",
        "05": "Castelo Branco",
        "06": "Coimbra",
        "07": "Évora",
        "08": "Faro",
        "09": "Guarda",
        "10": "Leiria",
        "11": "Lisboa",
        "30": "Madeira",
        "12": "Portalegre",
        "13": "Porto",
        "14": "Santarém",
        "15": "Setúbal",
        "16": "Viana do Castelo",
        "17": "Vila Real",
        "18": "Viseu",
    },
}


def name_of_region(code: str) -> str:
    """Return the name of a state, district or autonomous region of either country; an unknown code as it is."""
    return next((names[code] for names in REGIONS.values() if code in names), code)


class Usual(NamedTuple):
    """What most clinics of a country have."""

    time_zone: str
    language: str
    currency: str


USUAL = {
    "BR": Usual("America/Sao_Paulo", "pt-br", "BRL"),
    "PT": Usual("Europe/Lisbon", "pt-pt", "EUR"),
}


def validate_zone_of_country(time_zone: str, country: str) -> None:
    """Raise ValidationError for a zone that is none of the country."""
    if time_zone not in TIME_ZONES[country]:
        raise ValidationError(_("Esse fuso é de outro país. Escolha um do país da clínica."))


def zone_name(time_zone: str) -> str:
    """Return what people call an IANA zone: Brasília (São Paulo); of other countries the city in its name."""
    return ZONE_NAMES.get(time_zone) or time_zone.rpartition("/")[2].replace("_", " ")


def written_amount(amount: Decimal) -> str:
    """Format an amount in the active language: 1.234,50 in Brazil; 1234,50 and 12 345,60 in Portugal."""
    is_grouped = get_language() != "pt-pt" or abs(amount) >= GROUPED_IN_PORTUGAL
    return number_format(amount, decimal_pos=2, use_l10n=True, force_grouping=is_grouped)


def validate_time_zone(name: str) -> None:
    """Raise ValidationError for a name that is not in the IANA list."""
    if name not in available_timezones():
        raise ValidationError(_("Use um fuso horário da lista IANA, por exemplo America/Recife."))


def validate_area_code(text: str) -> None:
    """Raise ValidationError for digits that are no area code of Brazil."""
    if not phones.is_area(text):
        raise ValidationError(_("Não existe esse DDD. Escreva os dois dígitos, por exemplo 81."), code="area_code")


class ClinicsQuerySet(models.QuerySet["Clinic"]):
    """Clinics, and their sandboxes until `real` leaves them out."""

    def real(self) -> Self:
        """Return the clinics that are no sandbox."""
        return self.filter(sandbox_of=None)

    def sandboxes(self) -> Self:
        """Return the sandboxes of clinics."""
        return self.filter(sandbox_of__isnull=False)


def _text(
    label: "StrPromise", help_text: "StrPromise", validate: Callable[[str], None] = validate_message_text
) -> "models.TextField[str, str]":
    return models.TextField(
        label,
        max_length=1000,
        blank=True,
        default="",
        db_default="",
        validators=[validate],
        help_text=help_text,
    )


class Clinic(models.Model):
    """A clinic that uses the system. Every other row, children included, holds its clinic's id. `phone` is E.164.

    With `sandbox_of` it is no clinic that works but the copy of one in which its test keys act on the local date
    `sandbox_day` (`clinic.registry.sandbox`). A clinic never becomes a sandbox, nor a sandbox a clinic (0058).
    """

    class Country(models.TextChoices):
        BRAZIL = "BR", _("Brasil")
        PORTUGAL = "PT", _("Portugal")

    class Language(models.TextChoices):
        BRAZILIAN = "pt-br", _("Português (Brasil)")
        EUROPEAN = "pt-pt", _("Português (Portugal)")

    class Currency(models.TextChoices):
        REAL = "BRL", _("Real (R$)")
        EURO = "EUR", _("Euro (€)")

    uuid = models.UUIDField(default=uuid.uuid4, db_default=RandomUUID(), unique=True, editable=False)
    name = models.CharField(_("nome"), max_length=120)
    slug = models.SlugField(_("identificador"), max_length=40, unique=True)
    country = models.CharField(_("país"), max_length=2, choices=Country)
    time_zone = models.CharField(_("fuso horário"), max_length=64, validators=[validate_time_zone])
    language = models.CharField(_("idioma"), max_length=5, choices=Language)
    currency = models.CharField(_("moeda"), max_length=3, choices=Currency)
    area_code = models.CharField(
        _("DDD"),
        max_length=2,
        blank=True,
        default="",
        db_default="",
        validators=[validate_area_code],
        help_text=_("Acrescentado aos telefones que se digitam sem DDD. Vazio: o DDD é sempre pedido."),
    )
    phone = models.CharField(
        _("telefone"),
        max_length=16,
        blank=True,
        default="",
        db_default="",
        help_text=_("Por ele as pessoas ligam; um robô o diz."),
    )
    address = models.CharField(_("endereço da clínica"), max_length=160, blank=True, default="", db_default="")
    town = models.CharField(_("cidade"), max_length=80, blank=True, default="", db_default="")
    observes_holidays = models.BooleanField(_("fecha nos feriados nacionais"), default=True)
    region = models.CharField(
        _("estado ou distrito"),
        max_length=2,
        blank=True,
        default="",
        db_default="",
        help_text=_("Fecha também nos feriados dele. Vazio: só nos nacionais."),
    )
    strict_cpf = models.BooleanField(
        _("exige CPF com dígitos válidos"),
        default=False,
        help_text=_("Desligado, um agendamento que chega por API com CPF inválido é aceito e fica “CPF a confirmar”."),
    )
    requires_duration = models.BooleanField(
        _("exige a duração dos procedimentos"),
        default=False,
        db_default=False,
        help_text=_(
            "Desligado, um agendamento que chega pela API ImageMais pode ser mais curto do que os seus procedimentos, e"
            " a agenda mostra quantos minutos faltam."
        ),
    )
    confirmation_text = _text(
        _("texto de confirmação"),
        format_lazy(
            _(
                "O que se escreve pelo WhatsApp em Confirmações. Vazio: o nosso texto. Campos: {known}; o nome do"
                " médico vem com o artigo. Uma linha em que todos os campos estão vazios não é enviada."
            ),
            known=KNOWN,
        ),
    )
    confirmation_text_to_other = _text(
        _("texto de confirmação a quem não é o paciente"), _("Quando o telefone é do responsável ou de outra pessoa.")
    )
    recall_text = _text(
        _("texto de retorno"),
        format_lazy(
            _(
                "O que se escreve pelo WhatsApp em Retornos. Vazio: o nosso texto. Campos: {known}; o nome do médico"
                " vem com o artigo, e onde não há médico fica “a nossa equipe”. Uma linha em que todos os campos estão"
                " vazios não é enviada."
            ),
            known=KNOWN_IN_RECALLS,
        ),
        validate_recall_text,
    )
    recall_text_to_other = _text(
        _("texto de retorno a quem não é o paciente"),
        _("Quando o telefone é do responsável ou de outra pessoa."),
        validate_recall_text,
    )
    texts_tell_procedure = models.BooleanField(
        _("textos dizem procedimento e preparo"),
        default=False,
        db_default=False,
        help_text=_("Falam da saúde de quem os recebe. Desligado, nenhum texto os diz."),
    )
    active = models.BooleanField(_("ativa"), default=True)
    sandbox_of = models.ForeignKey("self", models.PROTECT, null=True, editable=False, related_name="+", db_index=False)
    sandbox_day = models.DateField(null=True, editable=False)

    objects: ClassVar = ClinicsQuerySet.as_manager()

    class Meta:
        verbose_name = _("clínica")
        verbose_name_plural = _("clínicas")
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(condition=models.Q(phone__regex=r"^(\+[1-9]\d{1,14})?$"), name="clinic_phone_e164"),
            models.CheckConstraint(condition=models.Q(area_code__regex=r"^(\d\d)?$"), name="clinic_area_code_digits"),
            models.CheckConstraint(condition=models.Q(country__in=["BR", "PT"]), name="clinic_country_known"),
            models.CheckConstraint(condition=models.Q(language__in=["pt-br", "pt-pt"]), name="clinic_language_known"),
            models.CheckConstraint(condition=models.Q(currency__in=["BRL", "EUR"]), name="clinic_currency_known"),
            models.CheckConstraint(
                condition=models.Q(region="")
                | models.Q(country="BR", region__in=list(REGIONS["BR"]))
                | models.Q(country="PT", region__in=list(REGIONS["PT"])),
                name="clinic_region_of_country",
            ),
            models.UniqueConstraint(fields=["sandbox_of"], name="clinic_one_sandbox"),
            models.CheckConstraint(
                condition=models.Q(sandbox_of=None, sandbox_day=None)
                | models.Q(sandbox_of__isnull=False, sandbox_day__isnull=False),
                name="clinic_sandbox_has_day",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def written_phone(self) -> str:
        """The phone as people write it in the clinic's country; empty without one."""
        return phones.written(PhoneNumber.from_string(self.phone), self.country) if self.phone else ""

    @property
    def region_name(self) -> str:
        """The name of the state or district; empty without one."""
        return REGIONS[self.country].get(self.region, "")

    @property
    def documents(self) -> tuple[str, str]:
        """The fields of Patient with a tax number: that of the clinic's country, then that of the other."""
        return ("nif", "cpf") if self.country == self.Country.PORTUGAL else ("cpf", "nif")

    @property
    def document(self) -> str:
        """The field of Patient with the tax number of the clinic's country."""
        return self.documents[0]

    def money(self, amount: Decimal) -> str:
        """Format an amount as the clinic's country does: R$ 1.280,00 in Brazil, 1280,00 € in Portugal."""
        written = written_amount(amount)
        in_reais = self.currency == self.Currency.REAL
        return f"R$\N{NO-BREAK SPACE}{written}" if in_reais else f"{written}\N{NO-BREAK SPACE}€"

    def local(self, instant: datetime) -> datetime:
        """Return the same instant in the clinic's time zone."""
        return instant.astimezone(self.zone)

    def instant(self, day: date, wall: time) -> datetime:
        """Return the UTC instant of a local time of the clinic; the first of two when clocks go back.

        END_OF_DAY is the next local midnight. Raises NonexistentTime when clocks skip the time, or at the ends of the
        calendar.
        """
        if isinstance(wall, EndOfDay):
            return self.day(day)[1]
        try:
            moment = datetime.combine(day, wall, self.zone).astimezone(UTC)
        except OverflowError as error:
            raise NonexistentTime(wall) from error
        if self.local(moment).replace(tzinfo=None) != datetime.combine(day, wall):
            raise NonexistentTime(wall)
        return moment

    def nearest_instant(self, day: date, wall: time) -> datetime:
        """Return the UTC instant of a local time; one that clocks skip is shifted forward by the gap (PEP 495)."""
        return datetime.combine(day, wall, self.zone).astimezone(UTC)

    def day(self, day: date) -> tuple[datetime, datetime]:
        """Return the UTC instants [local midnight, next local midnight): 23, 24 or 25 hours."""
        return self.nearest_instant(day, time.min), self.nearest_instant(day + timedelta(days=1), time.min)


class ClinicQuerySet[M: models.Model](models.QuerySet[M]):
    """Rows of models that have a clinic."""

    def of(self, clinic: Clinic | int) -> Self:
        """Return the rows of one clinic. Views, APIs and admin reach rows in no other way."""
        return self.filter(clinic=clinic)


class ClinicRow(models.Model):
    """A row that belongs to one clinic."""

    # Every index that is needed has the clinic as its first column already.
    clinic = models.ForeignKey(Clinic, models.PROTECT, verbose_name=_("clínica"), db_index=False)

    objects = ClinicQuerySet.as_manager()

    class Meta:
        abstract = True
