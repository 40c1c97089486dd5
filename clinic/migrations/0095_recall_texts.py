"""A clinic's own texts by which patients are reminded of another visit. Nothing is rewritten: the database has the
default."""

from django.db import migrations, models

import clinic.models.message_texts

KNOWN = "{paciente}, {medico}, {clinica}, {endereco}, {procedimento}"


def text(label, help_text):
    return models.TextField(
        blank=True,
        db_default="",
        default="",
        help_text=help_text,
        max_length=1000,
        validators=[clinic.models.message_texts.validate_recall_text],
        verbose_name=label,
    )


class Migration(migrations.Migration):
    dependencies = [("clinic", "0094_payer_return_days")]

    operations = [
        migrations.AddField(
            "clinic",
            "recall_text",
            text(
                "texto de retorno",
                "O que se escreve pelo WhatsApp em Retornos. Vazio: o nosso texto. Campos: " + KNOWN + "; o nome do médico"
                " vem com o artigo, e onde não há médico fica “a nossa equipe”. Uma linha em que todos os campos estão"
                " vazios não é enviada.",
            ),
        ),
        migrations.AddField(
            "clinic",
            "recall_text_to_other",
            text(
                "texto de retorno a quem não é o paciente",
                "Quando o telefone é do responsável ou de outra pessoa.",
            ),
        ),
    ]
