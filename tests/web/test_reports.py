"""Relatórios: who is let in, the period and its complaints, filters, and the files, read back by other libraries."""

import csv
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from io import BytesIO, StringIO
from urllib.parse import urlencode

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.text import slugify

from clinic.models import Appointment, AppointmentProcedure
from clinic.queries.reports import REPORTS, Column, Report, Table, TooLongError, Unit, Wanted
from clinic.web.report.files import csv_of, xlsx_of
from clinic.web.report.forms import Preset, dates_of
from tests.days import put
from tests.factories import (
    make_doctor,
    make_doctor_user,
    make_lisbon,
    make_manager,
    make_master,
    make_superuser,
    make_user,
)
from tests.pdfs import sheets_of

pytestmark = pytest.mark.django_db
NOVEMBER = {"de": "2026-11-01", "ate": "30/11/2026"}
INDEX = reverse("web:report-list")


def page(name="faltas"):
    return reverse("web:report", args=[name])


@pytest.fixture
def desk(client, clinic):
    """The browser of a manager."""
    client.force_login(make_manager(clinic))
    return client


@pytest.fixture
def doctor(clinic):
    return make_doctor(clinic, name="Dra. Ana Sá")


def addresses():
    yield INDEX
    for name in REPORTS:
        yield page(name)
        yield reverse("web:report-workbook", args=[name])
    yield reverse("web:report-table", args=["faltas", "medicos"])


@pytest.mark.parametrize(("make", "status"), [(make_manager, 200), (make_master, 200), (make_user, 403)])
def test_managers_and_masters_are_let_in(client, clinic, make, status):
    client.force_login(make(clinic))
    assert {client.get(address).status_code for address in addresses()} == {status}
    shows_a_way = INDEX in client.get(reverse("web:agenda-today"), follow=True).text
    assert shows_a_way is (status == 200)


def test_a_doctors_own_user_is_refused(client, doctor):
    client.force_login(make_doctor_user(doctor=doctor))
    assert {client.get(address).status_code for address in addresses()} == {403}


def test_a_superuser_chooses_a_clinic_first(client, clinic):
    client.force_login(make_superuser())
    assert client.get(page()).status_code == 302


@pytest.mark.parametrize("address", ["/relatorios/nada/", "/relatorios/nada/planilha.xlsx", "/relatorios/faltas/x.csv"])
def test_an_unknown_report_is_not_found(desk, address):
    assert desk.get(address).status_code == 404


@pytest.mark.parametrize(
    ("preset", "dates"),
    [
        (Preset.THIS_MONTH, (date(2026, 2, 1), date(2026, 2, 28))),
        (Preset.LAST_MONTH, (date(2026, 1, 1), date(2026, 1, 31))),
        (Preset.THREE_MONTHS, (date(2025, 11, 29), date(2026, 2, 28))),
        (Preset.TWELVE_MONTHS, (date(2025, 3, 1), date(2026, 2, 28))),
    ],
)
def test_what_a_preset_means(preset, dates):
    assert dates_of(preset, date(2026, 2, 28)) == dates


def test_without_dates_it_is_this_month(desk, doctor):
    today = doctor.clinic.local(timezone.now()).date()
    first, last = dates_of(Preset.THIS_MONTH, today)
    shown = desk.get(page()).text
    assert f"De {first:%d/%m/%Y} a {last:%d/%m/%Y}" in shown
    assert re.search(r'periodo=este-mes"\s+aria-current="true"', shown)


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ({"de": "31/02/2026"}, "Esta data não existe."),
        ({"de": ""}, "Escreva uma data, por exemplo 01/11/2026."),
        ({"de": "01/12/2026"}, "Esta data vem antes da primeira. Troque as duas."),
        ({"de": "30/11/2016"}, "Um relatório cobre no máximo 10 anos."),
        ({"de": "\0"}, "Esta data não existe."),
        ({"de": "01/01/0001"}, "O ano deve ficar entre 1900 e 2200."),
    ],
)
def test_wrong_dates_are_named_and_the_shown_report_stays(desk, doctor, typed, complaint):
    put(doctor, "09:00", status="no_show")
    answer = desk.get(page(), NOVEMBER | typed | {"antes_de": "2026-11-01", "antes_ate": "2026-11-30"})
    assert answer.status_code == 200
    assert complaint in answer.text and 'aria-invalid="true"' in answer.text
    assert "De 01/11/2026 a 30/11/2026" in answer.text and "Dra. Ana Sá" in answer.text


