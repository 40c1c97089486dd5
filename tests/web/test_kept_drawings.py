"""What is drawn once in a process: never in another language, nor for another doctor."""

import re
from datetime import timedelta

import pytest
from django.template import Context, Template
from django.utils.translation import override

from tests.days import EARLIER, MONDAY, hours
from tests.factories import make_clinic, make_doctor, make_procedure, make_user


def drawn(tag, language):
    with override(language):
        return Template(f"{{% load frame %}}{{% {tag} %}}").render(Context({"acts": []}))


def test_announcements_are_in_the_language_of_each_page():
    sentences = {"pt-br": "1 agendamento novo", "pt-pt": "1 marcação nova"}
    for language in [*sentences, *sentences]:
        page = drawn("announcements acts", language)
        assert [sentence for sentence in sentences.values() if sentence in page] == [sentences[language]]


def test_an_icon_is_the_one_that_is_named():
    for language in ("pt-br", "pt-pt", "pt-br"):
        assert "#check" in drawn("icon 'check'", language) and "#ban" in drawn("icon 'ban'", language)


@pytest.mark.django_db
def test_a_free_time_leads_to_its_own_doctor_and_date(client, time_machine):
    time_machine.move_to(EARLIER, tick=False)
    clinic = make_clinic()
    procedure = make_procedure(clinic)
    doctors = [make_doctor(clinic, procedures=[procedure], hours=hours(("08:00", "09:00"))) for _ in range(2)]
    client.force_login(make_user(clinic))
    for day in (MONDAY, MONDAY + timedelta(days=7), MONDAY):
        page = client.get(f"/agenda/{day}/").text
        offered = re.findall(r"medico=(\d+)&amp;data=([\d-]+)&amp;inicio=08:00", page)
        assert sorted(offered) == sorted((str(doctor.pk), str(day)) for doctor in doctors)
