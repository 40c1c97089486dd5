"""Names that patients had: a table of its own, filled with what the histories of patients have of them.

Not of who has a nome social, or ever got or lost one, and not where the letters are those of the present
name.
"""

import django.contrib.postgres.indexes
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import clinic.models.names
import clinic.models.ranges

FROM_HISTORY = """
INSERT INTO clinic_formername (clinic_id, patient_id, name, until)
SELECT patient.clinic_id, patient.id, event.changes->'name'->>0, max(event.at)
FROM clinic_patientevent AS event JOIN clinic_patient AS patient ON patient.id = event.patient_id
WHERE event.kind = 'changed' AND event.changes->'name'->>0 <> '' AND NOT event.changes ? 'social_name'
    AND patient.social_name = ''
    AND NOT EXISTS (
        SELECT FROM clinic_patientevent AS other
        WHERE other.patient_id = patient.id AND other.changes ? 'social_name'
    )
    AND clinic_letters(clinic_fold(event.changes->'name'->>0)) <> clinic_letters(patient.folded_name)
GROUP BY patient.clinic_id, patient.id, event.changes->'name'->>0
"""


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0064_memos"),
    ]

    operations = [
        migrations.CreateModel(
            name="FormerName",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=160, verbose_name="nome")),
                ("until", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "search",
                    models.GeneratedField(
                        db_persist=True, expression=clinic.models.ranges.Fold("name"), output_field=models.TextField()
                    ),
                ),
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
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="former_names",
                        to="clinic.patient",
                        verbose_name="paciente",
                    ),
                ),
            ],
            options={
                "verbose_name": "nome anterior",
                "verbose_name_plural": "nomes anteriores",
                "ordering": ["-until", "-pk"],
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["search"], name="formername_search_trigram", opclasses=["gin_trgm_ops"]
                    ),
                    django.contrib.postgres.indexes.GinIndex(
                        django.contrib.postgres.indexes.OpClass(
                            clinic.models.names.Letters("search"), name="gin_trgm_ops"
                        ),
                        name="formername_letters_trigram",
                    ),
                ],
                "constraints": [models.UniqueConstraint(fields=("clinic", "patient", "name"), name="formername_once")],
            },
        ),
        migrations.RunSQL(FROM_HISTORY, migrations.RunSQL.noop),
    ]
