"""The operations, one module per resource; importing them adds their routes to the API."""

from clinic.api.imagemais.operations import appointments, doctors, patients, procedures

__all__ = ["appointments", "doctors", "patients", "procedures"]
