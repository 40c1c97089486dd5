"""Integrações: who may do what, and that a secret stands in one answer and nowhere else."""

import re
import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from clinic.access import access_tokens, api_keys, form_replay
from clinic.access.middleware import CHOSEN_CLINIC
from clinic.access.sessions import SessionStore
from clinic.models import AccessToken, ApiKey, CredentialEvent, StaffSession
from tests.factories import make_clinic, make_manager, make_master, make_superuser, make_user

pytestmark = pytest.mark.django_db

PAGE = reverse("web:integration-list")
HTMX = {"HX-Request": "true"}
KEY = {
    "name": "Central de voz",
    "scopes": ["appointments:read", "directory:read"],
    "source": "voice_ai",
    "mode": "live",
}


@pytest.fixture
def clinic():
    return make_clinic()


@pytest.fixture
def master(clinic, client):
    user = make_master(clinic, name="Mara Master")
    client.force_login(user)
    return user


def seen(client):
    return re.search(r'name="seen" value="(\d+)"', client.get(PAGE).text)[1]


def act(client, which, /, *args, htmx=False, **fields):
    """What a form of the page, as it stands now, is answered."""
    address = reverse(f"web:integration-{which}", args=args)
    return client.post(address, {"seen": seen(client)} | fields, headers=HTMX if htmx else {})


def secret_of(answer):
    return re.search(r"<textarea[^>]*>([^<]*)</textarea>", answer.text)[1]


def make_key(clinic, **fields):
    defaults = {"name": "central", "scopes": ["directory:read"], "source": "voice_ai", "is_live": True, "by": None}
    return api_keys.create(clinic, **defaults | fields, channel="command")


# Who may --------------------------------------------------------------------------------------------------------------


def everything(clinic, user):
    key, _ = make_key(clinic)
    token, _ = access_tokens.release(clinic, make_master(clinic), channel="command")
    return [
        ("integration-release", [], {}),
        ("integration-token-end", [token.pk], {}),
        ("integration-key-create", [], KEY),
        ("integration-key-rotate", [key.pk], {}),
        ("integration-key-end", [key.pk], {}),
    ]


@pytest.mark.parametrize("make", [make_user, make_manager], ids=["receptionist", "manager"])
def test_only_masters_act(client, clinic, make):
    acts = everything(clinic, client.force_login(make(clinic)))
    before = CredentialEvent.objects.count()
    for name, args, fields in acts:
        answer = client.post(reverse(f"web:{name}", args=args), fields | {"seen": "0"})
        assert answer.status_code == 403 and "só do usuário master" in answer.text
    assert CredentialEvent.objects.count() == before


def test_managers_look_and_see_nothing_to_press(client, clinic):
    make_key(clinic)
    access_tokens.release(clinic, make_master(clinic), channel="command")
    client.force_login(make_manager(clinic))
    page = client.get(PAGE).text
    assert "Só o usuário master" in page and "central" in page and "válido até" in page
    assert "integracoes/tokens/" not in page and "integracoes/chaves/" not in page
    assert f'href="{PAGE}"' in page


def test_receptionists_neither_see_it_nor_a_way_to_it(client, clinic):
    client.force_login(make_user(clinic))
    answer = client.get(PAGE)
    assert answer.status_code == 403 and "da gestão" in answer.text
    assert PAGE not in client.get(reverse("web:patient-list")).text


def test_strangers_are_sent_to_sign_in(client):
    assert client.get(PAGE).headers["Location"].startswith(reverse("web:signin"))


def test_a_superuser_acts_in_the_clinic_they_have_chosen(client, clinic):
    root = make_superuser()
    client.force_login(root)
    session = client.session
    session[CHOSEN_CLINIC] = clinic.pk
    session.save()
    text = secret_of(act(client, "release"))
    token, _ = access_tokens.authenticate(text)
    assert (token.clinic, token.user) == (clinic, root)


