"""Opening an address to which only forms are sent: a page says so, and what to do next."""

import pytest

from tests.factories import make_lisbon, make_user

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("address", ["/configuracoes/paineis/criar/", "/fila/1/chamar/", "/sair/"])
def test_an_address_of_a_form_opened_by_hand_says_so(desk, address):
    answer = desk.get(address)
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert "Esta página não se abre pelo endereço" in answer.text and 'href="/"' in answer.text


def test_the_page_of_a_form_is_in_the_language_of_the_clinic(client):
    client.force_login(make_user(make_lisbon()))
    assert '<html lang="pt-pt">' in client.get("/fila/1/chamar/").text


def test_programs_get_their_own_answer_to_a_wrong_method(client):
    assert "Esta página" not in client.get("/api/auth/token").text
