"""The week of a doctor typed as text: what is read back, what it changes, and what is saved."""

from datetime import date, time, timedelta
from urllib.parse import urlencode

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic.access import resumable_forms
from clinic.models import Absence, Clinic, ClinicEvent, ClinicHoliday, WorkingHours
from clinic.queries.history import sentence_of_clinic
from clinic.queries.pending import pending
from clinic.registry import save_hours
from clinic.schedule import load_schedules, write_hours
from tests.factories import book_appointment, make_clinic, make_doctor, make_patient, make_user

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


class Page:
    """The page of a doctor's week in one window, filled as a browser would fill it."""

    def __init__(self, client, doctor):
        self.client, self.url = client, reverse("admin:clinic_doctor_week", args=[doctor.pk])
        self.fields = {}
        self.answer = None
        self._take(client.get(self.url))
        self.fields |= {name: self.answer.context["form"][name].value() or "" for name in ("week", "first", "last")}

    def send(self, button="check", value="1", **typed):
        self.fields |= typed
        self._take(self.client.post(self.url, self.fields | {button: value}))
        return self.answer

    def save(self, **typed):
        """See the effect, and save."""
        self.send(**typed)
        affected = self.answer.context["affected"]
        return self.send(*("close_over", affected.asked) if affected else ("save",))

    def _take(self, answer):
        self.answer = answer
        if answer.context:
            effect = answer.context["effect"]
            self.fields |= {"stored": answer.context["stored"], "seen": effect.seen if effect else ""}


def hours_of(doctor):
    return write_hours(WorkingHours.objects.filter(doctor=doctor))


@pytest.fixture
def today(manager):
    return manager.clinic.local(timezone.now()).date()


@pytest.fixture
def doctor(manager):
    return make_doctor(manager.clinic, name="Dra. Ana Prado", hours=[(time(8), time(12))])


def test_present_hours_are_there_as_text(client, doctor, today):
    page = Page(client, doctor)

    assert (page.fields["week"], page.fields["first"]) == ("seg-sex 8-12", f"{today:%d/%m/%Y}")


def test_the_effect_is_shown_and_nothing_saved(client, doctor, today):
    answer = Page(client, doctor).send(week="seg-sex 9-12; sáb 8-10", first=f"{today + DAY:%d/%m/%Y}")

    days = {day.name: (day.before, day.after, day.gained, day.lost) for day in answer.context["days"]}
    assert days["Sábado"] == ("", "08:00–10:00", 32, 0)
    assert days["Segunda-feira"] == ("08:00–12:00", "09:00–12:00", 0, 16)
    assert days["Domingo"] == ("", "", 0, 0)
    assert "32 a mais" in answer.text and "16 a menos" in answer.text
    assert hours_of(doctor) == "seg-sex 8-12"


def test_old_hours_end_on_the_day_before(client, doctor, today):
    first = today + timedelta(days=40)

    answer = Page(client, doctor).save(week="seg-sex 8-12; sáb 8-10", first=f"{first:%d/%m/%Y}")

    assert answer.status_code == 302
    assert hours_of(doctor) == f"seg-sex 8-12; sáb 8-10 (de {first:%d/%m/%Y})"


def test_replaced_hours_are_kept_with_their_end(client, doctor, today):
    first = today + timedelta(days=40)

    Page(client, doctor).save(week="seg 14-18", first=f"{first:%d/%m/%Y}")

    assert hours_of(doctor) == f"seg-sex 8-12 (até {first - DAY:%d/%m/%Y}); seg 14-18 (de {first:%d/%m/%Y})"


def test_what_held_comes_back_after_the_last_date(client, doctor, today):
    first, last = today + timedelta(days=7), today + timedelta(days=20)

    Page(client, doctor).save(week="", first=f"{first:%d/%m/%Y}", last=f"{last:%d/%m/%Y}")

    assert hours_of(doctor) == f"seg-sex 8-12 (até {first - DAY:%d/%m/%Y}); seg-sex 8-12 (de {last + DAY:%d/%m/%Y})"


def test_later_hours_are_replaced_too(client, doctor, today):
    for week, days in (("seg 14-18", 40), ("ter 9-11", 30)):
        Page(client, doctor).save(week=week, first=f"{today + timedelta(days=days):%d/%m/%Y}")

    end, first = today + timedelta(days=29), today + timedelta(days=30)
    assert hours_of(doctor) == f"seg-sex 8-12 (até {end:%d/%m/%Y}); ter 9-11 (de {first:%d/%m/%Y})"


