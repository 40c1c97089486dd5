"""Raising prices: rounding, from a date on, old beside new before it is done, taken back whole."""

import re
from datetime import timedelta
from decimal import Decimal
from threading import Barrier, Thread

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from clinic.models import PriceRise, Procedure, ProcedurePrice
from clinic.models.price import PriceOn
from clinic.registry import Rise, RiseFault, RiseRefused, new_prices, raise_prices, set_price, take_back
from tests.factories import make_manager, make_payer, make_procedure, make_superuser, make_user
from tests.managed import url
from tests.windows import Window

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
RISE = reverse("admin:clinic_procedure_rise")


@pytest.fixture
def clinic(manager):
    return manager.clinic


@pytest.fixture
def today(clinic):
    return clinic.local(timezone.now()).date()


def prices(clinic, day):
    rows = Procedure.objects.of(clinic).order_by("pk").annotate(there=PriceOn(day))
    return [str(row.there) for row in rows]


def rise_of(clinic, manager, first, **fields):
    wanted = Rise(first=first, **fields)
    return raise_prices(clinic, wanted, new_prices(clinic, wanted), by=manager)


money = st.decimals(0, 99_999, places=2)


@given(price=money, percentage=st.decimals(-100, 200, places=2), rounding=st.sampled_from(["0", "0.50", "1", "5"]))
def test_a_raised_price_is_the_nearest_multiple(price, percentage, rounding):
    step = Decimal(rounding) or Decimal("0.01")
    raised = Rise(first=None, percentage=percentage, rounding=Decimal(rounding)).raised(price)
    exact = price * (100 + percentage) / 100
    if 0 < exact < step / 2:
        assert raised == step
        return
    assert raised % step == 0 and abs(raised - exact) <= step / 2
    assert raised - exact != -step / 2  # a half goes up


@given(price=money, amount=st.decimals(-1000, 1000, places=2))
def test_an_amount_is_added_to_what_is_not_free(price, amount):
    assert Rise(first=None, amount=amount).raised(price) == (price + amount if price else 0)


def test_what_is_free_stays_free_and_nothing_becomes_it(client, clinic, today):
    for name, price in (("Retorno", "0.00"), ("Curativo", "1.20"), ("Consulta", "100.00")):
        make_procedure(clinic, name=name, price=price)
    chosen = list(Procedure.objects.of(clinic).values_list("pk", flat=True))
    typed = {"first": f"{today:%d/%m/%Y}", "procedure": chosen, "value": "10", "rounding": "5"}
    answer = sent(client, **typed)
    marks = {
        price.procedure.name: (str(price.new), price.is_free, price.is_least) for price in answer.context["prices"]
    }
    assert marks == {
        "Retorno": ("0.00", True, False),
        "Curativo": ("5.00", False, True),
        "Consulta": ("110.00", False, False),
    }
    assert "sem custo, não muda" in answer.text and "não fica de graça" in answer.text


def test_below_zero_is_not_rounded_up_to_it(clinic, manager, today):
    make_procedure(clinic, price="100.00")
    with pytest.raises(RiseRefused, match="BELOW_ZERO"):
        rise_of(clinic, manager, today, amount=Decimal(-101), rounding=Decimal(5))


def test_what_a_rise_left_alone_may_change_since(clinic, manager, today):
    same = make_procedure(clinic, price="0.00", name="Retorno")
    gone, kept = make_procedure(clinic, price="50.00"), make_procedure(clinic, price="100.00")
    rise = rise_of(clinic, manager, today, percentage=Decimal(8))
    set_price(same, Decimal("20.00"))
    gone.delete()
    take_back(rise.pk, clinic=clinic, by=manager)
    assert prices(clinic, today) == ["20.00", "100.00"] and kept


def test_taking_back_is_asked_with_both_prices(client, clinic, manager, today):
    gone = make_procedure(clinic, price="50.00", name="ECG")
    make_procedure(clinic, price="100.00", name="Consulta")
    rise = rise_of(clinic, manager, today, percentage=Decimal(8))
    gone.delete()
    back = reverse("admin:clinic_procedure_take_back", args=[rise.pk])
    asked = client.get(back)
    assert "R$\N{NO-BREAK SPACE}108,00" in asked.text and "R$\N{NO-BREAK SPACE}100,00" in asked.text
    assert "ECG" not in asked.text and prices(clinic, today) == ["108.00"]
    assert "O reajuste foi desfeito." in client.post(back, follow=True).text
    assert prices(clinic, today) == ["100.00"]
    assert client.get(back)["Location"] == RISE


