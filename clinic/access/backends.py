from django.contrib.auth.backends import ModelBackend

from clinic.access.loading import load
from clinic.models import Clinic, StaffUser

WITH_CLINIC = """
    clinic_staffuser LEFT JOIN clinic_clinic ON clinic_clinic.id = clinic_staffuser.clinic_id
    WHERE clinic_staffuser.id = %s
"""


class StaffBackend(ModelBackend):
    """Signs in active people of active clinics, and loads the clinic with its user: one query a request."""

    def user_can_authenticate(self, user):
        return super().user_can_authenticate(user) and (user.clinic is None or user.clinic.active)

    def get_user(self, user_id):
        """The user of a session; None, effective with the next request, once they or their clinic are switched off."""
        found = load((StaffUser, Clinic), WITH_CLINIC, [user_id])
        if found is None:
            return None
        user, clinic = found
        user.clinic = clinic
        return user if self.user_can_authenticate(user) else None
