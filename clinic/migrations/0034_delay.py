"""By how many minutes a doctor is late on a day: a table of its own, empty at first."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clinic", "0033_validate_procedures")]

    operations = [
        migrations.CreateModel(
            "Delay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(verbose_name="data")),
                ("minutes", models.PositiveSmallIntegerField(verbose_name="minutos")),
                ("recorded_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "clinic",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="clinic.clinic",
                        verbose_name="clínica",
                    ),
                ),
                (
                    "doctor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="delays",
                        to="clinic.doctor",
                        verbose_name="médico(a)",
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "atraso",
                "verbose_name_plural": "atrasos",
                "ordering": ["-day", "pk"],
                "constraints": [
                    models.UniqueConstraint(fields=("clinic", "doctor", "day"), name="delay_once_a_day"),
                    models.CheckConstraint(
                        condition=models.Q(("minutes__gte", 1), ("minutes__lte", 480)), name="delay_1_to_480_minutes"
                    ),
                ],
            },
        ),
    ]
