"""Say in the models `channel` for door and `unverified_cpf` for typed_cpf. The database stays as it is.

Columns and constraints keep their names, so that the version before goes on booking while this one is put in place.
"""

from django.db import migrations, models
from django.db.models import Q

CHANNELS = {"browser": "Tela", "imagemais": "API ImageMais", "mivicall": "API MiviCall", "command": "Comando"}


def renamed(model, old, new, column, constraint, condition):
    return [
        migrations.RemoveConstraint(model, constraint),
        migrations.RenameField(model, old, new),
        migrations.AlterField(model, new, column),
        migrations.AddConstraint(model, models.CheckConstraint(condition=condition, name=constraint)),
    ]


def channel(model, *names):
    column = models.CharField(
        "via",
        max_length=max(map(len, names)),
        choices=[(name, CHANNELS[name]) for name in names],
        db_column="door",
    )
    return renamed(model, "door", "channel", column, f"{model}_door_known", Q(channel__in=list(names)))


class Migration(migrations.Migration):
    dependencies = [("clinic", "0023_validate_words_of_credentials")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                *channel("appointmentevent", *CHANNELS),
                *channel("clinicevent", *CHANNELS),
                *channel("credentialevent", "browser", "command"),
                *renamed(
                    "appointment",
                    "typed_cpf",
                    "unverified_cpf",
                    models.CharField(
                        max_length=11,
                        blank=True,
                        db_column="typed_cpf",
                        help_text="Digits an API sent as the CPF whose check digits are wrong.",
                    ),
                    "appointment_typed_cpf_digits",
                    Q(unverified_cpf="") | Q(unverified_cpf__regex=r"^\d{11}$"),
                ),
            ]
        )
    ]