def test_mistakes_are_marked_with_what_was_understood(client, doctor):
    answer = Page(client, doctor).send(week="seg-sex 9-12; sáp 8-10")

    assert "“sáp”: não entendi." in answer.text and "<mark>sáp</mark>" in answer.text
    assert {day.after for day in answer.context["days"]} == {"09:00–12:00", ""}
    assert answer.context["effect"] is None


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"first": "31/02"}, "first"),
        ({"first": ""}, "first"),
        ({"first": "ontem"}, "first"),
        ({"first": "hoje", "last": "ontem"}, "last"),
        ({"week": "8-12"}, "week"),
        ({"week": "seg 8-12 " * 200}, "week"),
        ({"week": "seg 8-12\0"}, "week"),
    ],
)
def test_bad_input_has_a_sentence_at_its_field(client, doctor, typed, field):
    answer = Page(client, doctor).send(**typed)

    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == [field]
    assert hours_of(doctor) == "seg-sex 8-12"


@pytest.fixture
def visit(doctor):
    return book_appointment(doctor, patient=make_patient(doctor.clinic, name="Ana Souza").pk)


@pytest.mark.parametrize(
    ("button", "leads_to"), [("move_over", "/pendencias/"), ("close_over", "/admin/clinic/doctor/")]
)
def test_appointments_outside_are_asked_about(client, manager, doctor, visit, button, leads_to):
    page = Page(client, doctor)
    answer = page.send(week="")
    asked = answer.context["affected"].asked
    assert asked == f"1-{visit.pk}"
    assert "1 pessoa já agendada ficaria sem atendimento" in answer.text and "Ana Souza" in answer.text
    assert reverse("web:appointment-detail", args=[visit.pk]) in answer.text

    assert page.send("save").status_code == 200
    assert hours_of(doctor) == "seg-sex 8-12"
    answer = page.send(button, asked)

    assert answer.status_code == 302 and answer["Location"].startswith(leads_to)
    assert [row.pk for row in pending(manager.clinic, now=timezone.now())] == [visit.pk]


def test_text_changed_after_the_effect_is_shown_again(client, doctor, today):
    page = Page(client, doctor)
    page.send(week="seg 8-12")

    answer = page.send("save", week="seg-ter 8-12")

    assert answer.status_code == 200 and answer.context["effect"]
    assert hours_of(doctor) == "seg-sex 8-12"
    assert page.send("save").status_code == 302


@pytest.mark.parametrize("button", ["check", "save"])
def test_what_another_window_changed_is_not_overwritten(client, doctor, today, button):
    older, newer = Page(client, doctor), Page(client, doctor)
    older.send(week="seg 8-12")
    newer.save(week="ter 8-12")

    answer = older.send(button)

    assert answer.status_code == 409
    assert "Outra janela mudou estes horários" in answer.text and "ter 8-12" in answer.text
    assert "seg 8-12" not in hours_of(doctor).replace("seg-sex 8-12", "")
    assert older.save().status_code == 302
    assert f"seg 8-12 (de {today:%d/%m/%Y})" in hours_of(doctor)


def test_who_changed_what_is_an_event(client, manager, doctor, today):
    Page(client, doctor).save(week="seg 9-12")

    event = ClinicEvent.objects.get(kind="hours")
    assert (event.user, event.channel, event.before["doctor"]) == (manager, "browser", doctor.pk)
    assert sentence_of_clinic(event) == (
        f"Horários da Dra. Ana Prado: de “seg-sex 8-12” para “seg 9-12 (de {today:%d/%m/%Y})”."
    )


def test_unchanged_week_writes_nothing(client, doctor):
    rows = set(WorkingHours.objects.values_list("pk", flat=True))

    assert Page(client, doctor).save().status_code == 302

    assert set(WorkingHours.objects.values_list("pk", flat=True)) == rows
    assert not ClinicEvent.objects.exists()


