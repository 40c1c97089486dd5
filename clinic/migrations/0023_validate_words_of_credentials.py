"""Look at every row once, for the constraints of 0022, while requests go on."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("clinic", "0022_known_words_of_credentials")]

    operations = [
        ValidateConstraint("credentialevent", "credentialevent_kind_known"),
        ValidateConstraint("credentialevent", "credentialevent_door_known"),
        ValidateConstraint("storedanswer", "storedanswer_credential_known"),
    ]
