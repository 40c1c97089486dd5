"""The clinic's area code, and whose the phone of a patient is. The defaults are the database's, also for a process of the
version before, which knows no such columns, so that nothing is rewritten; the constraint reads the clinics, of whom there
are few."""

from django.db import migrations, models

import clinic.models.clinic


class Migration(migrations.Migration):
    dependencies = [("clinic", "0041_redactable_history")]

    operations = [
        migrations.AddField(
            "clinic",
            "area_code",
            models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Acrescentado aos telefones que se digitam sem DDD. Vazio: o DDD é sempre pedido.",
                max_length=2,
                validators=[clinic.models.clinic.validate_area_code],
                verbose_name="DDD",
            ),
        ),
        migrations.AddConstraint(
            "clinic",
            models.CheckConstraint(
                condition=models.Q(("area_code__regex", r"^(\d\d)?$")), name="clinic_area_code_digits"
            ),
        ),
        migrations.AddField(
            "patient",
            "phone_of",
            models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Se não é da própria pessoa: mãe, filha, vizinho.",
                max_length=60,
                verbose_name="de quem é o telefone",
            ),
        ),
    ]
