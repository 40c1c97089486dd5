"""For how many days the returns of a payer's patients are free, where that is not as long as the procedure says.

Nothing is rewritten: the column is null. The constraint looks at a table of a few rows a clinic."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clinic", "0093_audit_of_lists")]

    operations = [
        migrations.AddField(
            model_name="payer",
            name="return_days",
            field=models.PositiveSmallIntegerField(
                blank=True,
                help_text="Dias, em vez dos que o procedimento tem. 0: nenhum retorno. Vazio: como no procedimento.",
                null=True,
                verbose_name="retorno sem custo em até",
            ),
        ),
        migrations.AddConstraint(
            model_name="payer",
            constraint=models.CheckConstraint(
                condition=models.Q(("return_days", None), ("return_days__lte", 365), _connector="OR"),
                name="payer_return_days_to_365",
            ),
        ),
    ]
