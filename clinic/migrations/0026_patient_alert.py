from django.db import migrations, models


class Migration(migrations.Migration):
    """A line about a patient that staff must see before they act. Nothing is rewritten: the default is the database's,
    also for a process of the version before, which knows no such column."""

    dependencies = [
        ("clinic", "0025_patient_heard"),
    ]

    operations = [
        migrations.AddField(
            "patient",
            "alert",
            models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Uma linha que aparece em destaque na busca, no painel e na agenda.",
                max_length=80,
                verbose_name="aviso",
            ),
        ),
    ]
