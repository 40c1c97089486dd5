"""The admin's messages for constraints: constraint → (field, message)."""

from typing import TYPE_CHECKING

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from clinic.models.booking_limits import MAX_A_DAY, MAX_DAYS_AHEAD, MAX_NOTICE_HOURS
from clinic.models.doctor import LONGEST_INTERVAL, MAX_ENCAIXES, SHORTEST_INTERVAL
from clinic.models.limits import MAX_RETURN_DAYS
from clinic.models.procedure import LONGEST_DURATION, MAX_YEARS, SHORTEST_DURATION

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


def _minutes(least: int, most: int) -> "StrPromise":
    return format_lazy(_("Use de {least} a {most} minutos."), least=least, most=most)


def _or_blank(most: int) -> "StrPromise":
    return format_lazy(_("Use de 1 a {most}, ou deixe em branco."), most=most)


ENDS_BEFORE = _("O fim da validade vem antes do início. Escreva o mesmo dia ou um posterior.")

CONSTRAINT_MESSAGES: dict[str, tuple[str, "StrPromise"]] = {
    "doctor_council_number_once": ("council_number", _("Outro cadastro já usa este registro. Confira o número.")),
    "doctor_title_known": ("title", _("Escolha um título da lista.")),
    "doctor_interval_5_to_240": ("interval_minutes", _minutes(SHORTEST_INTERVAL, LONGEST_INTERVAL)),
    "doctor_encaixes_0_to_50": ("encaixes_per_day", format_lazy(_("Use de 0 a {most}."), most=MAX_ENCAIXES)),
    "doctor_notice_1_to_720": ("notice_hours", _or_blank(MAX_NOTICE_HOURS)),
    "doctor_days_ahead_1_to_730": ("days_ahead", _or_blank(MAX_DAYS_AHEAD)),
    "doctor_per_day_1_to_100": ("per_day", _or_blank(MAX_A_DAY)),
    "workinghours_have_length": ("ends", _("O fim deve ser depois do início.")),
    "workinghours_weekday_iso": ("weekday", _("Escolha um dia da semana.")),
    "workinghours_valid_in_order": ("valid_until", ENDS_BEFORE),
    "absence_ends_after_start": ("ends_at", _("O fim deve ser depois do início.")),
    "procedure_code_once": ("code", _("Outro procedimento já usa este código. Escolha outro ou deixe em branco.")),
    "procedure_price_not_negative": ("price", _("O preço não pode ser negativo.")),
    "procedure_duration_5_to_720": ("duration_minutes", _minutes(SHORTEST_DURATION, LONGEST_DURATION)),
    "procedure_return_days_to_365": (
        "return_days",
        format_lazy(_("Use de 1 a {most} dias, ou deixe em branco."), most=MAX_RETURN_DAYS),
    ),
    "procedure_notice_1_to_720": ("notice_hours", _or_blank(MAX_NOTICE_HOURS)),
    "procedure_days_ahead_1_to_730": ("days_ahead", _or_blank(MAX_DAYS_AHEAD)),
    "procedure_per_day_1_to_100": ("per_day", _or_blank(MAX_A_DAY)),
    "discount_percentage_or_fixed": (
        "percentage",
        _("Preencha a porcentagem ou o valor fixo: um dos dois, nunca ambos."),
    ),
    "discount_percentage_0_to_100": ("percentage", _("Use mais de 0 e no máximo 100.")),
    "discount_fixed_above_zero": ("fixed", _("O valor deve ser maior que zero.")),
    "discount_ages_in_order_to_120": (
        "maximum_age",
        format_lazy(_("Use idades de 0 a {most}, a máxima não menor que a mínima."), most=MAX_YEARS),
    ),
    "procedureprice_once_a_date": ("valid_from", _("Este procedimento já tem um preço a partir deste dia.")),
    "procedureprice_not_negative": ("price", _("O preço não pode ser negativo.")),
    "procedureprice_ends_for_payer": ("valid_until", ENDS_BEFORE),
    "payer_name_once": ("name", _("A lista da clínica já tem este nome. Altere o que está lá.")),
    "payer_valid_in_order": ("valid_until", ENDS_BEFORE),
    "payer_per_day_above_zero": ("per_day", _("Use 1 ou mais, ou deixe em branco.")),
    "payer_return_days_to_365": (
        "return_days",
        format_lazy(_("Use de 0 a {most} dias, ou deixe em branco."), most=MAX_RETURN_DAYS),
    ),
    "payerdoctor_once": ("doctor", _("Este médico já está na lista.")),
    "payerdoctor_weekdays_iso": ("weekdays", _("Escolha um dia da semana.")),
    "payerdoctor_per_day_above_zero": ("per_day", _("Use 1 ou mais, ou deixe em branco.")),
    "payer_kind_known": ("kind", _("Escolha um tipo da lista.")),
    "payer_ans_number_digits": ("ans_number", _("São seis dígitos. Corrija ou deixe em branco.")),
    "clinic_country_known": ("country", _("Escolha um país da lista.")),
    "clinic_language_known": ("language", _("Escolha um idioma da lista.")),
    "clinic_phone_e164": ("phone", _("Este telefone não existe. Confira o número.")),
    "clinic_area_code_digits": ("area_code", _("Não existe esse DDD. Escreva os dois dígitos, por exemplo 81.")),
    "clinic_region_of_country": ("region", _("Esta região não é do país da clínica. Escolha outra da lista.")),
    "clinicholiday_closes_once": (
        "falls_on",
        _("A lista da clínica já tem esta data. Altere o que está lá, ou confira o dia e o mês."),
    ),
    "clinicholiday_kind_known": ("kind", _("Escolha se a clínica fecha ou abre.")),
    "clinicholiday_ends_after_start": ("ends", _("O fim deve ser depois do início.")),
    "clinicholiday_date_readable": ("falls_on", _("Esta data não existe. Confira o dia e o mês.")),
    "clinic_currency_known": ("currency", _("Escolha uma moeda da lista.")),
    "staffuser_folded_username_once": ("username", _("Já existe um usuário com esse nome. Escolha outro.")),
    "staffuser_role_known": ("role", _("Escolha uma função da lista.")),
    "staffuser_doctor_by_role": ("doctor", _("Escolha de qual médico(a) são as visitas que aparecem.")),
    "staffuser_discount_0_to_100": ("max_discount_percent", _("Use de 0 a 100, ou deixe vazio.")),
    "staffuser_clinic_unless_superuser": ("clinic", _("Escolha a clínica em que a pessoa trabalha.")),
}
