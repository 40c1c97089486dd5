"""What the desk prints: lists of a day, the slip of an appointment, and the next hours as one file."""

import re
from datetime import date, time, timedelta
from html import unescape
from io import BytesIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pypdf import PdfReader

from clinic.booking import Author, change_status
from clinic.models import Clinic, Patient, PatientAccess, Procedure
from clinic.web.printed import list_pdf, pdf
from tests.days import put
from tests.factories import (
    book_appointment,
    make_clinic,
    make_doctor,
    make_lisbon,
    make_patient,
    make_procedure,
    make_user,
)
from tests.pdfs import pages_of

pytestmark = pytest.mark.django_db

MONDAY = date(2026, 11, 23)
BY = Author(channel="command", credential="tests")
PARTIAL = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def sunday(time_machine):
    time_machine.move_to("2026-11-22T13:40:00Z", tick=False)
    return time_machine


@pytest.fixture
def clinic():
    return make_clinic(name="Clínica Boa Viagem")


@pytest.fixture
def doctor(clinic):
    return make_doctor(clinic, name="Dra. Helena Prado")


@pytest.fixture
def desk(client, clinic):
    client.force_login(make_user(clinic, name="Rita"))
    return client


def visit(doctor, hour, name="Ana Souza", day=MONDAY, **proposal):
    patient = make_patient(doctor.clinic, name=name)
    starts_at = doctor.clinic.instant(day, time(hour))
    return book_appointment(doctor, patient=patient.pk, starts_at=starts_at, **proposal)


def words(html):
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def listed(desk, day=MONDAY, **query):
    answer = desk.get(reverse("web:printed-day", args=[day]), query)
    assert answer.status_code == 200
    return answer.text


def sheets_of(html):
    return [words(part) for part in html.split('<section class="sheet">')[1:]]


def test_a_day_is_a_sheet_for_each_doctor(desk, doctor, clinic):
    other = make_doctor(clinic, name="Dr. Caio Leão")
    make_doctor(clinic, name="Dr. Sem Ninguém")
    visit(doctor, 10), visit(doctor, 9, "Bento Lima"), visit(other, 9, "Caio Sá")
    sheets = sheets_of(listed(desk))
    assert [sheet.partition(" segunda-feira")[0] for sheet in sheets] == ["Dr. Caio Leão", "Dra. Helena Prado"]
    assert "segunda-feira, 23 de novembro de 2026 · 2 agendamentos" in sheets[1]
    assert "Clínica Boa Viagem · impresso 22/11/2026 10:40 por Rita" in sheets[1]
    assert sheets[1].index("Bento Lima") < sheets[1].index("Ana Souza")
    assert "09:00–09:30 Bento Lima" in sheets[1] and "Agendado" in sheets[1]


def test_cancelled_ones_are_left_out(desk, doctor):
    gone = visit(doctor, 9, "Bento Lima")
    visit(doctor, 10)
    change_status(gone.pk, "cancelled", clinic=doctor.clinic, by=BY, cancelled_by="patient")
    assert "Bento Lima" not in listed(desk) and "1 agendamento " in sheets_of(listed(desk))[0]


def test_phones_and_notes_are_printed_as_chosen(desk, doctor):
    visit(doctor, 9, notes="Traz exames")
    phone = "(81)"
    assert phone in listed(desk) and "Traz exames" not in listed(desk)
    without = sheets_of(listed(desk, escolhido="1"))[0]
    assert phone not in without and "Telefone" not in without
    both = listed(desk, escolhido="1", telefone="1", observacoes="1")
    assert phone in both and "Traz exames" in both


def test_only_chosen_doctors_are_printed(desk, doctor, clinic):
    other = make_doctor(clinic, name="Dr. Caio Leão")
    visit(doctor, 9), visit(other, 9, "Caio Sá")
    html = listed(desk, escolhido="1", medico=str(other.pk))
    assert [sheet[:13] for sheet in sheets_of(html)] == ["Dr. Caio Leão"]
    assert f'value="{doctor.pk}">' in html and f'value="{other.pk}" checked>' in html
    answer = desk.get(reverse("web:printed-day", args=[MONDAY]), {"medico": "x"}, headers=PARTIAL)
    assert len(sheets_of(answer.text)) == 2 and "<html" not in answer.text


