from django.db import migrations, models


class Migration(migrations.Migration):
    """A doctor whom an API registers has no specialty: forms ask for none. The database holds the same."""

    dependencies = [("clinic", "0020_fill_status_since")]

    operations = [
        migrations.AlterField(
            "doctor", "specialty", models.CharField(blank=True, max_length=80, verbose_name="especialidade")
        ),
    ]
