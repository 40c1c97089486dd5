"""Procedures that a doctor performs no longer, kept by triggers of the table of those that doctors perform.

The rows of what is booked already are found once, among the appointments that have not ended; on a million of them it
takes a second, and locks nothing but the new table. The way back drops the table: it holds nothing that is not derived.
"""

import django.db.models.deletion
from django.db import migrations, models

# Their deletion is the database's: a doctor is deleted after the doctor's procedures, and deleting those adds rows here.
CONSTRAINTS = """
ALTER TABLE clinic_ceasedprocedure
    ADD CONSTRAINT ceasedprocedure_doctor FOREIGN KEY (doctor_id) REFERENCES clinic_doctor (id)
        ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT ceasedprocedure_procedure FOREIGN KEY (procedure_id) REFERENCES clinic_procedure (id)
        ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
"""
TRIGGERS = """
CREATE FUNCTION clinic_cease_procedure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO clinic_ceasedprocedure (doctor_id, procedure_id) VALUES (OLD.doctor_id, OLD.procedure_id)
        ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE FUNCTION clinic_resume_procedure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM clinic_ceasedprocedure WHERE doctor_id = NEW.doctor_id AND procedure_id = NEW.procedure_id;
    RETURN NULL;
END $$;
CREATE TRIGGER doctor_procedures_cease AFTER DELETE ON clinic_doctor_procedures
    FOR EACH ROW EXECUTE FUNCTION clinic_cease_procedure();
CREATE TRIGGER doctor_procedures_resume AFTER INSERT ON clinic_doctor_procedures
    FOR EACH ROW EXECUTE FUNCTION clinic_resume_procedure();
"""
DROP_TRIGGERS = """
DROP TRIGGER doctor_procedures_cease ON clinic_doctor_procedures;
DROP TRIGGER doctor_procedures_resume ON clinic_doctor_procedures;
DROP FUNCTION clinic_cease_procedure();
DROP FUNCTION clinic_resume_procedure();
"""
# As the index of appointments by clinic and start reads them; a stored length is one day at most.
FILL = """
INSERT INTO clinic_ceasedprocedure (doctor_id, procedure_id)
SELECT DISTINCT appointment.doctor_id, line.procedure_id
FROM clinic_clinic AS clinic
JOIN clinic_appointment AS appointment
    ON appointment.clinic_id = clinic.id AND appointment.starts_at > now() - interval '1 day'
JOIN clinic_appointmentprocedure AS line ON line.appointment_id = appointment.id
WHERE NOT EXISTS (
    SELECT FROM clinic_doctor_procedures AS performs
    WHERE performs.doctor_id = appointment.doctor_id AND performs.procedure_id = line.procedure_id
)
"""


class Migration(migrations.Migration):
    dependencies = [("clinic", "0037_validate_delay_events")]

    operations = [
        migrations.CreateModel(
            "CeasedProcedure",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "doctor",
                    models.ForeignKey(
                        to="clinic.doctor",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        db_constraint=False,
                        db_index=False,
                    ),
                ),
                (
                    "procedure",
                    models.ForeignKey(
                        to="clinic.procedure",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        db_constraint=False,
                        db_index=False,
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=["doctor", "procedure"], name="ceasedprocedure_once")]
            },
        ),
        migrations.RunSQL(CONSTRAINTS, migrations.RunSQL.noop),
        migrations.RunSQL(TRIGGERS, DROP_TRIGGERS),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
