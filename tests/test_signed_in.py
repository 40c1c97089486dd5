"""`force_login` of the tests leaves what Django's leaves: see tests/signed_in.py."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.conf import settings
from django.forms import model_to_dict
from django.test import Client

from clinic.access.sessions import SessionStore
from clinic.models import SignIn, StaffSession, StaffUser
from tests import signed_in
from tests.factories import make_user

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
OF_THE_SESSION = ("pk", "id", "session", "session_key", "session_data", "user")


@pytest.fixture
def user():
    return make_user()


def left_by(login, user):
    """What a sign-in leaves: the session's content and row, the row of signing in, and that of the user."""
    client = Client()
    with time_machine.travel(NOW, tick=False):
        login(client, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    row, entry = StaffSession.objects.get(pk=key), SignIn.objects.latest("pk")
    stored = {name: value for name, value in model_to_dict(row).items() if name not in OF_THE_SESSION}
    noted = {name: value for name, value in model_to_dict(entry).items() if name not in OF_THE_SESSION}
    kept = dict(SessionStore(key).items())
    return kept, stored, row.user_id, noted, bool(entry.session), StaffUser.objects.values().get(pk=user.pk)


def test_a_forced_sign_in_leaves_the_rows_that_django_leaves(user):
    ours, djangos = left_by(signed_in.login, user), left_by(signed_in.login_of_django, user)
    assert ours == djangos
    assert SignIn.objects.count() == StaffSession.objects.count() == 2
