"""Labels of absences in better words, and no English help in the admin. No SQL, no lock is taken."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clinic", "0013_fill_names_as_booked")]

    operations = [
        migrations.AlterField("absence", "starts_at", models.DateTimeField(verbose_name="início")),
        migrations.AlterField("absence", "ends_at", models.DateTimeField(verbose_name="fim")),
        migrations.AlterField(
            "appointment", "doctor_name", models.CharField(max_length=160, verbose_name="médico(a)")
        ),
    ]
