"""How money, phones and documents are written for people."""

from decimal import Decimal

import phonenumbers
from django import template
from django.utils.formats import number_format
from phonenumber_field.phonenumber import PhoneNumber

register = template.Library()


@register.filter
def money(amount: Decimal, clinic) -> str:
    """R$ 1.280,00 in Brazil, 1280,00 € in Portugal: as the clinic's country writes its currency."""
    in_reais = clinic.currency == "BRL"
    written = number_format(amount, decimal_pos=2, use_l10n=True, force_grouping=in_reais)
    return f"R$\N{NO-BREAK SPACE}{written}" if in_reais else f"{written}\N{NO-BREAK SPACE}€"


@register.filter
def phone(number, clinic) -> str:
    """(81) 99999-9999 at home, +351 912 345 678 from abroad."""
    parsed = number if isinstance(number, PhoneNumber) else phonenumbers.parse(number, clinic.country)
    abroad = parsed.country_code != phonenumbers.country_code_for_region(clinic.country)
    style = phonenumbers.PhoneNumberFormat
    return phonenumbers.format_number(parsed, style.INTERNATIONAL if abroad else style.NATIONAL)


@register.filter
def cpf(digits: str | None) -> str:
    """529.982.247-25"""
    return f"{digits[:3]}.{digits[3:6]}.{digits[6:9]}-{digits[9:]}" if digits else ""
