"""No history of an appointment may be deleted any more: one that was taken back stays as deleted, with its event.

What 0086 allowed is forbidden again. A run that the version before is taking back meanwhile stops with an error and
leaves its rows as they are; opened anew it goes on. Only the trigger of one table is exchanged, in milliseconds.
"""

from django.db import migrations

NOT_DELETABLE = """
DROP TRIGGER appointmentevent_kept ON clinic_appointmentevent;
DROP TRIGGER appointmentevent_append_only ON clinic_appointmentevent;
CREATE TRIGGER appointmentevent_append_only BEFORE UPDATE OR DELETE ON clinic_appointmentevent
    FOR EACH ROW EXECUTE FUNCTION clinic_redactable('before', 'after');
DROP FUNCTION clinic_is_visit_taken_back(bigint, bigint);
"""
DELETABLE = """
CREATE FUNCTION clinic_is_visit_taken_back(clinic bigint, appointment bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM clinic_importrow AS made JOIN clinic_importrun AS run ON run.id = made.run_id
        WHERE made.clinic_id = clinic AND made.appointment_id = appointment AND made.fate = 'new'
            AND run.state = 'taking_back' AND run.imported_at > now() - interval '31 days'
    )
$$;
DROP TRIGGER appointmentevent_append_only ON clinic_appointmentevent;
CREATE TRIGGER appointmentevent_append_only BEFORE UPDATE ON clinic_appointmentevent
    FOR EACH ROW EXECUTE FUNCTION clinic_redactable('before', 'after');
CREATE TRIGGER appointmentevent_kept BEFORE DELETE ON clinic_appointmentevent FOR EACH ROW
    WHEN (OLD.kind <> 'booked' OR NOT clinic_is_visit_taken_back(OLD.clinic_id, OLD.appointment_id))
    EXECUTE FUNCTION clinic_redactable('before', 'after');
"""


class Migration(migrations.Migration):
    dependencies = [("clinic", "0089_directory_imports")]

    operations = [migrations.RunSQL(NOT_DELETABLE, DELETABLE)]
