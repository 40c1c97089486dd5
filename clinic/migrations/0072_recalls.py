"""Recalls and their history: two tables of their own, empty at first.

The history is append-only but for redactions (`clinic_redactable`, migration 0039), and no recall is given to a patient
who was merged into another (`clinic_refuse_merged_patient`, migration 0070).
"""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

TRIGGERS = """
CREATE TRIGGER recallevent_append_only BEFORE UPDATE OR DELETE ON clinic_recallevent
    FOR EACH ROW EXECUTE FUNCTION clinic_redactable('before', 'after');
CREATE TRIGGER recall_of_current_patient BEFORE INSERT OR UPDATE OF patient_id ON clinic_recall
    FOR EACH ROW EXECUTE FUNCTION clinic_refuse_merged_patient();
"""
DROP_TRIGGERS = """
DROP TRIGGER recall_of_current_patient ON clinic_recall;
DROP TRIGGER recallevent_append_only ON clinic_recallevent;
"""
CHANNELS = [
    ("browser", "Tela"),
    ("imagemais", "API ImageMais"),
    ("mivicall", "API MiviCall"),
    ("command", "Comando"),
]
KINDS = [
    ("written", "Anotado"),
    ("postponed", "Adiado"),
    ("booked", "Agendado"),
    ("closed", "Resolvido"),
    ("reopened", "De volta à lista"),
]


def clinic():
    return models.ForeignKey(
        db_index=False,
        on_delete=django.db.models.deletion.PROTECT,
        to="clinic.clinic",
        verbose_name="clínica",
    )


def user():
    return models.ForeignKey(
        blank=True,
        db_index=False,
        null=True,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to=settings.AUTH_USER_MODEL,
    )


class Migration(migrations.Migration):
    dependencies = [("clinic", "0071_series")]

    operations = [
        migrations.CreateModel(
            name="Recall",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("due_on", models.DateField()),
                ("note", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[("booked", "agendado"), ("declined", "não quer"), ("elsewhere", "já tem horário")],
                        max_length=9,
                    ),
                ),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "appointment",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="recalls",
                        to="clinic.appointment",
                    ),
                ),
                (
                    "booked",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinic.appointment",
                    ),
                ),
                ("clinic", clinic()),
                ("created_by", user()),
                (
                    "doctor",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="clinic.doctor",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="recalls",
                        to="clinic.patient",
                    ),
                ),
                (
                    "procedure",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="clinic.procedure"
                    ),
                ),
            ],
            options={
                "verbose_name": "retorno a lembrar",
                "verbose_name_plural": "retornos a lembrar",
                "ordering": ["due_on", "pk"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("closed_at__isnull", True)),
                        fields=["clinic", "due_on"],
                        name="recall_open",
                    ),
                    models.Index(
                        condition=models.Q(("closed_at__isnull", False)),
                        fields=["clinic", "closed_at"],
                        name="recall_closed",
                    ),
                    models.Index(fields=["patient"], name="recall_patient"),
                    models.Index(fields=["appointment"], name="recall_appointment"),
                    models.Index(
                        condition=models.Q(("booked__isnull", False)), fields=["booked"], name="recall_booked"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("closed_at__isnull", True)),
                        fields=("clinic", "appointment", "procedure"),
                        name="recall_once_an_appointment",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at__isnull", True), ("outcome", "")),
                            models.Q(("booked__isnull", False), ("closed_at__isnull", False), ("outcome", "booked")),
                            models.Q(("closed_at__isnull", False), ("outcome__in", ["declined", "elsewhere"])),
                            _connector="OR",
                        ),
                        name="recall_closed_with_outcome",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RecallEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=KINDS, max_length=9, verbose_name="tipo")),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="data")),
                ("channel", models.CharField(choices=CHANNELS, max_length=9, verbose_name="via")),
                (
                    "credential",
                    models.CharField(blank=True, help_text="Name of the token, key or command.", max_length=80),
                ),
                ("before", models.JSONField(default=dict)),
                ("after", models.JSONField(default=dict)),
                ("clinic", clinic()),
                (
                    "recall",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="events", to="clinic.recall"
                    ),
                ),
                ("user", user()),
            ],
            options={
                "verbose_name": "histórico do retorno",
                "verbose_name_plural": "histórico dos retornos",
                "ordering": ["at", "pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["written", "postponed", "booked", "closed", "reopened"])),
                        name="recallevent_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("channel__in", ["browser", "imagemais", "mivicall", "command"])),
                        name="recallevent_channel_known",
                    ),
                ],
            },
        ),
        migrations.RunSQL(TRIGGERS, DROP_TRIGGERS),
    ]
