"""The PIN of a manager, and who approved an encaixe.

Both columns are null or have a default of the database's, so that nothing is rewritten. The rows that are there are
looked at without a lock that bookings wait for. If it was interrupted, migrate once more: every statement may be run
again.
"""

import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations, models

ADD_PIN = "ALTER TABLE clinic_staffuser ADD COLUMN IF NOT EXISTS pin varchar(128) DEFAULT '' NOT NULL"
DROP_PIN = "ALTER TABLE clinic_staffuser DROP COLUMN IF EXISTS pin"
ADD_APPROVED_BY = "ALTER TABLE clinic_appointment ADD COLUMN IF NOT EXISTS encaixe_approved_by_id bigint NULL"
DROP_APPROVED_BY = "ALTER TABLE clinic_appointment DROP COLUMN IF EXISTS encaixe_approved_by_id"
FOREIGN_KEY = "clinic_appointment_encaixe_approved_by_id_fk"
ADD_FOREIGN_KEY = f"""
ALTER TABLE clinic_appointment DROP CONSTRAINT IF EXISTS {FOREIGN_KEY}, ADD CONSTRAINT {FOREIGN_KEY}
FOREIGN KEY (encaixe_approved_by_id) REFERENCES clinic_staffuser (id) DEFERRABLE INITIALLY DEFERRED NOT VALID
"""
DROP_FOREIGN_KEY = f"ALTER TABLE clinic_appointment DROP CONSTRAINT IF EXISTS {FOREIGN_KEY}"
ADD_CHECK = """
ALTER TABLE clinic_appointment DROP CONSTRAINT IF EXISTS appointment_approval_of_encaixe,
ADD CONSTRAINT appointment_approval_of_encaixe
CHECK (encaixe_approved_by_id IS NULL OR encaixe_by_id IS NOT NULL) NOT VALID
"""
DROP_CHECK = "ALTER TABLE clinic_appointment DROP CONSTRAINT IF EXISTS appointment_approval_of_encaixe"


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("clinic", "0068_room_calls")]

    operations = [
        migrations.RunSQL(
            ADD_PIN,
            DROP_PIN,
            state_operations=[
                migrations.AddField(
                    "staffuser",
                    "pin",
                    models.CharField(
                        blank=True, db_default="", default="", editable=False, max_length=128, verbose_name="PIN"
                    ),
                )
            ],
        ),
        migrations.RunSQL(
            ADD_APPROVED_BY,
            DROP_APPROVED_BY,
            state_operations=[
                migrations.AddField(
                    "appointment",
                    "encaixe_approved_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="encaixe aprovado por",
                    ),
                )
            ],
        ),
        migrations.RunSQL(ADD_FOREIGN_KEY, DROP_FOREIGN_KEY),
        migrations.RunSQL(
            ADD_CHECK,
            DROP_CHECK,
            state_operations=[
                migrations.AddConstraint(
                    "appointment",
                    models.CheckConstraint(
                        condition=models.Q(
                            ("encaixe_approved_by__isnull", True), ("encaixe_by__isnull", False), _connector="OR"
                        ),
                        name="appointment_approval_of_encaixe",
                    ),
                )
            ],
        ),
        migrations.RunSQL(
            f"ALTER TABLE clinic_appointment VALIDATE CONSTRAINT {FOREIGN_KEY}", migrations.RunSQL.noop
        ),
        ValidateConstraint("appointment", "appointment_approval_of_encaixe"),
    ]