def test_an_exception_that_crosses_is_named(client, doctor, today):
    saturday = today + timedelta(days=14 - today.isoweekday() - 1)
    WorkingHours.objects.create(
        clinic=doctor.clinic, doctor=doctor, weekday=6, starts=time(8), ends=time(12),
        valid_from=saturday, valid_until=saturday, is_exception=True,
    )  # fmt: skip
    page = Page(client, doctor)
    assert page.fields["week"] == "seg-sex 8-12"

    answer = page.send(week="seg-sex 8-12; sáb 9-10")

    assert answer.status_code == 409 and f"só {saturday:%d/%m/%Y}" in answer.text
    assert WorkingHours.objects.count() == 6


def test_doctor_of_another_clinic_is_unknown(client, manager):
    other = make_doctor(make_clinic(slug="outra"))

    for method in (client.get, client.post):
        assert method(reverse("admin:clinic_doctor_week", args=[other.pk])).status_code == 404


def test_receptionists_do_not_change_hours(client, doctor):
    client.force_login(make_user(doctor.clinic))

    assert client.get(reverse("admin:clinic_doctor_week", args=[doctor.pk])).status_code == 403


def test_doctors_form_shows_past_hours_folded(client, doctor, today):
    doctor.hours.filter(weekday=1).update(valid_until=today - DAY)
    doctor.hours.filter(weekday=2).update(valid_until=today)

    answer = client.get(reverse("admin:clinic_doctor_change", args=[doctor.pk]))

    assert "1 horário que já não vale" in answer.text and f"até {today - DAY:%d/%m/%Y}" in answer.text
    (formset,) = (each.formset for each in answer.context["inline_admin_formsets"] if each.formset.prefix == "hours")
    assert [form.instance.weekday for form in formset.initial_forms] == [2, 3, 4, 5]


def test_list_of_doctors_says_when_hours_change(client, doctor):
    doctor.hours.filter(weekday=5).update(valid_from=date(2100, 1, 4))

    answer = client.get(reverse("admin:clinic_doctor_changelist"))

    assert "Seg–Qui 08:00–12:00 · muda em 04/01/2100" in answer.text


def saturday_after(today):
    return today + timedelta(days=13 - today.isoweekday())


def test_single_dates_are_opened_and_closed(client, manager, doctor, today):
    saturday, monday = saturday_after(today), saturday_after(today) + 2 * DAY
    page = Page(client, doctor)

    closed = f"{monday:%d/%m/%Y} fechado 10-12 (reunião)\r\n{monday + DAY:%d/%m} folga"
    answer = page.send(exceptions=f"{saturday:%d/%m/%Y} 8-12\r\n{closed}")

    shown = [(each.day, each.effect, each.gained, each.lost) for each in answer.context["single_dates"]]
    assert shown == [
        (saturday, "aberto 08:00–12:00", 16, 0),
        (monday, "fechado 10:00–12:00 (reunião)", 0, 8),
        (monday + DAY, "fechado", 0, 16),
    ]
    assert {day.gained or day.lost for day in answer.context["days"]} == {0}
    assert hours_of(doctor) == "seg-sex 8-12" and not Absence.objects.exists()

    assert page.send("save").status_code == 302
    assert hours_of(doctor) == f"seg-sex 8-12; sáb 8-12 (só {saturday:%d/%m/%Y})"
    local = manager.clinic.local
    absences = [(local(row.starts_at), local(row.ends_at), row.reason) for row in Absence.objects.order_by("starts_at")]
    assert [(f"{starts:%d %H:%M}", f"{ends:%d %H:%M}", reason) for starts, ends, reason in absences] == [
        (f"{monday:%d} 10:00", f"{monday:%d} 12:00", "reunião"),
        (f"{monday + DAY:%d} 00:00", f"{monday + 2 * DAY:%d} 00:00", "fechado"),
    ]
    assert sorted(ClinicEvent.objects.values_list("kind", flat=True)) == ["absence", "absence", "hours"]


def test_only_what_is_not_open_yet_becomes_hours(client, doctor, today):
    monday = saturday_after(today) + 2 * DAY

    Page(client, doctor).save(exceptions=f"{monday:%d/%m/%Y} 7-14")

    assert hours_of(doctor) == f"seg-sex 8-12; seg 7-8 12-14 (só {monday:%d/%m/%Y})"


