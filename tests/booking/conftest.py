import pytest

from tests.booking.desk import open_desk


@pytest.fixture
def desk(db):
    return open_desk()
