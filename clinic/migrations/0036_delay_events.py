"""A kind of event of a clinic for the delay of a doctor.

Whether the old events fit the wider constraint is looked at by 0037. The way back leaves the events as they are: the
narrower constraint holds for new ones only.
"""

from django.db import migrations, models

KINDS = [("time_zone", "Fuso horário alterado"), ("absence", "Ausência ou fechamento"), ("delay", "Atraso")]
KNOWN_KINDS = """
ALTER TABLE clinic_clinicevent DROP CONSTRAINT clinicevent_kind_known;
ALTER TABLE clinic_clinicevent ADD CONSTRAINT clinicevent_kind_known CHECK (kind IN ({kinds})) NOT VALID
"""


class Migration(migrations.Migration):
    dependencies = [("clinic", "0035_discount_ages")]

    operations = [
        migrations.AlterField(
            "clinicevent", "kind", models.CharField(choices=KINDS, max_length=14, verbose_name="tipo")
        ),
        migrations.RunSQL(
            KNOWN_KINDS.format(kinds="'time_zone', 'absence', 'delay'"),
            KNOWN_KINDS.format(kinds="'time_zone', 'absence'"),
            state_operations=[
                migrations.RemoveConstraint("clinicevent", "clinicevent_kind_known"),
                migrations.AddConstraint(
                    "clinicevent",
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", [kind for kind, _ in KINDS])), name="clinicevent_kind_known"
                    ),
                ),
            ],
        ),
    ]
