"""Memos of the front desk: a table of its own, empty at first."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0062_waiting_list"),
    ]

    operations = [
        migrations.CreateModel(
            name="Memo",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False)),
                ("kind", models.CharField(choices=[("call", "Ligar de volta"), ("note", "Recado")], max_length=4)),
                ("name", models.CharField(blank=True, max_length=160, verbose_name="nome")),
                ("phone", models.CharField(blank=True, max_length=16, verbose_name="telefone")),
                ("text", models.CharField(blank=True, max_length=500, verbose_name="recado")),
                ("day", models.DateField(blank=True, null=True, verbose_name="data")),
                ("hour", models.TimeField(blank=True, null=True, verbose_name="hora")),
                ("written_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                (
                    "appointment",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memos",
                        to="clinic.appointment",
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
                    "done_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="memos",
                        to="clinic.patient",
                        verbose_name="paciente",
                    ),
                ),
                (
                    "recipient",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="para quem",
                    ),
                ),
                (
                    "written_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "recado",
                "verbose_name_plural": "recados",
                "ordering": ["-written_at", "-pk"],
                "indexes": [
                    models.Index(condition=models.Q(("done_at", None)), fields=["clinic", "day"], name="memo_open"),
                    models.Index(
                        condition=models.Q(("done_at__isnull", False)), fields=["clinic", "done_at"], name="memo_done"
                    ),
                    models.Index(
                        condition=models.Q(("patient__isnull", False)), fields=["patient"], name="memo_patient"
                    ),
                    models.Index(
                        condition=models.Q(("appointment__isnull", False)),
                        fields=["appointment"],
                        name="memo_appointment",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("clinic", "uuid"), name="memo_uuid_once"),
                    models.CheckConstraint(condition=models.Q(("kind__in", ["call", "note"])), name="memo_kind_known"),
                    models.CheckConstraint(
                        condition=models.Q(("kind", "note"), models.Q(("name", ""), _negated=True), _connector="OR"),
                        name="memo_call_has_name",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind", "call"), models.Q(("text", ""), _negated=True), _connector="OR"),
                        name="memo_note_has_text",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("phone", ""), ("phone__regex", "^\\+[1-9]\\d{1,14}$"), _connector="OR"),
                        name="memo_phone_e164",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("hour", None), ("day__isnull", False), _connector="OR"),
                        name="memo_hour_with_day",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("patient", None), ("appointment", None), _connector="OR"),
                        name="memo_about_one",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("done_at", None), ("done_by", None)),
                            models.Q(("done_at__isnull", False), ("done_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="memo_done_by_with_at",
                    ),
                ],
            },
        ),
    ]
