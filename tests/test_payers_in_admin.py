"""The list of payers that managers keep: the kinds of the country, registro ANS, switching off, deleting."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.booking import PayerWish
from clinic.models import Payer, PayerDoctor, ProcedurePrice
from tests.factories import (
    book_appointment,
    make_clinic,
    make_doctor,
    make_lisbon,
    make_manager,
    make_patient,
    make_payer,
    make_procedure,
    make_user,
)
from tests.managed import NO_INLINES, url
from tests.windows import Window

pytestmark = pytest.mark.django_db


def kinds(page):
    return re.findall(r'<option value="(\w+)"', page.partition('name="kind"')[2].partition("</select>")[0])


@pytest.mark.parametrize(
    ("make", "offered", "has_ans"),
    [(make_clinic, ["health_plan", "other"], True), (make_lisbon, ["subsystem", "insurance", "sns", "other"], False)],
)
def test_each_country_has_kinds_of_its_own(client, make, offered, has_ans):
    clinic = make()
    client.force_login(make_manager(clinic))
    page = client.get(url(Payer, "add")).text
    assert kinds(page) == offered and ('name="ans_number"' in page) is has_ans
    typed = NO_INLINES | {"name": "Saúde", "kind": offered[0], "active": "on"}
    assert client.post(url(Payer, "add"), typed).status_code == 302
    assert Payer.objects.of(clinic).get().kind == offered[0]
    assert ("column-ans_number" in client.get(url(Payer)).text) is has_ans


def test_a_payer_is_found_without_accents(client, manager):
    make_payer(manager.clinic, name="Saúde Sul")
    assert "Saúde Sul" in client.get(url(Payer), {"q": "saude"}).text


@pytest.mark.parametrize("of", ["patient", "appointment"])
def test_a_payer_in_use_is_switched_off_not_deleted(client, manager, of):
    payer = make_payer(manager.clinic, name="Unimed")
    if of == "patient":
        make_patient(manager.clinic, payer=payer)
    else:
        book_appointment(make_doctor(manager.clinic), payer=PayerWish(payer.pk))
    assert client.post(url(Payer, "delete", payer.pk), {"post": "yes"}).status_code != 302
    assert Payer.objects.filter(pk=payer.pk).exists()
    typed = NO_INLINES | {"name": "Unimed", "kind": "health_plan", "ans_number": ""}
    assert client.post(url(Payer, "change", payer.pk), typed).status_code == 302
    payer.refresh_from_db()
    assert not payer.active


def test_receptionists_keep_no_payers(client, manager):
    client.force_login(make_user(manager.clinic))
    assert client.get(url(Payer)).status_code == 403


def rows(prefix, **values):
    fields = {f"{prefix}-0-{name}": value for name, value in values.items()}
    return fields | {f"{prefix}-TOTAL_FORMS": "1"}


def test_prices_and_takers_are_kept_with_the_payer(client, manager):
    clinic = manager.clinic
    procedure, doctor, payer = make_procedure(clinic), make_doctor(clinic), make_payer(clinic, name="Unimed")
    price = rows("prices", procedure=procedure.pk, price="80,50", valid_from="01/12/2026", valid_until="31/12/2026")
    taker = rows("takers", doctor=doctor.pk, weekdays=["1", "3"], per_day="5")
    window = Window(client, url(Payer, "change", payer.pk), "payer_form")
    assert window.save(**price, **taker, valid_until="31/12/2026").status_code == 302
    stored = ProcedurePrice.objects.get()
    assert (stored.clinic, stored.payer, str(stored.price), str(stored.valid_until)) == (
        clinic,
        payer,
        "80.50",
        "2026-12-31",
    )
    assert (PayerDoctor.objects.get().weekdays, PayerDoctor.objects.get().per_day) == ([1, 3], 5)
    again = Window(client, url(Payer, "change", payer.pk), "payer_form")
    assert again.fields["takers-0-weekdays"] == ["1", "3"]
    assert again.save(**{"takers-0-weekdays": ["2"], "takers-0-per_day": ""}).status_code == 302
    assert (PayerDoctor.objects.get().weekdays, PayerDoctor.objects.get().per_day) == ([2], None)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (rows("prices", price="80,505", valid_from="01/12/2026"), "casas decimais"),
        (rows("prices", price="-1", valid_from="01/12/2026"), "negativo"),
        (rows("prices", price="1", valid_from="02/12/2026", valid_until="01/12/2026"), "fim da validade"),
        (rows("takers", weekdays=["8"]), "8"),
        (rows("takers", per_day="0"), "1 ou mais"),
    ],
)
def test_a_mistake_in_a_row_has_its_sentence(client, manager, typed, sentence):
    clinic = manager.clinic
    payer, doctor, procedure = make_payer(clinic), make_doctor(clinic), make_procedure(clinic)
    typed = typed | {"takers-0-doctor": doctor.pk, "prices-0-procedure": procedure.pk}
    answer = Window(client, url(Payer, "change", payer.pk), "payer_form").save(**typed)
    assert answer.status_code == 200 and sentence in answer.text
    assert not ProcedurePrice.objects.exists() and not PayerDoctor.objects.exists()


def test_a_second_price_of_one_day_is_refused(client, manager):
    clinic = manager.clinic
    payer, procedure = make_payer(clinic), make_procedure(clinic)
    day = {"clinic": clinic, "procedure": procedure, "valid_from": "2026-12-01"}
    ProcedurePrice.objects.create(price=1, **day)  # a private one is another
    typed = {"procedure": procedure.pk, "price": "2", "valid_from": "01/12/2026"}
    assert Window(client, url(Payer, "change", payer.pk), "payer_form").save(**rows("prices", **typed))
    assert ProcedurePrice.objects.filter(payer=payer).count() == 1
    window = Window(client, url(Payer, "change", payer.pk), "payer_form")
    second = {f"prices-1-{name}": value for name, value in typed.items()} | {"prices-TOTAL_FORMS": "2"}
    assert window.save(**second).status_code == 200
    assert ProcedurePrice.objects.filter(payer=payer).count() == 1


def test_a_new_payer_has_prices_at_once(client, manager):
    procedure = make_procedure(manager.clinic)
    ProcedurePrice.objects.create(clinic=manager.clinic, procedure=procedure, valid_from="2026-12-01", price=1)
    price = rows("prices", procedure=procedure.pk, price="2", valid_from="01/12/2026")
    window = Window(client, url(Payer, "add"), "payer_form")
    assert window.save(name="Unimed", **price).status_code == 302
    assert ProcedurePrice.objects.get(payer__name="Unimed").price == 2


def test_a_new_payer_has_one_price_a_day(client, manager):
    price = {"procedure": make_procedure(manager.clinic).pk, "price": "2", "valid_from": "01/12/2026"}
    second = {f"prices-1-{name}": value for name, value in price.items()} | {"prices-TOTAL_FORMS": "2"}
    answer = Window(client, url(Payer, "add"), "payer_form").save(name="Unimed", **rows("prices", **price) | second)
    assert answer.status_code == 200 and answer.text.count("já tem um preço a partir deste dia") == 1
    assert not Payer.objects.exists()
    other_day = second | {"prices-1-valid_from": "02/12/2026"}
    window = Window(client, url(Payer, "add"), "payer_form")
    assert window.save(name="Unimed", **rows("prices", **price) | other_day).status_code == 302
    assert ProcedurePrice.objects.count() == 2


def dated(payer, procedure, days, **fields):
    """A price of the payer that begins so many days after today."""
    day = payer.clinic.local(timezone.now()).date() + timedelta(days=days)
    return ProcedurePrice(clinic=payer.clinic, payer=payer, procedure=procedure, valid_from=day, **fields)


def test_what_holds_no_more_is_only_listed(client, manager):
    payer, procedure = make_payer(manager.clinic), make_procedure(manager.clinic, name="Consulta")
    last_year, present, coming = (dated(payer, procedure, days, price=days + 900) for days in (-400, -10, 10))
    ended = dated(payer, make_procedure(manager.clinic, name="ECG"), -20, price=7)
    ended.valid_until = ended.valid_from + timedelta(days=5)
    ProcedurePrice.objects.bulk_create([last_year, present, coming, ended])
    window = Window(client, url(Payer, "change", payer.pk), "payer_form")
    assert window.fields["prices-TOTAL_FORMS"] == ["2"]
    text = client.get(url(Payer, "change", payer.pk)).text
    assert re.search(r"Consulta.{1,80}R\$.500,00", text) and re.search(r"ECG.{1,80}R\$.7,00", text)
    assert window.save(**{"prices-0-price": "891"}).status_code == 302
    assert [row.price for row in ProcedurePrice.objects.order_by("valid_from")] == [500, 7, 891, 910]
    assert client.get(url(Payer, "add")).status_code == 200


def test_a_price_that_ends_meanwhile_is_still_saved(client, manager):
    payer, procedure = make_payer(manager.clinic), make_procedure(manager.clinic)
    first = dated(payer, procedure, -10, price=1)
    first.save()
    window = Window(client, url(Payer, "change", payer.pk), "payer_form")
    dated(payer, procedure, -1, price=2).save()
    window.save(**{"prices-0-price": "3"})
    first.refresh_from_db()
    assert first.price == 3


def test_a_hundred_prices_are_saved_again(client, manager):
    payer = make_payer(manager.clinic)
    ProcedurePrice.objects.bulk_create(
        dated(payer, make_procedure(manager.clinic), -10, price=number) for number in range(100)
    )
    window = Window(client, url(Payer, "change", payer.pk), "payer_form")
    assert window.save(name="Unimed Recife", **{"prices-7-price": "1234"}).status_code == 302
    payer.refresh_from_db()
    assert payer.name == "Unimed Recife" and ProcedurePrice.objects.filter(price=1234).count() == 1
