"""Browser contexts that tests use one after the other.

A new context begins a process and loads all static files anew. One that a test gives back is emptied for the next; its
first page stays open, so that its process does, which with ONE_PROCESS the other pages share.
"""

from collections.abc import Callable
from typing import NamedTuple

from playwright.sync_api import Browser, BrowserContext

ONE_PROCESS = "--renderer-process-limit=1"  # for each context
MAX_KEPT = 4  # each is a process
ANY_FILE = "/static/favicon.svg"
REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""


class Options(NamedTuple):
    width: int
    height: int
    scheme: str
    javascript: bool
    locale: str
    touch: bool
    bundles: Callable[[str], str] | None  # the text of a bundle by its name, in place of the collected one


class Contexts:
    def __init__(self, browser: Browser, url: str) -> None:
        self.browser, self.url = browser, url
        self.kept: list[tuple[Options, BrowserContext]] = []

    def take(self, options: Options) -> BrowserContext:
        for each in self.kept:
            if each[0] == options:
                self.kept.remove(each)
                return each[1]
        return self._open(options)

    def give_back(self, options: Options, context: BrowserContext) -> None:
        if options.bundles:
            context.close()  # what it has in its cache is not what is served
            return
        first, *others = context.pages
        for page in others:
            page.close()
        context.clear_cookies()
        context.clear_permissions()
        context.unroute_all()
        context.set_offline(False)
        first.evaluate("localStorage.clear()")
        self.kept.append((options, context))
        if len(self.kept) > MAX_KEPT:
            self.kept.pop(0)[1].close()

    def _open(self, options: Options) -> BrowserContext:
        context = self.browser.new_context(
            base_url=self.url,
            viewport={"width": options.width, "height": options.height},
            color_scheme=options.scheme,
            locale=options.locale,
            java_script_enabled=options.javascript,
            has_touch=options.touch,
        )
        context.add_init_script(REPORT_VIOLATIONS)
        context.new_page().goto(ANY_FILE)
        if options.bundles:
            context.route("**/static/bundles/*", lambda route: _answer(route, options.bundles))
        return context


def _answer(route, text_of):
    name = route.request.url.partition("/static/")[2]
    route.fulfill(body=text_of(name), content_type="text/css" if name.endswith(".css") else "text/javascript")
