"""Look at the events that were there when 0059 added its CHECK, without holding up who writes others."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("clinic", "0059_confirmation_calls")]

    operations = [ValidateConstraint("appointmentevent", "appointmentevent_kind_known")]
