"""Who pays for an appointment: booked with, changed, taken back, redacted, and of no other clinic."""

from datetime import date
from threading import Thread

import pytest
from django.db import connection

from clinic.booking import PayerWish, change_payer, change_status, check, payment, undo, undoable
from clinic.models import Appointment, AppointmentEvent, Patient, PatientEvent, Payer
from clinic.queries import history
from clinic.refusals import Reason
from clinic.registry import Author, Plan, redact_patient
from tests.booking.desk import BY, details, outcome, reasons, refused
from tests.factories import make_payer

pytestmark = pytest.mark.django_db
OCTOBER = date(2026, 10, 31)


@pytest.fixture
def unimed(desk):
    return make_payer(desk.clinic, name="Unimed")


def paid_by(payer, number="123", expires_on=OCTOBER, **wish):
    return PayerWish(payer.pk, plan=Plan(payer.pk, number, expires_on), **wish)


def plan_of(patient):
    return Patient.objects.values_list("payer", "card_number", "card_expires_on").get(pk=patient.pk)


def change(desk, appointment, wish, **options):
    return change_payer(appointment.pk, clinic=desk.clinic, wish=wish, by=BY, now=desk.now, **options)


def last_sentence(appointment):
    return history.last_sentence(Appointment.objects.select_related("clinic").get(pk=appointment.pk))


def test_without_a_payer_nothing_is_stored(desk):
    appointment = desk.book()
    assert (appointment.payer, appointment.authorization_number) == (None, "")
    assert "payer" not in appointment.events.get().after and plan_of(desk.patient) == (None, "", None)


def test_the_plan_is_kept_for_the_next_booking(desk, unimed):
    appointment = desk.book(payer=paid_by(unimed, authorization_number=" G 1 ", authorization_password="S1"))
    appointment.refresh_from_db()
    assert (appointment.authorization_number, appointment.authorization_password) == ("G 1", "S1")
    assert plan_of(desk.patient) == (unimed.pk, "123", OCTOBER)
    assert PatientEvent.objects.get().changes["card_number"] == ["", "123"]
    after = appointment.events.get().after
    assert (after["payer"], after["payer_name"], after["authorization_number"]) == (unimed.pk, "Unimed", "G 1")
    assert last_sentence(appointment).endswith(", Unimed (guia G 1).")


def test_an_expired_card_is_no_refusal(desk, unimed):
    assert desk.book(payer=paid_by(unimed, expires_on=date(2020, 1, 1))).pk
    assert check(desk.proposal(payer=paid_by(unimed), starts_at=desk.at(10)), now=desk.now) is None


def test_a_new_patient_gets_the_plan(desk, unimed):
    appointment = desk.book(patient=None, details=details(), payer=paid_by(unimed))
    assert plan_of(appointment.patient) == (unimed.pk, "123", OCTOBER)
    kinds = PatientEvent.objects.filter(patient=appointment.patient).order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["registered", "changed"]


def test_an_empty_number_erases_no_card_of_the_same_payer(desk, unimed):
    desk.book(payer=paid_by(unimed))
    desk.book(payer=paid_by(unimed, "", None), starts_at=desk.at(10))
    assert plan_of(desk.patient) == (unimed.pk, "123", OCTOBER)
    other = make_payer(desk.clinic)
    desk.book(payer=paid_by(other, "", None), starts_at=desk.at(11))
    assert plan_of(desk.patient) == (other.pk, "", None)


def test_a_private_visit_leaves_the_plan(desk, unimed):
    desk.book(payer=paid_by(unimed))
    desk.book(starts_at=desk.at(10))
    assert plan_of(desk.patient) == (unimed.pk, "123", OCTOBER)


@pytest.mark.parametrize("which", ["another clinic's", "not accepted", "none"])
def test_a_payer_that_is_not_accepted_is_refused(desk, unimed, which):
    payers = {"another clinic's": make_payer(), "not accepted": make_payer(desk.clinic, active=False)}
    pk = payers[which].pk if which in payers else 2**62
    wish = PayerWish(pk, plan=Plan(pk, "123"))
    assert refused(desk.book, payer=wish).reasons == {Reason.PAYER_UNKNOWN}
    assert check(desk.proposal(payer=wish), now=desk.now).reasons == {Reason.PAYER_UNKNOWN}
    appointment = desk.book(payer=paid_by(unimed))
    assert reasons(change, desk, appointment, wish) == {Reason.PAYER_UNKNOWN}
    assert plan_of(desk.patient)[0] == unimed.pk


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ({"authorization_number": "9" * 41}, Reason.LABEL_TOO_LONG),
        ({"authorization_password": "x" * 5000}, Reason.LABEL_TOO_LONG),
        ({"authorization_number": "G\x001"}, Reason.LABEL_UNSTORABLE),
        ({"number": "não tem"}, Reason.CARD_NUMBER_SHAPE),
        ({"number": "1" * 31}, Reason.CARD_NUMBER_SHAPE),
    ],
)
def test_what_cannot_be_stored_is_refused_by_every_act(desk, unimed, wish, reason):
    assert refused(desk.book, payer=paid_by(unimed, **wish)).reasons == {reason}
    appointment = desk.book()
    assert reasons(change, desk, appointment, paid_by(unimed, **wish)) == {reason}
    assert plan_of(desk.patient) == (None, "", None)


