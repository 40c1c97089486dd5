"""Every absence and closure leaves an event of the clinic that says who recorded, changed or took it back."""

from datetime import UTC, datetime

import pytest

from clinic.models import Absence, ClinicEvent, Closure
from clinic.queries.history import sentence_of_clinic
from clinic.registry import delete_absence, save_absence
from tests.factories import make_doctor, make_manager
from tests.managed import make_closure, url
from tests.windows import opened

pytestmark = pytest.mark.django_db


def make_absence(doctor):
    return Absence(
        clinic=doctor.clinic,
        doctor=doctor,
        starts_at=datetime(2026, 12, 1, 11, tzinfo=UTC),
        ends_at=datetime(2026, 12, 1, 21, tzinfo=UTC),
        reason="doença",
    )


def sentences():
    return [sentence_of_clinic(event) for event in ClinicEvent.objects.order_by("pk")]


def test_recorded_changed_and_taken_back():
    manager = make_manager()
    absence = make_absence(make_doctor(manager.clinic, name="Dra. Ana"))
    save_absence(absence, manager)
    absence.reason = "luto"
    save_absence(absence, manager)
    save_absence(absence, manager)
    delete_absence(absence, manager)
    span = "Dra. Ana, 01/12/2026 08:00 – 01/12/2026 18:00"
    assert sentences() == [
        f"Registrada: {span} (doença).",
        f"{span} (doença) passou a {span} (luto).",
        f"Desfeita: {span} (luto).",
    ]
    assert {event.user for event in ClinicEvent.objects.all()} == {manager}


def test_the_doctors_form_writes_the_same_events(client, manager):
    doctor = make_doctor(manager.clinic, name="Dra. Ana")
    row = {"starts_at_0": "01/12/2026", "starts_at_1": "08:00", "ends_at_0": "01/12/2026", "ends_at_1": "18:00"}
    row |= {"reason": "férias"}
    typed = {f"absences-0-{name}": value for name, value in row.items()} | {"absences-TOTAL_FORMS": "1"}
    assert opened(client, doctor).save(**typed).status_code == 302
    assert opened(client, doctor).save(**{"absences-0-reason": "congresso"}).status_code == 302
    assert opened(client, doctor).save(name="Ana Prado").status_code == 302
    assert opened(client, doctor).save(**{"absences-0-DELETE": "on"}).status_code == 302
    assert [sentence.split(":")[0] for sentence in sentences()] == ["Registrada", "Dra. Ana, 01/12/2026 08", "Desfeita"]


def test_closures_write_them_too(client, manager):
    closure = make_closure(manager.clinic)
    assert opened(client, closure).save(reason="Obra").status_code == 302
    assert client.post(url(Closure, "delete", closure.pk), {"post": "yes"}).status_code == 302
    other = make_closure(manager.clinic)
    selected = {"action": "delete_selected", "_selected_action": other.pk, "post": "yes"}
    assert client.post(url(Closure), selected).status_code == 302
    assert [bool(event.after) for event in ClinicEvent.objects.order_by("pk")] == [True, False, False]
    assert "a clínica inteira" in sentences()[0]
    assert not Closure.objects.exists()
