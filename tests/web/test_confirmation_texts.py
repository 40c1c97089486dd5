"""What a clinic writes to those who are to confirm: of their health only what it chose to tell."""

import re
from datetime import time
from html import unescape
from urllib.parse import unquote

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from clinic.models import Clinic, Patient
from clinic.models.message_texts import filled, validate_message_text
from tests.factories import (
    book_appointment,
    make_clinic,
    make_doctor,
    make_lisbon,
    make_patient,
    make_procedure,
    make_user,
)
from tests.managed import url

VALUES = dict.fromkeys(("paciente", "data", "hora", "medico", "clinica", "endereco", "procedimento", "preparo"), "")
LINK = re.compile(r'href="https://wa\.me/(\d+)\?text=([^"]+)"')


@pytest.fixture
def visit(db):
    return _visit(make_clinic(name="Clínica Boa Vista", address="Rua da Aurora, 10", town="Recife"))


def _visit(clinic):
    procedure = make_procedure(clinic, name="Colposcopia", preparation="Vir em jejum.")
    doctor = make_doctor(clinic, name="Dra. Ana Prado", procedures=[procedure], hours=[(time(8), time(18))])
    return book_appointment(doctor, patient=make_patient(clinic, name="Rui Sá").pk)


def page_of(client, visit):
    client.force_login(make_user(visit.clinic))
    day = visit.clinic.local(visit.starts_at).date()
    return client.get(reverse("web:confirmation-day", args=[day])).text


def message(client, visit):
    """The number and the text of the only link."""
    ((number, text),) = LINK.findall(page_of(client, visit))
    return number, unquote(unescape(text))


def test_our_text_greets_and_says_when_with_whom_and_where(client, visit):
    number, text = message(client, visit)
    day = f"{visit.clinic.local(visit.starts_at):%d/%m}"

    assert number == visit.patient.phone.as_e164[1:]
    assert text.splitlines() == [
        "Olá, Rui! Aqui é da Clínica Boa Vista.",
        f"Lembramos o seu horário: segunda-feira, {day}, às 09:00, com a Dra. Ana Prado.",
        "Rua da Aurora, 10, Recife",
        "Podemos confirmar? Responda SIM, ou diga se precisa de outro horário.",
    ]


def test_in_portugal_it_is_in_the_portuguese_of_portugal(client, db):
    _, text = message(client, _visit(make_lisbon(name="Clínica do Chiado")))

    assert text.startswith("Olá, Rui! Fala da Clínica do Chiado.\nLembramos a sua marcação: ")
    assert len(text.splitlines()) == 3  # no address is known


def test_a_child_is_spoken_of_by_the_social_name(client, visit):
    Patient.objects.filter(pk=visit.patient_id).update(social_name="Lia Sá", guardian_name="Ana")
    _, text = message(client, visit)

    assert text.startswith("Olá! Aqui é da ") and "o horário de Lia: " in text


def test_procedure_and_preparation_only_where_chosen(client, visit):
    assert "Colposcopia" not in message(client, visit)[1]
    Clinic.objects.update(texts_tell_procedure=True)
    assert message(client, visit)[1].endswith("Procedimento: Colposcopia\nPreparo: Vir em jejum.")


def test_a_text_that_was_stored_says_no_more_either(client, visit):
    Clinic.objects.update(confirmation_text="{paciente}: {procedimento}\nPreparo: {preparo}")

    assert message(client, visit)[1] == "Rui: "


def test_the_clinics_own_texts(client, visit):
    Clinic.objects.update(confirmation_text="{hora} {medico}", confirmation_text_to_other="de {paciente}")
    assert message(client, visit)[1] == "09:00 a Dra. Ana Prado"
    Patient.objects.filter(pk=visit.patient_id).update(guardian_name="Ana")
    assert message(client, visit)[1] == "de Rui"


def test_the_link_opens_a_page_of_its_own_that_knows_nothing(client, visit):
    link = re.search(r'<a [^>]*data-key="w"[^>]*>', page_of(client, visit))[0]

    assert 'target="_blank"' in link and 'rel="noopener noreferrer"' in link