def test_a_holiday_is_opened_for_this_doctor(client, doctor):
    christmas = date(2099, 12, 25)  # a Friday
    Clinic.objects.update(observes_holidays=True)
    colleague = make_doctor(doctor.clinic)

    Page(client, doctor).save(exceptions=f"{christmas:%d/%m/%Y} 9-11")

    clinic = Clinic.objects.get()
    schedules = load_schedules(clinic, [doctor, colleague], christmas, christmas)
    opened = [
        (f"{clinic.local(a):%H:%M}", f"{clinic.local(b):%H:%M}") for a, b, *_ in schedules.open(doctor.pk, christmas)
    ]
    assert opened == [("09:00", "11:00")] and not schedules.open(colleague.pk, christmas)
    assert hours_of(doctor) == "seg-sex 8-12"


@pytest.mark.parametrize(
    "text", ["31/02 8-12", "01/01/2020 8-12", "8-12", "ontem 8-12", "24/12 fechado (" + "x" * 90 + ")"]
)
def test_dates_that_cannot_be_read_are_named(client, doctor, text):
    answer = Page(client, doctor).send(exceptions=text)

    assert list(answer.context["form"].errors) == ["exceptions"] and "<mark>" in answer.text


def test_a_visit_on_a_closed_date_is_asked_about(client, manager, doctor, visit):
    day = manager.clinic.local(visit.starts_at).date()

    answer = Page(client, doctor).send(exceptions=f"{day:%d/%m/%Y} fechado")

    assert answer.context["affected"].asked == f"1-{visit.pk}"


def test_single_dates_leave_later_hours_alone(client, doctor, today):
    first, saturday = today + timedelta(days=40), saturday_after(today)
    Page(client, doctor).save(week="ter 9-11", first=f"{first:%d/%m/%Y}")
    planned = hours_of(doctor)

    Page(client, doctor).save(exceptions=f"{saturday:%d/%m/%Y} 8-12")

    assert sorted(hours_of(doctor).split("; ")) == sorted(f"{planned}; sáb 8-12 (só {saturday:%d/%m/%Y})".split("; "))


def test_later_hours_that_are_replaced_are_named_first(client, doctor, today):
    first = today + timedelta(days=40)
    Page(client, doctor).save(week="ter 9-11", first=f"{first:%d/%m/%Y}")

    answer = Page(client, doctor).send(week="seg 8-12")

    assert answer.context["effect"].replaced == f"ter 9-11 (de {first:%d/%m/%Y})"
    assert f"ter 9-11 (de {first:%d/%m/%Y})" in answer.text.split("são substituídos")[1]
    assert "são substituídos" not in Page(client, doctor).send(exceptions=f"{first:%d/%m/%Y} fechado").text


def test_hours_that_held_one_day_are_no_exception(client, doctor, today):
    Page(client, doctor).save(week="seg-dom 9-12")
    Page(client, doctor).save(week="seg-dom 9-11", first=f"{today + DAY:%d/%m/%Y}")

    page = Page(client, doctor)

    assert page.fields["week"] != ""
    assert page.save(exceptions=f"{today + 30 * DAY:%d/%m/%Y} 14-15").status_code == 302
    assert f"seg-dom 9-11 (de {today + DAY:%d/%m/%Y})" in hours_of(doctor)


def test_an_exception_that_is_made_longer_is_of_the_week(manager, doctor, today):
    row = WorkingHours(clinic=doctor.clinic, doctor=doctor, weekday=6, starts=time(8), ends=time(12))
    row.valid_from = row.valid_until = saturday_after(today)
    row.is_exception = True
    save_hours(doctor, [row], manager)
    assert row.is_exception

    row.valid_until += 7 * DAY
    save_hours(doctor, [row], manager)

    assert not WorkingHours.objects.get(pk=row.pk).is_exception


def test_rows_whose_weekday_never_comes_are_dropped(client, doctor, today):
    first = today + timedelta(days=8 - today.isoweekday())  # a Monday

    Page(client, doctor).save(week="seg-sex 9-12", first=f"{first:%d/%m/%Y}", last=f"{first + DAY:%d/%m/%Y}")

    between = f"seg, ter 9-12 (de {first:%d/%m/%Y} até {first + DAY:%d/%m/%Y})"
    assert hours_of(doctor).endswith(f"{between}; seg-sex 8-12 (de {first + 2 * DAY:%d/%m/%Y})")


