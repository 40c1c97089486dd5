"""The pages of the waiting list, and the strip under an appointment that gave its time up."""

import re
from datetime import time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from clinic import booking
from clinic.booking import (
    Author,
    LineRequest,
    PayerWish,
    WaitingWish,
    book_waiting,
    change_status,
    put_back_waiting,
    put_on_waiting_list,
    reschedule,
    undo,
    withdraw_waiting,
)
from clinic.models import Appointment, Patient, PatientAccess, PayerDoctor, WaitingEntry
from tests.factories import (
    book_appointment,
    make_clinic,
    make_discount,
    make_doctor,
    make_lisbon,
    make_patient,
    make_payer,
    make_procedure,
    make_user,
    next_monday,
)

pytestmark = pytest.mark.django_db
BY = Author(channel="command", credential="tests")
HTMX = {"HX-Request": "true"}


@pytest.fixture
def doctor(client):
    clinic = make_clinic()
    client.force_login(make_user(clinic))
    procedure = make_procedure(clinic, name="Consulta")
    return make_doctor(clinic, name="Dra. Helena Prado", procedures=[procedure])


def visit(doctor, name="Maria Souza", *, weeks=0, hour=9):
    patient = make_patient(doctor.clinic, name=name)
    starts_at = next_monday(doctor.clinic, hour) + timedelta(weeks=weeks)
    return book_appointment(doctor, patient=patient.pk, starts_at=starts_at)


def put(doctor, name="Júlia Reis", *, far=None, **wish):
    """Who waits: with the appointment `far`, or with none."""
    patient = far.patient if far else make_patient(doctor.clinic, name=name)
    wanted = {"appointment": far.pk} if far else {"procedures": [doctor.procedures.get().pk]}
    return put_on_waiting_list(patient.pk, WaitingWish(**wanted | wish), clinic=doctor.clinic, by=BY)


def page(client, **query):
    response = client.get(reverse("web:waiting-list", query=query))
    assert response.status_code == 200 and "no-store" in response["Cache-Control"]
    return response.content.decode()


def post(client, act, entry, **data):
    return client.post(reverse(f"web:waiting-{act}", args=[entry.pk]), data, headers=HTMX)


def test_nobody_waits(client, doctor):
    assert "Ninguém na fila de espera" in page(client)


def test_a_row_says_what_is_wanted_and_what_fits(client, doctor):
    far = visit(doctor, "Júlia Reis", weeks=3)
    put(doctor, far=far, weekdays=[1, 3], from_time=time(0), to_time=time(11, 59), is_urgent=True, note="tem pressa")
    text = page(client)
    for words in ("Júlia Reis", "urgente", "Consulta", "seg/qua · manhã", "tem seg", "tem pressa", "Trocar para"):
        assert words in text


def test_who_died_is_offered_no_time(client, doctor):
    entry = put(doctor)
    freed = visit(doctor)
    change_status(freed.pk, "cancelled", cancelled_by="patient", clinic=doctor.clinic, by=BY)
    strip = reverse("web:appointment-detail", args=[freed.pk])
    assert "Júlia Reis" in page(client) and "Júlia Reis" in client.get(strip).text
    Patient.objects.filter(pk=entry.patient_id).update(died=True)
    assert "Júlia Reis" not in page(client) + client.get(strip).text
    Patient.objects.filter(pk=entry.patient_id).update(died=False)
    assert "Júlia Reis" in page(client)


def test_the_visit_of_who_died_leads_to_no_request(client, doctor):
    far = visit(doctor, "Júlia Reis", weeks=3)
    put(doctor, far=far)
    address = reverse("web:appointment-detail", args=[far.pk])
    assert "Na fila de espera" in client.get(address).text
    Patient.objects.filter(pk=far.patient_id).update(died=True)
    shown = client.get(address).text
    assert "Na fila de espera" not in shown and "Quer antes?" not in shown


def test_a_time_is_booked_and_the_row_says_so(client, doctor):
    entry = put(doctor)
    starts_at = next_monday(doctor.clinic)
    response = post(client, "accept", entry, to=f"{doctor.pk}|{starts_at.isoformat()}", seen="1")
    assert response.status_code == 200
    assert "com a Dra. Helena Prado." in response.content.decode()
    assert Appointment.objects.get().starts_at == starts_at
    assert "Há pouco" in page(client)


