"""Calls about appointments: a table of its own, empty at first, and a kind of event for the hour of another call.

The events that are there are looked at by 0060. The way back is open when there are events of the new kind: they stay,
and the narrower constraint holds for new ones only.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

KINDS = [
    ("booked", "Agendado"),
    ("rescheduled", "Remarcado"),
    ("status_changed", "Situação alterada"),
    ("annotated", "Observações alteradas"),
    ("procedures", "Procedimentos alterados"),
    ("payer", "Convênio alterado"),
    ("unverified", "Dado a confirmar decidido"),
    ("received", "Pagamento recebido"),
    ("not_reached", "Não atendeu o telefone"),
    ("call_later", "Ligar mais tarde"),
    ("time_zone", "Fuso horário alterado"),
]
KNOWN_KINDS = """
ALTER TABLE clinic_appointmentevent DROP CONSTRAINT appointmentevent_kind_known;
ALTER TABLE clinic_appointmentevent ADD CONSTRAINT appointmentevent_kind_known CHECK (kind IN ({kinds})) NOT VALID
"""
OLD_KINDS = """'booked', 'rescheduled', 'status_changed', 'annotated', 'procedures', 'payer', 'unverified', 'received',
    'not_reached', 'time_zone'"""


class Migration(migrations.Migration):
    dependencies = [("clinic", "0058_sandbox")]

    operations = [
        migrations.CreateModel(
            "ConfirmationCall",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("since", models.DateTimeField(blank=True, null=True)),
                ("again_at", models.DateTimeField(blank=True, null=True)),
                (
                    "appointment",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="confirmation_call",
                        to="clinic.appointment",
                    ),
                ),
                (
                    "caller",
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
                    "clinic",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="clinic.clinic",
                        verbose_name="clínica",
                    ),
                ),
            ],
            options={
                "verbose_name": "ligação de confirmação",
                "verbose_name_plural": "ligações de confirmação",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("caller__isnull", True), ("since__isnull", True)),
                            models.Q(("caller__isnull", False), ("since__isnull", False)),
                            _connector="OR",
                        ),
                        name="confirmationcall_caller_with_since",
                    ),
                ],
                "indexes": [
                    models.Index(
                        condition=models.Q(("caller__isnull", False)),
                        fields=["caller"],
                        name="confirmationcall_caller",
                    ),
                ],
            },
        ),
        migrations.AlterField(
            "appointmentevent", "kind", models.CharField(choices=KINDS, max_length=14, verbose_name="tipo")
        ),
        migrations.RunSQL(
            KNOWN_KINDS.format(kinds=f"{OLD_KINDS}, 'call_later'"),
            KNOWN_KINDS.format(kinds=OLD_KINDS),
            state_operations=[
                migrations.RemoveConstraint("appointmentevent", "appointmentevent_kind_known"),
                migrations.AddConstraint(
                    "appointmentevent",
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", [kind for kind, _ in KINDS])),
                        name="appointmentevent_kind_known",
                    ),
                ),
            ],
        ),
    ]
