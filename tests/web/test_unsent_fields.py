import pytest
from django import forms

from clinic.web.booking_panel.change_form import ChangeForm
from clinic.web.booking_panel.forms import BookingForm, MoveForm


@pytest.mark.parametrize("form", [BookingForm, ChangeForm, MoveForm])
def test_unsent_fields_are_what_django_cleans_of_nothing(form):
    plain = type("Plain", (forms.Form,), dict(form.base_fields))({})
    assert plain.is_valid()
    assert form.base_fields.unsent == plain.cleaned_data
