"""Every change of a clinic's set-up, noted by PostgreSQL: one new table, and triggers on tables of a few rows a doctor.

The author is in the setting `clinic.author` of the transaction (`clinic.access.authors`). The function runs with the
rights of its owner, so that the application's own role may read clinic_rowchange and never write it. It finds its
tables where this migration does, and a session's temporary ones last: no role puts its own in their place.

An event of an appointment names its doctor from now on: a column that is null, so nothing is rewritten; 0081 fills it.
"""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from clinic.migrations._row_changes import note_rows

NOTE_ROW = """
CREATE FUNCTION clinic_note_row() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    left_out text[] := ARRAY['id', 'clinic_id', 'uuid', 'sort_name', 'folded_name', 'folded_username', 'last_login',
        'last_used_at', 'changed_at', 'updated_at'] || coalesce(TG_ARGV::text[], ARRAY[]::text[]);
    secrets text[] := ARRAY['password', 'pin', 'digest', 'jti', 'secret'];
    naming text[] := ARRAY['name', 'username', 'doctor_id', 'procedure_id', 'payer_id', 'clinicholiday_id', 'weekday', 'day',
        'falls_on', 'starts_at', 'valid_from', 'prefix'];
    old_row jsonb := '{}';
    new_row jsonb := '{}';
    of_row jsonb;
    of_clinic bigint;
    author jsonb := coalesce(nullif(current_setting('clinic.author', true), ''), '{}')::jsonb;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        old_row := to_jsonb(OLD);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        new_row := to_jsonb(NEW);
    END IF;
    of_row := CASE TG_OP WHEN 'DELETE' THEN old_row ELSE new_row END;
    of_clinic := CASE
        WHEN TG_TABLE_NAME = 'clinic_clinic' THEN of_row ->> 'id'
        WHEN of_row ? 'clinic_id' THEN of_row ->> 'clinic_id'
        ELSE (SELECT clinic_id FROM clinic_doctor WHERE id = (of_row ->> 'doctor_id')::bigint)::text
    END::bigint;
    IF clinic_is_sandbox(of_clinic) THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        SELECT coalesce(jsonb_object_agg(key, CASE WHEN key = ANY (secrets) THEN 'true' ELSE was.value END), '{}'),
            coalesce(jsonb_object_agg(key, CASE WHEN key = ANY (secrets) THEN 'true' ELSE present.value END), '{}')
        INTO old_row, new_row
        FROM jsonb_each(old_row - left_out) AS was JOIN jsonb_each(new_row - left_out) AS present USING (key)
        WHERE was.value <> present.value OR key = ANY (naming);
        IF old_row = new_row AND NOT old_row ?| secrets THEN
            RETURN NULL;
        END IF;
    ELSE
        old_row := old_row - left_out - secrets;
        new_row := new_row - left_out - secrets;
    END IF;
    INSERT INTO clinic_rowchange
        (clinic_id, "table", "row", act, at, channel, user_id, credential, request_id, transaction, before, after)
    VALUES (
        of_clinic, substr(TG_TABLE_NAME, 8), (of_row ->> 'id')::bigint,
        CASE TG_OP WHEN 'INSERT' THEN 'added' WHEN 'UPDATE' THEN 'changed' ELSE 'removed' END,
        coalesce((author ->> 'at')::timestamptz, clock_timestamp()),
        coalesce(author ->> 'channel', 'command'), (author ->> 'user')::bigint,
        left(coalesce(author ->> 'credential', nullif(current_setting('application_name'), ''), session_user), 80),
        (author ->> 'request')::uuid, pg_current_xact_id()::text::bigint, old_row, new_row
    );
    RETURN NULL;
END $$;
DO $$ BEGIN
    EXECUTE 'ALTER FUNCTION clinic_note_row() SET search_path = ' || current_setting('search_path') || ', pg_temp';
END $$;
CREATE TRIGGER rowchange_append_only BEFORE UPDATE OR DELETE ON clinic_rowchange
    FOR EACH ROW EXECUTE FUNCTION clinic_append_only();
"""
FORGET_ROWS = """
DROP TRIGGER rowchange_append_only ON clinic_rowchange;
DROP FUNCTION clinic_note_row();
"""
TABLES = [
    "clinic_absence",
    "clinic_accesstoken",
    "clinic_apikey",
    "clinic_calendarfeed",
    "clinic_clinicholiday",
    "clinic_clinicholiday_doctors",
    "clinic_delay",
    "clinic_discount",
    "clinic_displaylink",
    "clinic_doctor",
    "clinic_doctor_procedures",
    "clinic_payer",
    "clinic_payerdoctor",
    "clinic_procedure",
    "clinic_procedureprice",
    "clinic_stafflink",
    "clinic_staffuser",
    "clinic_workinghours",
]


class Migration(migrations.Migration):
    dependencies = [("clinic", "0079_plans")]

    operations = [
        migrations.CreateModel(
            name="RowChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("table", models.CharField(max_length=60)),
                ("row", models.BigIntegerField(null=True)),
                (
                    "act",
                    models.CharField(
                        choices=[("added", "Incluído"), ("changed", "Alterado"), ("removed", "Removido")], max_length=7
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="data")),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("browser", "Tela"),
                            ("admin", "Administração"),
                            ("imagemais", "API ImageMais"),
                            ("mivicall", "API MiviCall"),
                            ("command", "Comando"),
                        ],
                        max_length=9,
                        verbose_name="via",
                    ),
                ),
                (
                    "credential",
                    models.CharField(
                        blank=True, help_text="Name of the token, key, program or role.", max_length=80
                    ),
                ),
                ("request_id", models.UUIDField(null=True)),
                ("transaction", models.BigIntegerField()),
                ("before", models.JSONField(default=dict)),
                ("after", models.JSONField(default=dict)),
                (
                    "clinic",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="clinic.clinic",
                        verbose_name="clínica",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "alteração do cadastro da clínica",
                "verbose_name_plural": "alterações do cadastro da clínica",
                "ordering": ["-at", "-pk"],
                "indexes": [
                    models.Index(fields=["clinic", "at"], name="rowchange_clinic_at"),
                    models.Index(fields=["clinic", "table", "at"], name="rowchange_clinic_table_at"),
                    models.Index(fields=["clinic", "user", "at"], name="rowchange_clinic_user_at"),
                ],
            },
        ),
        migrations.RunSQL(NOTE_ROW, FORGET_ROWS),
        *(note_rows(table) for table in TABLES),
        # What a rise has written is noted price by price.
        note_rows("clinic_pricerise", ["changes"]),
        # A new clinic has no event yet; and its row can go while it has no rows.
        note_rows("clinic_clinic", ["sandbox_of_id", "sandbox_day"], acts="UPDATE OR DELETE"),
        migrations.AddField(
            "appointmentevent",
            "doctor",
            models.ForeignKey(
                "clinic.doctor",
                django.db.models.deletion.DO_NOTHING,
                null=True,
                editable=False,
                db_index=False,
                db_constraint=False,
                related_name="+",
            ),
        ),
    ]
