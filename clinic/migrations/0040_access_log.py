"""The access log and the history of sign-ins: tables of their own, empty at first.

UPDATE is refused, and DELETE of rows that are younger than they have to be kept (`clinic.access.accesses`).
"""

import django.contrib.postgres.indexes
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


KEPT = """
CREATE FUNCTION clinic_keep_for() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.at < now() - TG_ARGV[0]::interval THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the access log is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER patientaccess_append_only BEFORE UPDATE OR DELETE ON clinic_patientaccess
    FOR EACH ROW EXECUTE FUNCTION clinic_keep_for('730 days');
CREATE TRIGGER signin_append_only BEFORE UPDATE OR DELETE ON clinic_signin
    FOR EACH ROW EXECUTE FUNCTION clinic_keep_for('365 days');
"""
NOT_KEPT = """
DROP TRIGGER signin_append_only ON clinic_signin;
DROP TRIGGER patientaccess_append_only ON clinic_patientaccess;
DROP FUNCTION clinic_keep_for();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0039_patient_events"),
    ]

    operations = [
        migrations.CreateModel(
            name="PatientAccess",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(null=True, verbose_name="dia")),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="data")),
                ("credential", models.CharField(blank=True, help_text="Name of the token or key.", max_length=80)),
                ("page", models.CharField(max_length=100, verbose_name="página")),
                ("session", models.CharField(blank=True, max_length=16)),
                (
                    "clinic",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="clinic.clinic",
                        verbose_name="clínica",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="clinic.patient",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "acesso a paciente",
                "verbose_name_plural": "acessos a pacientes",
                "ordering": ["-at", "-pk"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("patient__isnull", False)),
                        fields=["patient", "-at"],
                        name="patientaccess_patient_at",
                    ),
                    django.contrib.postgres.indexes.BrinIndex(fields=["at"], name="patientaccess_at"),
                ],
            },
        ),
        migrations.CreateModel(
            name="SignIn",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="data")),
                ("address", models.CharField(blank=True, max_length=45, verbose_name="endereço")),
                ("session", models.CharField(blank=True, max_length=16)),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "entrada",
                "verbose_name_plural": "entradas",
                "ordering": ["-at", "-pk"],
                "indexes": [models.Index(fields=["user", "at"], name="signin_user_at")],
            },
        ),
        migrations.RunSQL(KEPT, NOT_KEPT),
    ]
