"""What was received for appointments, and a kind of event for it.

The events that are there are looked at by 0057. The way back is open when there are events of the new kind: they stay,
and the narrower constraint holds for new ones only.
"""

import django.db.models.deletion
import django.utils.timezone
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
    ("time_zone", "Fuso horário alterado"),
]
METHODS = [
    ("cash", "dinheiro"),
    ("credit_card", "cartão de crédito"),
    ("debit_card", "cartão de débito"),
    ("pix", "Pix"),
    ("transfer", "transferência"),
    ("cheque", "cheque"),
    ("other", "outra forma"),
]
KNOWN_KINDS = """
ALTER TABLE clinic_appointmentevent DROP CONSTRAINT appointmentevent_kind_known;
ALTER TABLE clinic_appointmentevent ADD CONSTRAINT appointmentevent_kind_known CHECK (kind IN ({kinds})) NOT VALID
"""
OLD_KINDS = """'booked', 'rescheduled', 'status_changed', 'annotated', 'procedures', 'payer', 'unverified', 'not_reached',
    'time_zone'"""


class Migration(migrations.Migration):
    dependencies = [("clinic", "0054_directory")]

    operations = [
        migrations.CreateModel(
            "Receipt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("method", models.CharField(choices=METHODS, max_length=11, verbose_name="forma")),
                ("value", models.DecimalField(decimal_places=2, max_digits=10, verbose_name="valor")),
                ("flag", models.CharField(blank=True, max_length=30, verbose_name="bandeira")),
                ("instalments", models.PositiveSmallIntegerField(default=1, verbose_name="parcelas")),
                ("protocol", models.CharField(blank=True, max_length=60, verbose_name="protocolo")),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="data")),
                (
                    "appointment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="receipts", to="clinic.appointment"
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
                "verbose_name": "recebimento",
                "verbose_name_plural": "recebimentos",
                "ordering": ["at", "pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("method__in", [method for method, _ in METHODS])),
                        name="receipt_method_known",
                    ),
                    models.CheckConstraint(condition=models.Q(("value__gt", 0)), name="receipt_value_above_zero"),
                    models.CheckConstraint(
                        condition=models.Q(("instalments__gte", 1), ("instalments__lte", 48)),
                        name="receipt_instalments_1_to_48",
                    ),
                ],
            },
        ),
        migrations.AlterField(
            "appointmentevent", "kind", models.CharField(choices=KINDS, max_length=14, verbose_name="tipo")
        ),
        migrations.RunSQL(
            KNOWN_KINDS.format(kinds=f"{OLD_KINDS}, 'received'"),
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
