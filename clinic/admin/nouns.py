"""Register every noun with the admin, by being imported. Django's groups are left out: the three roles decide."""

from django.contrib import admin
from django.contrib.auth.models import Group

from clinic.admin import appointment, clinic, closure, discount, doctor, patient, procedure, staff

__all__ = ["appointment", "clinic", "closure", "discount", "doctor", "patient", "procedure", "staff"]

admin.site.unregister(Group)
