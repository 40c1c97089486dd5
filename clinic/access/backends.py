from django.contrib.auth.backends import ModelBackend

from clinic.models import StaffUser


class StaffBackend(ModelBackend):
    """Signs in active people of active clinics, and loads the clinic with its user: one query a request."""

    def user_can_authenticate(self, user):
        return super().user_can_authenticate(user) and (user.clinic is None or user.clinic.active)

    def get_user(self, user_id):
        """The user of a session; None, effective with the next request, once they or their clinic are switched off."""
        user = StaffUser.objects.select_related("clinic").filter(pk=user_id).first()
        return user if user and self.user_can_authenticate(user) else None
