import statistics
import time
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth import get_user
from django.contrib.auth.hashers import identify_hasher
from django.http import HttpResponse, QueryDict
from django.test import Client
from django.urls import path, reverse
from django.utils import timezone, translation

from clinic import urls
from clinic.access import resumable_forms, roles
from clinic.access.middleware import choose_clinic
from clinic.models import StaffSession
from tests.factories import (
    PASSWORD,
    make_clinic,
    make_lisbon,
    make_manager,
    make_master,
    make_superuser,
    make_user,
)

pytestmark = pytest.mark.django_db

NOON = "2026-11-23T15:00:00Z"  # a Monday in Recife
REFUSED = "Usuário ou senha incorretos."


# --- pages to stand for everybody else's, so that these tests are about the door alone -------------------------------


@resumable_forms.resumable
def form_page(request):
    typed = resumable_forms.take(request)
    return HttpResponse(typed.urlencode() if typed else "")


def button(request):
    return HttpResponse("done")


def where(request):
    zone, language = timezone.get_current_timezone_name(), translation.get_language()
    return HttpResponse(f"{request.clinic and request.clinic.slug} {zone} {language}")


def choose(request):
    choose_clinic(request, make_lisbon(slug="escolhida"))
    return HttpResponse()


urlpatterns = [
    path("formulario/", form_page),
    path("outro/", form_page),
    path("botao/", button),
    path("onde/", where),
    path("escolher/", choose),
    path("gestao/", roles.manager_required(button)),
    path("master/", roles.master_required(button)),
    *urls.urlpatterns,
]


@pytest.fixture(autouse=True)
def pages(settings):
    settings.ROOT_URLCONF = __name__


def sign_in(client, user, password=PASSWORD, **extra):
    return client.post("/entrar/", {"username": getattr(user, "username", user), "password": password}, **extra)


def signed_in(client):
    return get_user(client).is_authenticated


# --- signing in and out ----------------------------------------------------------------------------------------------


def test_signing_in_leads_to_the_agenda_and_signing_out_back(client):
    user = make_user(password=PASSWORD)

    assert sign_in(client, user).url == reverse("web:home")
    assert signed_in(client)

    assert client.post("/sair/").url == "/entrar/"
    assert not signed_in(client)


def test_after_a_wrong_password_the_cursor_stands_in_the_password(client):
    user = make_user(make_clinic())
    answer = client.post(reverse("web:signin"), {"username": user.username, "password": "errada"})
    form = answer.context["form"]
    assert "autofocus" in form["password"].as_widget()
    assert "autofocus" not in form["username"].as_widget()


def test_signing_out_needs_a_post(client):
    client.force_login(make_user())

    assert client.get("/sair/").status_code == 405
    assert signed_in(client)


def test_passwords_are_kept_as_argon2id():
    user = make_user(password=PASSWORD)

    assert identify_hasher(user.password).algorithm == "argon2"
    assert "argon2id" in user.password


def test_every_page_leads_a_stranger_to_sign_in_and_back(client):
    user = make_user(password=PASSWORD)

    asked = client.get("/onde/?dia=1")
    assert way_back(asked.url) == "/onde/?dia=1"
    page = client.get(asked.url)
    assert b'name="next" value="/onde/?dia=1"' in page.content
    data = {"username": user.username, "password": PASSWORD, "next": "/onde/?dia=1"}
    assert client.post("/entrar/", data).url == "/onde/?dia=1"


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "evil",
        "http:///evil.example",
    ],
)
def test_the_way_on_never_leads_to_another_site(client, path):
    user = make_user(password=PASSWORD)

    answer = client.post("/entrar/", {"username": user.username, "password": PASSWORD, "next": path})

    assert answer.url == reverse("web:home")


def test_signed_in_user_is_not_asked_again(client):
    client.force_login(make_user())

    assert client.get("/entrar/?next=/onde/").url == "/onde/"


def test_a_superuser_starts_in_the_admin(client):
    assert sign_in(client, make_superuser(password=PASSWORD)).url == "/admin/"


