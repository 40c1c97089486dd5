"""A redaction blanks what a history holds of a patient, and cannot put anything else in its place.

`clinic_redactable` let any value of the named columns through in a transaction that says it redacts. A key stays now,
and its value too or it becomes empty: "", null, or null on both sides. Only a function is replaced, in milliseconds.
"""

from django.db import migrations

REDACTABLE = """
CREATE OR REPLACE FUNCTION clinic_redactable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('clinic.redacting', true) = 'on'
        AND to_jsonb(NEW) - TG_ARGV = to_jsonb(OLD) - TG_ARGV{blanked} THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' AND clinic_is_sandbox(OLD.clinic_id) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the history of patients is append-only' USING ERRCODE = 'restrict_violation';
END $$;
"""
BLANKED = """
        AND (
            SELECT bool_and(clinic_is_blanked(to_jsonb(OLD) -> name, to_jsonb(NEW) -> name))
            FROM unnest(TG_ARGV) AS name
        )"""
IS_BLANKED = """
CREATE FUNCTION clinic_is_blanked(was jsonb, becomes jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT was = becomes OR jsonb_typeof(was) = 'object' AND jsonb_typeof(becomes) = 'object' AND NOT EXISTS (
        SELECT FROM jsonb_each(CASE jsonb_typeof(was) WHEN 'object' THEN was ELSE '{}' END) AS old_pair
        FULL JOIN jsonb_each(CASE jsonb_typeof(becomes) WHEN 'object' THEN becomes ELSE '{}' END) AS new_pair USING (key)
        WHERE old_pair.value IS NULL OR new_pair.value IS NULL
            OR new_pair.value <> old_pair.value AND new_pair.value NOT IN ('""', 'null', '[null, null]')
    )
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("clinic", "0086_take_back_appointments")]

    operations = [
        migrations.RunSQL(
            IS_BLANKED + REDACTABLE.format(blanked=BLANKED),
            REDACTABLE.format(blanked="") + "DROP FUNCTION clinic_is_blanked(jsonb, jsonb);",
        )
    ]
