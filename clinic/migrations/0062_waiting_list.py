"""The waiting list: two tables of their own and two of pairs, empty at first.

The history is append-only but for redactions, which blank what was written (`clinic_redactable`, migration 0039).
"""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

APPEND_ONLY = """
CREATE TRIGGER waitingevent_append_only BEFORE UPDATE OR DELETE ON clinic_waitingevent
    FOR EACH ROW EXECUTE FUNCTION clinic_redactable('before', 'after');
"""
DROP_APPEND_ONLY = "DROP TRIGGER waitingevent_append_only ON clinic_waitingevent"


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0061_confirmation_texts"),
    ]

    operations = [
        migrations.CreateModel(
            name="WaitingEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "weekdays",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveSmallIntegerField(), blank=True, default=list
                    ),
                ),
                ("from_time", models.TimeField(blank=True, null=True)),
                ("to_time", models.TimeField(blank=True, null=True)),
                ("until", models.DateField(blank=True, null=True)),
                ("is_urgent", models.BooleanField(default=False)),
                ("note", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "outcome",
                    models.CharField(
                        blank=True, choices=[("booked", "agendado"), ("withdrawn", "retirado da fila")], max_length=9
                    ),
                ),
                ("closed_at", models.DateTimeField(blank=True, null=True)),
                ("version", models.PositiveIntegerField(default=1)),
                (
                    "appointment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="waiting_entries",
                        to="clinic.appointment",
                    ),
                ),
                (
                    "booked",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
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
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("doctors", models.ManyToManyField(blank=True, related_name="waiting_entries", to="clinic.doctor")),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="waiting_entries",
                        to="clinic.patient",
                    ),
                ),
                (
                    "procedures",
                    models.ManyToManyField(blank=True, related_name="waiting_entries", to="clinic.procedure"),
                ),
            ],
            options={
                "verbose_name": "pedido da fila de espera",
                "verbose_name_plural": "pedidos da fila de espera",
                "ordering": ["created_at", "pk"],
            },
        ),
        migrations.CreateModel(
            name="WaitingEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("put", "Posto na fila de espera"),
                            ("changed", "Pedido alterado"),
                            ("not_reached", "Não atendeu o telefone"),
                            ("declined", "Não quis o horário"),
                            ("booked", "Agendado"),
                            ("withdrawn", "Retirado da fila de espera"),
                            ("reopened", "De volta à fila de espera"),
                        ],
                        max_length=11,
                        verbose_name="tipo",
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="data")),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("browser", "Tela"),
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
                ("before", models.JSONField(default=dict)),
                ("after", models.JSONField(default=dict)),
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
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="events", to="clinic.waitingentry"
                    ),
                ),
            ],
            options={
                "verbose_name": "histórico da fila de espera",
                "verbose_name_plural": "histórico da fila de espera",
                "ordering": ["at", "pk"],
            },
        ),
        migrations.AddIndex(
            model_name="waitingentry",
            index=models.Index(fields=["clinic", "closed_at"], name="waitingentry_clinic_closed"),
        ),
        migrations.AddConstraint(
            model_name="waitingentry",
            constraint=models.UniqueConstraint(
                condition=models.Q(("appointment__isnull", False), ("closed_at__isnull", True)),
                fields=("clinic", "appointment"),
                name="waitingentry_once_an_appointment",
            ),
        ),
        migrations.AddConstraint(
            model_name="waitingentry",
            constraint=models.CheckConstraint(
                condition=models.Q(("weekdays__contained_by", [1, 2, 3, 4, 5, 6, 7])),
                name="waitingentry_weekdays_iso",
            ),
        ),
        migrations.AddConstraint(
            model_name="waitingentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("from_time__isnull", True), ("to_time__isnull", True)),
                    models.Q(
                        ("from_time__isnull", False),
                        ("to_time__gte", models.F("from_time")),
                        ("to_time__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="waitingentry_hours_in_order",
            ),
        ),
        migrations.AddConstraint(
            model_name="waitingentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("booked__isnull", True), ("closed_at__isnull", True), ("outcome", "")),
                    models.Q(("booked__isnull", False), ("closed_at__isnull", False), ("outcome", "booked")),
                    models.Q(("booked__isnull", True), ("closed_at__isnull", False), ("outcome", "withdrawn")),
                    _connector="OR",
                ),
                name="waitingentry_closed_with_outcome",
            ),
        ),
        migrations.AddConstraint(
            model_name="waitingevent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind__in", ["put", "changed", "not_reached", "declined", "booked", "withdrawn", "reopened"])
                ),
                name="waitingevent_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="waitingevent",
            constraint=models.CheckConstraint(
                condition=models.Q(("channel__in", ["browser", "imagemais", "mivicall", "command"])),
                name="waitingevent_channel_known",
            ),
        ),
        migrations.RunSQL(APPEND_ONLY, DROP_APPEND_ONLY),
    ]
