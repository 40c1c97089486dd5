"""What was done with memos is noted.

They are noted as the rows of the set-up are, without what people write in them, which a redaction has to blank; those
that were there before get what their own row says: who wrote them, and who has done them. All of it in one transaction:
a second run after an interruption would note them twice.
"""

from django.db import migrations

from clinic.migrations._row_changes import note_rows

NOTED = note_rows("clinic_memo", ["name", "phone", "text"])
# An act of its own each, by numbers that PostgreSQL gives to no transaction.
BEFORE = """
INSERT INTO clinic_rowchange
    (clinic_id, "table", "row", act, at, channel, user_id, credential, request_id, transaction, before, after)
SELECT clinic_id, 'memo', id, 'added', written_at, 'browser', written_by_id, '', NULL::uuid, -2 * id, '{}'::jsonb,
    to_jsonb(memo) - ARRAY['id', 'clinic_id', 'uuid', 'name', 'phone', 'text']
        || '{"done_at": null, "done_by_id": null}'
FROM clinic_memo AS memo
UNION ALL
SELECT clinic_id, 'memo', id, 'changed', done_at, 'browser', done_by_id, '', NULL::uuid, -2 * id - 1,
    jsonb_build_object('day', day, 'done_at', NULL, 'done_by_id', NULL),
    jsonb_build_object('day', day, 'done_at', done_at, 'done_by_id', done_by_id)
FROM clinic_memo AS memo WHERE done_at IS NOT NULL
"""
FORGOTTEN = """
ALTER TABLE clinic_rowchange DISABLE TRIGGER rowchange_append_only;
DELETE FROM clinic_rowchange WHERE "table" = 'memo';
ALTER TABLE clinic_rowchange ENABLE TRIGGER rowchange_append_only
"""


class Migration(migrations.Migration):
    dependencies = [("clinic", "0091_booking_limits")]

    operations = [migrations.RunSQL(f"{NOTED.sql};{BEFORE}", f"{NOTED.reverse_sql};{FORGOTTEN}")]
