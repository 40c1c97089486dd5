"""Who may record absences, and the kind of event that every absence or closure gets.

Whether the old events fit the wider constraint is looked at by 0030. The way back leaves the events as they are: the
narrower constraint holds for new ones only.
"""

from django.db import migrations, models

KINDS = [("time_zone", "Fuso horário alterado"), ("absence", "Ausência ou fechamento")]
KNOWN_KINDS = """
ALTER TABLE clinic_clinicevent DROP CONSTRAINT clinicevent_kind_known;
ALTER TABLE clinic_clinicevent ADD CONSTRAINT clinicevent_kind_known CHECK (kind IN ({kinds})) NOT VALID
"""


class Migration(migrations.Migration):
    dependencies = [("clinic", "0028_validate_not_reached")]

    operations = [
        migrations.AddField(
            "staffuser",
            "may_record_absence",
            models.BooleanField(
                db_default=False,
                default=False,
                help_text="Da recepção: registra na agenda que um médico ou uma médica não vem. A gestão sempre pode.",
                verbose_name="pode registrar ausência",
            ),
        ),
        migrations.AlterField(
            "clinicevent", "kind", models.CharField(choices=KINDS, max_length=14, verbose_name="tipo")
        ),
        migrations.RunSQL(
            KNOWN_KINDS.format(kinds="'time_zone', 'absence'"),
            KNOWN_KINDS.format(kinds="'time_zone'"),
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