@pytest.mark.parametrize("case", ["unknown", "wrong password", "switched off", "clinic switched off", "no password"])
def test_strangers_learn_nothing_from_a_refusal(client, case):
    user = {
        "unknown": "ninguem",
        "wrong password": make_user(password="outra-senha-comprida"),
        "switched off": make_user(password=PASSWORD, is_active=False),
        "clinic switched off": make_user(make_clinic(active=False), password=PASSWORD),
        "no password": make_user(),
    }[case]

    answer = sign_in(client, user)

    assert answer.status_code == 200
    assert answer.context["form"].non_field_errors() == [REFUSED]
    assert not signed_in(client)


def test_refusals_take_the_same_time(client):
    """Each costs one hash: without it an unknown name answers at once."""
    users = {
        "unknown": "ninguem",
        "wrong": make_user(password="outra-senha-comprida"),
        "off": make_user(password=PASSWORD, is_active=False),
    }
    spent = {case: [] for case in users}
    for number in range(4):
        for case, user in users.items():
            started = time.perf_counter()
            sign_in(client, user, REMOTE_ADDR=f"10.0.0.{number}")
            spent[case].append(time.perf_counter() - started)
    fastest = {case: min(times) for case, times in spent.items()}

    assert min(fastest.values()) > statistics.mean(fastest.values()) / 2


@pytest.mark.parametrize("name", ["a\0b", "x" * 10_000, "😀", "\u202e", "'; drop table", "<b>"])
def test_odd_names_are_refused_in_words(client, name):
    assert sign_in(client, name).status_code == 200
    assert client.post("/entrar/", {"username": name, "password": "a\0" * 9}).status_code == 200


# --- lockout ---------------------------------------------------------------------------------------------------------


def fail(client, user, times, **extra):
    for _ in range(times):
        answer = sign_in(client, user, "errada-errada", **extra)
    return answer


@pytest.mark.parametrize(
    ("who", "address", "gets_in"),
    [
        ("same", "10.0.0.1", False),
        ("same", "10.0.0.2", True),
        ("colleague", "10.0.0.1", True),
        ("colleague", "10.0.0.2", True),
    ],
)
def test_five_failures_lock_one_user_at_one_address(client, who, address, gets_in):
    clinic = make_clinic()
    people = {"same": make_user(clinic, password=PASSWORD), "colleague": make_user(clinic, password=PASSWORD)}
    fail(client, people["same"], 5, REMOTE_ADDR="10.0.0.1")

    answer = sign_in(client, people[who], REMOTE_ADDR=address)

    assert signed_in(client) is gets_in
    assert answer.status_code == (302 if gets_in else 429)


def test_four_failures_do_not_lock(client):
    user = make_user(password=PASSWORD)
    assert fail(client, user, 4).status_code == 200

    assert sign_in(client, user).status_code == 302


def test_lockout_page_shows_the_wait_and_a_contact(client):
    answer = fail(client, make_user(password=PASSWORD), 5)

    assert answer.status_code == 429
    assert "Daqui a 15 minutos" in answer.text
    assert "gestão da clínica" in answer.text


def test_an_unknown_name_is_locked_like_a_known_one(client):
    known, unknown = fail(client, make_user(password=PASSWORD), 5), fail(client, "ninguem", 5)

    assert unknown.status_code == known.status_code
    assert unknown.templates[0].name == known.templates[0].name


def test_lockout_ends_after_15_minutes_whatever_tries_meanwhile(client, time_machine):
    user = make_user(password=PASSWORD)
    time_machine.move_to(NOON, tick=False)
    fail(client, user, 5)
    time_machine.shift(timedelta(minutes=10))
    assert "Daqui a 5 minutos" in fail(client, user, 3).text

    time_machine.shift(timedelta(minutes=5, seconds=1))
    assert sign_in(client, user).status_code == 302


def test_another_browser_at_the_same_address_is_locked_too(client):
    user = make_user(password=PASSWORD)
    for number in range(5):
        fail(client, user, 1, headers={"User-Agent": f"navegador {number}"})

    assert sign_in(client, user).status_code == 429


def test_a_password_is_never_stored_by_the_lockout(client):
    from axes.models import AccessAttempt  # noqa: PLC0415 - a table of django-axes, read nowhere else

    fail(client, "ninguem", 1)

    assert "errada" not in str(AccessAttempt.objects.values().get())


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("10.9.9.9, 10.0.0.7", "10.0.0.7"),
        ("lixo", None),
        ("2001:db8::1", "2001:db8::"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
    ],
)
def test_behind_a_proxy_the_address_is_what_the_proxy_appended(rf, settings, forwarded, address):
    from clinic.access.addresses import client_address  # noqa: PLC0415

    settings.TRUSTED_PROXY = True
    assert client_address(rf.get("/", headers={"X-Forwarded-For": forwarded})) == address

    settings.TRUSTED_PROXY = False
    assert client_address(rf.get("/", headers={"X-Forwarded-For": forwarded})) == "127.0.0.1"


