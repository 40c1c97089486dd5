"""The sandbox of a clinic, in which its test keys act: two empty columns of a small table, in milliseconds.

What is append-only may be deleted in a sandbox, whose day ends, and nowhere else. So that no clinic's history can be
deleted by calling it a sandbox, no row becomes one, or stops being one, after its insert.
"""

import django.db.models.deletion
from django.db import migrations, models

DELETABLE = """
CREATE FUNCTION clinic_is_sandbox(clinic bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT sandbox_of_id IS NOT NULL FROM clinic_clinic WHERE id = clinic
$$;
CREATE OR REPLACE FUNCTION clinic_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND clinic_is_sandbox(OLD.clinic_id) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the history in % is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE OR REPLACE FUNCTION clinic_redactable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('clinic.redacting', true) = 'on'
        AND to_jsonb(NEW) - TG_ARGV = to_jsonb(OLD) - TG_ARGV THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' AND clinic_is_sandbox(OLD.clinic_id) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the history of patients is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE FUNCTION clinic_refuse_sandbox() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a clinic never becomes a sandbox, nor a sandbox a clinic' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER clinic_sandbox_is_final BEFORE UPDATE ON clinic_clinic FOR EACH ROW
    WHEN (OLD.sandbox_of_id IS DISTINCT FROM NEW.sandbox_of_id) EXECUTE FUNCTION clinic_refuse_sandbox();
"""
# Without its columns a sandbox would be a clinic like any other.
NOT_DELETABLE = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM clinic_clinic WHERE sandbox_of_id IS NOT NULL) THEN
        RAISE EXCEPTION 'delete the sandboxes first: every row whose clinic has sandbox_of_id';
    END IF;
END $$;
DROP TRIGGER clinic_sandbox_is_final ON clinic_clinic;
DROP FUNCTION clinic_refuse_sandbox();
CREATE OR REPLACE FUNCTION clinic_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the history in % is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE OR REPLACE FUNCTION clinic_redactable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('clinic.redacting', true) = 'on'
        AND to_jsonb(NEW) - TG_ARGV = to_jsonb(OLD) - TG_ARGV THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the history of patients is append-only' USING ERRCODE = 'restrict_violation';
END $$;
DROP FUNCTION clinic_is_sandbox(bigint);
"""


class Migration(migrations.Migration):
    dependencies = [("clinic", "0057_validate_receipts")]

    operations = [
        migrations.AddField(
            "clinic",
            "sandbox_of",
            models.ForeignKey(
                "clinic.clinic",
                django.db.models.deletion.PROTECT,
                null=True,
                editable=False,
                related_name="+",
                db_index=False,
            ),
        ),
        migrations.AddField("clinic", "sandbox_day", models.DateField(null=True, editable=False)),
        migrations.AddConstraint(
            "clinic",
            models.UniqueConstraint(fields=("sandbox_of",), name="clinic_one_sandbox"),
        ),
        migrations.AddConstraint(
            "clinic",
            models.CheckConstraint(
                condition=models.Q(
                    models.Q(("sandbox_day", None), ("sandbox_of", None)),
                    models.Q(("sandbox_day__isnull", False), ("sandbox_of__isnull", False)),
                    _connector="OR",
                ),
                name="clinic_sandbox_has_day",
            ),
        ),
        migrations.RunSQL(DELETABLE, NOT_DELETABLE),
        migrations.AlterField(
            "apikey",
            "is_live",
            models.BooleanField(
                "de produção", default=True, help_text="Uma chave de teste age num ambiente de testes."
            ),
        ),
    ]