def test_an_empty_day_says_so(desk, doctor):
    assert "Nada a imprimir neste dia" in listed(desk) and 'id="print"' not in listed(desk)
    for unreadable in ("2026-02-30", "amanha", "9999-01-01"):
        assert desk.get(f"/agenda/{unreadable}/lista/").status_code == 404


def test_another_clinics_visits_are_on_no_sheet(desk):
    visit(make_doctor(make_clinic()), 9)
    assert "Ana Souza" not in listed(desk)
    assert "Ana Souza" not in desk.get(reverse("web:printed-pack")).text


@pytest.mark.parametrize("address", ["printed-day", "printed-pack"])
def test_queries_do_not_grow_with_the_visits(desk, doctor, address):
    url = reverse(f"web:{address}", args=[MONDAY] if address == "printed-day" else [])

    def queries():
        with CaptureQueriesContext(connection) as captured:
            desk.get(url)
        return len(captured)

    visit(doctor, 9)
    queries()
    few = queries()
    for hour in (10, 11, 13, 14, 15):
        visit(doctor, hour, f"Pessoa {hour}")
    assert queries() == few <= 7


# The slip -------------------------------------------------------------------------------------------------------------


def slip(desk, appointment):
    answer = desk.get(reverse("web:printed-slip", args=[appointment.pk]))
    assert answer.status_code == 200
    return words(answer.text.partition('<section class="slip">')[2].partition("</section>")[0])


def test_the_slip_has_what_a_patient_needs(desk, doctor, clinic):
    appointment = visit(doctor, 9)
    Procedure.objects.update(preparation="Jejum de 8 horas.")
    assert "Para remarcar" not in slip(desk, appointment)
    Clinic.objects.update(phone="+558133334444", address="Rua das Marés, 100", town="Recife")
    text = slip(desk, appointment)
    assert text.startswith("Clínica Boa Viagem Rua das Marés, 100, Recife (81) 3333-4444 Ana Souza")
    assert "segunda-feira, 23 de novembro de 2026 09:00 Dra. Helena Prado" in text
    assert "Preparo: Jejum de 8 horas." in text
    assert text.endswith("Para remarcar ou cancelar, ligue para (81) 3333-4444.")
    assert "cancelado" not in text


def test_the_slip_of_a_cancelled_one_says_so(desk, doctor):
    appointment = visit(doctor, 9)
    change_status(appointment.pk, "cancelled", clinic=doctor.clinic, by=BY, cancelled_by="patient")
    assert "Este agendamento está cancelado." in slip(desk, appointment)


def test_a_slip_speaks_portuguese_of_portugal(client):
    doctor = make_doctor(make_lisbon())
    appointment = visit(doctor, 9)
    client.force_login(make_user(doctor.clinic))
    page = client.get(reverse("web:printed-slip", args=[appointment.pk])).text
    assert "Comprovativo de marcação" in page


# The next hours -------------------------------------------------------------------------------------------------------


def test_the_pack_has_the_next_48_hours_and_loads_nothing(desk, doctor):
    visit(doctor, 9, "Ana Souza", notes="Traz exames"), visit(doctor, 9, "Bento Lima", date(2026, 11, 24))
    visit(doctor, 15, "Depois Demais", date(2026, 11, 24))
    answer = desk.get(reverse("web:printed-pack"))
    name = f'attachment; filename="agenda-{doctor.clinic.slug}-2026-11-22-1040.html"'
    assert (answer.status_code, answer["Content-Disposition"]) == (200, name)
    assert len(sheets_of(answer.text)) == 2 and "Depois Demais" not in answer.text
    assert "Traz exames" in answer.text and "(81)" in answer.text
    assert "A agenda como estava em 22/11/2026 10:40, até 24/11/2026 10:40." in words(answer.text)
    page = answer.text.replace('<link rel="stylesheet" href="data:text/css;base64,', "")
    assert not re.search(r"<script|<link|src=|url\(|@import|href=", page)


def test_the_pack_begins_with_what_was_this_morning(desk, doctor, sunday):
    visit(doctor, 9)
    sunday.move_to("2026-11-23T18:00:00Z", tick=False)
    assert "Ana Souza" in desk.get(reverse("web:printed-pack")).text


