from django.db import models


class KeyCheck(models.Model):
    """The SECRET_KEY that this database belongs to, as one row with an HMAC that does not reveal the key."""

    digest = models.CharField(max_length=64)

    def __str__(self) -> str:
        return self.digest[:8]
