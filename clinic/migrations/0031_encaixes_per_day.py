"""How many encaixes a doctor takes a day. The default is the database's, also for a process of the version before, which
knows no such column, so that nothing is rewritten; the constraint reads the doctors, of whom there are few."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clinic", "0030_validate_kinds_of_clinic_events")]

    operations = [
        migrations.AddField(
            "doctor",
            "encaixes_per_day",
            models.PositiveSmallIntegerField(
                db_default=2,
                default=2,
                help_text="Quantos encaixes no máximo em um dia. 0: nenhum.",
                verbose_name="encaixes por dia",
            ),
        ),
        migrations.AddConstraint(
            "doctor",
            models.CheckConstraint(
                condition=models.Q(("encaixes_per_day__gte", 0), ("encaixes_per_day__lte", 50)),
                name="doctor_encaixes_0_to_50",
            ),
        ),
    ]