def test_an_empty_pack_says_so(desk, doctor):
    assert "Nenhum agendamento até lá." in desk.get(reverse("web:printed-pack")).text


def test_a_name_cannot_write_into_the_pack(desk, doctor):
    visit(doctor, 9)
    Patient.objects.update(name="<script>alert(1)</script>")
    assert "<script" not in desk.get(reverse("web:printed-pack")).text


def test_the_command_writes_the_same_file(doctor, tmp_path, desk):
    visit(doctor, 9), visit(doctor, 9, "Bento Lima", date(2026, 11, 26))
    file = tmp_path / "agenda.html"
    call_command("write_pack", str(file), clinic=doctor.clinic.slug)
    assert file.read_text() == desk.get(reverse("web:printed-pack")).text
    assert file.stat().st_mode & 0o777 == 0o600
    logged = [(row.day, row.credential, row.patient) for row in PatientAccess.objects.order_by("pk")]
    assert logged == [(MONDAY, "write_pack", None), (MONDAY, "", None)]
    call_command("write_pack", str(file), clinic=doctor.clinic.slug, hours=100)
    assert "Bento Lima" in file.read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["agenda.html"]


def test_a_pack_that_cannot_be_written_leaves_the_old_one(doctor, tmp_path):
    (tmp_path / "folder").mkdir()
    for file, options, words_of in [
        (tmp_path / "missing" / "agenda.html", {}, "/missing/agenda.html: No such file"),
        (tmp_path / "folder", {}, "/folder: Is a directory"),
        (tmp_path / "agenda.html", {"hours": 0}, "--hours is a number from 1 to 336"),
        (tmp_path / "agenda.html", {"clinic": "nenhuma"}, "There is no clinic 'nenhuma'"),
    ]:
        with pytest.raises(CommandError, match=words_of):
            call_command("write_pack", str(file), **{"clinic": doctor.clinic.slug} | options)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_pack_from_a_database_without_tables_says_so(tmp_path):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE clinic_clinic RENAME TO clinic_elsewhere")
    with pytest.raises(CommandError, match="This database has no tables yet"), transaction.atomic():
        call_command("write_pack", str(tmp_path / "agenda.html"), clinic="recife")


def test_a_sheet_of_a_changeover_keeps_its_dates(client, sunday):
    doctor = make_doctor(make_lisbon())
    visit(doctor, 9, "Ana Souza", date(2027, 3, 29))
    client.force_login(make_user(doctor.clinic))
    assert len(sheets_of(listed(client, date(2027, 3, 29)))) == 1
    assert sheets_of(listed(client, date(2027, 3, 29) - timedelta(days=1))) == []


# The same as PDFs -----------------------------------------------------------------------------------------------------


def test_a_days_pdf_has_a_page_for_each_doctor(desk, doctor, clinic):
    other = make_doctor(clinic, name="Dr. Caio Leão")
    visit(doctor, 9, "Łucja Ştefănescu Ñandú", notes="trazer exames"), visit(other, 9, "Bento Lima")
    address = reverse("web:printed-day-pdf", args=[MONDAY])
    of_caio, of_helena = pages_of(desk.get(address))
    assert of_caio.startswith("Dr. Caio Leão segunda-feira, 23 de novembro de 2026 · 1 agendamento")
    assert "09:00–09:30 Łucja Ştefănescu Ñandú" in of_helena and "(81)" in of_helena
    assert "trazer exames" not in of_helena
    (of_helena,) = pages_of(desk.get(address, {"escolhido": "1", "medico": doctor.pk, "observacoes": "1"}))
    assert "trazer exames" in of_helena and "(81)" not in of_helena