def test_six_hundred_procedures_are_raised_at_once(client, clinic, today):
    rows = [Procedure(clinic=clinic, name=f"P {n}", price=100, duration_minutes=30) for n in range(600)]
    Procedure.objects.bulk_create(rows)
    typed = {"first": f"{today:%d/%m/%Y}", "procedure": [row.pk for row in rows]}
    seen = sent(client, **typed)
    assert seen.status_code == 200 and len(seen.context["prices"]) == 600
    assert sent(client, "save", seen=seen.context["seen"], **typed).status_code == 302
    assert ProcedurePrice.objects.filter(price=108).count() == 600


def test_a_coming_price_is_written_as_money(client, clinic, today):
    procedure = make_procedure(clinic, price="100.00")
    day = today + DAY
    ProcedurePrice.objects.create(clinic=clinic, procedure=procedure, valid_from=day, price="108.00")
    text = client.get(url(Procedure, "change", procedure.pk)).text
    written = "R$\N{NO-BREAK SPACE}108,00"
    assert f"O de hoje. A partir de {day:%d/%m/%Y}, {written}." in text


def test_prices_change_from_the_date_on(clinic, manager, today):
    make_procedure(clinic, price="100.00"), make_procedure(clinic, price="33.33")
    rise_of(clinic, manager, today + 10 * DAY, percentage=Decimal(8))
    assert prices(clinic, today + 9 * DAY) == ["100.00", "33.33"]
    assert prices(clinic, today + 10 * DAY) == ["108.00", "36.00"]


def test_what_begins_later_is_raised_too(clinic, manager, today):
    make_procedure(clinic, price="100.00")
    rise_of(clinic, manager, today + 10 * DAY, percentage=Decimal(10))
    rise_of(clinic, manager, today, amount=Decimal(5))
    assert (prices(clinic, today), prices(clinic, today + 10 * DAY)) == (["105.00"], ["115.00"])


def test_a_rise_is_taken_back_whole(clinic, manager, today):
    make_procedure(clinic, price="100.00"), make_procedure(clinic, price="0.40")
    first = rise_of(clinic, manager, today + 10 * DAY, percentage=Decimal(10))
    second = rise_of(clinic, manager, today, percentage=Decimal(8), rounding=Decimal(5))
    with pytest.raises(RiseRefused) as refused:
        take_back(first.pk, clinic=clinic, by=manager)
    assert refused.value.fault is RiseFault.CHANGED_SINCE
    before = [row.pk for row in ProcedurePrice.objects.all()]
    assert before and take_back(second.pk, clinic=clinic, by=manager).taken_back_at
    assert (prices(clinic, today), prices(clinic, today + 10 * DAY)) == (["100.00", "0.40"], ["110.00", "0.44"])
    take_back(first.pk, clinic=clinic, by=manager)
    assert not ProcedurePrice.objects.exists()
    with pytest.raises(RiseRefused, match="TAKEN_BACK"):
        take_back(first.pk, clinic=clinic, by=manager)


def test_a_price_that_was_changed_since_keeps_the_rise(clinic, manager, today):
    procedure = make_procedure(clinic, price="100.00", name="Consulta")
    rise = rise_of(clinic, manager, today, percentage=Decimal(8))
    set_price(procedure, Decimal("120.00"))
    with pytest.raises(RiseRefused) as refused:
        take_back(rise.pk, clinic=clinic, by=manager)
    assert refused.value.names == ["Consulta"] and prices(clinic, today) == ["120.00"]


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"amount": Decimal("-100.01")}, RiseFault.BELOW_ZERO),
        ({"amount": Decimal(99_999_999)}, RiseFault.TOO_HIGH),
        ({"percentage": Decimal(1), "rounding": Decimal(5)}, RiseFault.NOTHING_CHANGES),
    ],
)
def test_what_cannot_be_stored_writes_nothing(clinic, manager, today, fields, fault):
    make_procedure(clinic, price="100.00")
    with pytest.raises(RiseRefused) as refused:
        rise_of(clinic, manager, today, **fields)
    assert refused.value.fault is fault and not ProcedurePrice.objects.exists()


