"""Events of credentials and stored answers know no other words than their enums, as events of appointments do.

Rows that are there are not looked at yet, so the locks are held for a moment only; 0023 looks at them.
"""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

KINDS = ["token_released", "token_revoked", "key_created", "key_rotated", "key_revoked"]
DOORS, CREDENTIALS = ["browser", "command"], ["imagemais", "mivicall"]


def known(model, field, words):
    constraint = models.CheckConstraint(condition=models.Q((f"{field}__in", words)), name=f"{model}_{field}_known")
    return AddConstraintNotValid(model, constraint)


class Migration(migrations.Migration):
    dependencies = [("clinic", "0021_specialty_may_be_blank")]

    operations = [
        known("credentialevent", "kind", KINDS),
        known("credentialevent", "door", DOORS),
        known("storedanswer", "credential", CREDENTIALS),
    ]
