"""What patients agree to: a table of its own, which begins with the answers about WhatsApp that patients' rows hold.

Who answered and when is taken from the history of the patient's data. The column stays what it was, so the way back
loses nothing that was there before. The table is append-only (`clinic_append_only`, migration 0001), but for answers
that came with a patient of a spreadsheet, while its import is taken back (`clinic_is_taken_back`, migration 0076).
"""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


FILL = """
INSERT INTO clinic_consent (clinic_id, patient_id, channel, purpose, answer, text, asked, at, via, user_id, credential)
SELECT patient.clinic_id, patient.id, 'whatsapp', 'reminder',
    CASE WHEN accepts_whatsapp THEN 'given' ELSE 'withdrawn' END, '', '', coalesce(event.at, patient.updated_at),
    coalesce(event.channel, 'command'), event.user_id, coalesce(event.credential, 'migration 0082')
FROM clinic_patient AS patient LEFT JOIN LATERAL (
    SELECT * FROM clinic_patientevent
    WHERE patient_id = patient.id AND changes -> 'accepts_whatsapp' IS NOT NULL ORDER BY at DESC, id DESC LIMIT 1
) AS event ON true
WHERE accepts_whatsapp IS NOT NULL ORDER BY patient.id
"""
APPEND_ONLY = """
CREATE TRIGGER consent_append_only BEFORE UPDATE ON clinic_consent
    FOR EACH ROW EXECUTE FUNCTION clinic_append_only();
CREATE TRIGGER consent_kept BEFORE DELETE ON clinic_consent FOR EACH ROW
    WHEN (OLD.asked <> '' OR NOT clinic_is_taken_back(OLD.clinic_id, OLD.patient_id))
    EXECUTE FUNCTION clinic_append_only();
"""
NOT_APPEND_ONLY = """
DROP TRIGGER consent_kept ON clinic_consent;
DROP TRIGGER consent_append_only ON clinic_consent;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('clinic', '0081_audit_indexes'),
    ]

    operations = [
        migrations.CreateModel(
            name='Consent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('channel', models.CharField(choices=[('whatsapp', 'WhatsApp'), ('sms', 'SMS'), ('email', 'e-mail'), ('phone', 'telefone')], max_length=8, verbose_name='canal')),
                ('purpose', models.CharField(choices=[('reminder', 'lembretes'), ('marketing', 'divulgação')], max_length=9, verbose_name='para quê')),
                ('answer', models.CharField(choices=[('given', 'aceita'), ('withdrawn', 'não aceita'), ('cleared', 'não perguntado')], max_length=9, verbose_name='resposta')),
                ('text', models.CharField(blank=True, max_length=500, verbose_name='o que foi perguntado')),
                ('asked', models.CharField(blank=True, choices=[('counter', 'no balcão'), ('phone', 'por telefone'), ('message', 'por mensagem'), ('paper', 'por escrito')], max_length=7, verbose_name='como respondeu')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='data')),
                ('via', models.CharField(choices=[('browser', 'Tela'), ('admin', 'Administração'), ('imagemais', 'API ImageMais'), ('mivicall', 'API MiviCall'), ('command', 'Comando')], max_length=9, verbose_name='via')),
                ('credential', models.CharField(blank=True, help_text='Name of the token, key or command.', max_length=80)),
                ('clinic', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='clinic.clinic', verbose_name='clínica')),
                ('patient', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='consents', to='clinic.patient')),
                ('user', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'consentimento',
                'verbose_name_plural': 'consentimentos',
                'ordering': ['-at', '-pk'],
                'indexes': [models.Index(fields=['patient', 'at'], name='consent_patient_at')],
                'constraints': [models.CheckConstraint(condition=models.Q(('channel__in', ['whatsapp', 'sms', 'email', 'phone'])), name='consent_channel_known'), models.CheckConstraint(condition=models.Q(('purpose__in', ['reminder', 'marketing'])), name='consent_purpose_known'), models.CheckConstraint(condition=models.Q(('answer__in', ['given', 'withdrawn', 'cleared'])), name='consent_answer_known')],
            },
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RunSQL(APPEND_ONLY, NOT_APPEND_ONLY),
    ]
