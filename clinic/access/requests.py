"""The requests that views get, with what the middleware has put there."""

from django.http import HttpRequest

from clinic.models import Clinic, StaffUser


class StaffRequest(HttpRequest):
    """A request as the middleware prepares it.

    `clinic` is None for anonymous users, and for superusers until they choose one.
    """

    clinic: Clinic | None


class ClinicRequest(HttpRequest):
    """A request of a user who has signed in: `clinic` is the one whose rows it may see and write."""

    user: StaffUser
    clinic: Clinic
