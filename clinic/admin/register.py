"""Importing this registers every noun. Groups and their permissions are not how this house says who may."""

from django.contrib import admin
from django.contrib.auth.models import Group

from clinic.admin import appointment, clinic, closure, discount, doctor, patient, procedure, staff

__all__ = ["appointment", "clinic", "closure", "discount", "doctor", "patient", "procedure", "staff"]

admin.site.unregister(Group)
