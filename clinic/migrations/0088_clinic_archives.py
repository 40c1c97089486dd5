"""The event of a clinic that is taken along, or was brought, as one file: a constraint, checked against few rows.

The way back is closed once there is such an event: the older constraint refuses it, and events are not deleted.
"""

from django.db import migrations, models
from django.db.models import Q

EVENT = "clinicevent_kind_known"


class Migration(migrations.Migration):
    dependencies = [("clinic", "0087_redactions_blank")]

    operations = [
        migrations.RemoveConstraint(model_name="clinicevent", name=EVENT),
        migrations.AlterField(
            model_name="clinicevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("time_zone", "Fuso horário alterado"),
                    ("absence", "Ausência ou fechamento"),
                    ("delay", "Atraso"),
                    ("directory", "Cadastro alterado por programa"),
                    ("hours", "Horário de atendimento"),
                    ("import", "Importação"),
                    ("archive", "Clínica inteira em arquivo"),
                ],
                max_length=14,
                verbose_name="tipo",
            ),
        ),
        migrations.AddConstraint(
            model_name="clinicevent",
            constraint=models.CheckConstraint(
                condition=Q(kind__in=["time_zone", "absence", "delay", "directory", "hours", "import", "archive"]),
                name=EVENT,
            ),
        ),
    ]
