"""What to say to a patient before a procedure. The default is the database's, also for a process of the version before."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clinic", "0055_receipts")]

    operations = [
        migrations.AddField(
            "procedure",
            "preparation",
            models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="O que dizer a quem agenda: jejum, exames a trazer. Aparece no agendamento.",
                max_length=500,
                verbose_name="preparo",
            ),
        ),
    ]
