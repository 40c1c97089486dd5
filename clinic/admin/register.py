"""Register every model with the admin when imported. Groups are unregistered: roles decide about permissions here."""

from django.contrib import admin
from django.contrib.auth.models import Group

from clinic.admin import appointment, clinic, closure, discount, doctor, holiday, patient, payer, procedure, staff

__all__ = [
    "appointment",
    "clinic",
    "closure",
    "discount",
    "doctor",
    "holiday",
    "patient",
    "payer",
    "procedure",
    "staff",
]

admin.site.unregister(Group)
