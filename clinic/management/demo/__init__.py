"""What the seed commands put into a database, and how it is told from a real clinic."""

from clinic.models import Clinic

# In the name, so that nobody at a screen takes it for a real clinic.
MARK = "(demonstração)"
DEMO_SLUGS = ("recife", "lisboa")
LOAD_SLUG = "load"


def real_clinics() -> list[Clinic]:
    """The clinics that neither seed command made."""
    made = {*DEMO_SLUGS, LOAD_SLUG}
    return [clinic for clinic in Clinic.objects.all() if clinic.slug not in made or not clinic.name.endswith(MARK)]