@pytest.mark.parametrize(
    "change", [{"accepts_whatsapp": False}, {"phone": None}, {"phone": "+558134215678"}, {"died": True}]
)
def test_nobody_is_written_to_who_cannot_or_will_not_read(client, visit, change):
    Patient.objects.filter(pk=visit.patient_id).update(**change)
    page = page_of(client, visit)

    assert "wa.me" not in page
    assert ("não aceita WhatsApp" in page) == ("accepts_whatsapp" in change)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Olá, {nome}!", "“{nome}” não é um campo. Os campos são: {paciente}, {data}, {hora}, {medico}, {clinica}"),
        ("Olá, {}!", "“{}” não é um campo."),
        ("Olá, {Paciente}!", "“{Paciente}” não é um campo."),
        ("Olá, {paciente!", "Há uma chave sem o seu par. Os campos são: {paciente}"),
        ("Olá, paciente}!", "Há uma chave sem o seu par."),
        ("{{paciente}}", "Há uma chave sem o seu par."),
    ],
)
def test_what_is_no_placeholder_is_refused(text, sentence):
    with pytest.raises(ValidationError) as refused:
        validate_message_text(text)
    assert sentence in refused.value.messages[0]


def test_a_line_of_nothing_is_left_out_and_values_are_not_read_again():
    values = VALUES | {"paciente": "{hora}", "hora": "09:00"}

    assert filled("{paciente} às {hora}{preparo}\n{endereco}\n\nFim", values) == "{hora} às 09:00\n\nFim"


@pytest.mark.django_db
class TestInTheAdministration:
    @pytest.fixture
    def save(self, client, manager):
        """Save the clinic's form with these fields changed."""

        def save(**typed):
            form = client.get(url(Clinic, "change", manager.clinic.pk)).context["adminform"].form
            sent = {name: form[name].value() for name in form.fields}
            sent = {name: value for name, value in sent.items() if value not in (None, False)}
            return client.post(url(Clinic, "change", manager.clinic.pk), sent | typed)

        return save

    def test_a_manager_writes_the_text(self, save, manager):
        assert save(confirmation_text="Olá, {paciente}!\r\nAté {data}.").status_code == 302
        manager.clinic.refresh_from_db()
        assert manager.clinic.confirmation_text.splitlines() == ["Olá, {paciente}!", "Até {data}."]

    def test_an_unknown_placeholder_is_refused_at_its_field(self, save, manager):
        answer = save(confirmation_text_to_other="Olá, {nome}!")

        assert answer.status_code == 200 and "“{nome}” não é um campo. Os campos são: {paciente}" in answer.text

    def test_a_text_about_another_visit_has_no_date(self, save, manager):
        answer = save(recall_text="Olá, {paciente}, {data}!")
        assert "“{data}” não é um campo. Os campos são: {paciente}, {medico}, {clinica}" in answer.text
        assert "selecione “textos dizem" in save(recall_text_to_other="{procedimento}").text
        assert save(recall_text="Olá, {paciente}! É hora do retorno com {medico}.").status_code == 302
        manager.clinic.refresh_from_db()
        assert manager.clinic.recall_text == "Olá, {paciente}! É hora do retorno com {medico}."

    def test_what_tells_of_health_has_to_be_chosen(self, save, manager):
        text = "{procedimento}: {preparo}"
        answer = save(confirmation_text=text)
        assert "Para dizer {preparo}, {procedimento}, selecione “textos dizem procedimento e preparo”" in answer.text
        assert save(confirmation_text=text, texts_tell_procedure="on").status_code == 302
        manager.clinic.refresh_from_db()
        assert manager.clinic.confirmation_text == text


def test_consent_is_kept_with_who_asked(client, visit):
    client.force_login(make_user(visit.clinic))
    patient = visit.patient
    edit = reverse("web:patient-edit", args=[patient.pk])
    sent = {"name": patient.name, "phone": patient.phone.as_national, "accepts_whatsapp": "nao"}

    assert client.post(edit, sent).status_code == 302
    patient.refresh_from_db()
    assert patient.accepts_whatsapp is False
    assert patient.events.latest("pk").changes["accepts_whatsapp"] == [None, False]
    card = client.get(reverse("web:patient-detail", args=[patient.pk])).text
    assert "WhatsApp, lembretes: <b>não aceita</b>" in card
    assert re.search(r'<option value="nao" selected>', client.get(edit).text)
