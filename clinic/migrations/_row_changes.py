"""Noting every change of a table's rows in clinic_rowchange."""

from django.db import migrations


def note_rows(table, left_out=(), acts="INSERT OR UPDATE OR DELETE"):
    """Return the operation that has each of these acts on the table's rows noted (`clinic_note_row`, migration 0080).

    It may be repeated where an interruption came before it was recorded, in both directions. The columns `left_out` are noted nowhere, besides those that the function leaves out of every table. Add the table
    to NOTED_TABLES of models/row_change.py too.
    """
    arguments = ", ".join(f"'{column}'" for column in left_out)
    name = f"{table.removeprefix('clinic_')}_note_row"
    return migrations.RunSQL(
        f"CREATE OR REPLACE TRIGGER {name} AFTER {acts} ON {table} FOR EACH ROW EXECUTE FUNCTION clinic_note_row({arguments})",
        f"DROP TRIGGER IF EXISTS {name} ON {table}",
    )
