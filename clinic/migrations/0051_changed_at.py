"""When appointments and patients were written last, kept by triggers: no writer can forget it, whatever it writes.

The clock is read after the transaction has its id, so that whoever reads pg_stat_activity later sees the transaction or
what it has committed (`queries.changes`). An appointment is also written when its patient's data change that both APIs
show with it; not for a new hash of the same phone: `rehash_phones` would write every appointment.

Nothing is rewritten: rows that are there get the moment of the migration as a default of the column, and are listed
once as changed. The indexes are built while bookings go on. If it was interrupted, migrate once more.
"""

import django.db.models.functions.datetime
from django.db import migrations, models

from clinic.migrations._indexes import AddIndexAnew

TRIGGERS = """
CREATE OR REPLACE FUNCTION clinic_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_current_xact_id();
    NEW.changed_at := clock_timestamp();
    RETURN NEW;
END $$;
CREATE OR REPLACE FUNCTION clinic_touch_appointments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE clinic_appointment SET changed_at = changed_at WHERE patient_id = NEW.id;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER appointment_note_change BEFORE INSERT OR UPDATE ON clinic_appointment
    FOR EACH ROW EXECUTE FUNCTION clinic_note_change();
CREATE OR REPLACE TRIGGER patient_note_change BEFORE INSERT OR UPDATE ON clinic_patient
    FOR EACH ROW EXECUTE FUNCTION clinic_note_change();
CREATE OR REPLACE TRIGGER patient_touch_appointments AFTER UPDATE ON clinic_patient
    FOR EACH ROW
    WHEN (
        (OLD.name, OLD.social_name, OLD.cpf, OLD.phone, OLD.birth_date)
        IS DISTINCT FROM (NEW.name, NEW.social_name, NEW.cpf, NEW.phone, NEW.birth_date)
    )
    EXECUTE FUNCTION clinic_touch_appointments();
"""
DROP_TRIGGERS = """
DROP TRIGGER IF EXISTS patient_touch_appointments ON clinic_patient;
DROP TRIGGER IF EXISTS patient_note_change ON clinic_patient;
DROP TRIGGER IF EXISTS appointment_note_change ON clinic_appointment;
DROP FUNCTION IF EXISTS clinic_touch_appointments();
DROP FUNCTION IF EXISTS clinic_note_change();
"""
COLUMN = """
ALTER TABLE clinic_{table} ADD COLUMN IF NOT EXISTS changed_at timestamptz DEFAULT statement_timestamp() NOT NULL
"""
NO_COLUMN = "ALTER TABLE clinic_{table} DROP COLUMN IF EXISTS changed_at"
TABLES = ("appointment", "patient")


def column(table):
    field = models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)
    return migrations.RunSQL(
        COLUMN.format(table=table),
        NO_COLUMN.format(table=table),
        state_operations=[migrations.AddField(table, "changed_at", field)],
    )


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("clinic", "0050_validate_payer")]

    operations = [
        *(column(table) for table in TABLES),
        migrations.RunSQL(TRIGGERS, DROP_TRIGGERS),
        *(
            AddIndexAnew(table, models.Index(fields=["clinic", "changed_at", "id"], name=f"{table}_clinic_changed_at"))
            for table in TABLES
        ),
    ]