def test_a_full_day_goes_on_with_its_head_on_the_next_page(desk, clinic):
    doctor = make_doctor(clinic, hours=[(time(0), time(23, 45))])
    name = "Maria Aparecida das Dores da Conceição Albuquerque de Vasconcelos Cavalcanti"
    for number in range(60):
        put(doctor, f"{number // 4:02}:{number % 4 * 15:02}", minutes=15, patient=make_patient(clinic, name=name))
    found = pages_of(desk.get(reverse("web:printed-day-pdf", args=[MONDAY])))
    assert len(found) > 1 and all("Hora Paciente Nascimento" in page for page in found)
    assert sum(page.count("Maria Aparecida") for page in found) == 60
    day = "segunda-feira, 23 de novembro de 2026 · 60 agendamentos"
    assert [page[:80] for page in found if not page.startswith(f"{doctor.full_name} {day}")] == []


def test_a_pdf_keeps_a_visit_whole_with_its_note(desk, clinic):
    long = make_procedure(clinic, name="Consulta de acompanhamento multiprofissional com avaliação detalhada")
    doctor = make_doctor(clinic, hours=[(time(0), time(23, 45))], procedures=[long])
    name = "Maria Aparecida das Dores da Conceição Albuquerque de Vasconcelos Cavalcanti de {:02}"
    for number in range(60):
        at = f"{number // 4:02}:{number % 4 * 15:02}"
        patient = make_patient(clinic, name=name.format(number))
        put(doctor, at, minutes=15, patient=patient, notes=f"Traz exames de outra clínica, {number:02}." * 4)
    address = reverse("web:printed-day-pdf", args=[MONDAY])
    found = pages_of(desk.get(address, {"escolhido": "1", "telefone": "1", "observacoes": "1"}))
    assert len(found) > 1 and all(page.count("Hora Paciente") == 1 for page in found)
    for number in range(60):
        (page,) = [page for page in found if f"{number // 4:02}:{number % 4 * 15:02}–" in page]
        assert f"Cavalcanti de {number:02}" in page and page.count(f"clínica, {number:02}.") == 4
    assert all(page.count("multiprofissional") == page.count("detalhada") for page in found)


def test_a_visit_higher_than_a_page_goes_on_with_its_note(desk, clinic, doctor):
    made = put(doctor, "09:00", notes="trazer exames")
    made.lines.update(procedure_name="Avaliação " * 15)
    for position in range(1, 20):
        line = made.lines.get(position=0)
        line.pk, line.position = None, position
        line.save()
    found = pages_of(desk.get(reverse("web:printed-day-pdf", args=[MONDAY]), {"escolhido": "1", "observacoes": "1"}))
    assert len(found) > 1 and sum(page.count("Avaliação") for page in found) == 300
    assert "trazer exames" in found[-1]


def test_a_pdf_of_too_many_visits_asks_for_some_doctors(desk, doctor, monkeypatch):
    monkeypatch.setattr("clinic.web.printed.views.MAX_VISITS", 2)
    visit(doctor, 9), visit(doctor, 10)
    address = reverse("web:printed-day-pdf", args=[MONDAY])
    assert len(pages_of(desk.get(address))) == 1
    assert f'href="{address}' in listed(desk)
    visit(doctor, 11)
    shown = listed(desk)
    assert f'href="{address}' not in shown and "Um PDF leva até 2 agendamentos" in shown
    answer = desk.get(address, {"telefone": "1"}, follow=True)
    assert answer.redirect_chain == [(f"/agenda/{MONDAY}/lista/?telefone=1", 302)]
    assert "Um PDF leva até 2 agendamentos. Escolha alguns médicos(as)." in answer.text


def test_what_does_not_fit_into_a_line_is_wrapped(desk, clinic, doctor):
    """A name without spaces too; and signs of HTML are written as they are."""
    name = "Maria Aparecida das Dores & Filhos <da Conceição> " + "x" * 60
    put(doctor, "09:00", patient=make_patient(clinic, name=name))
    (page,) = pages_of(desk.get(reverse("web:printed-day-pdf", args=[MONDAY])))
    assert "Maria Aparecida das Dores & Filhos" in page and "<da Conceição>" in page
    assert page.replace(" ", "").count("x") >= 60


def test_an_empty_days_pdf_says_so(desk, clinic):
    assert pages_of(desk.get(reverse("web:printed-day-pdf", args=[MONDAY]))) == ["Nada a imprimir neste dia"]
    assert desk.get("/agenda/ontem/lista/pdf/").status_code == 404


