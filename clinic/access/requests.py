"""The requests that views get, with what the middleware has put there."""

from django.http import HttpRequest

from clinic.models import Clinic, StaffUser


class ClinicRequest(HttpRequest):
    """A request of a user who has signed in: `clinic` is the one whose rows it may see and write."""

    user: StaffUser
    clinic: Clinic