def test_a_price_set_today_keeps_past_and_coming_ones(clinic, manager, today):
    procedure = make_procedure(clinic, price="100.00")
    set_price(procedure, Decimal("90.00"))
    assert not ProcedurePrice.objects.exists() and prices(clinic, today - DAY) == ["90.00"]
    rise_of(clinic, manager, today, amount=Decimal(10))
    rise_of(clinic, manager, today + DAY, amount=Decimal(50))
    set_price(procedure, Decimal("95.00"))
    assert [prices(clinic, today + days * DAY) for days in (-1, 0, 1)] == [["90.00"], ["95.00"], ["150.00"]]


@pytest.mark.django_db(transaction=True)
def test_two_rises_at_once_are_one():
    manager = make_manager()
    clinic = manager.clinic
    make_procedure(clinic, price="100.00")
    wanted = Rise(first=clinic.local(timezone.now()).date(), percentage=Decimal(8))
    seen, gate, faults = new_prices(clinic, wanted), Barrier(2), []

    def act():
        gate.wait()
        try:
            raise_prices(clinic, wanted, seen, by=manager)
        except RiseRefused as refused:
            faults.append(refused.fault)
        finally:
            connection.close()

    threads = [Thread(target=act) for _ in range(2)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert faults == [RiseFault.CHANGED_MEANWHILE] and PriceRise.objects.count() == 1
    assert prices(clinic, wanted.first) == ["108.00"]


def sent(client, button="check", **typed):
    fields = {"kind": "percentage", "value": "8", "rounding": "0", "whose": "private", button: "1"}
    return client.post(RISE, fields | typed)


def test_old_is_shown_beside_new_and_nothing_written(client, clinic, today):
    procedure = make_procedure(clinic, price="100.00")
    answer = sent(client, first=f"{today:%d/%m/%Y}", procedure=[procedure.pk])
    assert "R$\N{NO-BREAK SPACE}100,00" in answer.text and "R$\N{NO-BREAK SPACE}108,00" in answer.text
    assert not ProcedurePrice.objects.exists()


def test_what_was_seen_is_written_and_taken_back(client, clinic, today):
    raised, other = make_procedure(clinic, price="100.00"), make_procedure(clinic, price="50.00")
    typed = {"first": f"{today:%d/%m/%Y}", "procedure": [raised.pk]}
    seen = sent(client, **typed).context["seen"]
    assert sent(client, "save", seen=seen, **typed)["Location"] == RISE
    assert prices(clinic, today) == ["108.00", "50.00"]
    assert "108,00" in LogEntry.objects.get().change_message
    back = reverse("admin:clinic_procedure_take_back", args=[PriceRise.objects.get().pk])
    assert back in client.get(RISE).text
    assert "O reajuste foi desfeito." in client.post(back, follow=True).text
    assert prices(clinic, today) == ["100.00", "50.00"]
    assert "já foi desfeito" in client.post(back, follow=True).text and other


def test_other_values_than_seen_are_shown_first(client, clinic, today):
    procedure = make_procedure(clinic, price="100.00")
    typed = {"first": f"{today:%d/%m/%Y}", "procedure": [procedure.pk]}
    seen = sent(client, **typed).context["seen"]
    answer = sent(client, "save", seen=seen, value="9", **typed)
    assert answer.status_code == 409 and "R$\N{NO-BREAK SPACE}109,00" in answer.text
    assert not ProcedurePrice.objects.exists()


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"value": "8,125"}, "casas decimais"),
        ({"value": "8.5"}, "8,50? Escreva com vírgula."),
        ({"value": "oito"}, "número"),
        ({"value": "-101"}, "porcentagem"),
        ({"first": "01/01/2020"}, "já passou"),
        ({"first": "31/02/2030"}, "não existe"),
        ({"procedure": []}, "ao menos um"),
        ({"kind": "amount", "value": "-100,01"}, "abaixo de zero: Consulta"),
        ({"value": "0"}, "nenhum preço muda"),
    ],
)
def test_each_mistake_has_its_sentence(client, clinic, today, typed, sentence):
    procedure = make_procedure(clinic, price="100.00", name="Consulta")
    answer = sent(client, **{"first": f"{today:%d/%m/%Y}", "procedure": [procedure.pk]} | typed)
    assert sentence in answer.text and not ProcedurePrice.objects.exists()