def test_a_taken_time_is_refused_at_the_row_which_shows_others(client, doctor):
    entry = put(doctor)
    taken = visit(doctor)
    response = post(client, "accept", entry, to=f"{doctor.pk}|{taken.starts_at.isoformat()}", seen="1")
    assert response.status_code == 409
    text = response.content.decode()
    assert "já está ocupado" in text and 'name="to"' in text
    assert WaitingEntry.objects.get().closed_at is None


@pytest.mark.parametrize(
    "to", ["", "x", "1|", "|2026", f"{'9' * 30}|2026-11-23T12:00:00+00:00", "1|2026-11-23T12:00:00"]
)
def test_an_unreadable_time_is_refused(client, doctor, to):
    assert post(client, "accept", put(doctor), to=to).status_code == 409
    assert not Appointment.objects.exists()


def test_a_row_whose_appointment_is_gone_says_what_to_do(client, doctor):
    far = visit(doctor, weeks=3)
    entry = put(doctor, far=far)
    change_status(far.pk, "cancelled", cancelled_by="patient", clinic=doctor.clinic, by=BY)
    text = page(client)
    assert "O agendamento que seria trocado está “cancelado”" in text and 'name="to"' not in text
    response = post(client, "detach", entry, seen="1")
    assert response.status_code == 200 and "Agendar" in response.content.decode()
    entry.refresh_from_db()
    assert entry.appointment is None and entry.procedures.get() == doctor.procedures.get()


def test_a_lost_row_that_has_run_out_is_kept_and_says_so(client, doctor):
    far = visit(doctor, weeks=3)
    entry = put(doctor, far=far)
    change_status(far.pk, "cancelled", cancelled_by="patient", clinic=doctor.clinic, by=BY)
    WaitingEntry.objects.update(until=doctor.clinic.local(timezone.now()).date() - timedelta(days=1))
    over = f"{WaitingEntry.objects.get().until:%d/%m/%Y}"
    response = post(client, "change", entry, seen="1", until=over, procedures=doctor.procedures.get().pk)
    assert response.status_code == 422
    response = post(client, "detach", entry, seen="1")
    assert response.status_code == 200 and "O prazo do pedido passou. Altere a data, ou retire." in response.text


def test_calls_are_counted_and_declined_times_not_shown_again(client, doctor):
    entry = put(doctor)
    assert "não atende: 1 ×" in post(client, "not-reached", entry).content.decode()
    offered = WaitingOffers(client).of(entry)
    text = post(client, "decline", entry, offered=offered).content.decode()
    assert "3 horários recusados" in text
    assert not any(value in text for value in offered)


class WaitingOffers:
    """The values of the buttons of a row."""

    def __init__(self, client):
        self.rows = client.get(reverse("web:waiting-list")).context["board"].rows

    def of(self, entry):
        return next([offer.value for offer in row.offers] for row in self.rows if row.entry.pk == entry.pk)


@pytest.mark.parametrize("doctor_part", ["\x00", "a" * 1000, "", "9" * 30])
def test_only_times_of_doctors_are_kept_as_declined(client, doctor, doctor_part):
    entry = put(doctor)
    assert post(client, "decline", entry, offered=f"{doctor_part}|2026-12-01T12:00:00+00:00").status_code == 200
    assert WaitingEntry.objects.in_full().get().declined == set()


def test_a_declined_time_is_kept_as_it_is_offered(client, doctor):
    entry = put(doctor)
    same = [f"{doctor.pk}|2026-12-01T09:00:00-03:00", f"0{doctor.pk}|2026-12-01 12:00Z"]
    others = [f"{doctor.pk}|2026-12-0{day}T12:00:00+00:00" for day in range(2, 6)]
    post(client, "decline", entry, offered=[*same, *others])
    kept = WaitingEntry.objects.in_full().get().declined
    assert kept == {f"{doctor.pk}|2026-12-0{day}T12:00:00+00:00" for day in (1, 2)}


def test_withdrawn_and_undone(client, doctor):
    entry = put(doctor)
    assert "Retirado da fila de espera." in post(client, "withdraw", entry, seen="1").content.decode()
    assert "Alterar" in post(client, "undo", entry, seen="2").content.decode()
    assert post(client, "withdraw", entry, seen="1").status_code == 409