# --- password --------------------------------------------------------------------------------------------------------


def test_a_changed_password_ends_every_other_session(client):
    user = make_user(password=PASSWORD)
    elsewhere = Client()
    elsewhere.force_login(user)
    client.force_login(user)
    new = "outra-garoa-no-quintal"

    answer = client.post("/senha/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})

    assert answer.url == reverse("web:home")
    assert client.get("/onde/").status_code == 200
    assert elsewhere.get("/onde/").status_code == 302
    assert sign_in(Client(), user, new).status_code == 302


@pytest.mark.parametrize(
    ("old", "new", "again", "field", "sentence"),
    [
        ("errada", "outra-garoa-no-quintal", "outra-garoa-no-quintal", "old_password", "A senha atual não confere"),
        (PASSWORD, "outra-garoa-no-quintal", "outra", "new_password2", "não são iguais"),
        (PASSWORD, "curta", "curta", "new_password2", "curta"),
        (PASSWORD, "1234567890123", "1234567890123", "new_password2", "numérica"),
    ],
)
def test_a_refused_password_says_why_at_its_field(client, old, new, again, field, sentence):
    client.force_login(make_user(password=PASSWORD))

    answer = client.post("/senha/", {"old_password": old, "new_password1": new, "new_password2": again})

    assert sentence in " ".join(answer.context["form"].errors[field])


# --- how long a session lasts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes_between_requests", "requests", "still_in"),
    [(119, 1, True), (120, 1, False), (115, 6, True), (60, 11, True), (60, 12, False)],
)
def test_a_session_ends_after_2_idle_hours_or_12_in_all(
    client, time_machine, minutes_between_requests, requests, still_in
):
    time_machine.move_to(NOON, tick=False)
    client.force_login(make_user())
    client.get("/onde/")
    for _ in range(requests):
        time_machine.shift(timedelta(minutes=minutes_between_requests))
        answer = client.get("/onde/")

    assert (answer.status_code == 200) is still_in


def test_a_page_that_refreshes_itself_keeps_no_session_alive(client, time_machine):
    time_machine.move_to(NOON, tick=False)
    client.force_login(make_user())
    client.get("/onde/")
    for _ in range(12):
        time_machine.shift(timedelta(minutes=10))
        answer = client.get("/onde/", headers={"X-Background": "1", "HX-Request": "true"})

    assert answer.headers["HX-Redirect"].startswith("/entrar/")


def test_an_ended_session_says_so_at_the_door(client, time_machine):
    time_machine.move_to(NOON, tick=False)
    client.force_login(make_user())
    client.get("/onde/")
    time_machine.shift(timedelta(hours=3))

    assert "Sua sessão terminou" in client.get("/onde/", follow=True).text


def test_being_seen_is_written_at_most_every_five_minutes(client, time_machine, django_assert_num_queries):
    time_machine.move_to(NOON, tick=False)
    client.force_login(make_user())
    client.get("/onde/")
    reading = 1  # the session with its user and clinic; a write is an update inside a savepoint

    for minutes, queries in [(0, reading), (4, reading), (1, reading + 3), (1, reading), (4, reading + 3)]:
        time_machine.shift(timedelta(minutes=minutes))
        with django_assert_num_queries(queries, info=f"after {minutes} minutes"):
            client.get("/onde/")


