"""Two windows on one doctor: working hours and absences are merged row by row."""

from datetime import UTC, datetime, time

import pytest

from clinic.models import Absence, WorkingHours
from tests.factories import make_clinic, make_doctor
from tests.windows import opened

pytestmark = pytest.mark.django_db


def row_errors(answer, prefix):
    formsets = [each.formset for each in answer.context["inline_admin_formsets"]]
    return [form.errors for each in formsets if each.prefix == prefix for form in each.forms]


def inline_errors(answer, prefix):
    formsets = [each.formset for each in answer.context["inline_admin_formsets"]]
    return " ".join(sentence for each in formsets if each.prefix == prefix for sentence in each.non_form_errors())


MONDAY = {"days": [1], "hours": ((time(8), time(12)), (time(13), time(18)))}


def make_absence(doctor, **fields):
    defaults = {
        "reason": "férias",
        "starts_at": datetime(2026, 12, 1, 11, tzinfo=UTC),
        "ends_at": datetime(2026, 12, 2, 11, tzinfo=UTC),
    }
    return Absence.objects.create(clinic=doctor.clinic, doctor=doctor, **defaults | fields)


def spans(doctor):
    return sorted(hours.span for hours in doctor.hours.all())


def test_a_row_inside_is_merged_field_by_field(client, manager):
    doctor = make_doctor(manager.clinic, **MONDAY)
    older, newer = opened(client, doctor), opened(client, doctor)

    newer.save(**{"hours-0-starts": "07:00"})
    assert older.save(**{"hours-0-ends": "11:00", "name": "Nina Nova"}).status_code == 302

    assert spans(doctor) == ["07:00–11:00", "13:00–18:00"]


def test_a_row_that_both_windows_changed_is_asked_about(client, manager):
    doctor = make_doctor(manager.clinic, **MONDAY)
    older, newer = opened(client, doctor), opened(client, doctor)
    newer.save(**{"hours-1-ends": "17:00"})

    answer = older.save(**{"hours-1-ends": "16h", "name": "Nina Nova"})

    assert answer.status_code == 409
    sentence = " ".join(row_errors(answer, "hours")[1]["ends"])
    assert "17:00" in sentence and "16h" in sentence
    assert older.fields["hours-1-ends"] == ["16h"] and older.fields["name"] == ["Nina Nova"]
    assert older.save().status_code == 302
    assert spans(doctor) == ["08:00–12:00", "13:00–16:00"]


def test_absences_are_merged_too(client, manager):
    doctor = make_doctor(manager.clinic, **MONDAY)
    absence = make_absence(doctor)
    older, newer = opened(client, doctor), opened(client, doctor)

    newer.save(**{"absences-0-ends_at_0": "05/12/2026"})
    assert older.save(**{"absences-0-reason": "congresso"}).status_code == 302

    absence.refresh_from_db()
    assert (absence.reason, absence.ends_at) == ("congresso", datetime(2026, 12, 5, 11, tzinfo=UTC))


@pytest.mark.parametrize("gone", [0, 1])
def test_a_row_deleted_in_another_window_is_named(client, manager, gone):
    doctor = make_doctor(manager.clinic, **MONDAY)
    rows = list(doctor.hours.all())
    older, newer = opened(client, doctor), opened(client, doctor)
    newer.save(**{f"hours-{gone}-DELETE": "on"})

    answer = older.save(name="Nina Nova", **{f"hours-{1 - gone}-weekday": "2"})

    assert answer.status_code == 409
    span = f"{rows[gone].starts:%H:%M} · {rows[gone].ends:%H:%M}"
    sentence = f"Outra janela excluiu “Segunda-feira · {span}”. O resto está como você deixou"
    assert sentence in inline_errors(answer, "hours") and sentence in answer.text
    assert older.fields["hours-TOTAL_FORMS"] == older.fields["hours-INITIAL_FORMS"] == ["1"]
    assert older.fields["hours-0-weekday"] == ["2"] and older.fields["name"] == ["Nina Nova"]
    doctor.refresh_from_db()
    assert doctor.name != "Nina Nova"

    assert older.save().status_code == 302
    doctor.refresh_from_db()
    assert doctor.name == "Nina Nova"
    assert [(row.pk, row.weekday) for row in doctor.hours.all()] == [(rows[1 - gone].pk, 2)]


@pytest.mark.parametrize("how", ["deleted by another window", "deleted by a statement"])
def test_a_row_deleted_elsewhere_and_changed_here_comes_back_as_new(client, manager, how):
    doctor = make_doctor(manager.clinic, **MONDAY)
    older, newer = opened(client, doctor), opened(client, doctor)
    if how == "deleted by another window":
        newer.save(**{"hours-0-DELETE": "on"})
    else:
        WorkingHours.objects.filter(doctor=doctor, starts=time(8)).delete()

    answer = older.save(**{"hours-0-ends": "11:00", "name": "Nina Nova"})

    assert answer.status_code == 409
    assert "excluiu “Segunda-feira · 08:00 · 12:00”, que foi mudado nesta" in inline_errors(answer, "hours")
    assert older.fields["hours-1-ends"] == ["11:00"] and older.fields["name"] == ["Nina Nova"]
    assert spans(doctor) == ["13:00–18:00"]
    assert older.save().status_code == 302, "saved again it is a new row"
    assert spans(doctor) == ["08:00–11:00", "13:00–18:00"]


