from django.db import models


class KeyCheck(models.Model):
    """Which SECRET_KEY this database belongs to. One row: an HMAC under that key, from which nobody learns the key."""

    digest = models.CharField(max_length=64)

    def __str__(self):
        return self.digest[:8]
