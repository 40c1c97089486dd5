from functools import cache

from django.contrib.auth.backends import ModelBackend
from django.db import connection, models

from clinic.models import Clinic, StaffUser


class StaffBackend(ModelBackend):
    """Signs in active people of active clinics, and loads the clinic with its user: one query a request."""

    def user_can_authenticate(self, user):
        return super().user_can_authenticate(user) and (user.clinic is None or user.clinic.active)

    def get_user(self, user_id):
        """The user of a session; None, effective with the next request, once they or their clinic are switched off."""
        user = _with_clinic(user_id)
        return user if user and self.user_can_authenticate(user) else None


def _with_clinic(user_id) -> StaffUser | None:
    """One statement, composed once: every request asks it."""
    with connection.cursor() as cursor:
        cursor.execute(_joined(), [user_id])
        row = cursor.fetchone()
    if row is None:
        return None
    names = _names(StaffUser)
    user = StaffUser.from_db(connection.alias, names, row[: len(names)])
    if user.clinic_id is not None:
        user.clinic = Clinic.from_db(connection.alias, _names(Clinic), row[len(names) :])
    return user


@cache
def _joined():
    columns = [f"{model._meta.db_table}.{name}" for model in (StaffUser, Clinic) for name in _columns(model)]
    return f"""
        SELECT {", ".join(columns)} FROM clinic_staffuser
        LEFT JOIN clinic_clinic ON clinic_clinic.id = clinic_staffuser.clinic_id WHERE clinic_staffuser.id = %s
    """  # noqa: S608 - nothing but names of the models' own columns is put in


def _columns(model: type[models.Model]) -> list[str]:
    return [field.column for field in model._meta.concrete_fields]


@cache
def _names(model: type[models.Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]
