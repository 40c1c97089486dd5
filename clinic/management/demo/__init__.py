"""The contents of the seed commands' databases, and how they differ from a real clinic."""

from clinic.models import Clinic

# Part of the name, so that no user takes it for a real clinic.
MARK = "(demonstração)"
DEMO_SLUGS = ("recife", "lisboa")
LOAD_SLUG = "load"


def real_clinics() -> list[Clinic]:
    """Return the clinics that neither seed command has created."""
    made = {*DEMO_SLUGS, LOAD_SLUG}
    return [clinic for clinic in Clinic.objects.real() if clinic.slug not in made or not clinic.name.endswith(MARK)]
