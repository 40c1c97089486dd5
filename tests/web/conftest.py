import time

import pytest

from clinic.access.middleware import SEEN_AT, SIGNED_IN_AT
from tests.factories import make_clinic, make_user


@pytest.fixture
def clinic(db):
    return make_clinic()


@pytest.fixture
def desk(client, clinic):
    """The browser of a receptionist of the clinic."""
    client.force_login(make_user(clinic))
    session = client.session
    session[SIGNED_IN_AT] = session[SEEN_AT] = int(time.time())  # as the first request of a session does
    session.save()
    return client
