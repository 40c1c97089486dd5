"""A function more; no table is touched."""

from django.db import migrations

# clinic_admit with a window of any length, in tenths of a second, and without the second's limit.
ADMIT_WITHIN = """
CREATE FUNCTION clinic_admit_within(
    asking text, at_most int, tenths int, OUT admitted boolean, OUT wait int
) LANGUAGE plpgsql AS $$
DECLARE
    now_tick bigint;
    oldest bigint;
    used int;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(asking, 0));
    now_tick := floor(extract(epoch FROM clock_timestamp()) * 10);
    DELETE FROM clinic_requestcount WHERE who = asking AND tick <= now_tick - tenths;
    SELECT coalesce(sum(count), 0), min(tick) INTO used, oldest FROM clinic_requestcount WHERE who = asking;
    admitted := used < at_most;
    IF admitted THEN
        INSERT INTO clinic_requestcount (who, tick, count) VALUES (asking, now_tick, 1)
        ON CONFLICT (who, tick) DO UPDATE SET count = clinic_requestcount.count + 1;
        wait := 0;
    ELSE
        wait := greatest(ceil((coalesce(oldest, now_tick) + tenths - now_tick) / 10.0), 1);
    END IF;
END $$
"""
DROP_ADMIT_WITHIN = "DROP FUNCTION clinic_admit_within(text, int, int)"


class Migration(migrations.Migration):

    dependencies = [
        ('clinic', '0005_patient_letters'),
    ]

    operations = [
        migrations.RunSQL(ADMIT_WITHIN, DROP_ADMIT_WITHIN),
    ]