def test_nothing_of_another_clinic_is_shown(client, master):
    elsewhere = make_clinic()
    key, _ = make_key(elsewhere, name="De outra clínica")
    access_tokens.release(elsewhere, make_master(elsewhere, name="Outra Pessoa"), channel="command")
    page = client.get(PAGE).text
    assert not [text for text in ("De outra", key.prefix, "Outra Pessoa") if text in page]
    for name in ("key-rotate", "key-end"):
        assert act(client, name, key.pk).status_code == 404
    assert act(client, "token-end", AccessToken.objects.get().pk).status_code == 404


# Secrets --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("htmx", [False, True], ids=["plain", "htmx"])
def test_a_released_token_works_and_is_shown_this_once(client, clinic, master, htmx):
    answer = act(client, "release", htmx=htmx)
    text = secret_of(answer)
    assert access_tokens.authenticate(text)[0].user == master
    assert answer.status_code == 200 and "no-store" in answer["Cache-Control"]
    assert ("<html" in answer.text) is not htmx
    assert text not in client.get(PAGE).text
    assert text not in str([SessionStore().decode(session.session_data) for session in StaffSession.objects.all()])


@pytest.mark.parametrize("htmx", [False, True], ids=["plain", "htmx"])
def test_a_created_key_does_what_was_ticked(client, clinic, master, htmx):
    answer = act(client, "key-create", htmx=htmx, **KEY)
    key, _ = api_keys.authenticate(secret_of(answer))
    assert (key.name, key.source, key.is_live, key.created_by) == ("Central de voz", "voice_ai", True, master)
    assert key.scopes == ["appointments:read", "directory:read"]
    assert "no-store" in answer["Cache-Control"]
    page = client.get(PAGE).text
    assert secret_of(answer) not in page and f"{key.prefix}…" in page


def test_a_test_key_says_so(client, master):
    answer = act(client, "key-create", **KEY | {"mode": "test"})
    assert secret_of(answer).startswith("miv_test_")
    assert "teste: fora da agenda de verdade" in answer.text


def test_rotation_gives_a_new_key_and_names_the_end_of_the_old(client, clinic, master):
    old, before = make_key(clinic)
    answer = act(client, "key-rotate", old.pk)
    assert api_keys.authenticate(secret_of(answer))[0].name == "central"
    until = clinic.local(timezone.now() + timedelta(hours=24))
    assert f"continua valendo até {until:%d/%m/%Y %H}" in answer.text
    assert before not in answer.text and api_keys.authenticate(before)[0] == old
    # It has been replaced: another rotation would only make a third.
    assert reverse("web:integration-key-rotate", args=[old.pk]) not in client.get(PAGE).text


@pytest.mark.parametrize(("name", "fields"), [("release", {}), ("key-create", KEY)])
def test_sending_a_form_again_neither_acts_nor_shows_the_secret(client, master, name, fields):
    """Reload after the answer, "back" and another click, or the second of two quick clicks."""
    form = {"seen": seen(client)} | fields
    address = reverse(f"web:integration-{name}")
    text = secret_of(client.post(address, form))
    again = client.post(address, form)
    assert again.status_code == 409 and "Nada foi feito desta vez" in again.text
    assert text not in again.text and "<textarea" not in again.text
    assert CredentialEvent.objects.count() == 1


def test_rotating_twice_with_one_form_makes_one_key(client, clinic, master):
    old, _ = make_key(clinic)
    form = {"seen": seen(client)}
    address = reverse("web:integration-key-rotate", args=[old.pk])
    assert client.post(address, form).status_code == 200
    assert client.post(address, form).status_code == 409
    assert ApiKey.objects.count() == 2


@pytest.mark.parametrize("forged", ["", "x", "-1", "9" * 400])
def test_a_form_without_its_mark_does_nothing(client, master, forged):
    assert client.post(reverse("web:integration-release"), {"seen": forged}).status_code == 409
    assert not AccessToken.objects.exists()