@pytest.mark.parametrize("before", [{}, {"antes_de": "x", "antes_ate": "2026-11-30"}, {"antes_de": "\0"}])
def test_wrong_dates_without_a_shown_report_are_this_month(desk, clinic, before):
    first = clinic.local(timezone.now()).date().replace(day=1)
    assert f"De {first:%d/%m/%Y}" in desk.get(page(), {"de": "x", "ate": "y"} | before).text


@pytest.mark.parametrize("odd", ["x", "\0", "9" * 40, "-1", "1 2"])
def test_an_odd_filter_is_left_out(desk, doctor, odd):
    put(doctor, "09:00")
    shown = desk.get(page(), NOVEMBER | {"medico": odd, "procedimento": odd, "periodo": odd}).text
    assert ">Dra. Ana Sá</bdi></th>" in shown


def test_another_clinics_doctor_is_left_out(desk, doctor):
    stranger = make_doctor(name="Dra. Estranha")
    put(doctor, "09:00")
    put(stranger, "09:00")
    shown = desk.get(page(), NOVEMBER | {"medico": stranger.pk, "procedimento": stranger.procedures.get().pk}).text
    assert ">Dra. Ana Sá</bdi></th>" in shown and "Estranha" not in shown


def test_doctor_and_procedure_filter_and_stay_chosen(desk, doctor):
    other = make_doctor(doctor.clinic, name="Dr. Zeno Luz")
    put(doctor, "09:00")
    put(other, "09:00")
    shown = desk.get(page(), NOVEMBER | {"medico": other.pk}).text
    assert ">Dr. Zeno Luz</bdi></th>" in shown and ">Dra. Ana Sá</bdi></th>" not in shown
    assert f'value="{other.pk}" selected' in shown and f"medico={other.pk}" in shown
    procedure = doctor.procedures.get()
    shown = desk.get(page(), NOVEMBER | {"procedimento": procedure.pk}).text
    assert ">Dra. Ana Sá</bdi></th>" in shown and ">Dr. Zeno Luz</bdi></th>" not in shown


def test_an_empty_period_says_what_to_do(desk, clinic):
    shown = desk.get(page(), NOVEMBER).text
    assert "Nada para contar nestas datas" in shown and "planilha.xlsx" not in shown
    assert "Faltas ÷ (faltas + vieram)" in shown


@pytest.mark.parametrize("name", REPORTS)
def test_a_page_takes_at_most_eight_queries(desk, doctor, name):
    put(doctor, "09:00")
    desk.get(page(name), NOVEMBER)
    with CaptureQueriesContext(connection) as queries:
        assert desk.get(page(name), NOVEMBER).status_code == 200
    assert len(queries) <= 8


def test_no_browser_stores_a_report(desk):
    assert "no-store" in desk.get(page())["Cache-Control"]


def test_the_list_shows_figures_of_this_month(desk, doctor):
    today = doctor.clinic.local(timezone.now()).date()
    put(doctor, "09:00", day=today, status="no_show", source="voice_ai")
    put(doctor, "10:00", day=today, status="finished")
    shown = desk.get(INDEX).text
    assert "50,0\xa0% de faltas" in shown and "50,0\xa0% por programas" in shown


# Files ----------------------------------------------------------------------------------------------------------------


def test_csv_has_the_numbers_of_the_page(desk, doctor):
    put(doctor, "09:00", status="no_show")
    put(doctor, "10:00", status="finished")
    put(doctor, "11:00", status="finished")
    answer = desk.get(reverse("web:report-table", args=["faltas", "medicos"]), NOVEMBER)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert 'filename="faltas-medicos-2026-11-01-2026-11-30.csv"' in answer["Content-Disposition"]
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    assert rows[0][:3] == ["Médico(a)", "Agendados", "Vieram"]
    assert rows[1] == ["Dra. Ana Sá", "3", "2", "1", "0", "0", "33,3", "0,0"]
    assert rows[2][0] == "Total"


