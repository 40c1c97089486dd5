"""The page of recalls, writing one in the panel of a visit, and booking one by the booking panel."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import unquote
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic.booking import (
    Author,
    RecallWish,
    book_recall,
    change_status,
    close_recall,
    postpone_recall,
    reopen_recall,
    reschedule,
    write_recall,
)
from clinic.booking.proposal import LineRequest, Proposal
from clinic.models import Appointment, Clinic, Patient, PatientAccess, Procedure, Recall
from clinic.queries import recalls as recall_queries
from tests.factories import (
    book_appointment,
    make_clinic,
    make_doctor,
    make_doctor_user,
    make_lisbon,
    make_patient,
    make_procedure,
    make_user,
    next_monday,
)

pytestmark = pytest.mark.django_db
BY = Author(channel="command", credential="tests")
HTMX = {"HX-Request": "true"}
LIST = "/retornos/"


@pytest.fixture
def doctor(client):
    clinic = make_clinic()
    client.force_login(make_user(clinic, name="Rosa Recepção"))
    procedures = [make_procedure(clinic, name="Consulta"), make_procedure(clinic, name="Retorno clínico")]
    return make_doctor(clinic, name="Dra. Helena Prado", procedures=procedures)


def today(doctor):
    return doctor.clinic.local(timezone.now()).date()


def served(doctor, name="Maria Souza", **patient):
    """A visit that is over, on another Monday for each."""
    patient = make_patient(doctor.clinic, name=name, **patient)
    at = next_monday(doctor.clinic) - timedelta(weeks=2 + Appointment.objects.count())
    visit = book_appointment(doctor, patient=patient.pk, starts_at=at, now=at - timedelta(days=1))
    for status in ("checked_in", "in_service", "finished"):
        change_status(visit.pk, status, clinic=doctor.clinic, by=BY, now=at)
    return visit


def recall(doctor, name="Maria Souza", *, due=0, wanted=..., note="", **patient):
    """Who is to be called so many days from today on."""
    visit = served(doctor, name, **patient)
    wish = RecallWish(
        due_on=today(doctor) + timedelta(days=due),
        procedure=doctor.procedures.get(name="Retorno clínico").pk,
        doctor=doctor.pk if wanted is ... else wanted,
        note=note,
    )
    return write_recall(visit.pk, wish, clinic=doctor.clinic, by=BY, now=visit.ends_at)


def page(client, **query):
    response = client.get(LIST, query)
    assert response.status_code == 200 and "no-store" in response["Cache-Control"]
    return response.text


def post(client, act, row, **data):
    return client.post(reverse(f"web:recall-{act}", args=[row.pk]), data, headers=HTMX)


def names(text):
    return re.findall(r"<b><bdi>([^<]*)</bdi></b></a>", text)


def test_nobody_is_to_be_called(client, doctor):
    assert "Nenhum retorno para lembrar" in page(client)


def test_due_first_then_what_is_coming(client, doctor):
    for name, due in (("Bia", 20), ("Ana", -3), ("Caio", 0), ("Davi", 45)):
        recall(doctor, name, due=due)
    text = page(client)
    assert names(text) == ["Ana", "Caio", "Bia"]
    assert "2 para chamar · 3 até" in text and "vencido há 3 dias" in text
    until = f"{today(doctor) + timedelta(days=60):%d/%m/%Y}"
    assert names(page(client, ate=until)) == ["Ana", "Caio", "Bia", "Davi"]
    assert names(page(client, ate="x", medico="x", pagina="9" * 30)) == ["Ana", "Caio", "Bia"]


def test_a_row_says_what_for_and_from_which_visit(client, doctor):
    written = recall(doctor, note="trazer exames")
    text = page(client)
    day = f"{doctor.clinic.local(written.appointment.starts_at):%d/%m/%Y}"
    for words in ("Retorno clínico · Dra. Helena Prado", "trazer exames", f"anotado na visita de {day}", "wa.me"):
        assert words in text


def test_only_one_doctors_and_those_for_anybody(client, doctor):
    clinic = doctor.clinic
    other = make_doctor(clinic, procedures=list(doctor.procedures.filter(name="Retorno clínico")))
    without = make_doctor(clinic)
    recall(doctor, "Ana"), recall(doctor, "Bia", wanted=None), recall(doctor, "Caio", wanted=other.pk)
    assert names(page(client, medico=other.pk)) == ["Bia", "Caio"]
    assert names(page(client, medico=without.pk)) == []


def test_who_died_is_not_in_the_list(client, doctor):
    written = recall(doctor)
    Patient.objects.filter(pk=written.patient_id).update(died=True)
    assert "Maria Souza" not in page(client)


def test_the_clinic_writes_its_own_text(client, doctor):
    recall(doctor, "Ana Lima")
    own = "Oi, {paciente}!\nCom {medico}\n{procedimento}\n{clinica}"
    Clinic.objects.update(recall_text=own, recall_text_to_other="Sobre {paciente}", name="Clínica Sol")
    assert whatsapp_text(client) == "Oi, Ana!\nCom a Dra. Helena Prado\nClínica Sol"
    Clinic.objects.update(texts_tell_procedure=True)
    assert "\nRetorno clínico\n" in whatsapp_text(client)
    Recall.objects.update(doctor=None)
    assert whatsapp_text(client) == "Oi, Ana!\nCom a nossa equipe\nRetorno clínico\nClínica Sol"
    Patient.objects.update(guardian_name="Rita Lima")
    assert whatsapp_text(client) == "Sobre Ana"


def whatsapp_text(client):
    return unquote(unescape(re.search(r"wa\.me/\d+\?text=([^\"]+)", page(client))[1]))


def test_the_text_for_whatsapp_is_for_who_reads_it(client, doctor):
    recall(doctor, "Ana Lima", accepts_whatsapp=False)
    assert "wa.me" not in page(client) and "não aceita WhatsApp" in page(client)
    recall(doctor, "Bia Reis", phone_of="mãe")
    text = page(client)
    assert "sobre%20Bia" in text and "Retorno%20cl" not in text
    doctor.clinic.texts_tell_procedure = True
    doctor.clinic.save()
    assert "Retorno%20cl%C3%ADnico" in page(client)


def test_the_panel_of_a_visit_that_is_over_offers_it(client, doctor):
    visit = served(doctor)
    ahead = book_appointment(doctor)
    assert "Lembrar do retorno…" in client.get(f"/agendamentos/{visit.pk}/").text
    assert "Lembrar do retorno…" not in client.get(f"/agendamentos/{ahead.pk}/").text


def test_it_is_written_in_the_panel_for_a_procedure_of_return(client, doctor):
    visit = served(doctor)
    address = reverse("web:recall-add", args=[visit.pk])
    text = client.get(address, headers=HTMX).text
    chosen = doctor.procedures.get(name="Retorno clínico").pk
    assert f'value="{chosen}" selected' in text and f'value="{doctor.pk}" selected' in text
    answer = client.post(address, {"months": "6", "procedure": chosen, "doctor": doctor.pk}, headers=HTMX)
    assert answer.status_code == 200 and "Retorno anotado para" in answer.text
    assert "Retorno previsto para" in answer.text
    written, day = Recall.objects.get(), doctor.clinic.local(visit.starts_at).date()
    assert (written.due_on.year * 12 + written.due_on.month) - (day.year * 12 + day.month) == 6
    assert written.created_by.name == "Rosa Recepção"


def test_a_typed_date_is_taken_before_the_months(client, doctor):
    visit, due = served(doctor), today(doctor) + timedelta(days=40)
    typed = {"months": "6", "due_on": f"{due:%d/%m/%Y}", "procedure": doctor.procedures.first().pk, "doctor": ""}
    client.post(reverse("web:recall-add", args=[visit.pk]), typed, headers=HTMX)
    written = Recall.objects.get()
    assert (written.due_on, written.doctor) == (due, None)


def test_what_is_wrong_stands_at_its_field_and_nothing_is_lost(client, doctor):
    visit = served(doctor)
    address = reverse("web:recall-add", args=[visit.pk])
    answer = client.post(address, {"months": "", "procedure": "0", "doctor": "", "note": "só à tarde"}, headers=HTMX)
    assert answer.status_code == 422 and "Diga quando" in answer.text and 'value="só à tarde"' in answer.text
    answer = client.post(address, {"months": "1", "procedure": "0", "doctor": ""}, headers=HTMX)
    assert answer.status_code == 422 and 'id="error-procedure" aria-live="polite">Um dos procedimentos' in answer.text


def test_a_second_one_for_the_same_is_refused(client, doctor):
    written = recall(doctor)
    typed = {"months": "6", "procedure": written.procedure_id, "doctor": doctor.pk}
    answer = client.post(reverse("web:recall-add", args=[written.appointment_id]), typed, headers=HTMX)
    assert answer.status_code == 422 and "já tem um retorno em aberto" in answer.text


def test_one_click_opens_the_panel_with_the_first_free_time(client, doctor):
    written = recall(doctor, due=30)
    text = client.get("/agendamentos/novo/", {"retorno": written.pk}, headers=HTMX).text
    assert f'name="recall" value="{written.pk}"' in text and "Retorno de Maria Souza, previsto para" in text
    assert f'name="patient" value="{written.patient_id}"' in text
    first = re.search(r'id="date" name="date" value="([^"]*)"', text)[1]
    day, month, year = map(int, first.split("/"))
    assert (year, month, day) >= (written.due_on.year, written.due_on.month, written.due_on.day)
    assert re.search(r'id="starts" name="starts" value="\d\d:\d\d"', text)


def booked_form(doctor, written, starts_at):
    local = doctor.clinic.local(starts_at)
    return {
        "key": uuid4(),
        "recall": written.pk,
        "patient": written.patient_id,
        "doctor": doctor.pk,
        "procedure": written.procedure_id,
        "date": f"{local:%d/%m/%Y}",
        "starts": f"{local:%H:%M}",
    }


def test_booking_it_closes_it_and_a_double_click_books_once(client, doctor):
    written, starts_at = recall(doctor), next_monday(doctor.clinic)
    form = booked_form(doctor, written, starts_at)
    for _ in range(2):
        assert client.post("/agendamentos/novo/", form, headers=HTMX).status_code == 200
    written.refresh_from_db()
    assert written.outcome == "booked" and written.booked.starts_at == starts_at
    assert Appointment.objects.standing().filter(starts_at__gt=timezone.now()).count() == 1
    text = page(client)
    assert "Agendado para seg" in text and "Rosa Recepção" in text and "Desfazer" not in text


def test_who_is_second_reads_it_and_may_book_besides(client, doctor):
    written, starts_at = recall(doctor), next_monday(doctor.clinic)
    proposal = Proposal(
        clinic=doctor.clinic,
        doctor=doctor.pk,
        lines=(LineRequest(written.procedure_id),),
        starts_at=starts_at,
        patient=written.patient_id,
    )
    book_recall(written.pk, proposal, by=BY)
    form = booked_form(doctor, written, starts_at + timedelta(hours=2))
    answer = client.post("/agendamentos/novo/", form, headers=HTMX)
    assert answer.status_code == 422 and "tests já agendou este retorno para" in answer.text
    assert 'name="recall"' not in answer.text
    form.pop("recall")
    assert client.post("/agendamentos/novo/", form, headers=HTMX).status_code == 200


def test_a_cancelled_booking_brings_it_back_with_the_reason(client, doctor):
    written, starts_at = recall(doctor), next_monday(doctor.clinic)
    client.post("/agendamentos/novo/", booked_form(doctor, written, starts_at), headers=HTMX)
    booked = Recall.objects.get().booked
    client.post(f"/agendamentos/{booked.pk}/cancelar/", {"cancelled_by": "patient"}, headers=HTMX)
    assert "cancelado: seg" in page(client) and "1 para chamar" in page(client)


def test_of_another_clinic_it_is_an_ordinary_booking(client, doctor):
    clinic = make_clinic()
    elsewhere = recall(make_doctor(clinic, procedures=[make_procedure(clinic, name="Retorno clínico")]))
    patient = make_patient(doctor.clinic)
    form = booked_form(doctor, elsewhere, next_monday(doctor.clinic)) | {
        "patient": patient.pk,
        "procedure": doctor.procedures.first().pk,
    }
    assert client.post("/agendamentos/novo/", form, headers=HTMX).status_code == 200
    elsewhere.refresh_from_db()
    assert elsewhere.closed_at is None


@pytest.mark.parametrize(("outcome", "words"), [("declined", "Não quer o retorno."), ("elsewhere", "Já tem horário.")])
def test_closed_by_hand_it_can_be_undone(client, doctor, outcome, words):
    written = recall(doctor)
    answer = post(client, "close", written, outcome=outcome, seen="1")
    assert answer.status_code == 200 and words in answer.text and "Rosa Recepção" in answer.text
    assert "Há pouco" in page(client)
    again = post(client, "undo", written, seen="2")
    assert again.status_code == 200 and "Não quer</" not in again.text and 'value="declined"' in again.text
    assert Recall.objects.get().closed_at is None


def test_what_another_one_has_changed_is_refused_at_the_row(client, doctor):
    written = recall(doctor)
    postpone_recall(written.pk, today(doctor) + timedelta(days=9), clinic=doctor.clinic, by=BY, seen=None)
    answer = post(client, "close", written, outcome="declined", seen="1")
    assert answer.status_code == 409 and "foi alterado depois do que você viu" in answer.text
    assert Recall.objects.get().closed_at is None


def test_what_was_closed_again_is_not_undone_by_an_older_row(client, doctor):
    written, act = recall(doctor), {"clinic": doctor.clinic, "by": BY}
    answer = post(client, "close", written, outcome="declined", seen="1")
    (seen,) = re.findall(r'name="seen" value="(\d+)" data-key="u"', answer.text)
    reopen_recall(written.pk, seen=None, **act)
    close_recall(written.pk, "elsewhere", seen=None, **act)
    answer = post(client, "undo", written, seen=seen)
    assert answer.status_code == 409 and "foi alterado depois do que você viu" in answer.text
    assert Recall.objects.get().outcome == "elsewhere"
    (seen,) = re.findall(r'name="seen" value="(\d+)" data-key="u"', answer.text)
    assert post(client, "undo", written, seen=seen).status_code == 200
    assert Recall.objects.get().closed_at is None


@pytest.mark.parametrize("sent", [{}, {"seen": ""}, {"seen": "x"}, {"seen": "9" * 30}])
def test_without_a_readable_seen_nothing_is_done(client, doctor, sent):
    written, later = recall(doctor), today(doctor) + timedelta(days=9)
    assert post(client, "close", written, outcome="declined", **sent).status_code == 409
    assert post(client, "postpone", written, due_on=f"{later:%d/%m/%Y}", **sent).status_code == 409
    assert Recall.objects.get().version == 1
    post(client, "close", written, outcome="declined", seen="1")
    assert post(client, "undo", written, **sent).status_code == 409
    assert Recall.objects.get().outcome == "declined"


def test_it_is_postponed_in_the_row_and_a_wrong_date_stays_typed(client, doctor):
    written, later = recall(doctor), today(doctor) + timedelta(days=9)
    for typed in ("99/99", "", "01/01/2020"):
        answer = post(client, "postpone", written, due_on=typed, seen="1")
        assert answer.status_code == 409 and f'name="due_on" value="{typed}"' in answer.text
    answer = post(client, "postpone", written, due_on=f"{later:%d/%m/%Y}", seen="1")
    assert answer.status_code == 200 and f"{later:%d/%m/%Y}" in answer.text
    assert Recall.objects.get().due_on == later


def test_without_htmx_the_acts_lead_back_to_the_list(client, doctor):
    written = recall(doctor)
    answer = client.post(reverse("web:recall-close", args=[written.pk]), {"outcome": "x", "seen": "1"}, follow=True)
    assert answer.redirect_chain == [(f"/retornos/?retorno={written.pk}#t{written.pk}", 302)]
    assert "Diga se o paciente não quer" in answer.text
    until = f"{today(doctor) + timedelta(days=60):%d/%m/%Y}"
    shown = {"ate": until, "medico": doctor.pk, "pagina": "2"}
    text = page(client, **shown | {"pagina": "1"})
    assert text.count(f'name="ate" value="{until}"') == 3 and text.count(f'name="medico" value="{doctor.pk}"') == 2
    answer = client.post(reverse("web:recall-close", args=[written.pk]), shown | {"outcome": "declined", "seen": "1"})
    assert answer.url == f"{reverse('web:recall-list', query=shown | {'retorno': written.pk})}#t{written.pk}"


def test_a_link_to_a_row_opens_the_page_and_date_that_have_it(client, doctor):
    near, far = recall(doctor, "Ana"), recall(doctor, "Bia", due=90)
    rows = [
        Recall(
            clinic=doctor.clinic,
            patient=near.patient,
            appointment=book_appointment(doctor, starts_at=next_monday(doctor.clinic, 8) + timedelta(weeks=number)),
            procedure=near.procedure,
            due_on=today(doctor),
        )
        for number in range(2)
    ]
    Recall.objects.bulk_create(rows)
    assert f'id="t{far.pk}"' not in page(client) and f'id="t{far.pk}"' in page(client, retorno=far.pk)
    place = recall_queries.place_of(doctor.clinic, far.pk)
    assert (place.due_on, place.page) == (far.due_on, 1)
    assert f"?retorno={far.pk}#t{far.pk}" in client.get(f"/agendamentos/{far.appointment_id}/").text
    for unknown in ("0", "x", "9" * 30):
        assert f'id="t{near.pk}"' in page(client, retorno=unknown)


def test_without_a_procedure_to_propose_none_is_chosen(client, doctor):
    visit = served(doctor)
    Procedure.objects.filter(clinic=doctor.clinic).update(active=False)
    make_procedure(doctor.clinic, name="Outro")
    text = client.get(reverse("web:recall-add", args=[visit.pk]), headers=HTMX).text
    assert re.search(r'<select id="procedure"[^>]*>\s*<option value="">Escolha</option>', text)
    assert "selected" not in re.search(r'<select id="procedure".*?</select>', text, re.DOTALL)[0]


def test_above_the_booking_of_another_patient_no_recall_is_shown(client, doctor):
    written, other = recall(doctor), make_patient(doctor.clinic, name="Bia Reis")
    form = booked_form(doctor, written, next_monday(doctor.clinic)) | {"starts": ""}
    assert "Retorno de Maria Souza" in client.post("/agendamentos/novo/", form, headers=HTMX).text
    changed = form | {"patient": other.pk}
    assert "Retorno de Maria Souza" not in client.post("/agendamentos/novo/", changed, headers=HTMX).text


def test_an_unchanged_list_is_a_304(client, doctor):
    written = recall(doctor)
    etag = client.get(LIST, headers=HTMX)["ETag"]
    again = HTMX | {"If-None-Match": etag}
    assert client.get(LIST, headers=again).status_code == 304
    Patient.objects.filter(pk=written.patient_id).update(name="Outro Nome", updated_at=timezone.now())
    assert client.get(LIST, headers=again).status_code == 200


def test_a_closed_row_is_drawn_anew_when_its_appointment_is_moved(client, doctor):
    written, starts_at = recall(doctor), next_monday(doctor.clinic)
    client.post("/agendamentos/novo/", booked_form(doctor, written, starts_at), headers=HTMX)
    again = HTMX | {"If-None-Match": client.get(LIST, headers=HTMX)["ETag"]}
    booked, later = Recall.objects.get().booked, starts_at + timedelta(hours=2)
    reschedule(booked.pk, clinic=doctor.clinic, doctor=doctor.pk, starts_at=later, by=BY)
    answer = client.get(LIST, headers=again)
    assert answer.status_code == 200 and f"{doctor.clinic.local(later):%H:%M}" in answer.text


def test_an_unchanged_list_leaves_no_row_in_the_access_log(client, doctor):
    recall(doctor)
    etag = client.get(LIST, headers=HTMX)["ETag"]
    before = PatientAccess.objects.count()
    client.get(LIST, headers=HTMX | {"If-None-Match": etag})
    assert PatientAccess.objects.count() == before > 0


def test_the_list_costs_the_same_queries_for_one_and_many(client, doctor, django_assert_num_queries):
    recall(doctor)
    page(client)
    for _ in range(2):
        with django_assert_num_queries(6):  # session, counts, open, closed, doctors, access log
            page(client)
        for name in ("Ana", "Bia", "Caio"):
            recall(doctor, name)


def test_the_next_page_has_the_rest(client, doctor):
    patient = make_patient(doctor.clinic, name="Zé")
    procedure = doctor.procedures.first()
    rows = [
        Recall(
            clinic=doctor.clinic,
            patient=patient,
            appointment=book_appointment(doctor, starts_at=next_monday(doctor.clinic, 8) + timedelta(weeks=number)),
            procedure=procedure,
            due_on=today(doctor),
        )
        for number in range(3)
    ]
    Recall.objects.bulk_create(rows)
    assert names(page(client, pagina="2")) == ["Zé"] * 3
    assert "Próximos" not in page(client)


def test_a_doctors_own_sign_in_does_not_see_it(client, doctor):
    recall(doctor)
    client.force_login(make_doctor_user(doctor=doctor))
    assert client.get(LIST).status_code == 403


def test_in_portugal_it_is_a_consultation_that_follows(client):
    lisbon = make_lisbon()
    client.force_login(make_user(lisbon))
    assert "Consultas de seguimento" in page(client) and "Retornos" not in page(client)
