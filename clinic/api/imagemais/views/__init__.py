"""One file a noun; importing them puts their routes on the API."""

from clinic.api.imagemais.views import appointments, doctors, patients, procedures

__all__ = ["appointments", "doctors", "patients", "procedures"]