def test_the_form_has_the_price_of_today(client, clinic, manager, today):
    procedure = make_procedure(clinic, price="100.00")
    rise_of(clinic, manager, today, percentage=Decimal(8))
    rise_of(clinic, manager, today + DAY, percentage=Decimal(10))
    window = Window(client, url(Procedure, "change", procedure.pk), "procedure_form")
    assert "A partir de" in client.get(url(Procedure, "change", procedure.pk)).text
    assert window.save(name="Outro nome").status_code == 302
    assert prices(clinic, today) == ["108.00"]
    assert Window(client, url(Procedure, "change", procedure.pk), "procedure_form").save(price="130,00")
    assert [prices(clinic, today + days * DAY) for days in (-1, 0, 1)] == [["100.00"], ["130.00"], ["118.80"]]
    assert re.search(r"R\$.130,00", client.get(url(Procedure)).text)


def test_the_action_opens_the_page_with_the_ticked(client, clinic):
    ticked, other = make_procedure(clinic), make_procedure(clinic)
    answer = client.post(url(Procedure), {"action": "raise_chosen", "_selected_action": [ticked.pk]}, follow=True)
    assert answer.context["chosen"] == {ticked.pk} and other


@pytest.mark.parametrize("make", [make_user, make_superuser])
def test_only_managers_raise_prices(make):
    client, person = Client(), make()
    client.force_login(person)
    assert client.get(RISE).status_code in {302, 403, 404}
    assert client.post(RISE, {}).status_code in {302, 403, 404}


def test_a_rise_of_another_clinic_is_unknown(client, clinic, today):
    other = make_manager()
    make_procedure(other.clinic, price="100.00")
    rise = rise_of(other.clinic, other, today, percentage=Decimal(8))
    address = reverse("admin:clinic_procedure_take_back", args=[rise.pk])
    assert client.post(address).status_code == 404
    procedure = Procedure.objects.of(other.clinic).get()
    answer = sent(client, first=f"{today:%d/%m/%Y}", procedure=[procedure.pk])
    assert procedure.name not in answer.text


# Prices of payers


def own_price(procedure, payer, price, first, until=None):
    fields = {"clinic": procedure.clinic, "procedure": procedure, "payer": payer}
    return ProcedurePrice.objects.create(price=price, valid_from=first, valid_until=until, **fields)


def for_payer(procedure, payer, day):
    rows = Procedure.objects.filter(pk=procedure.pk).annotate(there=PriceOn(day, payer.pk if payer else None))
    return str(rows.get().there)


@pytest.fixture
def consulta(clinic):
    return make_procedure(clinic, name="Consulta", price="100.00")


@pytest.fixture
def unimed(clinic, consulta, today):
    payer = make_payer(clinic, name="Unimed")
    own_price(consulta, payer, "60.00", today - 10 * DAY, today + 20 * DAY)
    return payer


def test_one_payers_prices_are_raised_alone(clinic, manager, today, consulta, unimed):
    rise = rise_of(clinic, manager, today, percentage=Decimal(10), is_private=False, payers=(unimed.pk,))
    days = [-1, 0, 20, 21]
    raised = [for_payer(consulta, unimed, today + day * DAY) for day in days]
    assert raised == ["60.00", "66.00", "66.00", "100.00"]  # it keeps its end, and then the private one holds
    assert prices(clinic, today) == ["100.00"]
    take_back(rise.pk, clinic=clinic, by=manager)
    assert [for_payer(consulta, unimed, today + day * DAY) for day in days] == ["60.00", "60.00", "60.00", "100.00"]
    assert ProcedurePrice.objects.count() == 1


def test_all_prices_are_raised_by_one_rule(clinic, manager, today, consulta, unimed):
    other, bradesco = make_procedure(clinic, name="ECG", price="50.00"), make_payer(clinic, name="Bradesco")
    own_price(other, bradesco, "30.00", today + 5 * DAY)
    every = (unimed.pk, bradesco.pk)
    rise = rise_of(clinic, manager, today, amount=Decimal(5), payers=every)
    assert prices(clinic, today) == ["105.00", "55.00"]
    assert for_payer(consulta, unimed, today) == "65.00"
    assert [for_payer(other, bradesco, today + day * DAY) for day in (0, 5)] == ["55.00", "35.00"]
    take_back(rise.pk, clinic=clinic, by=manager)
    assert prices(clinic, today) == ["100.00", "50.00"] and for_payer(consulta, unimed, today) == "60.00"
    assert for_payer(other, bradesco, today + 5 * DAY) == "30.00" and ProcedurePrice.objects.count() == 2


