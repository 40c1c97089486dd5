"""The clinic's texts of confirmation, and whether a patient accepts messages by WhatsApp (null: not asked).

Nothing is rewritten: what is not null has a default of the database's, also for a process of the version before.
"""

from django.db import migrations, models

import clinic.models.message_texts

KNOWN = "{paciente}, {data}, {hora}, {medico}, {clinica}, {endereco}, {procedimento}, {preparo}"


def text(label, help_text):
    return models.TextField(
        blank=True,
        db_default="",
        default="",
        help_text=help_text,
        max_length=1000,
        validators=[clinic.models.message_texts.validate_message_text],
        verbose_name=label,
    )


class Migration(migrations.Migration):
    dependencies = [("clinic", "0060_validate_confirmation_calls")]

    operations = [
        migrations.AddField(
            "clinic",
            "confirmation_text",
            text(
                "texto de confirmação",
                "O que se escreve pelo WhatsApp em Confirmações. Vazio: o nosso texto. Campos: " + KNOWN + "; o nome do"
                " médico vem com o artigo. Uma linha em que todos os campos estão vazios não é enviada.",
            ),
        ),
        migrations.AddField(
            "clinic",
            "confirmation_text_to_other",
            text(
                "texto de confirmação a quem não é o paciente",
                "Quando o telefone é do responsável ou de outra pessoa.",
            ),
        ),
        migrations.AddField(
            "clinic",
            "texts_tell_procedure",
            models.BooleanField(
                db_default=False,
                default=False,
                help_text="Falam da saúde de quem os recebe. Desligado, nenhum texto os diz.",
                verbose_name="textos dizem procedimento e preparo",
            ),
        ),
        migrations.AddField(
            "patient",
            "accepts_whatsapp",
            models.BooleanField(blank=True, null=True, verbose_name="aceita mensagens por WhatsApp"),
        ),
    ]
