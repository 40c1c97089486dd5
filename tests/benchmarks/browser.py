"""As much of a browser as signing in and reading a form takes."""

import re
from dataclasses import dataclass
from http.cookiejar import CookieJar
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


@dataclass
class Session:
    """A signed-in session: its cookies and the token of a form it was shown."""

    port: int
    cookies: str
    token: str

    def get(self, path: str, headers: str = "") -> str:
        """The whole request, to be sent later; `headers` are more of them, each with its end of line."""
        return f"GET {path} HTTP/1.1\r\n{self._headers()}{headers}\r\n"

    def post(self, path: str, fields: dict, headers: str = "") -> str:
        """The same with a body."""
        body = urlencode(fields | {"csrfmiddlewaretoken": self.token}, doseq=True)
        return (
            f"POST {path} HTTP/1.1\r\n{self._headers()}{headers}Origin: http://127.0.0.1:{self.port}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        )

    def _headers(self):
        return (
            f"Host: 127.0.0.1:{self.port}\r\nCookie: {self.cookies}\r\nAccept: text/html\r\n"
            "Accept-Encoding: gzip\r\nAccept-Language: pt-BR\r\n"
        )


def sign_in(port: int, username: str, password: str, form: str) -> Session:
    """Sign in and open `form`, whose token the session keeps. Raises RuntimeError when there is none."""
    origin = f"http://127.0.0.1:{port}"
    jar = CookieJar()
    opener = build_opener(HTTPCookieProcessor(jar))

    def token(page):
        found = TOKEN.search(page.read().decode())
        if not found:
            raise RuntimeError(f"No form on {page.url}")
        return found[1]

    signing_in = {
        "username": username,
        "password": password,
        "csrfmiddlewaretoken": token(opener.open(f"{origin}/entrar/")),
    }
    posted = Request(f"{origin}/entrar/", urlencode(signing_in).encode(), {"Origin": origin})  # noqa: S310 - our server
    opener.open(posted)
    shown = token(opener.open(origin + form))
    return Session(port, "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar), shown)