def test_xlsx_has_every_table_and_what_was_counted(desk, doctor):
    put(doctor, "09:00", status="no_show")
    AppointmentProcedure.objects.update(price=Decimal("10.55"))
    answer = desk.get(reverse("web:report-workbook", args=["receita"]), NOVEMBER)
    sheets = sheets_of(answer)
    assert list(sheets)[:2] == ["Por médico(a)", "Por procedimento"]
    assert sheets["Por médico(a)"][1][:4] == ("Dra. Ana Sá", 10.55, 0, 10.55)
    explained = sheets["O que foi contado"]
    assert explained[0] == ("Receita", "01/11/2026 – 30/11/2026")
    assert ("Por médico(a): Perdido: faltas", "Dos que estão na situação Faltou.") in explained


def test_files_say_their_filters(desk, doctor):
    put(doctor, "09:00", status="no_show")
    chosen = NOVEMBER | {"medico": doctor.pk, "procedimento": doctor.procedures.get().pk}
    answer = desk.get(reverse("web:report-workbook", args=["faltas"]), chosen)
    procedure = doctor.procedures.get().name
    explained = sheets_of(answer)["O que foi contado"]
    assert explained[1:3] == [("Médico(a)", "Dra. Ana Sá"), ("Procedimento", procedure)]
    suffix = f"2026-11-01-2026-11-30-dra-ana-sa-{slugify(procedure)}"
    assert f'filename="faltas-{suffix}.xlsx"' in answer["Content-Disposition"]
    answer = desk.get(reverse("web:report-table", args=["faltas", "medicos"]), chosen)
    assert f'filename="faltas-medicos-{suffix}.csv"' in answer["Content-Disposition"]


@pytest.mark.parametrize(
    "file",
    [reverse_lazy("web:report-workbook", args=["faltas"]), reverse_lazy("web:report-table", args=["faltas", "x"])],
)
@pytest.mark.parametrize("typed", [{"de": "31/02/2026"}, {"ate": ""}, {"ate": "01/01/2020"}])
def test_a_file_of_wrong_dates_leads_to_the_page(desk, doctor, file, typed):
    asked = NOVEMBER | typed | {"medico": str(doctor.pk)}
    answer = desk.get(str(file), asked)
    assert answer.status_code == 302 and answer["Location"] == f"{page()}?{urlencode(asked)}"
    assert 'aria-invalid="true"' in desk.get(answer["Location"]).text


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(start):
    name = f'{start}HYPERLINK("http://x";"y")'
    columns = (Column("Nome", Unit.WORDS), Column("Vezes", Unit.COUNT, "quantas"))
    table = Table("t", "Título: [1/2]", columns, [(name, 1), ('aspas " e ; e\nlinha', None)])
    rows = list(csv.reader(StringIO(csv_of(table).removeprefix("\ufeff"), newline=""), delimiter=";"))
    assert rows[1] == [f"'{name}", "1"] and rows[2] == ['aspas " e ; e\nlinha', ""]
    book = openpyxl.load_workbook(BytesIO(xlsx_of(Report([table]), "x", date(2026, 1, 1), date(2026, 1, 2))))
    sheet = book.worksheets[0]
    assert sheet.title == "Título   1 2"
    cell = sheet["A2"]
    assert cell.data_type == "s" and cell.value.replace("_x000D_", "\r") == name


def test_a_doctor_called_like_a_formula_is_only_a_name(desk, clinic):
    put(make_doctor(clinic, title="", name="=1+1"), "09:00")
    answer = desk.get(reverse("web:report-table", args=["faltas", "medicos"]), NOVEMBER)
    assert "\n'=1+1;" in answer.content.decode("utf-8-sig").replace("\r\n", "\n")