def test_a_change_is_an_event_with_both_sides(desk, unimed):
    appointment = desk.book()
    change(desk, appointment, paid_by(unimed, authorization_number="G1"))
    event = appointment.events.latest("pk")
    assert event.kind == AppointmentEvent.Kind.PAYER
    assert event.before == {"payer": None, "payer_name": "", "authorization_number": "", "authorization_password": ""}
    assert (event.after["payer"], event.after["authorization_number"]) == (unimed.pk, "G1")
    assert last_sentence(appointment) == "De particular para Unimed (guia G1)."
    change(desk, appointment, PayerWish())
    assert last_sentence(appointment) == "De Unimed (guia G1) para particular."
    assert Appointment.objects.get().authorization_number == ""


def test_what_is_there_already_writes_nothing(desk, unimed):
    appointment = desk.book(payer=paid_by(unimed, authorization_number="G1"))
    change(desk, appointment, paid_by(unimed, authorization_number="G1"), seen="long ago")
    assert appointment.events.count() == 1 and PatientEvent.objects.count() == 1


def test_a_finished_visit_takes_its_guia(desk, unimed):
    appointment = desk.book(payer=paid_by(unimed))
    for status in ("checked_in", "in_service", "finished"):
        change_status(appointment.pk, status, clinic=desk.clinic, by=BY, now=desk.at(9, 5))
    change(desk, appointment, paid_by(unimed, authorization_number="G1"))
    assert Appointment.objects.get().authorization_number == "G1"


def test_a_change_that_another_window_made_is_not_replaced(desk, unimed):
    appointment = desk.book()
    seen = payment(appointment)
    change(desk, appointment, paid_by(unimed, authorization_number="G1"), seen=seen)
    other = make_payer(desk.clinic)
    assert reasons(change, desk, appointment, paid_by(other), seen=seen) == {Reason.CHANGED_MEANWHILE}
    assert Appointment.objects.get().payer == unimed and plan_of(desk.patient)[0] == unimed.pk


def test_a_payer_stays_where_it_was_when_it_is_accepted_no_more(desk, unimed):
    appointment = desk.book(payer=paid_by(unimed))
    Payer.objects.update(active=False)
    change(desk, appointment, PayerWish(unimed.pk, "G1"))
    assert Appointment.objects.get().authorization_number == "G1"


def test_the_change_is_taken_back(desk, unimed):
    appointment = desk.book(payer=paid_by(unimed, authorization_number="G1"))
    change(desk, appointment, PayerWish())
    assert undoable(appointment).kind == AppointmentEvent.Kind.PAYER
    Payer.objects.update(active=False)
    undo(appointment.pk, clinic=desk.clinic, by=BY, now=desk.now)
    stored = Appointment.objects.get()
    assert (stored.payer, stored.authorization_number) == (unimed, "G1")
    assert last_sentence(appointment) == "De particular para Unimed (guia G1) (desfeito)."
    assert undoable(appointment) is None


def test_a_deleted_payer_cannot_come_back(desk, unimed):
    appointment = desk.book()
    change(desk, appointment, PayerWish(unimed.pk))
    change(desk, appointment, PayerWish())
    Payer.objects.all().delete()
    assert reasons(undo, appointment.pk, clinic=desk.clinic, by=BY, now=desk.now) == {Reason.PAYER_UNKNOWN}


def test_a_redaction_blanks_guia_and_password(desk, unimed):
    appointment = desk.book(payer=paid_by(unimed, "SEGREDO0"))
    guia = {"authorization_number": "SEGREDO1", "authorization_password": "SEGREDO2"}
    change(desk, appointment, paid_by(unimed, "SEGREDO0", **guia))
    Appointment.objects.update(starts_at="2020-01-01T12:00Z", ends_at="2020-01-01T12:30Z")
    redact_patient(desk.patient.pk, clinic=desk.clinic, by=Author("command"), reason="pedido")
    with connection.cursor() as cursor:
        for table in ("patient", "patientevent", "appointment", "appointmentevent"):
            cursor.execute(f"SELECT json_agg(t)::text FROM clinic_{table} t")  # noqa: S608 - names written here
            assert "SEGREDO" not in cursor.fetchone()[0]
    assert Appointment.objects.get().payer == unimed
    assert history.story(Appointment.objects.select_related("clinic").get())


@pytest.mark.django_db(transaction=True)
def test_two_windows_that_change_the_payer_have_one_winner(desk):
    appointment = desk.book()
    seen, results = payment(appointment), []
    payers = [make_payer(desk.clinic), make_payer(desk.clinic)]

    def press(payer):
        try:
            results.append(outcome(change, desk, appointment, PayerWish(payer.pk), seen=seen))
        finally:
            connection.close()

    threads = [Thread(target=press, args=[payer]) for payer in payers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won, lost = sorted(results, key=lambda result: not isinstance(result, Appointment))
    assert lost.reasons == {Reason.CHANGED_MEANWHILE}
    assert Appointment.objects.get().payer_id == won.payer_id
    assert AppointmentEvent.objects.filter(kind="payer").count() == 1