@pytest.mark.parametrize("sent", [{}, {"seen": ""}, {"seen": "x"}, {"seen": "9" * 30}])
def test_without_a_readable_seen_nothing_is_done(client, doctor, sent):
    entry = put(doctor, far=visit(doctor, weeks=3))
    to = f"{doctor.pk}|{next_monday(doctor.clinic).isoformat()}"
    for act, data in (("withdraw", {}), ("detach", {}), ("accept", {"to": to}), ("change", {"part": "manha"})):
        assert post(client, act, entry, **data, **sent).status_code in (409, 422)
    assert WaitingEntry.objects.get().version == 1
    post(client, "withdraw", entry, seen="1")
    assert post(client, "undo", entry, **sent).status_code == 409
    assert WaitingEntry.objects.get().outcome == "withdrawn"


def test_a_swap_is_undone_from_its_row(client, doctor):
    far = visit(doctor, weeks=3)
    entry = put(doctor, far=far)
    before = far.starts_at
    to = f"{doctor.pk}|{next_monday(doctor.clinic).isoformat()}"
    assert post(client, "accept", entry, to=to, seen="1").status_code == 409
    done = post(client, "accept", entry, to=to, seen="1", place=booking.place(far))
    assert "Desfazer troca" in done.content.decode()
    assert post(client, "undo", entry, seen="2").status_code == 200
    far.refresh_from_db()
    assert far.starts_at == before and WaitingEntry.objects.get().closed_at is None


def test_what_was_closed_again_is_not_undone_by_an_older_row(client, doctor):
    far = visit(doctor, weeks=3)
    entry, act = put(doctor, far=far), {"clinic": doctor.clinic, "by": BY}
    row = post(client, "withdraw", entry, seen="1").content.decode()
    (seen,) = re.findall(r'name="seen" value="(\d+)" data-key="u"', row)
    put_back_waiting(entry.pk, seen=None, **act)
    withdraw_waiting(entry.pk, seen=None, **act)
    assert post(client, "undo", entry, seen=seen).status_code == 409
    put_back_waiting(entry.pk, seen=None, **act)
    moved = book_waiting(entry.pk, doctor=doctor.pk, starts_at=next_monday(doctor.clinic), seen=None, place=None, **act)
    response = post(client, "undo", entry, seen=seen)
    row = response.content.decode()
    assert response.status_code == 409 and "foi alterado depois do que você viu" in row
    far.refresh_from_db()
    assert far.starts_at == moved.starts_at and WaitingEntry.objects.get().outcome == "booked"
    (seen,) = re.findall(r'name="seen" value="(\d+)" data-key="u"', row)
    assert post(client, "undo", entry, seen=seen).status_code == 200
    assert WaitingEntry.objects.get().closed_at is None


def test_the_list_of_one_doctor(client, doctor):
    other = make_doctor(doctor.clinic, procedures=[doctor.procedures.get()])
    put(doctor, "Ana Lima", doctors=[other.pk])
    put(doctor, "Bia Reis")
    put(doctor, "Caio Melo", doctors=[doctor.pk])
    text = page(client, medico=other.pk)
    assert "Ana Lima" in text and "Bia Reis" in text and "Caio Melo" not in text


def test_who_wants_a_freed_time(client, doctor):
    freed = visit(doctor)
    put(doctor, "Ana Lima", weekdays=[2])
    put(doctor, "Bia Reis")
    change_status(freed.pk, "cancelled", cancelled_by="patient", clinic=doctor.clinic, by=BY)
    text = page(client, livre=freed.pk)
    assert "Bia Reis" in text and "Ana Lima" not in text and "quem quer este horário" in text
    assert text.count('name="to"') == 1


def test_the_strip_names_three_and_links_to_the_rest(client, doctor):
    freed = visit(doctor)
    for number in range(5):
        put(doctor, f"Paciente {'ABCDE'[number]}")
    detail = reverse("web:appointment-detail", args=[freed.pk])
    assert "ficou livre" not in client.get(detail).content.decode()
    change_status(freed.pk, "cancelled", cancelled_by="patient", clinic=doctor.clinic, by=BY)
    text = client.get(detail).content.decode()
    assert "5 querem antes:" in text and text.count("Oferecer") == 3 and "Ver os 5 da fila" in text


