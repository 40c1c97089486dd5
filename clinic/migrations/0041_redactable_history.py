"""The history of appointments can be redacted, and Django's own log says nothing about patients.

Which events there are stays as it is: a trigger takes another's place, in milliseconds. The names that
`django_admin_log` holds of patients, appointments and their events are blanked, once and for good; a row a save in the
admin, so it is a small table (a million rows take seconds and lock nobody out).
"""

from django.db import migrations

REDACTABLE = """
DROP TRIGGER appointmentevent_append_only ON clinic_appointmentevent;
CREATE TRIGGER appointmentevent_append_only BEFORE UPDATE OR DELETE ON clinic_appointmentevent
    FOR EACH ROW EXECUTE FUNCTION clinic_redactable('before', 'after');
"""
APPEND_ONLY = """
DROP TRIGGER appointmentevent_append_only ON clinic_appointmentevent;
CREATE TRIGGER appointmentevent_append_only BEFORE UPDATE OR DELETE ON clinic_appointmentevent
    FOR EACH ROW EXECUTE FUNCTION clinic_append_only();
"""
NAMELESS = """
UPDATE django_admin_log SET object_repr = ''
WHERE object_repr <> '' AND content_type_id IN (
    SELECT id FROM django_content_type
    WHERE app_label = 'clinic' AND model IN ('patient', 'appointment', 'appointmentevent')
);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0040_access_log"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.RunSQL(REDACTABLE, APPEND_ONLY),
        migrations.RunSQL(NAMELESS, migrations.RunSQL.noop),
    ]
