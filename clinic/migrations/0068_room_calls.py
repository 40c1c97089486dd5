"""Calls to the doctor's room, marks of priority, links of the waiting room's display, and the room of a doctor.

Tables of their own, empty at first; the column has a default of the database's, so that nothing is rewritten.
"""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('clinic', '0067_calendar_feeds'),
    ]

    operations = [
        migrations.AddField(
            model_name='doctor',
            name='room',
            field=models.CharField(blank=True, db_default='', default='', help_text='Aparece no painel de chamada, por exemplo “Consultório 3”.', max_length=40, verbose_name='sala'),
        ),
        migrations.CreateModel(
            name='DisplayLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60, verbose_name='nome')),
                ('digest', models.CharField(max_length=64)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='criado em')),
                ('revoked_at', models.DateTimeField(blank=True, null=True, verbose_name='revogado em')),
                ('clinic', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='clinic.clinic', verbose_name='clínica')),
                ('created_by', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('revoked_by', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'painel de chamada',
                'verbose_name_plural': 'painéis de chamada',
                'ordering': ['-created_at', '-pk'],
                'indexes': [models.Index(fields=['digest'], name='displaylink_digest')],
                'constraints': [models.UniqueConstraint(fields=('clinic', 'digest'), name='displaylink_digest_once'), models.CheckConstraint(condition=models.Q(('digest__regex', '^[0-9a-f]{64}$')), name='displaylink_digest_hex')],
            },
        ),
        migrations.CreateModel(
            name='PriorityMark',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('none', 'sem prioridade'), ('pregnant', 'gestante'), ('nursing', 'lactante'), ('infant', 'com criança de colo'), ('disabled', 'pessoa com deficiência'), ('autistic', 'pessoa autista'), ('mobility', 'mobilidade reduzida'), ('obese', 'obesidade'), ('elderly', 'pessoa idosa com limitações'), ('donor', 'doador(a) de sangue')], max_length=8, verbose_name='prioridade')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='data')),
                ('appointment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='priority_marks', to='clinic.appointment')),
                ('clinic', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='clinic.clinic', verbose_name='clínica')),
                ('user', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'prioridade',
                'verbose_name_plural': 'prioridades',
                'ordering': ['at', 'pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['none', 'pregnant', 'nursing', 'infant', 'disabled', 'autistic', 'mobility', 'obese', 'elderly', 'donor'])), name='prioritymark_kind_known')],
            },
        ),
        migrations.CreateModel(
            name='RoomCall',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='data')),
                ('appointment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='room_calls', to='clinic.appointment')),
                ('clinic', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='clinic.clinic', verbose_name='clínica')),
                ('user', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'chamada',
                'verbose_name_plural': 'chamadas',
                'ordering': ['at', 'pk'],
                'indexes': [models.Index(fields=['clinic', 'at'], name='roomcall_clinic_at')],
            },
        ),
    ]