def test_the_strip_after_a_move_is_about_the_place_that_was_left(client, doctor):
    moved = visit(doctor)
    put(doctor, to_time=time(9))
    starts_at = next_monday(doctor.clinic, 15)
    reschedule(moved.pk, doctor=doctor.pk, starts_at=starts_at, clinic=doctor.clinic, by=BY)
    text = client.get(reverse("web:appointment-detail", args=[moved.pk])).content.decode()
    assert f"{moved.starts_at.astimezone(doctor.clinic.zone):%d/%m} 09:00 com a Dra. Helena Prado ficou livre." in text


def test_the_open_appointment_leads_to_the_list_and_back(client, doctor):
    far = visit(doctor, weeks=3)
    detail = reverse("web:appointment-detail", args=[far.pk])
    assert "Quer antes?" in client.get(detail).content.decode()
    entry = put(doctor, far=far)
    text = client.get(detail).content.decode()
    assert "Quer antes?" not in text and f"/fila-de-espera/?pedido={entry.pk}#w{entry.pk}" in text


def test_who_is_booked_by_hand_and_still_waits_is_pointed_out(client, doctor):
    entry = put(doctor)
    booked = book_appointment(doctor, patient=entry.patient_id, starts_at=next_monday(doctor.clinic, 9))
    detail = reverse("web:appointment-detail", args=[booked.pk])
    text = client.get(detail).content.decode()
    assert "Ainda há um pedido deste paciente" in text and f"?pedido={entry.pk}#w{entry.pk}" in text
    entry.procedures.set([make_procedure(doctor.clinic)])
    assert "Ainda há um pedido" not in client.get(detail).content.decode()


def test_a_request_is_put_by_the_form_and_changed(client, doctor):
    patient = make_patient(doctor.clinic)
    fields = {"paciente": patient.pk, "procedures": doctor.procedures.get().pk, "weekdays": ["2", "4"], "part": "manha"}
    response = client.post(reverse("web:waiting-add"), fields)
    entry = WaitingEntry.objects.in_full().get()
    assert response.url == f"/fila-de-espera/?pedido={entry.pk}#w{entry.pk}"
    assert (entry.weekdays, entry.from_time, entry.to_time) == ([2, 4], time(0), time(11, 59))
    address = reverse("web:waiting-change", args=[entry.pk])
    form = client.get(address).context["form"]
    assert (form["part"].value(), form.chosen_weekdays) == ("manha", ["2", "4"])
    fields |= {"seen": "1", "from_time": "9", "to_time": "10h30", "until": "31/12/2030", "is_urgent": "1", "note": "oi"}
    assert client.post(address, fields).status_code == 302
    entry.refresh_from_db()
    assert (entry.from_time, entry.to_time, entry.is_urgent) == (time(9), time(10, 30), True)
    assert client.post(address, fields).status_code == 422  # another window saw the first version


def test_without_a_patient_one_is_looked_for(client, doctor):
    assert client.get(reverse("web:waiting-add")).url == reverse("web:patient-list")


def test_the_panel_leads_to_the_list_with_what_was_asked(client, doctor):
    patient = make_patient(doctor.clinic)
    data = {
        "patient": patient.pk,
        "doctor": "any",
        "procedure": doctor.procedures.get().pk,
        "finding": "1",
        "find_part": "tarde",
        "find_weekday": "3",
    }
    text = client.post(reverse("web:appointment-check"), data, headers=HTMX).content.decode()
    assert f"/fila-de-espera/novo/?paciente={patient.pk}" in text
    assert "dia=3&amp;turno=tarde" in text


