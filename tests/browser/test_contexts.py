"""What one test leaves in a browser context, the next does not find."""

from tests.browser.contexts import ANY_FILE, Options

OPTIONS = Options(1280, 900, "light", True, "pt-BR", False, None)
PERMISSION = "navigator.permissions.query({name: 'clipboard-read'}).then((found) => found.state)"
STORED = "localStorage.length, sessionStorage.length, document.cookie"
KEPT = f"async () => [{STORED}, navigator.onLine, await {PERMISSION}]"


def page_of(context):
    page = context.new_page()
    page.goto(ANY_FILE)
    return page


def test_a_context_given_back_is_as_a_new_one(contexts):
    context = contexts.take(OPTIONS)
    page = page_of(context)
    new = page.evaluate(KEPT)
    page.evaluate("localStorage.a = sessionStorage.b = document.cookie = 'c=d'")
    context.grant_permissions(["clipboard-read"])
    context.set_offline(True)
    assert all(before != after for before, after in zip(new, page.evaluate(KEPT), strict=True))
    context.route("**/*", lambda route: route.abort())
    contexts.give_back(OPTIONS, context)
    again = contexts.take(OPTIONS)
    assert again is context
    assert len(again.pages) == 1
    assert page_of(again).evaluate(KEPT) == new
    contexts.give_back(OPTIONS, again)


def test_two_windows_at_once_have_a_context_each(contexts):
    one, other = contexts.take(OPTIONS), contexts.take(OPTIONS)
    assert one is not other
    contexts.give_back(OPTIONS, one)
    contexts.give_back(OPTIONS, other)


def test_other_options_are_another_context(contexts):
    context = contexts.take(OPTIONS)
    contexts.give_back(OPTIONS, context)
    dark = OPTIONS._replace(scheme="dark")
    other = contexts.take(dark)
    assert other is not context
    contexts.give_back(dark, other)


def test_no_more_contexts_are_kept_than_a_few(contexts):
    several = [OPTIONS._replace(width=800 + number) for number in range(6)]
    for options in several:
        contexts.give_back(options, contexts.take(options))
    assert [options for options, _context in contexts.kept] == several[-4:]
