"""Two patients that are one person: where a merged one has gone, and the table of merges.

Nothing is rewritten: the column is null. The rows that are there are looked at without a lock that bookings wait for.
If it was interrupted, migrate once more: every statement before the table, which comes last, may be run again. The way
back leaves merged patients without appointments, and the narrower constraint of the events holds for new ones only.

The trigger has the last word where a row would be given to a patient who was merged into another. Its code is that of a
row that is gone, so that the work is done once more (`transactions.py`), and then finds the patient who was kept.
"""

import django.core.serializers.json
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations, models
from django.db.models import F, Q

from clinic.migrations._indexes import AddIndexAnew

ADD_MERGED_INTO = """
ALTER TABLE clinic_patient ADD COLUMN IF NOT EXISTS merged_into_id bigint NULL
CONSTRAINT clinic_patient_merged_into_id_fk REFERENCES clinic_patient (id) DEFERRABLE INITIALLY DEFERRED
"""
DROP_MERGED_INTO = "ALTER TABLE clinic_patient DROP COLUMN IF EXISTS merged_into_id"
ADD_CHECK = """
ALTER TABLE clinic_patient DROP CONSTRAINT IF EXISTS patient_merged_without_numbers,
ADD CONSTRAINT patient_merged_without_numbers CHECK (
    merged_into_id IS NULL OR (merged_into_id <> id AND cpf IS NULL AND health_number IS NULL)
) NOT VALID
"""
DROP_CHECK = "ALTER TABLE clinic_patient DROP CONSTRAINT IF EXISTS patient_merged_without_numbers"
KNOWN_KINDS = """
ALTER TABLE clinic_patientevent DROP CONSTRAINT IF EXISTS patientevent_kind_known,
ADD CONSTRAINT patientevent_kind_known CHECK (kind IN ({kinds})) NOT VALID
"""
KINDS = [
    ("registered", "Cadastrado"),
    ("changed", "Alterado"),
    ("redacted", "Textos apagados"),
    ("merged", "Cadastros juntados"),
    ("separated", "Cadastros separados de novo"),
]
CHANNELS = [
    ("browser", "Tela"),
    ("admin", "Administração"),
    ("imagemais", "API ImageMais"),
    ("mivicall", "API MiviCall"),
    ("command", "Comando"),
]
TABLES = ("appointment", "waitingentry", "memo")
REFUSE_MERGED = """
CREATE OR REPLACE FUNCTION clinic_refuse_merged_patient() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM clinic_patient WHERE id = NEW.patient_id AND merged_into_id IS NOT NULL) THEN
        RAISE EXCEPTION 'patient % was merged into another', NEW.patient_id USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NEW;
END $$;
""" + "".join(
    f"""
CREATE OR REPLACE TRIGGER {table}_of_current_patient BEFORE INSERT OR UPDATE OF patient_id ON clinic_{table}
    FOR EACH ROW EXECUTE FUNCTION clinic_refuse_merged_patient();
"""
    for table in TABLES
)
ADMIT_MERGED = "".join(f"DROP TRIGGER IF EXISTS {table}_of_current_patient ON clinic_{table};" for table in TABLES)


def user():
    return models.ForeignKey(
        blank=True,
        db_index=False,
        null=True,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to=settings.AUTH_USER_MODEL,
    )


def patient(related_name):
    return models.ForeignKey(
        db_index=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name=related_name,
        to="clinic.patient",
    )


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("clinic", "0069_encaixe_approval")]

    operations = [
        migrations.RunSQL(
            ADD_MERGED_INTO,
            DROP_MERGED_INTO,
            state_operations=[
                migrations.AddField(
                    "patient",
                    "merged_into",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="merged",
                        to="clinic.patient",
                    ),
                )
            ],
        ),
        migrations.RunSQL(
            ADD_CHECK,
            DROP_CHECK,
            state_operations=[
                migrations.AddConstraint(
                    "patient",
                    models.CheckConstraint(
                        condition=Q(
                            ("merged_into__isnull", True),
                            Q(
                                Q(("merged_into", F("id")), _negated=True),
                                ("cpf__isnull", True),
                                ("health_number__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="patient_merged_without_numbers",
                    ),
                )
            ],
        ),
        ValidateConstraint("patient", "patient_merged_without_numbers"),
        AddIndexAnew(
            "patient",
            models.Index(
                condition=Q(("merged_into__isnull", False)), fields=["merged_into"], name="patient_merged_into"
            ),
        ),
        migrations.AlterField(
            "patientevent", "kind", models.CharField(choices=KINDS, max_length=14, verbose_name="tipo")
        ),
        migrations.RunSQL(
            KNOWN_KINDS.format(kinds=", ".join(f"'{kind}'" for kind, _ in KINDS)),
            KNOWN_KINDS.format(kinds=", ".join(f"'{kind}'" for kind, _ in KINDS[:3])),
            state_operations=[
                migrations.RemoveConstraint("patientevent", "patientevent_kind_known"),
                migrations.AddConstraint(
                    "patientevent",
                    models.CheckConstraint(
                        condition=Q(("kind__in", [kind for kind, _ in KINDS])), name="patientevent_kind_known"
                    ),
                ),
            ],
        ),
        ValidateConstraint("patientevent", "patientevent_kind_known"),
        migrations.RunSQL(REFUSE_MERGED, f"{ADMIT_MERGED} DROP FUNCTION IF EXISTS clinic_refuse_merged_patient()"),
        migrations.CreateModel(
            name="PatientMerge",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="data")),
                ("channel", models.CharField(choices=CHANNELS, max_length=9, verbose_name="via")),
                (
                    "credential",
                    models.CharField(blank=True, help_text="Name of the token, key or command.", max_length=80),
                ),
                (
                    "changes",
                    models.JSONField(default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder),
                ),
                ("numbers", models.JSONField(default=dict)),
                ("moved", models.JSONField(default=dict)),
                ("undone_at", models.DateTimeField(blank=True, null=True)),
                (
                    "clinic",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="clinic.clinic",
                        verbose_name="clínica",
                    ),
                ),
                ("kept", patient("merges")),
                ("merged", patient("+")),
                ("undone_by", user()),
                ("user", user()),
            ],
            options={
                "verbose_name": "junção de cadastros",
                "verbose_name_plural": "junções de cadastros",
                "ordering": ["-at", "-pk"],
                "indexes": [
                    models.Index(fields=["kept"], name="patientmerge_kept"),
                    models.Index(fields=["merged"], name="patientmerge_merged"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=Q(("undone_at__isnull", True)), fields=("clinic", "merged"), name="patientmerge_once"
                    ),
                    models.CheckConstraint(
                        condition=Q(("kept", F("merged")), _negated=True), name="patientmerge_of_two"
                    ),
                    models.CheckConstraint(
                        condition=Q(("channel__in", [channel for channel, _ in CHANNELS])),
                        name="patientmerge_channel_known",
                    ),
                    models.CheckConstraint(
                        condition=Q(("undone_by__isnull", True), ("undone_at__isnull", False), _connector="OR"),
                        name="patientmerge_undone_by_with_at",
                    ),
                ],
            },
        ),
    ]
