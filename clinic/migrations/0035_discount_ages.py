"""The ages that a discount is for. No row is rewritten: empty is any age, also for a process of the version before, which
knows no such columns; the constraint reads the discounts, of which there are few."""

from django.db import migrations, models


def age(name: str) -> models.PositiveSmallIntegerField:
    return models.PositiveSmallIntegerField(
        blank=True, help_text="Em anos completos. Vazio: qualquer idade.", null=True, verbose_name=name
    )


class Migration(migrations.Migration):
    dependencies = [("clinic", "0034_delay")]

    operations = [
        migrations.AddField("discount", "minimum_age", age("idade mínima")),
        migrations.AddField("discount", "maximum_age", age("idade máxima")),
        migrations.AddConstraint(
            "discount",
            models.CheckConstraint(
                condition=models.Q(
                    models.Q(("minimum_age__isnull", True), ("minimum_age__lte", 120), _connector="OR"),
                    models.Q(("maximum_age__isnull", True), ("maximum_age__lte", 120), _connector="OR"),
                    models.Q(
                        ("minimum_age__isnull", True),
                        ("maximum_age__isnull", True),
                        ("maximum_age__gte", models.F("minimum_age")),
                        _connector="OR",
                    ),
                ),
                name="discount_ages_in_order_to_120",
            ),
        ),
    ]