def test_acts_of_a_colleague_do_not_block_a_booking(client, clinic, master):
    form = {"seen": seen(client)}
    access_tokens.release(clinic, make_master(clinic), channel="browser")
    assert client.post(reverse("web:integration-release"), form).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_the_second_of_two_quick_clicks_waits_for_the_first(client, clinic, master):
    """As the first click's own transaction has it: the act done, its end still to come."""
    form, answers = {"seen": seen(client)}, []

    def click():
        answers.append(client.post(reverse("web:integration-release"), form))
        connection.close()

    second = threading.Thread(target=click)
    with transaction.atomic():
        form_replay.require_unsubmitted(clinic, master, form["seen"])
        access_tokens.release(clinic, master, channel="browser")
        second.start()
        second.join(1)
        assert answers == []
    second.join()
    assert answers[0].status_code == 409
    assert AccessToken.objects.count() == 1


# Forms ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": " "}, "Dê um nome à chave"),
        ({"name": "x" * 61}, "no máximo 60"),
        ({"name": "a\0b"}, "nulos"),
        ({"name": "a\tb"}, "Use só letras"),
        *(({"name": name}, "nenhuma letra") for name in ("12345", "---", "🙂", "(1)", "٣٤")),
        ({"scopes": []}, "pelo menos uma permissão"),
        ({"scopes": ["patients:write"]}, "as permissões da lista"),
        ({"source": "fax"}, "uma origem da lista"),
        ({"mode": "other"}, "o tipo da chave"),
    ],
)
@pytest.mark.parametrize("htmx", [False, True], ids=["plain", "htmx"])
def test_errors_are_at_their_fields_and_typed_text_stays(client, master, fields, message, htmx):
    answer = act(client, "key-create", htmx=htmx, **KEY | fields)
    (field,) = fields
    assert answer.status_code == 422
    assert message in re.search(rf'id="error-{field}"[^>]*>([^<]*)<', answer.text)[1]
    assert field == "name" or 'value="Central de voz"' in answer.text
    assert not ApiKey.objects.exists()
    # The same form, corrected, is not taken for one that was sent before.
    assert act(client, "key-create", **KEY).status_code == 200


def test_a_key_form_that_outlives_its_session_comes_back_filled_in(client, clinic):
    user = make_master(clinic, password="garoa-fina-na-varanda")
    client.force_login(user)
    client.get(PAGE)
    session = client.session
    session["signed_in_at"] = 0
    session.save()
    answer = client.post(reverse("web:integration-key-create"), {"seen": "0"} | KEY, follow=True)
    assert answer.redirect_chain[0][0].startswith(reverse("web:signin"))
    answer = client.post(
        answer.redirect_chain[0][0], {"username": user.username, "password": "garoa-fina-na-varanda"}, follow=True
    )
    assert answer.status_code == 200 and 'value="Central de voz"' in answer.text
    assert not ApiKey.objects.exists()


# Revoking and looking -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("htmx", [False, True], ids=["plain", "htmx"])
def test_revoking_works_with_the_next_request_and_again_does_nothing(client, clinic, master, htmx):
    token, text = access_tokens.release(clinic, master, channel="command")
    key, secret = make_key(clinic)
    for name, pk in (("token-end", token.pk), ("key-end", key.pk)) * 2:
        answer = act(client, name, pk, htmx=htmx)
        assert answer.status_code == (200 if htmx else 302)
    with pytest.raises(access_tokens.InvalidToken):
        access_tokens.authenticate(text)
    with pytest.raises(api_keys.InvalidKey):
        api_keys.authenticate(secret)
    kinds = CredentialEvent.objects.of(clinic).filter(channel="browser").values_list("kind", "user")
    assert set(kinds) == {("token_revoked", master.pk), ("key_revoked", master.pk)} and len(kinds) == 2


