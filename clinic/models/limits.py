"""How much a stored field holds, for rules, forms and published documents."""

from django.db import models


def max_length(model: type[models.Model], name: str) -> int:
    """Return the most characters that this field of the model holds."""
    length = getattr(model._meta.get_field(name), "max_length", None)
    if length is None:
        raise ValueError(f"{model.__name__}.{name} has no length")
    return int(length)