def test_a_row_deleted_in_both_windows_is_deleted(client, manager):
    doctor = make_doctor(manager.clinic, **MONDAY)
    older, newer = opened(client, doctor), opened(client, doctor)
    newer.save(**{"hours-0-DELETE": "on"})

    assert older.save(**{"hours-0-DELETE": "on", "name": "Nina Nova"}).status_code == 302
    assert spans(doctor) == ["13:00–18:00"]


def test_a_row_deleted_here_and_changed_elsewhere_is_asked_about(client, manager):
    doctor = make_doctor(manager.clinic, **MONDAY)
    older, newer = opened(client, doctor), opened(client, doctor)
    newer.save(**{"hours-0-ends": "11:00"})

    answer = older.save(**{"hours-0-DELETE": "on"})

    assert answer.status_code == 409
    changed = "Outra janela mudou “Segunda-feira · 08:00 · 12:00” para “Segunda-feira · 08:00 · 11:00”"
    assert changed in inline_errors(answer, "hours") and "hours-0-DELETE" in older.fields
    assert spans(doctor) == ["08:00–11:00", "13:00–18:00"]
    assert older.save().status_code == 302
    assert spans(doctor) == ["13:00–18:00"]


def test_a_row_added_in_another_window_stays_and_is_crossed_by_none(client, manager):
    doctor = make_doctor(manager.clinic, days=[1], hours=[(time(8), time(12))])
    older, newer = opened(client, doctor), opened(client, doctor)
    added = {"hours-TOTAL_FORMS": "2", "hours-1-weekday": "1", "hours-1-starts": "13:00", "hours-1-ends": "18:00"}
    assert newer.save(**added).status_code == 302

    answer = older.save(**added | {"hours-1-starts": "14:00"})
    assert answer.status_code == 200 and "cruza com" in str(row_errors(answer, "hours"))
    assert spans(doctor) == ["08:00–12:00", "13:00–18:00"]

    assert opened(client, doctor).save(name="Nina Nova").status_code == 302
    assert spans(doctor) == ["08:00–12:00", "13:00–18:00"]


def test_all_rows_deleted_elsewhere_are_all_named(client, manager):
    doctor = make_doctor(manager.clinic, **MONDAY)
    make_absence(doctor)
    older = opened(client, doctor)
    doctor.hours.all().delete()
    doctor.absences.all().delete()

    answer = older.save(name="Nina Nova")

    assert inline_errors(answer, "hours").count("Outra janela excluiu") == 2
    assert "“01/12/2026 08:00 · 02/12/2026 08:00 · férias”" in inline_errors(answer, "absences")
    assert older.save().status_code == 302
    doctor.refresh_from_db()
    assert doctor.name == "Nina Nova" and not doctor.hours.exists() and not doctor.absences.exists()


def test_new_rows_typed_beside_a_deleted_one_are_kept(client, manager):
    doctor = make_doctor(manager.clinic, **MONDAY)
    older = opened(client, doctor)
    doctor.hours.first().delete()
    new = {"hours-TOTAL_FORMS": "3", "hours-2-weekday": "6", "hours-2-starts": "8", "hours-2-ends": "11"}

    assert older.save(**new).status_code == 409
    assert older.fields["hours-1-weekday"] == ["6"] and older.fields["hours-1-starts"] == ["8"]
    assert older.save().status_code == 302
    assert spans(doctor) == ["08:00–11:00", "13:00–18:00"]


@pytest.mark.parametrize("pk", ["0", "x", "", "99999999999999999999", "-1"])
def test_an_inline_row_of_nobody_breaks_nothing(client, manager, pk):
    doctor = make_doctor(manager.clinic, **MONDAY)
    window = opened(client, doctor)

    assert window.save(**{"hours-0-id": pk}).status_code in {302, 409}
    assert spans(doctor) == ["08:00–12:00", "13:00–18:00"]


def test_a_row_of_another_doctor_is_not_moved(client, manager):
    doctor, other = make_doctor(manager.clinic, **MONDAY), make_doctor(make_clinic(), **MONDAY)
    foreign = other.hours.first()
    window = opened(client, doctor)

    window.save(**{"hours-0-id": str(foreign.pk), "hours-0-ends": "10:00"})

    foreign.refresh_from_db()
    assert (foreign.doctor, foreign.ends) == (other, time(12))
