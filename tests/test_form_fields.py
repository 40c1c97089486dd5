"""Dates and times as people type them, in every form that has such a field."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from clinic.form_fields import TypedDateField, TypedDateTimeField, TypedEndField, TypedTimeField, date_in_words
from clinic.models import END_OF_DAY, Closure, Discount, Doctor, Patient
from tests.factories import make_clinic, make_doctor, make_manager

NO_SUCH_TIME = "Este horário não existe. Escreva hora e minutos, por exemplo 09:30."
NO_SUCH_DATE = "Esta data não existe. Escreva dia/mês/ano, por exemplo 23/11/2026, ou hoje, amanhã, sexta, +7, 15."


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("14hs", time(14)),
        ("9,30", time(9, 30)),
        ("9-30", time(9, 30)),
        ("09:30:00", time(9, 30)),
        ("8h", time(8)),
        ("0830", time(8, 30)),
        ("930", time(9, 30)),
        ("9", time(9)),
        ("9.30", time(9, 30)),
        ("9h30", time(9, 30)),
        ("9h30min", time(9, 30)),
        ("9 h 30", time(9, 30)),
        ("9 30", time(9, 30)),
        ("14 horas", time(14)),
        ("14:00 hs", time(14)),
        ("9−30", time(9, 30)),
        ("9–30", time(9, 30)),
        ("\ufeff09:30\t", time(9, 30)),
        ("０９：３０", time(9, 30)),
        ("9H", time(9)),
        ("0:00", time(0)),
        ("9:0", time(9)),
        ("", None),
        ("  ", None),
    ],
)
def test_a_time_is_read_however_it_is_written(typed, meant):
    assert TypedTimeField(required=False).clean(typed) == meant
    assert TypedEndField(required=False).clean(typed) == meant


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("8:5", "Os minutos têm dois dígitos: 8:05 ou 8:50?"),
        ("14h3", "Os minutos têm dois dígitos: 14:03 ou 14:30?"),
        ("9,1", "Os minutos têm dois dígitos: 9:01 ou 9:10?"),
        ("08:7", "Os minutos têm dois dígitos: 8:07?"),
        ("9.9", "Os minutos têm dois dígitos: 9:09?"),
        ("25:5", NO_SUCH_TIME),
        ("9:60", NO_SUCH_TIME),
        ("25", NO_SUCH_TIME),
        ("24:01", NO_SUCH_TIME),
        ("9:30:15", NO_SUCH_TIME),
        ("9::30", NO_SUCH_TIME),
        ("12345", NO_SUCH_TIME),
        ("meio-dia", NO_SUCH_TIME),
        ("-9", NO_SUCH_TIME),
        ("9" * 5000, NO_SUCH_TIME),
    ],
)
@pytest.mark.parametrize("field", [TypedTimeField, TypedEndField])
def test_a_time_that_could_be_two_or_none_is_asked_about(field, typed, sentence):
    with pytest.raises(ValidationError) as refused:
        field().clean(typed)
    assert refused.value.messages == [sentence]


@pytest.mark.parametrize("typed", ["24:00", "24h", "24", "2400", "24:00:00"])
def test_the_end_of_the_day_is_an_end_and_no_start(typed):
    assert TypedEndField().clean(typed) is END_OF_DAY
    with pytest.raises(ValidationError, match="24:00 é o fim do dia. Escreva 00:00 na data do dia seguinte"):
        TypedTimeField().clean(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "05042027", "05/04/2027", "5/4/2027", "5.4.27", "050427", "05-04-2027", "05 04 2027", "05,04,2027",
        "5 / 4 / 2027",
        "2027-04-05", "2027/04/05", "5 de abril de 2027", "5 abr 2027", "5-abr-27", "05−04−2027", "\u200e05/04/2027 ",
        "5º/04/2027",
    ],
)  # fmt: skip
def test_a_date_is_read_however_it_is_written(typed):
    assert TypedDateField().clean(typed) == date(2027, 4, 5)


# 30 November 2026 is a Monday.
@pytest.mark.parametrize(
    ("today", "typed", "meant"),
    [
        ("2026-11-30", "hoje", "2026-11-30"),
        ("2026-11-30", " Amanhã ", "2026-12-01"),
        ("2026-11-30", "amanha", "2026-12-01"),
        ("2026-11-30", "depois de amanhã", "2026-12-02"),
        ("2026-11-30", "ontem", "2026-11-29"),
        ("2026-11-30", "sexta", "2026-12-04"),
        ("2026-11-30", "sexta-feira", "2026-12-04"),
        ("2026-11-30", "sábado", "2026-12-05"),
        ("2026-11-30", "dom", "2026-12-06"),
        ("2026-11-30", "segunda", "2026-12-07"),  # today is "hoje"
        ("2026-11-30", "+7", "2026-12-07"),
        ("2026-11-30", "+ 7 dias", "2026-12-07"),
        ("2026-11-30", "+0", "2026-11-30"),
        ("2026-11-30", "15", "2026-12-15"),
        ("2026-11-30", "dia 15", "2026-12-15"),
        ("2026-11-30", "30", "2026-11-30"),
        ("2026-11-30", "1", "2026-12-01"),
        ("2027-01-30", "29", "2027-03-29"),
        ("2027-01-31", "31", "2027-01-31"),
        ("2027-02-01", "31", "2027-03-31"),
        ("2026-12-31", "amanhã", "2027-01-01"),
    ],
)
def test_a_date_in_words_counts_from_today(today, typed, meant):
    assert date_in_words(typed, date.fromisoformat(today)) == date.fromisoformat(meant)


@pytest.mark.parametrize(
    "typed", ["", "0", "32", "99", "+", "+1000", "-1", "sexta à tarde", "feira", "mar", "amanhãs", "23/11"]
)
def test_other_texts_are_no_date_in_words(typed):
    assert date_in_words(typed, date(2026, 11, 30)) is None


def test_words_are_of_the_clinics_today_and_not_birth_dates(time_machine):
    time_machine.move_to("2026-11-30T02:00:00Z", tick=False)  # still the 29th in Recife
    with timezone.override(ZoneInfo("America/Recife")):
        assert TypedDateField().clean("amanhã") == date(2026, 11, 30)
        for typed in ("hoje", "sexta", "+7", "15"):
            with pytest.raises(ValidationError):
                TypedDateField(past=True).clean(typed)


@pytest.mark.parametrize(
    "typed", ["31/02/2027", "20270405", "maio", "5/13/2027", "0504202", "32 de maio de 2027", "1/1/1"]
)
def test_a_date_that_is_none_is_refused(typed):
    with pytest.raises(ValidationError) as refused:
        TypedDateField().clean(typed)
    assert refused.value.messages == [NO_SUCH_DATE]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["24/12/2026", "24:00"], datetime(2026, 12, 25, 3, tzinfo=UTC)),
        (["24122026", "8h"], datetime(2026, 12, 24, 11, tzinfo=UTC)),
        (["31/12/26", "24h"], datetime(2027, 1, 1, 3, tzinfo=UTC)),
    ],
)
@pytest.mark.django_db
def test_a_date_and_a_time_are_an_instant_of_the_clinic(typed, meant):
    with timezone.override(make_clinic().zone):
        assert TypedDateTimeField().clean(typed) == meant


# The administration


@pytest.fixture
def manager(client):
    manager = make_manager(make_clinic())
    client.force_login(manager)
    return manager


def address(model, *arguments):
    return reverse(f"admin:clinic_{model._meta.model_name}_{'change' if arguments else 'add'}", args=arguments)


def hours(*rows, **doctor):
    typed = {
        "name": "Ana",
        "specialty": "Pediatria",
        "council_number": "",
        "interval_minutes": "15",
        "encaixes_per_day": "2",
    } | doctor
    typed |= {f"{prefix}-{part}_FORMS": "0" for prefix in ("hours", "absences") for part in ("TOTAL", "INITIAL")}
    for number, (weekday, starts, ends) in enumerate(rows):
        typed |= {f"hours-{number}-weekday": weekday, f"hours-{number}-starts": starts, f"hours-{number}-ends": ends}
    return typed | {"hours-TOTAL_FORMS": len(rows)}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("starts", "ends", "span"),
    [
        ("20:00", "24:00", "20:00–24:00"),
        ("20:00", "00:00", "20:00–24:00"),
        ("20h", "6h", "20:00–06:00"),
        ("2000", "0600", "20:00–06:00"),
        ("00:00", "24:00", "00:00–24:00"),
        ("8h", "12hs", "08:00–12:00"),
        ("9,30", "17-30", "09:30–17:30"),
    ],
)
def test_hours_may_end_at_midnight_or_run_past_it(client, manager, starts, ends, span):
    answer = client.post(address(Doctor), hours((1, starts, ends)))

    assert answer.status_code == 302
    doctor = Doctor.objects.get()
    assert doctor.hours.get().span == span
    assert span in client.get(reverse("admin:clinic_doctor_changelist")).text
    assert f'value="{span[-5:]}"' in client.get(address(Doctor, doctor.pk)).text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([(1, "08:00", "08:00")], "O fim deve ser depois do início, ou na manhã seguinte, até 16 horas depois."),
        ([(1, "18:00", "17:59")], "O fim deve ser depois do início, ou na manhã seguinte, até 16 horas depois."),
        ([(1, "24:00", "06:00")], "24:00 é o fim do dia. Escreva 00:00 na data do dia seguinte."),
        ([(1, "8:5", "12:00")], "Os minutos têm dois dígitos: 8:05 ou 8:50?"),
        ([(1, "20:00", "06:00"), (2, "05:00", "12:00")], "Este horário cruza com Segunda-feira, 20:00–06:00."),
        ([(7, "20:00", "06:00"), (1, "05:59", "12:00")], "Este horário cruza com Domingo, 20:00–06:00."),
        ([(1, "20:00", "24:00"), (1, "23:00", "02:00")], "Este horário cruza com 20:00–24:00 do mesmo dia."),
    ],
)
def test_hours_that_cannot_be_are_refused_in_words(client, manager, rows, sentence):
    answer = client.post(address(Doctor), hours(*rows))

    assert answer.status_code == 200
    assert sentence in answer.text
    assert "workinghours" not in answer.text and "foi violada" not in answer.text
    assert not Doctor.objects.exists()


@pytest.mark.django_db
def test_a_closure_lasts_until_the_end_of_its_day(client, manager):
    starts, ends = {"starts_at_0": "24122026", "starts_at_1": "8h"}, {"ends_at_0": "24/12/26", "ends_at_1": "24:00"}

    assert client.post(address(Closure), {"reason": "Obras"} | starts | ends).status_code == 302
    closure = Closure.objects.get()
    assert (closure.starts_at, closure.ends_at) == (
        datetime(2026, 12, 24, 11, tzinfo=UTC),
        datetime(2026, 12, 25, 3, tzinfo=UTC),
    )


@pytest.mark.django_db
def test_the_dates_of_the_administration_are_read_like_the_desks(client, manager):
    typed = {"name": "Verão", "percentage": "10", "expires_on": "05042027"}
    assert client.post(address(Discount), typed).status_code == 302
    assert Discount.objects.get().expires_on == date(2027, 4, 5)

    typed = {"name": "Ana Souza", "phone": "(81) 99999-9999", "birth_date": "12.03.1984"}
    assert client.post(address(Patient), typed).status_code == 302
    assert Patient.objects.get().birth_date == date(1984, 3, 12)


@pytest.mark.django_db
def test_hours_that_are_opened_and_saved_unchanged_stay_as_they_are(client, manager):
    doctor = make_doctor(manager.clinic, days=[1], hours=[(time(20), time(0)), (time(8), time(12))])
    rows = [(row.weekday, f"{row.starts:%H:%M}", row.span[-5:]) for row in doctor.hours.all()]
    typed = hours(*rows, name=doctor.name, procedures=list(doctor.procedures.values_list("pk", flat=True)), active="on")
    for number, row in enumerate(doctor.hours.all()):
        typed |= {f"hours-{number}-id": row.pk, f"hours-{number}-doctor": doctor.pk}

    assert client.post(address(Doctor, doctor.pk), typed | {"hours-INITIAL_FORMS": 2}).status_code == 302
    assert [row.span for row in doctor.hours.all()] == ["08:00–12:00", "20:00–24:00"]
