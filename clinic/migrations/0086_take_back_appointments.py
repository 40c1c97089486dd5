"""The history of an appointment that an import has made may be deleted while that import is being taken back.

PostgreSQL itself looks whether it is so, as for patients (0076): the run is being taken back, it was imported no longer
than thirty days ago, and its row says that it made this appointment. What is deleted is the event of the booking; who
imported and who took back stays in the run. Only the trigger of one table is exchanged, in milliseconds.
"""

from django.db import migrations

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
NOT_DELETABLE = """
DROP TRIGGER appointmentevent_kept ON clinic_appointmentevent;
DROP TRIGGER appointmentevent_append_only ON clinic_appointmentevent;
CREATE TRIGGER appointmentevent_append_only BEFORE UPDATE OR DELETE ON clinic_appointmentevent
    FOR EACH ROW EXECUTE FUNCTION clinic_redactable('before', 'after');
DROP FUNCTION clinic_is_visit_taken_back(bigint, bigint);
"""


class Migration(migrations.Migration):
    dependencies = [("clinic", "0085_import_appointments")]

    operations = [migrations.RunSQL(DELETABLE, NOT_DELETABLE)]
