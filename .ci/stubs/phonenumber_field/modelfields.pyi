from typing import Any

import phonenumbers
from django import forms
from django.db import models
from django.utils.functional import _StrOrPromise
from phonenumber_field.phonenumber import PhoneNumber

# What is set and read of a column that may be NULL: clinic/ has no other one.
class PhoneNumberField(models.CharField[phonenumbers.PhoneNumber | str | None, PhoneNumber | None]):
    def __init__(
        self,
        verbose_name: _StrOrPromise | None = None,
        *args: Any,
        null: bool = False,
        blank: bool = False,
        region: str | None = None,
        **kwargs: Any,
    ) -> None: ...
    def formfield(
        self,
        form_class: type[forms.Field] | None = None,
        choices_form_class: type[forms.ChoiceField] | None = None,
        **kwargs: Any,
    ) -> forms.Field | None: ...
