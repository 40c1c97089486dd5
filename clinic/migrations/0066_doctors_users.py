"""A user for a doctor, who sees the own day: a role, and whose visits they are.

The way back is open when there are such users: they are switched off, since the version before takes a role that it
does not know for one of the desk.
"""

import django.db.models.deletion
from django.db import migrations, models

SWITCH_OFF = """
UPDATE clinic_staffuser SET role = 'receptionist', doctor_id = NULL, is_active = false WHERE role = 'doctor'
"""


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0065_former_names"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="staffuser",
            name="staffuser_role_known",
        ),
        migrations.AddField(
            model_name="staffuser",
            name="doctor",
            field=models.OneToOneField(
                blank=True,
                error_messages={"unique": "Este médico ou esta médica já tem um usuário. Altere o que está lá."},
                help_text="Só para quem entra como médico(a): de quem são as visitas que aparecem.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="user",
                to="clinic.doctor",
                verbose_name="médico(a)",
            ),
        ),
        migrations.AlterField(
            model_name="staffuser",
            name="role",
            field=models.CharField(
                choices=[
                    ("receptionist", "Recepção"),
                    ("manager", "Gestão"),
                    ("master", "Administrador (master)"),
                    ("doctor", "Médico(a), só o próprio dia"),
                ],
                default="receptionist",
                max_length=12,
                verbose_name="função",
            ),
        ),
        migrations.AddConstraint(
            model_name="staffuser",
            constraint=models.CheckConstraint(
                condition=models.Q(("role__in", ["receptionist", "manager", "master", "doctor"])),
                name="staffuser_role_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="staffuser",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("doctor__isnull", False), ("role", "doctor")),
                    models.Q(models.Q(("role", "doctor"), _negated=True), ("doctor__isnull", True)),
                    _connector="OR",
                ),
                name="staffuser_doctor_by_role",
            ),
        ),
        migrations.RunSQL(migrations.RunSQL.noop, SWITCH_OFF),
    ]
