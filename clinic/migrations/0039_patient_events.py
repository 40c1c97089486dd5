"""The history of patients' data: a table of its own, empty at first, append-only but for redactions.

`clinic_redactable(columns…)` is the trigger function of histories that hold patients' text: an UPDATE is let through only
where `clinic.registry.redaction` has said so for its transaction, and only if nothing but the named columns changes.
"""

import django.core.serializers.json
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


REDACTABLE = """
CREATE FUNCTION clinic_redactable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('clinic.redacting', true) = 'on'
        AND to_jsonb(NEW) - TG_ARGV = to_jsonb(OLD) - TG_ARGV THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the history of patients is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER patientevent_append_only BEFORE UPDATE OR DELETE ON clinic_patientevent
    FOR EACH ROW EXECUTE FUNCTION clinic_redactable('changes');
"""
DROP_REDACTABLE = """
DROP TRIGGER patientevent_append_only ON clinic_patientevent;
DROP FUNCTION clinic_redactable();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0038_ceased_procedures"),
    ]

    operations = [
        migrations.CreateModel(
            name="PatientEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("registered", "Cadastrado"),
                            ("changed", "Alterado"),
                            ("redacted", "Textos apagados"),
                        ],
                        max_length=14,
                        verbose_name="tipo",
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="data")),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("browser", "Tela"),
                            ("admin", "Administração"),
                            ("imagemais", "API ImageMais"),
                            ("mivicall", "API MiviCall"),
                            ("command", "Comando"),
                        ],
                        max_length=9,
                        verbose_name="via",
                    ),
                ),
                (
                    "credential",
                    models.CharField(blank=True, help_text="Name of the token, key or command.", max_length=80),
                ),
                ("changes", models.JSONField(default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder)),
                (
                    "reason",
                    models.CharField(
                        blank=True, help_text="De quem apagou os textos.", max_length=200, verbose_name="motivo"
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
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="clinic.patient",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "alteração da ficha",
                "verbose_name_plural": "alterações da ficha",
                "ordering": ["-at", "-pk"],
                "indexes": [models.Index(fields=["patient", "at"], name="patientevent_patient_at")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["registered", "changed", "redacted"])),
                        name="patientevent_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("channel__in", ["browser", "admin", "imagemais", "mivicall", "command"])),
                        name="patientevent_channel_known",
                    ),
                ],
            },
        ),
        migrations.RunSQL(REDACTABLE, DROP_REDACTABLE),
    ]