def test_every_state_is_described_in_words(client, clinic, master, time_machine):
    time_machine.move_to("2026-11-23T12:00:00Z", tick=False)
    expired = access_tokens.release(clinic, master, channel="command")[0]
    old, _ = make_key(clinic, name="Vencida")
    time_machine.move_to("2027-11-23T12:30:00Z", tick=False)
    client.force_login(master)
    valid = access_tokens.release(clinic, master, channel="command")[0]
    no_longer = make_master(clinic, username="ex-master")
    blocked = access_tokens.release(clinic, no_longer, channel="command")[0]
    no_longer.role = "manager"
    no_longer.save()
    revoked = access_tokens.release(clinic, master, channel="command")[0]
    access_tokens.revoke(revoked.pk, clinic=clinic, by=master, channel="command")
    rotated, _ = make_key(clinic, name="Trocada")
    api_keys.rotate(rotated.pk, clinic=clinic, by=master, channel="command")
    used, secret = make_key(clinic, name="Usada")
    api_keys.authenticate(secret)
    ended, _ = make_key(clinic, name="Revogada")
    api_keys.revoke(ended.pk, clinic=clinic, by=None, channel="command")

    page = client.get(PAGE).text
    for words in (
        "válido até 10:30",
        "recusado: quem o liberou",
        "expirado às 10:00",
        "revogado em 23/11/2027 09:30",
        "válida até 22/11/2028",
        "trocada; ainda vale até 24/11/2027 09:30",
        "expirou em 23/11/2027 09:00",
        "revogada em 23/11/2027 09:30",
        "ainda não foi usada",
        "<dd>23/11/2027 09:30</dd>",
        "2 chaves encerradas",
        "por um comando no servidor",
    ):
        assert words in page
    assert 'data-seconds="3600"' in page
    offered = set(re.findall(r'action="([^"]+/revogar/)"', page))
    ends = [("token-end", token.pk) for token in (valid, blocked)]
    ends += [("key-end", key.pk) for key in ApiKey.objects.exclude(pk__in=[old.pk, ended.pk])]
    assert offered == {reverse(f"web:integration-{name}", args=[pk]) for name, pk in ends}
    assert ("token-end", expired.pk) not in ends


def test_the_history_says_who_did_what_with_which(client, clinic, master):
    make_key(clinic, name="Central")
    act(client, "release")
    page = client.get(PAGE).text
    events = re.findall(r"<li>(.*?)</li>", page[page.index('class="events"') :], re.DOTALL)
    entries = [" ".join(re.sub(r"<[^>]+>", " ", event).split()) for event in events]
    assert [re.sub(r"\d\d/\d\d/\d{4} \d\d:\d\d|miv_live_\w+", "…", entry) for entry in entries] == [
        "… Token liberado (o de …) por Mara Master",
        "… Chave criada : Central …… , por um comando no servidor",
    ]


def test_an_empty_page_says_what_comes_here(client, master):
    page = client.get(PAGE).text
    for words in ("Nenhum token foi liberado ainda", "Nenhuma chave em uso", "Aqui fica quem liberou"):
        assert words in page
    for name in ("imagemais", "mivicall"):
        for where in ("reference", "first-steps"):
            assert f'href="{reverse(f"{name}:{where}")}"' in page


def test_many_credentials_cost_as_many_queries_as_one(client, clinic, master):
    def queries():
        with CaptureQueriesContext(connection) as asked:
            client.get(PAGE)
        return len(asked)

    make_key(clinic, by=master)
    access_tokens.release(clinic, master, channel="command")
    client.get(PAGE)
    assert queries() == 6
    for _ in range(3):
        make_key(clinic, by=make_master(clinic))
        access_tokens.release(clinic, make_master(clinic), channel="command")
    assert queries() == 6


def test_names_are_escaped(client, clinic, master):
    make_key(clinic, name="<b>x</b>")
    page = client.get(PAGE).text
    assert "<b>x</b>" not in page and "&lt;b&gt;x" in page
