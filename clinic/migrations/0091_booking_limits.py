"""What a clinic restricts of a doctor and of a procedure: notice, furthest day, number a day.

Nothing is rewritten: the columns are null. The constraints look at tables of a few rows a clinic."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clinic", "0090_visits_keep_history")]

    operations = [
        migrations.AddField(
            "doctor",
            "notice_hours",
            models.PositiveSmallIntegerField(
                blank=True,
                help_text="Vale para voz, bot e outros programas; a recepção agenda sem ela. Vazio: nenhuma.",
                null=True,
                verbose_name="antecedência mínima em horas",
            ),
        ),
        migrations.AddField(
            "doctor",
            "days_ahead",
            models.PositiveSmallIntegerField(
                blank=True,
                help_text="A partir de hoje; depois deles ninguém agenda. Vazio: dois anos.",
                null=True,
                verbose_name="agenda aberta por quantos dias",
            ),
        ),
        migrations.AddField(
            "doctor",
            "per_day",
            models.PositiveSmallIntegerField(
                blank=True,
                help_text="Quantos no máximo, com encaixes; mais, só com aprovação da gestão. Vazio: sem limite.",
                null=True,
                verbose_name="agendamentos por dia",
            ),
        ),
        migrations.AddConstraint(
            "doctor",
            models.CheckConstraint(
                condition=models.Q(("notice_hours", None), models.Q(("notice_hours__gte", 1), ("notice_hours__lte", 720)), _connector="OR"),
                name="doctor_notice_1_to_720",
            ),
        ),
        migrations.AddConstraint(
            "doctor",
            models.CheckConstraint(
                condition=models.Q(("days_ahead", None), models.Q(("days_ahead__gte", 1), ("days_ahead__lte", 730)), _connector="OR"),
                name="doctor_days_ahead_1_to_730",
            ),
        ),
        migrations.AddConstraint(
            "doctor",
            models.CheckConstraint(
                condition=models.Q(("per_day", None), models.Q(("per_day__gte", 1), ("per_day__lte", 100)), _connector="OR"),
                name="doctor_per_day_1_to_100",
            ),
        ),
        migrations.AddField(
            "procedure",
            "notice_hours",
            models.PositiveSmallIntegerField(
                blank=True,
                help_text="Vale para voz, bot e outros programas; a recepção agenda sem ela. Vazio: nenhuma.",
                null=True,
                verbose_name="antecedência mínima em horas",
            ),
        ),
        migrations.AddField(
            "procedure",
            "days_ahead",
            models.PositiveSmallIntegerField(
                blank=True,
                help_text="A partir de hoje; depois deles ninguém agenda. Vazio: dois anos.",
                null=True,
                verbose_name="agenda aberta por quantos dias",
            ),
        ),
        migrations.AddField(
            "procedure",
            "per_day",
            models.PositiveSmallIntegerField(
                blank=True,
                help_text="Quantos no máximo; mais, só como encaixe com aprovação da gestão. Vazio: sem limite.",
                null=True,
                verbose_name="por dia com cada médico(a)",
            ),
        ),
        migrations.AddConstraint(
            "procedure",
            models.CheckConstraint(
                condition=models.Q(("notice_hours", None), models.Q(("notice_hours__gte", 1), ("notice_hours__lte", 720)), _connector="OR"),
                name="procedure_notice_1_to_720",
            ),
        ),
        migrations.AddConstraint(
            "procedure",
            models.CheckConstraint(
                condition=models.Q(("days_ahead", None), models.Q(("days_ahead__gte", 1), ("days_ahead__lte", 730)), _connector="OR"),
                name="procedure_days_ahead_1_to_730",
            ),
        ),
        migrations.AddConstraint(
            "procedure",
            models.CheckConstraint(
                condition=models.Q(("per_day", None), models.Q(("per_day__gte", 1), ("per_day__lte", 100)), _connector="OR"),
                name="procedure_per_day_1_to_100",
            ),
        ),
    ]
