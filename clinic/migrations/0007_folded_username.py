from django.core.management.base import CommandError
from django.db import migrations, models

import clinic.models.staff


def fold_names(apps, schema_editor):
    """Raises CommandError, before anything is changed, when two users differ in case only: which one should be renamed
    is for people to decide."""
    users = apps.get_model("clinic", "StaffUser").objects.order_by("pk")
    first_with, doubles = {}, []
    for user in users.iterator():
        folded = clinic.models.staff.folded_username(user.username)
        if folded in first_with:
            doubles.append(f"{first_with[folded]} and {user.username}")
        first_with.setdefault(folded, user.username)
    if doubles:
        raise CommandError(
            f"These user names differ in upper and lower case only: {'; '.join(doubles)}. From now on they would be one "
            "name. Rename one of each with the version that ran until now (Administração, Usuários), then migrate again. "
            "Nothing was changed."
        )
    for user in users.iterator():
        user.save(update_fields=["folded_username"])


class Migration(migrations.Migration):
    """User names that differ only in case become one name. The table of users is short: it is written once.

    A process of the version before, which knows no such column, can add users meanwhile: they get a value of their own
    that is nobody's name, and sign in with the new version once they have been saved in it.
    """

    dependencies = [
        ("clinic", "0006_admit_within"),
    ]

    operations = [
        migrations.AddField(
            model_name="staffuser",
            name="folded_username",
            field=clinic.models.staff.FoldedUsernameField(default="", editable=False),
            preserve_default=False,
        ),
        migrations.RunSQL(
            "ALTER TABLE clinic_staffuser ALTER COLUMN folded_username SET DEFAULT gen_random_uuid()::text",
            "ALTER TABLE clinic_staffuser ALTER COLUMN folded_username DROP DEFAULT",
        ),
        migrations.RunPython(fold_names, migrations.RunPython.noop, elidable=False),
        migrations.AddConstraint(
            model_name="staffuser",
            constraint=models.UniqueConstraint(fields=("folded_username",), name="staffuser_folded_username_once"),
        ),
    ]
