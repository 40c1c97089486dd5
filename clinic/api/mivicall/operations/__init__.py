"""The operations, one module per resource; importing them adds their routes to the API."""

from clinic.api.mivicall.operations import appointments, availability, directory, patients

__all__ = ["appointments", "availability", "directory", "patients"]
