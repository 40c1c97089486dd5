from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import migrations

import clinic.models.names
from clinic.migrations._indexes import AddIndexAnew

# Of a folded text, in this order: letters that stand for one sound, silent ones, double ones. `replace`, because regular
# expressions take five times as long, and a search applies it to every patient whom the index suggests.
REPLACED = [
    ("ph", "f"), ("th", "t"), ("ct", "t"), ("ck", "c"), ("cq", "q"), ("ge", "je"), ("gi", "ji"), (" h", " "),
    ("ll", "l"), ("nn", "n"), ("tt", "t"), ("ss", "s"), ("ff", "f"), ("pp", "p"), ("mm", "m"),
]  # fmt: skip


def _heard(text: str) -> str:
    """The expression that writes the SQL expression `text`, which begins with a blank, as it is heard."""
    for written, heard in REPLACED:
        text = f"replace({text}, '{written}', '{heard}')"
    return text


HEARD = f"""
CREATE OR REPLACE FUNCTION clinic_heard(folded text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT substr({_heard("translate(' ' || folded, 'zykw', 'sicv')")}, 2)
$$
"""


class Migration(migrations.Migration):
    """An index of patients' names as they are heard: Luis and Luiz, Tiago and Thiago, Sousa and Souza are one.

    An index of an expression, built beside the ones there are, while patients are written and read. If it was
    interrupted, migrate once more.
    """

    atomic = False

    dependencies = [
        ("clinic", "0024_channel_and_unverified_cpf"),
    ]

    operations = [
        migrations.RunSQL(HEARD, "DROP FUNCTION IF EXISTS clinic_heard(text)"),
        AddIndexAnew(
            model_name="patient",
            index=GinIndex(
                OpClass(clinic.models.names.Heard("search"), name="gin_trgm_ops"), name="patient_heard_trigram"
            ),
        ),
    ]
