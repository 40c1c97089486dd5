"""A real Chromium on the real server; every test ends with a console free of errors and CSP violations."""

import os
import shutil
from datetime import timedelta
from functools import partial
from threading import Condition, get_ident

import pytest
from django.contrib.staticfiles import handlers
from django.core.signals import request_finished, request_started
from django.test import Client
from django.utils import timezone
from playwright.sync_api import sync_playwright
from pytest_django.live_server_helper import LiveServer

from clinic.models import Clinic
from tests.browser.collected import CollectedFilesHandler
from tests.factories import PASSWORD, make_clinic, make_doctor, make_patient, make_procedure, make_user

# Playwright's synchronous interface runs an event loop in this thread; Django's server runs in others.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

# The headless shell is the same engine without a window to draw into, at half the processor's time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
# Nothing of the browser's own may go out to the network, and as root it runs without its sandbox.
ARGUMENTS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",  # each worker has a browser, beside PostgreSQL
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
]
REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""
PROBED = "**/health"
ASK_UNTIL_INTERCEPTED = """async () => {
  const until = performance.now() + 15_000;
  for (let text = ""; text !== "intercepted";) {
    if (performance.now() > until) throw new Error("the page's requests are not intercepted");
    text = await fetch("/health").then((answer) => answer.text(), () => "");
  }
}"""


@pytest.fixture(scope="session")
def chromium():
    if CHROMIUM is None:
        if os.environ.get("BROWSER_TESTS") == "required":
            pytest.fail("BROWSER_TESTS=required, but no Chromium was found")
        pytest.skip("no Chromium found on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def complaints():
    """What the pages of this test wrote to the console that nobody wants to see."""
    return []


class Unanswered:
    """The threads of the server that are answering a request at present.

    One that began before this test, as one that its browser sent in its last moment may, is not of them."""

    def __init__(self):
        self.threads = set()
        self.changed = Condition()

    def begin(self, **_signal):
        with self.changed:
            self.threads.add(get_ident())

    def end(self, **_signal):
        with self.changed:
            self.threads.discard(get_ident())
            self.changed.notify_all()

    def wait_for_none(self):
        with self.changed:
            assert self.changed.wait_for(lambda: not self.threads, timeout=15), f"{len(self.threads)} unanswered"


@pytest.fixture
def unanswered():
    requests = Unanswered()
    request_started.connect(requests.begin)
    request_finished.connect(requests.end)
    yield requests
    request_started.disconnect(requests.begin)
    request_finished.disconnect(requests.end)


@pytest.fixture(scope="session")
def live_server():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(handlers, "StaticFilesHandler", CollectedFilesHandler)
        server = LiveServer("localhost")
    yield server
    server.stop()


@pytest.fixture
def window(chromium, complaints, live_server, unanswered):
    """Opens windows: `window(user, width=…, scheme=…)` is a page on which that user is signed in.

    Bundles come as collectstatic makes them, or as `bundles` returns them by their names."""
    contexts = []

    def open_window(
        user=None,
        *,
        width=1280,
        height=900,
        scheme="light",
        javascript=True,
        locale="pt-BR",
        touch=False,
        bundles=None,
    ):
        context = chromium.new_context(
            base_url=live_server.url,
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            locale=locale,
            java_script_enabled=javascript,
            has_touch=touch,
        )
        contexts.append(context)
        context.add_init_script(REPORT_VIOLATIONS)
        if bundles:
            context.route("**/static/bundles/*", lambda route: _answer(route, bundles))
        if user:
            client = Client()
            client.force_login(user)
            cookie = client.cookies["sessionid"].value
            context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
        page = context.new_page()
        page.route = partial(_route, page, page.route)
        page.set_default_timeout(15_000)
        page.on("console", lambda message: _note(complaints, message))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: _note_foreign(complaints, request, live_server.url))
        return page

    yield open_window
    for context in contexts:
        context.close()
    # What still reads a table keeps the next test from emptying it.
    unanswered.wait_for_none()
    assert complaints == []


def _route(page, route, *arguments, **options):
    """Do what Playwright's `page.route` does, and return when the open page's requests are intercepted.

    Chromium says so a little before its renderer, whose next request may go past all routes and is reported nowhere."""
    route(*arguments, **options)
    if page.url.startswith("http"):
        route(PROBED, lambda probe: probe.fulfill(body="intercepted"))
        page.evaluate(ASK_UNTIL_INTERCEPTED)
        page.unroute(PROBED)


def _answer(route, text_of):
    name = route.request.url.partition("/static/")[2]
    route.fulfill(body=text_of(name), content_type="text/css" if name.endswith(".css") else "text/javascript")


def _note(complaints, message):
    # Chromium calls every answer above 399 an error; a refused form is none.
    refused = "Failed to load resource" in message.text and any(code in message.text for code in ("409", "422"))
    # htmx calls a search that a newer one replaces an error as well; one that fails is also a "htmx:sendError".
    replaced = message.text.startswith(("htmx:sendAbort", "htmx:afterRequest"))
    if message.type in {"error", "warning"} and not (refused or replaced):
        complaints.append(message.text)


def _note_foreign(complaints, request, own):
    if not request.url.startswith((own, "data:", "about:")):
        complaints.append(f"request to another host: {request.url}")


@pytest.fixture
def clinic(transactional_db) -> Clinic:
    return make_clinic(name="Clínica Boa Vista")


@pytest.fixture
def receptionist(clinic):
    fields = {"username": "recepcao", "name": "Rosa Recepção", "may_record_absence": True}
    return make_user(clinic, password=PASSWORD, **fields)


@pytest.fixture
def procedure(clinic):
    return make_procedure(clinic, name="Consulta", price="280.00", duration_minutes=30)


@pytest.fixture
def doctor(clinic, procedure):
    return make_doctor(clinic, name="Dra. Helena Prado", specialty="Cardiologia", procedures=[procedure])


@pytest.fixture
def maria(clinic):
    return make_patient(clinic, name="Maria da Silva Souza")


@pytest.fixture
def monday(clinic):
    """A working day ahead, whatever day it is today."""
    today = clinic.local(timezone.now()).date()
    return today + timedelta(days=7 - today.weekday())
