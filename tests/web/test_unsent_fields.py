"""Forms that clean only what is sent: what they make of it is what Django makes of every field."""

import pytest
from django import forms
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

from clinic.web.booking_panel.change_form import ChangeForm
from clinic.web.booking_panel.forms import BookingForm, MoveForm
from clinic.web.fields import RefusableForm, SharedFields

FORMS = [BookingForm, ChangeForm, MoveForm]
# Of these every field takes one, and refuses another unless it takes everything.
SENT = [
    "1",
    "23/11/2026",
    "01/02/1990",
    "09:00",
    "dor",
    "0b5bbf4e-7e0c-4c1c-a7a5-0a4f2c3d1e11",
    "",
    "não\0",
    "31/02/2026",
]
TAKE_EVERYTHING = {forms.BooleanField, forms.Field}


def bare(base, form):
    """A class of forms with the fields of another one and nothing else."""
    kind = type("Bare", (base,), {})
    kind.base_fields = form.base_fields
    return kind


def outcome(form):
    """(cleaned, errors, names of the fields) of a bound form."""
    form.full_clean()
    return form.cleaned_data, form.errors.get_json_data(), list(form.fields)


def outcomes(form, data):
    """What ours and Django's own make of the same."""
    return [outcome(bare(base, form)(data)) for base in (RefusableForm, forms.Form)]


@pytest.mark.parametrize("form", FORMS)
def test_unsent_fields_are_what_django_cleans_of_nothing(form):
    plain = type("Plain", (forms.Form,), dict(form.base_fields))({})
    assert plain.is_valid()
    assert form.base_fields.unsent == plain.cleaned_data
    ours, djangos = outcomes(form, QueryDict())
    assert ours == djangos


@pytest.mark.parametrize(("form", "name"), [(form, name) for form in FORMS for name in form.base_fields])
def test_a_field_alone_is_cleaned_as_django_does(form, name):
    refused = set()
    for value in SENT:
        data = QueryDict(mutable=True)
        data[name] = value
        ours, djangos = outcomes(form, data)
        assert ours == djangos
        refused.add(name in ours[1])
    takes_everything = type(form.base_fields[name]) in TAKE_EVERYTHING
    assert refused == ({False} if takes_everything else {False, True})


class SmallForm(RefusableForm):
    """A form with what a widget, a method, an initial value and a prefix can do to a field."""

    split = forms.SplitDateTimeField(required=False)
    ticked = forms.BooleanField(required=False)
    fixed = forms.CharField(required=False, disabled=True, initial="fixo")
    needed = forms.CharField()
    methodical = forms.CharField(required=False)
    other = forms.CharField(required=False)

    def clean_methodical(self):
        return self.cleaned_data["methodical"] or "de método"


SmallForm.base_fields = SharedFields(SmallForm.base_fields)


class DjangosForm(SmallForm):
    _clean_fields = forms.Form._clean_fields


@pytest.mark.parametrize("prefix", [None, "a"])
@pytest.mark.parametrize(
    "sent", [{}, {"split_0": "2026-11-23", "split_1": "09:00"}, {"needed": "x", "other": "y"}, {"ticked": "on"}]
)
@pytest.mark.parametrize("is_replaced", [False, True])
def test_what_else_a_form_can_do_to_a_field_is_done(prefix, sent, is_replaced):
    found = []
    for kind in (SmallForm, DjangosForm):
        data = QueryDict(mutable=True)
        data.update({f"{prefix}-{name}" if prefix else name: value for name, value in sent.items()})
        form = kind(data, MultiValueDict(), prefix=prefix)
        if is_replaced:
            form.fields["other"] = forms.CharField(initial="z", required=True)
            del form.fields["ticked"]
        found.append(outcome(form))
    assert found[0] == found[1]
