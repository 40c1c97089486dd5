from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """A mark for patients who died.

    Nothing is rewritten or read: the table is locked for milliseconds, for readers too. Whether the old rows fit the
    constraint is looked at by 0016, while patients are written and read.
    """

    dependencies = [
        ("clinic", "0007_folded_username"),
    ]

    operations = [
        migrations.AddField("patient", "died", models.BooleanField(default=False, verbose_name="falecido(a)")),
        # So that a process of the version before, which knows no such column, can add patients meanwhile.
        migrations.RunSQL(
            "ALTER TABLE clinic_patient ALTER COLUMN died SET DEFAULT false",
            "ALTER TABLE clinic_patient ALTER COLUMN died DROP DEFAULT",
        ),
        migrations.AddField(
            "patient", "died_on", models.DateField(blank=True, null=True, verbose_name="data do falecimento")
        ),
        AddConstraintNotValid(
            "patient",
            models.CheckConstraint(condition=Q(died_on__isnull=True) | Q(died=True), name="patient_died_on_if_died"),
        ),
    ]
