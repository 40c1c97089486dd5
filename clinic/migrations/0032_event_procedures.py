"""A kind of event for a change of procedures, discounts or length.

Whether the old events fit the wider constraint is looked at by 0033, without a lock that anybody waits for; here the
table of events is locked for milliseconds. The way back is open when there are such events: they stay as they are, and
the narrower constraint holds for new ones only.
"""

from django.db import migrations, models

KINDS = [
    ("booked", "Agendado"),
    ("rescheduled", "Remarcado"),
    ("status_changed", "Situação alterada"),
    ("annotated", "Observações alteradas"),
    ("procedures", "Procedimentos alterados"),
    ("not_reached", "Não atendeu o telefone"),
    ("time_zone", "Fuso horário alterado"),
]
KNOWN_KINDS = """
ALTER TABLE clinic_appointmentevent DROP CONSTRAINT appointmentevent_kind_known;
ALTER TABLE clinic_appointmentevent ADD CONSTRAINT appointmentevent_kind_known CHECK (kind IN ({kinds})) NOT VALID
"""
OLD_KINDS = "'booked', 'rescheduled', 'status_changed', 'annotated', 'not_reached', 'time_zone'"


class Migration(migrations.Migration):
    dependencies = [("clinic", "0031_encaixes_per_day")]

    operations = [
        migrations.AlterField(
            "appointmentevent", "kind", models.CharField(choices=KINDS, max_length=14, verbose_name="tipo")
        ),
        migrations.RunSQL(
            KNOWN_KINDS.format(kinds=f"{OLD_KINDS}, 'procedures'"),
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
