"""How a test's client is signed in: `force_login` with one statement for the session instead of Django's seven.

Django writes an empty session, writes it under a new key, deletes the first and writes the second again, as a sign-in
has to do in a browser that has a session already. A client without a cookie has none. axes would look for failures to
forgive, which nobody has who gives no password.
"""

from axes.signals import handle_user_logged_in
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends.base import VALID_KEY_CHARS
from django.http import HttpRequest
from django.test import Client
from django.utils.crypto import get_random_string

from clinic.access.sessions import SessionStore
from clinic.models import StaffUser

login_of_django = Client._login


def login(client: Client, user: StaffUser, backend: str | None = None) -> None:
    """Sign the user in, in place of `Client._login`: the same session, cookie and signal (axes aside)."""
    if settings.SESSION_COOKIE_NAME in client.cookies or backend is None:
        login_of_django(client, user, backend)
        return
    request = HttpRequest()
    request.session = session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = backend
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session._session_key = get_random_string(32, VALID_KEY_CHARS)
    request.user = user
    receivers, asynchronous = user_logged_in._live_receivers(type(user))
    assert not asynchronous
    for receiver in receivers:
        if receiver is not handle_user_logged_in:
            receiver(signal=user_logged_in, sender=type(user), request=request, user=user)
    session.create_model_instance(dict(session.items())).save(force_insert=True)
    client._set_login_cookies(request)
