"""Enter that comes before the list of patients: who is meant by the text is taken in the same request."""

import pytest

from tests.factories import make_clinic, make_patient
from tests.web.test_booking_panel import CHECK, HTMX, clinic, desk, doctor, form, patient, procedure, saturday

__all__ = ["clinic", "desk", "doctor", "form", "patient", "procedure", "saturday"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("saturday")]


@pytest.fixture
def take(desk, form, patient):
    """Press Enter after this text, which is in the field unless another one is given."""

    def press(text, q=None):
        return desk.post(CHECK, form | {"patient": "", "q": text if q is None else q, "take": text}, headers=HTMX).text

    return press


def taken(patient):
    return f'<input type="hidden" name="patient" value="{patient.pk}">'


def test_the_only_one_found_is_taken(take, patient):
    assert taken(patient) in take("ana sou")


def test_the_owner_of_a_whole_number_is_taken(take, clinic):
    owner = make_patient(clinic, name="Rita Lima", phone="+5581983331010")
    make_patient(clinic, name="Bia Lima", phone="+558198333101")
    assert taken(owner) in take("81 98333-1010")


@pytest.mark.parametrize("text", ["Quita Nova", "81 98333-1010"])
def test_who_is_nobody_is_registered(take, text):
    assert "Novo paciente" in take(text) and 'name="is_new"' in take(text)


def test_of_several_nobody_is_taken_and_all_are_listed(take, clinic):
    make_patient(clinic, name="Ana Lima")
    page = take("ana")
    assert 'id="patient-options"' in page and page.count('name="pick"') == 2
    assert 'name="patient"' not in page and 'id="booking-who"' not in page


def test_nobody_of_another_clinic_and_by_no_other_text_is_taken(take, patient):
    stranger = make_patient(make_clinic(), name="Zoé Braga")
    assert taken(stranger) not in take("zoe braga")
    for q in ("ana souz", "", " "):
        assert taken(patient) not in take("ana souza", q=q)