@pytest.mark.parametrize(
    ("of_next_day", "added"),
    [([], "dom 0-2"), ([(time(0), time(1))], "dom 1-2")],
)
def test_rest_of_a_night_is_of_the_next_date(client, manager, today, of_next_day, added):
    saturday = saturday_after(today)
    doctor = make_doctor(manager.clinic, hours=[(time(20), time(0))], days=[6])
    for starts, ends in of_next_day:
        WorkingHours.objects.create(clinic=doctor.clinic, doctor=doctor, weekday=7, starts=starts, ends=ends)
    before = hours_of(doctor)

    Page(client, doctor).save(exceptions=f"{saturday:%d/%m/%Y} 20-2")

    assert hours_of(doctor) == f"{before}; {added} (só {saturday + DAY:%d/%m/%Y})"


def test_an_opened_holiday_is_an_event_and_opened_once(client, doctor):
    christmas = date(2099, 12, 25)  # a Friday
    Clinic.objects.update(observes_holidays=True)

    for _time in range(2):
        Page(client, doctor).save(exceptions=f"{christmas:%d/%m/%Y} 9-11")

    (holiday,) = ClinicHoliday.objects.all()
    assert (holiday.falls_on, holiday.hours) == ("25/12/2099", "09:00–11:00")
    (event,) = ClinicEvent.objects.filter(kind="hours")
    assert sentence_of_clinic(event) == "Aberto apesar do feriado para a Dra. Ana Prado: 25/12/2099 09:00–11:00."


def test_a_night_into_a_holiday_opens_the_holiday(client, doctor):
    eve, christmas = date(2099, 12, 24), date(2099, 12, 25)
    Clinic.objects.update(observes_holidays=True)

    Page(client, doctor).save(exceptions=f"{eve:%d/%m/%Y} 20-2")

    clinic = Clinic.objects.get()
    schedules = load_schedules(clinic, [doctor], eve, christmas)
    night = [span for span in schedules.open(doctor.pk, eve) if clinic.local(span.starts_at).hour == 20]
    assert [f"{clinic.local(span.ends_at):%d %H:%M}" for span in night] == ["25 02:00"]
    (holiday,) = ClinicHoliday.objects.all()
    assert (holiday.falls_on, holiday.hours) == ("25/12/2099", "00:00–02:00")


def test_closing_the_hour_that_the_clock_skips_closes_nothing(client, doctor):
    Clinic.objects.update(time_zone="Europe/Lisbon", country="PT")
    skipped = date(2099, 3, 29)

    assert Page(client, doctor).save(exceptions=f"{skipped:%d/%m/%Y} fechado 1:10-2").status_code == 302

    assert not Absence.objects.exists()


def test_an_event_keeps_and_names_only_what_counts(client, doctor, today):
    doctor.hours.filter(weekday=1).update(valid_until=today - 2 * DAY)
    saturday = saturday_after(today)

    Page(client, doctor).save(exceptions=f"{saturday:%d/%m/%Y} 8-12")

    event = ClinicEvent.objects.get(kind="hours")
    assert len(event.before["hours"]) == 4 and len(event.after["hours"]) == 5
    added = f"Horários da Dra. Ana Prado: entra “sáb 8-12 (só {saturday:%d/%m/%Y})”."
    assert sentence_of_clinic(event) == added


def test_a_form_kept_over_signing_in_is_no_conflict(client, doctor):
    page, session = Page(client, doctor), client.session
    kept = {"fields": urlencode(page.fields | {"week": "seg 9-12"}), "at": int(timezone.now().timestamp())}
    session[resumable_forms.FORMS] = {page.url: kept}
    session.save()

    answer = client.get(page.url)

    assert answer.status_code == 200 and "A sessão terminou" in answer.text and "seg 9-12" in answer.text


def test_marks_stand_at_their_place_in_the_typed_text(client, doctor):
    answer = Page(client, doctor).send(week="\n  seg-sex 9-12; sáp 8-10")

    assert "<mark>sáp</mark>" in answer.text


def test_list_of_doctors_says_when_hours_end(client, doctor):
    doctor.hours.update(valid_until=date(2100, 1, 4))

    assert "até 04/01/2100" in client.get(reverse("admin:clinic_doctor_changelist")).text