def test_a_stranger_costs_no_query(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        client.get("/onde/")


@pytest.mark.parametrize("switched_off", ["user", "clinic"])
def test_inactive_user_is_signed_out_at_the_next_request(client, switched_off):
    user = make_user()
    client.force_login(user)
    assert client.get("/onde/").status_code == 200

    row = user if switched_off == "user" else user.clinic
    type(row).objects.filter(pk=row.pk).update(**{"is_active" if row == user else "active": False})

    assert client.get("/onde/").status_code == 302


# --- nothing typed is lost -------------------------------------------------------------------------------------------

TYPED = {"name": "Álvaro <b>😀</b>", "notes": "a\r\nb", "procedures": ["3", "5"]}
SECRET = {"password": "segredo", "new_password1": "segredo", "csrfmiddlewaretoken": "segredo"}


@pytest.fixture
def ended(client, time_machine):
    """A client whose user's session has just ended, and that user."""
    user = make_user(password=PASSWORD)
    time_machine.move_to(NOON, tick=False)
    client.force_login(user)
    client.get("/onde/")
    time_machine.shift(timedelta(hours=2, minutes=1))
    return client, user


def way_back(location):
    return parse_qs(urlsplit(location).query)["next"][0]


@pytest.mark.parametrize("htmx", [False, True])
def test_a_form_sent_after_the_end_comes_back_filled_after_signing_in(ended, htmx):
    client, user = ended
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/agenda/"} if htmx else {}

    answer = client.post("/formulario/", TYPED | SECRET, headers=headers)
    location = answer.headers["HX-Redirect"] if htmx else answer.url

    assert answer.status_code == (200 if htmx else 302)
    assert way_back(location) == "/formulario/"
    assert "lvaro" not in location
    assert "o que você digitou está guardado" in client.get(location).text
    sign_in(client, user)
    fields = QueryDict(client.get("/formulario/").text)
    assert fields.dict() == {"name": TYPED["name"], "notes": TYPED["notes"], "procedures": "5"}
    assert fields.getlist("procedures") == ["3", "5"]
    assert client.get("/formulario/").text == "", "it is given once"


def test_a_form_left_open_over_a_weekend_comes_back_too(client, time_machine):
    user = make_user(password=PASSWORD)
    time_machine.move_to("2026-11-20T20:00:00Z", tick=False)
    client.force_login(user)
    client.get("/onde/")
    time_machine.move_to("2026-11-23T11:00:00Z", tick=False)

    client.post("/formulario/", TYPED)
    sign_in(client, user)

    assert "procedures=3" in client.get("/formulario/").text


def test_forms_of_two_windows_both_come_back(ended):
    client, user = ended
    client.post("/formulario/", {"name": "um"})
    client.post("/outro/", {"name": "dois"})
    sign_in(client, user)

    assert client.get("/outro/").text == "name=dois"
    assert client.get("/formulario/").text == "name=um"


def test_a_form_sent_after_signing_out_in_another_window_comes_back(client):
    user = make_user(password=PASSWORD)
    client.force_login(user)
    client.post("/sair/")
    client.post("/formulario/", {"name": "um"})
    sign_in(client, user)

    assert client.get("/formulario/").text == "name=um"


def test_form_from_before_sign_in_returns_instead_of_csrf_failure():
    client, user = Client(enforce_csrf_checks=True), make_user()
    client.force_login(user)
    own = {"Sec-Fetch-Site": "same-origin"}

    assert client.post("/formulario/", {"name": "um"}, headers=own).url == "/formulario/"
    assert client.get("/formulario/").text == "name=um"

    answer = client.post("/formulario/", {"name": "um"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert "nada foi gravado" in answer.text
    assert client.get("/formulario/").text == ""


def csrf_of(client):
    return client.cookies["csrftoken"].value


@pytest.mark.parametrize(("who", "works"), [("the same person", True), ("a colleague", False)])
def test_windows_left_open_work_again_once_their_own_user_is_back(who, works):
    client, user = Client(enforce_csrf_checks=True), make_user(password=PASSWORD)
    client.get("/entrar/")
    client.force_login(user)
    open_window = csrf_of(client)
    client.post("/sair/", {"csrfmiddlewaretoken": open_window})
    back = user if who == "the same person" else make_user(user.clinic, password=PASSWORD)
    data = {"username": back.username, "password": PASSWORD, "csrfmiddlewaretoken": csrf_of(client)}
    assert client.post("/entrar/", data).status_code == 302

    assert (client.post("/botao/", {"csrfmiddlewaretoken": open_window}).status_code == 200) is works


def test_stale_part_of_a_page_gets_409_and_stays():
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user())

    answer = client.post("/botao/", headers={"HX-Request": "true"})

    assert answer.status_code == 403
    assert answer.headers["HX-Reswap"] == "none"
    assert "Nada foi gravado" in answer.text
    assert "<html" not in answer.text


@pytest.mark.parametrize(
    ("colleague", "sees_it"), [("same clinic", True), ("another clinic", False), ("superuser", False)]
)
def test_kept_form_is_for_the_same_clinic_only(ended, colleague, sees_it):
    client, user = ended
    client.post("/formulario/", {"name": "um"})
    other = {
        "same clinic": lambda: make_user(user.clinic, password=PASSWORD),
        "another clinic": lambda: make_user(password=PASSWORD),
        "superuser": lambda: make_superuser(password=PASSWORD),
    }[colleague]()
    sign_in(client, other)

    assert bool(client.get("/formulario/").text) is sees_it
    client.post("/sair/")
    sign_in(client, user)
    assert client.get("/formulario/").text == "", "and nobody finds it later"


def test_form_is_kept_for_twelve_hours(ended, time_machine):
    client, user = ended
    client.post("/formulario/", {"name": "um"})
    time_machine.shift(timedelta(hours=12))
    sign_in(client, user)

    assert client.get("/formulario/").text == ""


def test_a_stranger_stores_nothing(client):
    answer = client.post("/formulario/", TYPED)

    assert answer.status_code == 302
    assert not StaffSession.objects.exists()


def test_a_monstrous_form_is_not_kept(ended):
    client, _ = ended

    assert client.post("/formulario/", {"notes": "x" * 200_000}).status_code == 302
    assert resumable_forms.FORMS not in client.session


def test_a_button_leads_back_to_its_page(ended):
    client, _ = ended

    answer = client.post("/botao/", headers={"Referer": "http://testserver/onde/?dia=1"})
    assert way_back(answer.url) == "/onde/?dia=1"
    for elsewhere in ("http://evil.example/onde/", "http://testserver//evil.example/onde/"):
        answer = client.post("/botao/", headers={"Referer": elsewhere})
        assert way_back(answer.url) == reverse("web:home")


def test_an_htmx_request_of_an_ended_session_moves_the_whole_page(ended):
    client, _ = ended
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/onde/?dia=1"}

    answer = client.get("/botao/", headers=headers)

    assert answer.content == b""
    assert way_back(answer.headers["HX-Redirect"]) == "/onde/?dia=1"


# --- whose clinic, and who may ---------------------------------------------------------------------------------------


def test_request_runs_in_clinic_zone_and_language_of_its_user(client):
    assert client.get("/entrar/").wsgi_request.clinic is None
    for clinic, expected in [
        (make_clinic(slug="r"), "r America/Recife pt-br"),
        (make_lisbon(slug="l"), "l Europe/Lisbon pt-pt"),
    ]:
        client.force_login(make_user(clinic))
        assert client.get("/onde/").text == expected
    assert timezone.get_current_timezone_name() == "UTC"
    assert translation.get_language() == "pt-br"


def test_a_superuser_is_in_no_clinic_until_one_is_chosen(client):
    client.force_login(make_superuser())
    assert client.get("/onde/").text == "None UTC pt-br"

    client.get("/escolher/")
    assert client.get("/onde/").text == "escolhida Europe/Lisbon pt-pt"


@pytest.mark.parametrize(
    ("make", "manager", "master"),
    [(make_user, 403, 403), (make_manager, 200, 403), (make_master, 200, 200), (make_superuser, 200, 200)],
)
def test_roles_open_their_pages(client, make, manager, master):
    client.force_login(make())

    assert client.get("/gestao/").status_code == manager
    assert client.get("/master/").status_code == master


def test_session_user_and_clinic_are_one_query(client, django_assert_num_queries):
    user = make_user()
    client.force_login(user)
    client.get("/onde/")
    with django_assert_num_queries(1):
        assert client.get("/onde/").text.startswith(user.clinic.slug)


def test_user_in_the_session_data_decides_its_owner(client):
    client.force_login(user := make_user())
    StaffSession.objects.update(user=make_user())
    assert get_user(client) == user
    assert client.get("/onde/").text.startswith(user.clinic.slug)


def test_a_session_goes_with_its_user_and_its_key_is_never_a_name(client):
    client.force_login(user := make_user())
    (session,) = StaffSession.objects.all()
    assert (session.user, session.pk in str(session)) == (user, False)

    user.delete()
    assert not StaffSession.objects.exists()
