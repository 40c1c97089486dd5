from django.db import migrations, models


def empty_by_default(table, column):
    """So that a process of the version before, which knows no such column, can book meanwhile."""
    return migrations.RunSQL(
        f"ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT ''",
        f"ALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT",
    )


class Migration(migrations.Migration):
    """Columns for the names that doctor, procedure and discount had when they were booked; 0013 fills them.

    A column with a constant default rewrites no table: each of the three is locked for milliseconds.
    """

    dependencies = [
        ("clinic", "0011_hours_past_midnight"),
    ]

    operations = [
        migrations.AddField(
            model_name="appointment",
            name="doctor_name",
            field=models.CharField(
                default="", help_text="As it was when booked or moved last.", max_length=160, verbose_name="médico(a)"
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="appointmentprocedure",
            name="procedure_name",
            field=models.CharField(default="", max_length=160, verbose_name="procedimento"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="applieddiscount",
            name="discount_name",
            field=models.CharField(default="", max_length=80, verbose_name="desconto"),
            preserve_default=False,
        ),
        empty_by_default("clinic_appointment", "doctor_name"),
        empty_by_default("clinic_appointmentprocedure", "procedure_name"),
        empty_by_default("clinic_applieddiscount", "discount_name"),
    ]