def test_many_rows_cost_no_query_more(client, doctor):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            page(client)
        return len([query for query in queries if "clinic_" in query["sql"]])

    def swap(entry, hour):
        to = f"{doctor.pk}|{next_monday(doctor.clinic, hour).isoformat()}"
        place = booking.place(entry.appointment)
        assert post(client, "accept", entry, to=to, seen="1", place=place).status_code == 200

    put(doctor)
    swap(put(doctor, far=visit(doctor, weeks=3)), 8)
    page(client)
    few = cost()
    for number in range(15):
        put(doctor, f"Paciente {number}", far=visit(doctor, weeks=4 + number % 3, hour=13 + number // 3))
        put(doctor, f"Outro {number}")
    for hour in (9, 10, 11):
        swap(put(doctor, far=visit(doctor, weeks=3, hour=hour)), hour)
    assert cost() == few == 9  # one of them for procedures that are restricted


def test_a_long_list_has_pages(client, doctor):
    for number in range(27):
        put(doctor, f"Paciente {number}")
    text = page(client)
    assert text.count('<li class="waiting-row') == 25 and "pagina=2" in text
    assert page(client, pagina=2).count('<li class="waiting-row') == 2
    assert page(client, pagina="x").count('<li class="waiting-row') == 25


def test_a_page_beyond_the_last_one_is_the_last_one(client, doctor):
    entries = [put(doctor, f"Paciente {number}") for number in range(26)]
    address = {"pagina": 2}
    assert f'id="w{entries[25].pk}"' in page(client, **address)
    booking.withdraw_waiting(entries[25].pk, clinic=doctor.clinic, by=BY, seen=None)
    text = page(client, **address)
    assert "Ninguém na fila" not in text and f'id="w{entries[24].pk}"' in text
    assert "Anteriores" not in text


def test_a_link_to_a_row_opens_the_page_that_has_it(client, doctor):
    entries = [put(doctor, f"Paciente {number}") for number in range(27)]
    last = entries[-1]
    row = f'id="w{last.pk}"'
    assert row not in page(client) and row in page(client, pedido=last.pk)
    assert "pagina=1" in page(client, pedido=last.pk) and "pedido=" not in page(client, pedido=last.pk)
    assert f'id="w{entries[0].pk}"' in page(client, pedido=entries[0].pk)
    for unknown in ("0", "x", "9" * 30):
        assert f'id="w{entries[0].pk}"' in page(client, pedido=unknown)
    response = client.post(reverse("web:waiting-not-reached", args=[last.pk]))
    assert row in client.get(response.url).content.decode()


def test_a_form_with_a_fault_has_the_focus_at_its_field(client, doctor):
    fields = {"paciente": make_patient(doctor.clinic).pk}
    wrong = fields | {"procedures": doctor.procedures.get().pk, "until": "32/13"}
    for data, field in ((fields, "procedures"), (wrong, "until")):
        text = client.post(reverse("web:waiting-add"), data, headers=HTMX).content.decode()
        focused = [tag for tag in text.split("<") if "autofocus" in tag]
        assert len(focused) == 1 and f'name="{field}"' in focused[0]


def test_who_pays_is_seen_in_the_filled_panel(client, doctor):
    entry = put(doctor)
    patient, starts_at = entry.patient, next_monday(doctor.clinic)
    patient.payer = make_payer(doctor.clinic, active=False)
    patient.save()
    to = {"to": f"{doctor.pk}|{starts_at.isoformat()}", "seen": "1"}
    response = post(client, "accept", entry, **to)
    assert response.status_code == 409 and "Agendar pelo painel" in response.content.decode()
    address = client.post(reverse("web:waiting-accept", args=[entry.pk]), to).url
    assert escape(address) in response.content.decode()
    form = client.get(address).context["form"]
    assert (form.data["patient"], form.data["doctor"]) == (str(patient.pk), str(doctor.pk))
    assert form.data.getlist("procedure") == [str(doctor.procedures.get().pk)]
    assert (form.data["date"], form.data["starts"]) == (f"{starts_at:%d/%m/%Y}", "09:00")


def test_a_payer_that_does_not_pay_is_changed_by_hand(client, doctor):
    unimed = make_payer(doctor.clinic, name="Unimed")
    PayerDoctor.objects.create(clinic=doctor.clinic, payer=unimed, doctor=doctor, weekdays=[1, 3])
    far = book_appointment(
        doctor, starts_at=next_monday(doctor.clinic) + timedelta(weeks=3), payer=PayerWish(unimed.pk)
    )
    patient = make_patient(doctor.clinic, payer=unimed)
    procedures = [doctor.procedures.get().pk]
    waits = put_on_waiting_list(patient.pk, WaitingWish(procedures=procedures), clinic=doctor.clinic, by=BY)
    starts_at = next_monday(doctor.clinic) + timedelta(days=1)
    to = {"to": f"{doctor.pk}|{starts_at.isoformat()}", "seen": "1"}
    response = post(client, "accept", waits, **to)
    text = response.content.decode()
    assert response.status_code == 409 and "só atende por Unimed nestes dias" in text and "Agendar pelo painel" in text
    swap = post(client, "accept", put(doctor, far=far), **to).content.decode()
    assert "Mudar quem paga" in swap and reverse("web:appointment-payer", args=[far.pk]) in swap


def test_a_swap_without_its_discount_goes_on_in_remarcar(client, doctor):
    discount = make_discount(doctor.clinic, expires_on=timezone.localdate() + timedelta(weeks=9))
    lines = (LineRequest(doctor.procedures.get().pk, discount.pk),)
    far = book_appointment(doctor, lines=lines, starts_at=next_monday(doctor.clinic) + timedelta(weeks=3))
    entry = put(doctor, far=far)
    discount.expires_on = timezone.localdate() - timedelta(days=1)
    discount.save()
    starts_at = next_monday(doctor.clinic, 11)
    to = {"to": f"{doctor.pk}|{starts_at.isoformat()}", "seen": "1"}
    response = post(client, "accept", entry, **to)
    assert response.status_code == 409 and "Remarcar para este horário" in response.content.decode()
    address = client.post(reverse("web:waiting-accept", args=[entry.pk]), to).url
    assert escape(address) in response.content.decode()
    shown = client.get(address)
    form = shown.context["form"]
    assert (form.data["date"], form.data["starts"]) == (f"{starts_at:%d/%m/%Y}", "11:00")
    assert "Remarcar sem o desconto" in shown.content.decode()


def test_a_row_says_that_its_appointment_was_moved_by_hand(client, doctor):
    far = visit(doctor, weeks=3)
    put(doctor, far=far)
    assert "o horário mudou" not in page(client)
    new = far.starts_at - timedelta(weeks=1)
    moved = reschedule(far.pk, doctor=doctor.pk, starts_at=new, clinic=doctor.clinic, by=BY)
    was = f"{doctor.clinic.local(far.starts_at):%d/%m %H:%M}"
    assert "o horário mudou: era " in page(client) and was in page(client)
    undo(moved.pk, clinic=doctor.clinic, by=BY)
    assert "o horário mudou" not in page(client)


def test_what_has_run_out_comes_last_and_says_so(client, doctor):
    entry = put(doctor, "Ana Lima", is_urgent=True)
    put(doctor, "Bia Reis")
    WaitingEntry.objects.filter(pk=entry.pk).update(until=timezone.localdate() - timedelta(days=2))
    text = page(client)
    assert text.index("Bia Reis") < text.index("Ana Lima") and "O prazo do pedido passou." in text


def test_without_a_script_the_acts_lead_back_to_the_list(client, doctor):
    entry = put(doctor)
    response = client.post(reverse("web:waiting-withdraw", args=[entry.pk]), {"seen": "1"})
    assert response.url == f"/fila-de-espera/?pedido={entry.pk}#w{entry.pk}"


def test_in_portugal_a_turno_is_a_shift_and_no_part_of_the_day(client):
    clinic = make_lisbon()
    client.force_login(make_user(clinic))
    procedure = make_procedure(clinic)
    make_doctor(clinic, procedures=[procedure])
    address = reverse("web:waiting-add", query={"paciente": make_patient(clinic).pk})
    text = client.get(address).content.decode()
    assert "Parte do dia" in text and "Até ao dia" in text and "turno" not in text.lower()


def test_an_unchanged_list_is_a_304_and_leaves_no_access(client, doctor):
    entry = put(doctor, far=visit(doctor, weeks=3))
    address = reverse("web:waiting-list")
    etag = client.get(address, headers=HTMX)["ETag"]
    seen, again = PatientAccess.objects.count(), HTMX | {"If-None-Match": etag}
    assert client.get(address, headers=again).status_code == 304
    assert PatientAccess.objects.count() == seen > 0
    put(doctor, "Outra Pessoa")
    assert client.get(address, headers=again).status_code == 200
    etag = client.get(address, headers=HTMX)["ETag"]
    post(client, "withdraw", entry, seen="1")
    answer = client.get(address, headers=HTMX | {"If-None-Match": etag})
    assert answer.status_code == 200 and "Há pouco" in answer.text and "<html" not in answer.text


def test_the_list_asks_again_for_what_it_shows(client, doctor):
    put(doctor), put(doctor)
    text = page(client, medico=doctor.pk)
    assert f'hx-get="/fila-de-espera/?medico={doctor.pk}"' in text