def test_money_is_the_countrys(client):
    doctor = make_doctor(make_lisbon())
    put(doctor, "09:00", status="finished")
    AppointmentProcedure.objects.update(price=Decimal("1234.50"))
    client.force_login(make_manager(doctor.clinic))
    assert "1234,50\xa0€" in client.get(page("receita"), NOVEMBER).text
    answer = client.get(reverse("web:report-table", args=["receita", "medicos"]), NOVEMBER)
    assert ";1234,50;" in answer.content.decode("utf-8-sig")


def test_a_chart_draws_the_largest_of_many_rows(desk, clinic):
    for number in range(22):
        put(make_doctor(clinic, name=f"Dra. Muitas {number:02}"), "09:00", status="no_show" if number else "finished")
    shown = desk.get(page(), NOVEMBER).text
    chart = shown.partition("<svg width")[2].partition("</svg>")[0]
    assert chart.count('class="bar-of-value"') == 20 and "Muitas 00" not in chart
    assert "os 20 maiores" in shown
    assert not re.search(r"<svg[^>]*style=|<rect[^>]*style=", shown)


def test_reports_show_no_patient(desk, doctor):
    visit = put(doctor, "09:00")
    assert Appointment.objects.filter(pk=visit.pk).exists()
    assert not any(visit.patient.name in desk.get(page(name), NOVEMBER).text for name in REPORTS)


def test_more_than_can_be_counted_is_said_at_the_dates(desk, clinic, monkeypatch):
    asked = []

    def read(wanted):
        asked.append((wanted.first, wanted.last))
        return wanted.fetch(f"SELECT pg_sleep({5 * (wanted.first.year == 2016)})") and Report(())

    monkeypatch.setitem(REPORTS, "faltas", replace(REPORTS["faltas"], read=read))
    monkeypatch.setattr("clinic.queries.reports.wanted.MAX_SECONDS", 0.02)
    dates = {"de": "01/12/2016", "ate": "30/11/2026"}
    this_month = dates_of(Preset.THIS_MONTH, clinic.local(timezone.now()).date())
    both = [(date(2016, 12, 1), date(2026, 11, 30)), this_month]
    answer = desk.get(page(), dates)
    assert "Há agendamentos demais nestas datas" in answer.text
    assert f'name="antes_de" value="{both[1][0]}"' in answer.text
    assert asked == both, "this month is shown instead"
    assert Appointment.objects.count() == 0  # the transaction goes on
    for file in (
        reverse("web:report-workbook", args=["faltas"]),
        reverse("web:report-table", args=["faltas", "medicos"]),
    ):
        asked.clear()
        assert "Há agendamentos demais nestas datas" in desk.get(file, dates, follow=True).text
        assert asked == both, "not the long period twice"


def test_wrong_dates_are_not_counted_for_a_file(desk, monkeypatch):
    monkeypatch.setitem(REPORTS, "faltas", replace(REPORTS["faltas"], read=None))
    dates = {"de": "x", "ate": "30/11/2026"}
    for file in (
        reverse("web:report-workbook", args=["faltas"]),
        reverse("web:report-table", args=["faltas", "medicos"]),
    ):
        assert desk.get(file, dates)["Location"] == f"{page()}?{urlencode(dates)}"


def test_wrong_dates_do_not_have_ten_years_counted_again(desk, clinic):
    before = {"antes_de": "2016-12-01", "antes_ate": "2026-11-30"}
    first = clinic.local(timezone.now()).date().replace(day=1)
    assert f"De {first:%d/%m/%Y}" in desk.get(page(), {"de": "x", "ate": "x"} | before).text


def test_all_statements_of_a_report_have_one_deadline(clinic, monkeypatch):
    monkeypatch.setattr("clinic.queries.reports.wanted.MAX_SECONDS", 1)
    asked = Wanted(clinic, date(2016, 12, 1), date(2026, 11, 30), {}, {})
    assert len(asked.fetch("SELECT pg_sleep(0.6)")) == 1
    with pytest.raises(TooLongError):
        asked.fetch("SELECT pg_sleep(0.6)")
    with pytest.raises(TooLongError), CaptureQueriesContext(connection) as queries:
        asked.fetch("SELECT 1")
    assert not queries
    assert len(replace(asked, doctor=None).fetch("SELECT pg_sleep(0.6)")) == 1, "another report has its own"