def test_a_price_that_ended_before_is_let_alone(clinic, manager, today, consulta, unimed):
    first = today + 21 * DAY
    with pytest.raises(RiseRefused, match="NO_PRICES"):
        rise_of(clinic, manager, first, percentage=Decimal(10), is_private=False, payers=(unimed.pk,))


@pytest.mark.parametrize("what", ["price", "end"])
def test_a_payers_price_changed_since_keeps_the_rise(clinic, manager, today, consulta, unimed, what):
    rise = rise_of(clinic, manager, today, percentage=Decimal(10), payers=(unimed.pk,))
    row = ProcedurePrice.objects.filter(payer=unimed, valid_from=today)
    assert row.update(**({"price": 70} if what == "price" else {"valid_until": None}))
    with pytest.raises(RiseRefused, match="CHANGED_SINCE") as refused:
        take_back(rise.pk, clinic=clinic, by=manager)
    assert refused.value.names == ["Consulta (Unimed)"] and prices(clinic, today) == ["110.00"]


def test_a_payer_that_is_no_more_is_let_alone(clinic, manager, today, consulta, unimed):
    rise = rise_of(clinic, manager, today, percentage=Decimal(10), payers=(unimed.pk,))
    unimed.delete()
    take_back(rise.pk, clinic=clinic, by=manager)
    assert prices(clinic, today) == ["100.00"]


@pytest.mark.parametrize(("whose", "count"), [("private", 1), ("unimed", 1), ("all", 2)])
def test_the_page_asks_whose_prices(client, clinic, today, consulta, unimed, whose, count):
    make_payer(clinic, name="Amil")
    value = str(unimed.pk) if whose == "unimed" else whose
    typed = {"first": f"{today:%d/%m/%Y}", "procedure": [consulta.pk], "whose": value}
    seen = sent(client, **typed)
    assert len(seen.context["prices"]) == count and "Amil" not in seen.text
    assert ("R$\N{NO-BREAK SPACE}64,80" in seen.text) is (whose != "private")
    assert sent(client, "save", seen=seen.context["seen"], **typed).status_code == 302
    assert prices(clinic, today) == ["100.00" if whose == "unimed" else "108.00"]
    page = client.get(RISE).text
    written = {"private": "+8,00\N{NO-BREAK SPACE}%<", "unimed": "% (Unimed)", "all": "% (particular, Unimed)"}
    assert written[whose] in page
    back = client.get(reverse("admin:clinic_procedure_take_back", args=[PriceRise.objects.get().pk]))
    assert ("Unimed" in back.text) is (whose != "private")


@pytest.mark.parametrize(
    ("value", "days", "sentence"),
    [
        ("8", 21, "Neste dia o convênio não tem preço próprio nos procedimentos escolhidos."),
        ("-61", 0, "abaixo de zero: Consulta (Unimed)."),
    ],
)
def test_what_is_wrong_with_a_payers_price_is_said(client, today, consulta, unimed, value, days, sentence):
    typed = {"first": f"{today + days * DAY:%d/%m/%Y}", "procedure": [consulta.pk], "whose": str(unimed.pk)}
    answer = sent(client, kind="amount", value=value, **typed)
    assert answer.status_code == 409 and sentence in answer.text


def test_another_end_than_seen_is_shown_first(client, today, consulta, unimed):
    typed = {"first": f"{today:%d/%m/%Y}", "procedure": [consulta.pk], "whose": str(unimed.pk)}
    seen = sent(client, **typed).context["seen"]
    ProcedurePrice.objects.update(valid_until=today + 40 * DAY)
    answer = sent(client, "save", seen=seen, **typed)
    assert answer.status_code == 409 and "Não são mais os preços que foram mostrados" in answer.text


def test_a_payer_of_another_clinic_is_no_choice(client, clinic, today, consulta, unimed):
    other = make_payer()
    typed = {"first": f"{today:%d/%m/%Y}", "procedure": [consulta.pk], "whose": other.pk}
    answer = sent(client, **typed)
    assert answer.context["prices"] is None and answer.context["form"].errors["whose"]
