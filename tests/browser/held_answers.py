"""Answers that a page gets later than the server made them, as on a slow network."""

import pytest

MAX_FRAMES = 900


class HeldAnswers:
    """The answers of an address as the server made them at once, until they are let through.

    Of the first `times` requests only."""

    def __init__(self, page, address, times=None):
        self.page, self.answers = page, []
        page.route(address, lambda route: self.answers.append((route, route.fetch())), times=times)

    def wait_for_one(self):
        for _ in range(MAX_FRAMES):
            if self.answers:
                return
            self.page.evaluate("() => new Promise(requestAnimationFrame)")
        pytest.fail("no answer")

    def let_through(self):
        for route, response in self.answers:
            self._let_through(route, response)

    def _let_through(self, route, response):
        with self.page.expect_event("requestfinished", lambda request: request == route.request):
            route.fulfill(response=response)
