"""From when and until when hours hold, and a kind of event of a clinic for changed hours.

The dates are null, and the mark of an exception has a default of the database, so that nothing is rewritten; the table has a few rows a doctor. Whether the old events fit the
wider constraint is looked at by 0074. The way back leaves the events as they are: the narrower constraint holds for new
ones only. It leaves every row of hours too, which hold always from then on.
"""

from django.db import migrations, models

KINDS = [
    ("time_zone", "Fuso horário alterado"),
    ("absence", "Ausência ou fechamento"),
    ("delay", "Atraso"),
    ("directory", "Cadastro alterado por programa"),
    ("hours", "Horário de atendimento"),
]
KNOWN_KINDS = """
ALTER TABLE clinic_clinicevent DROP CONSTRAINT clinicevent_kind_known;
ALTER TABLE clinic_clinicevent ADD CONSTRAINT clinicevent_kind_known CHECK (kind IN ({kinds})) NOT VALID
"""


def _listed(kinds: list[tuple[str, str]]) -> str:
    return ", ".join(f"'{kind}'" for kind, _ in kinds)


class Migration(migrations.Migration):
    dependencies = [("clinic", "0072_recalls")]

    operations = [
        migrations.AlterModelOptions(
            "workinghours",
            {
                "ordering": ["weekday", "starts", "valid_from", "pk"],
                "verbose_name": "horário de atendimento",
                "verbose_name_plural": "horários de atendimento",
            },
        ),
        migrations.AddField(
            "workinghours",
            "valid_from",
            models.DateField(blank=True, help_text="Vazio: desde sempre.", null=True, verbose_name="vale de"),
        ),
        migrations.AddField(
            "workinghours",
            "valid_until",
            models.DateField(blank=True, help_text="Vazio: sem fim.", null=True, verbose_name="vale até"),
        ),
        migrations.AddField(
            "workinghours", "is_exception", models.BooleanField(db_default=False, default=False, editable=False)
        ),
        migrations.AddConstraint(
            "workinghours",
            models.CheckConstraint(
                condition=models.Q(
                    ("valid_from", None),
                    ("valid_until", None),
                    ("valid_until__gte", models.F("valid_from")),
                    _connector="OR",
                ),
                name="workinghours_valid_in_order",
            ),
        ),
        migrations.AlterField(
            "clinicevent", "kind", models.CharField(choices=KINDS, max_length=14, verbose_name="tipo")
        ),
        migrations.RunSQL(
            KNOWN_KINDS.format(kinds=_listed(KINDS)),
            KNOWN_KINDS.format(kinds=_listed(KINDS[:-1])),
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