def test_a_slips_pdf_says_what_the_slip_says(desk, doctor):
    Procedure.objects.update(name="Ultrassom", preparation="Beba água & <b>não urine</b>")
    made = visit(doctor, 9)
    answer = desk.get(reverse("web:printed-slip-pdf", args=[made.pk]))
    (page,) = pages_of(answer)
    for words_of_slip in ("Ana Souza", "segunda-feira, 23 de novembro de 2026", "09:00", "Dra. Helena Prado"):
        assert words_of_slip in page
    assert "Preparo: Beba água & <b>não urine</b>" in page
    assert answer["Content-Disposition"] == f'attachment; filename="comprovante-{made.pk}.pdf"'


def test_a_long_link_stays_on_the_paper_of_a_slip(desk, doctor):
    link = f"https://preparo.example/{'x' * 180}"
    Procedure.objects.update(preparation=f"Leia antes {link} com calma")
    (page,) = pages_of(desk.get(reverse("web:printed-slip-pdf", args=[visit(doctor, 9).pk])))
    assert link in page.replace(" ", "") and "com calma" in page
    assert max(map(len, page.split())) <= 110  # of the narrowest letters, what a line of A4 holds


def test_a_pdf_loads_nothing_that_a_name_or_note_asks_for(desk, doctor):
    visit(doctor, 9, '<img src="/etc/hostname"> <link href="file:///etc/passwd">')
    (page,) = pages_of(desk.get(reverse("web:printed-day-pdf", args=[MONDAY])))
    assert "/etc/hostname" in page


def test_what_the_library_warns_of_is_not_logged(desk, doctor, caplog, monkeypatch):
    """Its warnings quote the document."""
    monkeypatch.setattr("clinic.web.printed.pdf.FONTS", pdf.STYLE.parent)
    made = visit(doctor, 9)
    assert pages_of(desk.get(reverse("web:printed-slip-pdf", args=[made.pk])))
    assert caplog.records == []


def test_the_fonts_are_found_from_any_folder(desk, doctor, monkeypatch, tmp_path):
    list_pdf.register_fonts.cache_clear()
    monkeypatch.chdir(tmp_path)
    visit(doctor, 9, "Łucja Ştefănescu")
    (page,) = pages_of(desk.get(reverse("web:printed-day-pdf", args=[MONDAY])))
    assert "Łucja Ştefănescu" in page


def test_the_longest_notes_are_as_large_as_the_rest(desk, doctor):
    visit(doctor, 9, notes="lembrar de trazer os exames " * 178)
    asked = {"escolhido": "1", "observacoes": "1", "telefone": "1"}
    answer = desk.get(reverse("web:printed-day-pdf", args=[MONDAY]), asked)
    sizes = set()

    def note_size(text, _transformation, matrix, _font, size):
        if text.strip():
            sizes.add(size * matrix[0])

    for page in PdfReader(BytesIO(answer.content)).pages:
        page.extract_text(visitor_text=note_size)
    assert min(sizes) >= 9


def test_notes_longer_than_a_page_go_on_as_wide(desk, doctor):
    visit(doctor, 9, notes="WWWWWWWWW " * 500)
    asked = {"escolhido": "1", "observacoes": "1", "telefone": "1"}
    answer = desk.get(reverse("web:printed-day-pdf", args=[MONDAY]), asked)
    found = [page.extract_text() for page in PdfReader(BytesIO(answer.content)).pages]
    *full, _last = [line for page in found for line in page.splitlines() if "WWW" in line]
    assert len(found) == 2 and sum(page.count("W") for page in found) == 4500
    assert {line.count("W") for line in full[1:]} == {54}


def test_the_list_and_the_slip_lead_to_their_pdfs(desk, doctor):
    made = visit(doctor, 9)
    assert f'href="/agenda/{MONDAY}/lista/pdf/?observacoes=1' in listed(desk, observacoes="1")
    slip = desk.get(reverse("web:printed-slip", args=[made.pk])).text
    assert f'href="/agendamentos/{made.pk}/comprovante/pdf/"' in slip


def test_a_pdf_of_another_clinic_is_not_found(desk):
    strange = visit(make_doctor(make_clinic()), 9)
    assert desk.get(reverse("web:printed-slip-pdf", args=[strange.pk])).status_code == 404
