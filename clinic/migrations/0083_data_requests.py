"""Requests for deletion or restriction, and patients who are blocked by one.

The column is null, so nothing is rewritten. Whether old rows fit the wider constraint of events and that of blocked
patients is looked at by 0084. No booking, no entry of the waiting list, no recall and no memo is given to a blocked
patient: the function behind the triggers of 0070 and 0072 refuses it. The way back forgets the requests with what they
keep: take restrictions off before it.
"""

import django.core.serializers.json
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

from clinic.migrations._row_changes import note_rows


KINDS = [('registered', 'Cadastrado'), ('changed', 'Alterado'), ('redacted', 'Textos apagados'), ('merged', 'Cadastros juntados'), ('separated', 'Cadastros separados de novo'), ('erased', 'Dados apagados a pedido'), ('blocked', 'Bloqueado a pedido'), ('restricted', 'Uso limitado a pedido'), ('released', 'Em uso de novo'), ('opened', 'Identificação vista')]
KNOWN_KINDS = """
ALTER TABLE clinic_patientevent DROP CONSTRAINT patientevent_kind_known;
ALTER TABLE clinic_patientevent ADD CONSTRAINT patientevent_kind_known CHECK (kind IN ({kinds})) NOT VALID
"""
REFUSE = """
CREATE OR REPLACE FUNCTION clinic_refuse_merged_patient() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM clinic_patient WHERE id = NEW.patient_id AND merged_into_id IS NOT NULL) THEN
        RAISE EXCEPTION 'patient % was merged into another', NEW.patient_id USING ERRCODE = 'foreign_key_violation';
    END IF;{blocked}
    RETURN NEW;
END $$;
"""
BLOCKED = """
    IF EXISTS (SELECT FROM clinic_patient WHERE id = NEW.patient_id AND blocked_at IS NOT NULL) THEN
        RAISE EXCEPTION 'patient % is blocked', NEW.patient_id USING ERRCODE = 'foreign_key_violation';
    END IF;"""


def _listed(kinds):
    return ", ".join(f"'{kind}'" for kind, _ in kinds)


class Migration(migrations.Migration):

    dependencies = [
        ('clinic', '0082_consents'),
    ]

    operations = [
        migrations.CreateModel(
            name='DataRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('deletion', 'eliminação dos dados'), ('restriction', 'limitação do uso')], max_length=11, verbose_name='pedido')),
                ('reason', models.CharField(max_length=200, verbose_name='motivo')),
                ('requested_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='data do pedido')),
                ('outcome', models.CharField(blank=True, choices=[('declined', 'não confirmado'), ('erased', 'dados apagados'), ('blocked', 'bloqueado'), ('restricted', 'uso limitado'), ('released', 'em uso de novo'), ('anonymised', 'anonimizado')], max_length=10, verbose_name='resultado')),
                ('decided_at', models.DateTimeField(blank=True, null=True, verbose_name='data da decisão')),
                ('blocked_until', models.DateField(blank=True, null=True, verbose_name='bloqueado até')),
                ('kept', models.JSONField(default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder)),
            ],
            options={
                'verbose_name': 'pedido de titular',
                'verbose_name_plural': 'pedidos de titulares',
                'ordering': ['-requested_at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='PrivacySettings',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('officer_name', models.CharField(blank=True, max_length=120, verbose_name='nome')),
                ('officer_contact', models.CharField(blank=True, max_length=160, verbose_name='contato')),
                ('purposes', models.TextField(blank=True, max_length=2000, verbose_name='finalidades')),
                ('measures', models.TextField(blank=True, max_length=2000, verbose_name='medidas de segurança')),
                ('records_kept_years', models.PositiveSmallIntegerField(default=20, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)], verbose_name='anos depois da última visita')),
            ],
            options={
                'verbose_name': 'privacidade',
                'verbose_name_plural': 'privacidade',
            },
        ),
        migrations.AddField(
            model_name='patient',
            name='blocked_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AlterField(
            model_name='patientevent',
            name='kind',
            field=models.CharField(choices=KINDS, max_length=14, verbose_name='tipo'),
        ),
        AddConstraintNotValid(
            model_name='patient',
            constraint=models.CheckConstraint(condition=models.Q(('blocked_at__isnull', True), models.Q(('alert', ''), ('birth_date__isnull', True), ('cpf__isnull', True), ('document_number__isnull', True), ('email', ''), ('guardian_name', ''), ('health_number__isnull', True), ('nif', ''), ('notes', ''), ('phone__isnull', True), ('second_phone__isnull', True), ('social_name', '')), _connector='OR'), name='patient_blocked_is_blank'),
        ),
        migrations.RunSQL(
            KNOWN_KINDS.format(kinds=_listed(KINDS)),
            KNOWN_KINDS.format(kinds=_listed(KINDS[:5])),
            state_operations=[
                migrations.RemoveConstraint("patientevent", "patientevent_kind_known"),
                migrations.AddConstraint(
                    "patientevent",
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", [kind for kind, _ in KINDS])), name="patientevent_kind_known"
                    ),
                ),
            ],
        ),
        migrations.RunSQL(REFUSE.format(blocked=BLOCKED), REFUSE.format(blocked="")),
        migrations.AddField(
            model_name='datarequest',
            name='clinic',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='clinic.clinic', verbose_name='clínica'),
        ),
        migrations.AddField(
            model_name='datarequest',
            name='decided_by',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='quem decidiu'),
        ),
        migrations.AddField(
            model_name='datarequest',
            name='patient',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='data_requests', to='clinic.patient'),
        ),
        migrations.AddField(
            model_name='datarequest',
            name='requested_by',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='quem pediu'),
        ),
        migrations.AddField(
            model_name='privacysettings',
            name='clinic',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='privacy', to='clinic.clinic', verbose_name='clínica'),
        ),
        migrations.AddIndex(
            model_name='datarequest',
            index=models.Index(fields=['clinic', 'requested_at'], name='datarequest_clinic_at'),
        ),
        migrations.AddIndex(
            model_name='datarequest',
            index=models.Index(fields=['patient'], name='datarequest_patient'),
        ),
        migrations.AddConstraint(
            model_name='datarequest',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['deletion', 'restriction'])), name='datarequest_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='datarequest',
            constraint=models.CheckConstraint(condition=models.Q(('outcome__in', ['', 'declined', 'erased', 'blocked', 'restricted', 'released', 'anonymised'])), name='datarequest_outcome_known'),
        ),
        migrations.AddConstraint(
            model_name='datarequest',
            constraint=models.CheckConstraint(condition=models.Q(('outcome__in', ['blocked', 'restricted']), ('kept', {}), _connector='OR'), name='datarequest_kept_while_sealed'),
        ),
        migrations.AddConstraint(
            model_name='datarequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('outcome', 'blocked'), _negated=True), ('blocked_until__isnull', False), _connector='OR'), name='datarequest_blocked_until'),
        ),
        migrations.AddConstraint(
            model_name='datarequest',
            constraint=models.UniqueConstraint(condition=models.Q(('outcome__in', ['', 'blocked', 'restricted'])), fields=('patient',), name='datarequest_one_open'),
        ),
        migrations.AddConstraint(
            model_name='privacysettings',
            constraint=models.CheckConstraint(condition=models.Q(('records_kept_years__gte', 1), ('records_kept_years__lte', 100)), name='privacysettings_kept_years'),
        ),
        note_rows("clinic_privacysettings"),
    ]
