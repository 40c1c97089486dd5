import pytest
from django.urls import reverse

from tests.factories import make_clinic, make_user


@pytest.fixture
def clinic(db):
    return make_clinic()


@pytest.fixture
def desk(client, clinic):
    """The browser of a receptionist of the clinic."""
    client.force_login(make_user(clinic))
    client.get(reverse("web:patient-add"))  # the first request of a session writes it
    return client
