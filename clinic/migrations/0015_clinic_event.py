"""The history of a clinic as a whole, append-only, and the kind of event that its appointments get of a new time zone.

Whether the old events fit the wider constraint is looked at by 0016, without a lock that anybody waits for; here the
table of events is locked for milliseconds.

The way back is open when a clinic has got another time zone since: events stay as they are, and the narrower constraint
holds for new ones only. The version before cannot show the history of an appointment with such an event, and the
history of the clinics is deleted.
"""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

KINDS = [
    ("booked", "Agendado"),
    ("rescheduled", "Remarcado"),
    ("status_changed", "Situação alterada"),
    ("annotated", "Observações alteradas"),
    ("time_zone", "Fuso horário alterado"),
]
DOORS = [
    ("browser", "Tela"),
    ("imagemais", "API ImageMais"),
    ("mivicall", "API MiviCall"),
    ("command", "Comando"),
]
APPEND_ONLY = """
CREATE TRIGGER clinicevent_append_only BEFORE UPDATE OR DELETE ON clinic_clinicevent
    FOR EACH ROW EXECUTE FUNCTION clinic_append_only();
"""
KNOWN_KINDS = """
ALTER TABLE clinic_appointmentevent DROP CONSTRAINT appointmentevent_kind_known;
ALTER TABLE clinic_appointmentevent ADD CONSTRAINT appointmentevent_kind_known CHECK (kind IN ({kinds})) NOT VALID
"""
OLD_KINDS = "'booked', 'rescheduled', 'status_changed', 'annotated'"
DROP_APPEND_ONLY = "DROP TRIGGER clinicevent_append_only ON clinic_clinicevent"


class Migration(migrations.Migration):
    dependencies = [("clinic", "0014_words_of_absences")]

    operations = [
        migrations.CreateModel(
            name="ClinicEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("time_zone", "Fuso horário alterado")], max_length=14, verbose_name="tipo"
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="data")),
                ("door", models.CharField(choices=DOORS, max_length=9, verbose_name="via")),
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
            ],
            options={
                "verbose_name": "histórico da clínica",
                "verbose_name_plural": "histórico da clínica",
                "ordering": ["-at", "-pk"],
                "indexes": [models.Index(fields=["clinic", "at"], name="clinicevent_clinic_at")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["time_zone"])), name="clinicevent_kind_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("door__in", ["browser", "imagemais", "mivicall", "command"])),
                        name="clinicevent_door_known",
                    ),
                ],
            },
        ),
        migrations.RunSQL(APPEND_ONLY, DROP_APPEND_ONLY),
        migrations.AlterField(
            "appointmentevent", "kind", models.CharField(choices=KINDS, max_length=14, verbose_name="tipo")
        ),
        migrations.RunSQL(
            KNOWN_KINDS.format(kinds=f"{OLD_KINDS}, 'time_zone'"),
            KNOWN_KINDS.format(kinds=OLD_KINDS),
            state_operations=[
                migrations.RemoveConstraint("appointmentevent", "appointmentevent_kind_known"),
                migrations.AddConstraint(
                    "appointmentevent",
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["booked", "rescheduled", "status_changed", "annotated", "time_zone"])
                        ),
                        name="appointmentevent_kind_known",
                    ),
                ),
            ],
        ),
    ]
