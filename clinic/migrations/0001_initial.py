import clinic.models.clinic
import clinic.models.patient
import clinic.models.ranges
import django.contrib.auth.validators
import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import phonenumber_field.modelfields
import uuid
from django.conf import settings
from django.contrib.postgres.operations import BtreeGistExtension, TrigramExtension, UnaccentExtension
from django.db import migrations, models


# Immutable, so that generated columns and indexes may use it; unaccent itself is only stable, because its
# dictionary could be altered.
FOLD = """
CREATE FUNCTION clinic_fold(value text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT lower(public.unaccent('public.unaccent'::regdictionary, btrim(regexp_replace(value, '\\s+', ' ', 'g'))))
$$
"""

APPEND_ONLY = """
CREATE FUNCTION clinic_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the history of appointments is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER appointmentevent_append_only BEFORE UPDATE OR DELETE ON clinic_appointmentevent
    FOR EACH ROW EXECUTE FUNCTION clinic_append_only();
"""
DROP_APPEND_ONLY = """
DROP TRIGGER appointmentevent_append_only ON clinic_appointmentevent;
DROP FUNCTION clinic_append_only();
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        BtreeGistExtension(),
        UnaccentExtension(),
        TrigramExtension(),
        migrations.RunSQL(FOLD, "DROP FUNCTION clinic_fold(text)"),
        migrations.CreateModel(
            name='StaffUser',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('username', models.CharField(error_messages={'unique': 'Já existe um usuário com esse nome. Escolha outro.'}, max_length=60, unique=True, validators=[django.contrib.auth.validators.UnicodeUsernameValidator()], verbose_name='usuário')),
                ('name', models.CharField(max_length=120, verbose_name='nome')),
                ('role', models.CharField(choices=[('receptionist', 'Recepção'), ('manager', 'Gestão'), ('master', 'Master')], default='receptionist', max_length=12, verbose_name='função')),
                ('may_squeeze_in', models.BooleanField(default=False, verbose_name='pode marcar encaixe')),
                ('is_superuser', models.BooleanField(default=False, verbose_name='vê todas as clínicas')),
                ('is_active', models.BooleanField(default=True, verbose_name='ativo')),
                ('date_joined', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='desde')),
            ],
            options={
                'verbose_name': 'usuário',
                'verbose_name_plural': 'usuários',
                'ordering': ['name', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='Absence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_at', models.DateTimeField(verbose_name='de')),
                ('ends_at', models.DateTimeField(verbose_name='até')),
                ('reason', models.CharField(help_text='Aparece na agenda, por exemplo “férias”.', max_length=80, verbose_name='motivo')),
            ],
            options={
                'verbose_name': 'ausência',
                'verbose_name_plural': 'ausências',
                'ordering': ['-starts_at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='Closure',
            fields=[
            ],
            options={
                'verbose_name': 'fechamento da clínica',
                'verbose_name_plural': 'fechamentos da clínica',
                'proxy': True,
                'indexes': [],
                'constraints': [],
            },
            bases=('clinic.absence',),
        ),
        migrations.CreateModel(
            name='Appointment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False)),
                ('starts_at', models.DateTimeField(verbose_name='início')),
                ('ends_at', models.DateTimeField(verbose_name='fim')),
                ('status', models.CharField(choices=[('scheduled', 'Agendado'), ('confirmed', 'Confirmado'), ('checked_in', 'Check-in'), ('in_service', 'Em atendimento'), ('finished', 'Finalizado'), ('no_show', 'Faltou'), ('cancelled', 'Cancelado'), ('rescheduled', 'Reagendado')], default='scheduled', max_length=12, verbose_name='situação')),
                ('source', models.CharField(choices=[('manual', 'Recepção'), ('voice_ai', 'Voz'), ('self_service', 'Bot'), ('sync_external', 'API')], default='manual', max_length=14, verbose_name='origem')),
                ('notes', models.TextField(blank=True, max_length=5000, verbose_name='observações')),
                ('metadata', models.JSONField(blank=True, default=dict)),
                ('typed_cpf', models.CharField(blank=True, help_text='Digits an API sent as the CPF whose check digits are wrong.', max_length=11)),
                ('encaixe_reason', models.CharField(blank=True, max_length=200, verbose_name='motivo do encaixe')),
                ('cancelled_by', models.CharField(blank=True, choices=[('patient', 'Paciente'), ('clinic', 'Clínica')], max_length=7, verbose_name='cancelado por')),
                ('cancel_reason', models.CharField(blank=True, max_length=200, verbose_name='motivo do cancelamento')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('deleted_at', models.DateTimeField(blank=True, null=True)),
                ('created_by', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('encaixe_by', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='encaixe por')),
            ],
            options={
                'verbose_name': 'agendamento',
                'verbose_name_plural': 'agendamentos',
                'ordering': ['starts_at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='Clinic',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120, verbose_name='nome')),
                ('slug', models.SlugField(max_length=40, unique=True, verbose_name='identificador')),
                ('country', models.CharField(choices=[('BR', 'Brasil'), ('PT', 'Portugal')], max_length=2, verbose_name='país')),
                ('time_zone', models.CharField(max_length=64, validators=[clinic.models.clinic.validate_time_zone], verbose_name='fuso horário')),
                ('language', models.CharField(choices=[('pt-br', 'Português (Brasil)'), ('pt-pt', 'Português (Portugal)')], max_length=5, verbose_name='idioma')),
                ('currency', models.CharField(choices=[('BRL', 'Real (R$)'), ('EUR', 'Euro (€)')], max_length=3, verbose_name='moeda')),
                ('observes_holidays', models.BooleanField(default=True, verbose_name='fecha nos feriados nacionais')),
                ('strict_cpf', models.BooleanField(default=False, help_text='Desligado, um agendamento que chega por API com CPF inválido é aceito e fica “CPF a confirmar”.', verbose_name='exige CPF com dígitos válidos')),
                ('active', models.BooleanField(default=True, verbose_name='ativa')),
            ],
            options={
                'verbose_name': 'clínica',
                'verbose_name_plural': 'clínicas',
                'ordering': ['name', 'pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('country__in', ['BR', 'PT'])), name='clinic_country_known'), models.CheckConstraint(condition=models.Q(('language__in', ['pt-br', 'pt-pt'])), name='clinic_language_known'), models.CheckConstraint(condition=models.Q(('currency__in', ['BRL', 'EUR'])), name='clinic_currency_known')],
            },
        ),
        migrations.CreateModel(
            name='AppointmentProcedure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField()),
                ('price', models.DecimalField(decimal_places=2, max_digits=10, verbose_name='preço')),
                ('appointment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='clinic.appointment')),
                ('clinic', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='clinic.clinic', verbose_name='clínica')),
            ],
            options={
                'verbose_name': 'procedimento agendado',
                'verbose_name_plural': 'procedimentos agendados',
                'ordering': ['position', 'pk'],
            },
        ),
        migrations.AddField(
            model_name='appointment',
            name='clinic',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='clinic.clinic', verbose_name='clínica'),
        ),
        migrations.AddField(
            model_name='absence',
            name='clinic',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='clinic.clinic', verbose_name='clínica'),
        ),
        migrations.AddField(
            model_name='staffuser',
            name='clinic',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='clinic.clinic', verbose_name='clínica'),
        ),
        migrations.CreateModel(
            name='Discount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, verbose_name='nome')),
                ('percentage', models.DecimalField(blank=True, decimal_places=2, max_digits=5, null=True, verbose_name='porcentagem')),
                ('fixed', models.DecimalField(blank=True, decimal_places=2, max_digits=10, null=True, verbose_name='valor fixo')),
                ('expires_on', models.DateField(blank=True, help_text='Vazio: não expira.', null=True, verbose_name='válido até')),
                ('clinic', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='clinic.clinic', verbose_name='clínica')),
            ],
            options={
                'verbose_name': 'desconto',
                'verbose_name_plural': 'descontos',
                'ordering': ['name', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='AppliedDiscount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('value', models.DecimalField(decimal_places=2, max_digits=10, verbose_name='valor')),
                ('line', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='discounts', to='clinic.appointmentprocedure')),
                ('clinic', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='clinic.clinic', verbose_name='clínica')),
                ('discount', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clinic.discount')),
            ],
            options={
                'verbose_name': 'desconto aplicado',
                'verbose_name_plural': 'descontos aplicados',
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='Doctor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False)),
                ('name', models.CharField(max_length=120, verbose_name='nome')),
                ('sort_name', models.GeneratedField(db_persist=True, expression=clinic.models.ranges.Fold('name'), output_field=models.TextField())),
                ('council_number', models.CharField(blank=True, max_length=30, verbose_name='registro no conselho')),
                ('specialty', models.CharField(max_length=80, verbose_name='especialidade')),
                ('interval_minutes', models.PositiveSmallIntegerField(default=15, help_text='De quantos em quantos minutos começam os horários livres.', verbose_name='intervalo da grade')),
                ('active', models.BooleanField(default=True, verbose_name='ativo')),
                ('clinic', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='clinic.clinic', verbose_name='clínica')),
            ],
            options={
                'verbose_name': 'médico(a)',
                'verbose_name_plural': 'médicos(as)',
                'ordering': ['sort_name', 'pk'],
            },
        ),
        migrations.AddField(
            model_name='appointment',
            name='doctor',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='appointments', to='clinic.doctor', verbose_name='médico(a)'),
        ),
        migrations.AddField(
            model_name='absence',
            name='doctor',
            field=models.ForeignKey(blank=True, help_text='Vazio: a clínica inteira fecha.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='absences', to='clinic.doctor', verbose_name='médico(a)'),
        ),
        migrations.CreateModel(
            name='Patient',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False)),
                ('name', models.CharField(max_length=160, verbose_name='nome')),
                ('social_name', models.CharField(blank=True, help_text='Como a pessoa quer ser chamada.', max_length=160, verbose_name='nome social')),
                ('cpf', models.CharField(blank=True, max_length=11, null=True, verbose_name='CPF')),
                ('nif', models.CharField(blank=True, max_length=9, verbose_name='NIF')),
                ('phone', phonenumber_field.modelfields.PhoneNumberField(max_length=128, region=None, verbose_name='telefone')),
                ('phone_hash', clinic.models.patient.PhoneHashField(editable=False, max_length=64)),
                ('birth_date', models.DateField(blank=True, null=True, verbose_name='data de nascimento')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='e-mail')),
                ('notes', models.TextField(blank=True, max_length=5000, verbose_name='observações')),
                ('folded_name', models.GeneratedField(db_persist=True, expression=clinic.models.ranges.Fold('name'), output_field=models.TextField())),
                ('search', models.GeneratedField(db_persist=True, expression=clinic.models.ranges.Fold(django.db.models.functions.text.Concat(models.F('name'), models.Value(' '), models.F('social_name'))), output_field=models.TextField())),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('clinic', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='clinic.clinic', verbose_name='clínica')),
            ],
            options={
                'verbose_name': 'paciente',
                'verbose_name_plural': 'pacientes',
                'ordering': ['folded_name', 'pk'],
            },
        ),
        migrations.AddField(
            model_name='appointment',
            name='patient',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='appointments', to='clinic.patient'),
        ),
        migrations.CreateModel(
            name='Procedure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False)),
                ('code', models.CharField(blank=True, max_length=20, verbose_name='código')),
                ('name', models.CharField(max_length=160, verbose_name='nome')),
                ('sort_name', models.GeneratedField(db_persist=True, expression=clinic.models.ranges.Fold('name'), output_field=models.TextField())),
                ('price', models.DecimalField(decimal_places=2, max_digits=10, verbose_name='preço')),
                ('duration_minutes', models.PositiveSmallIntegerField(default=30, verbose_name='duração em minutos')),
                ('active', models.BooleanField(default=True, verbose_name='ativo')),
                ('clinic', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='clinic.clinic', verbose_name='clínica')),
            ],
            options={
                'verbose_name': 'procedimento',
                'verbose_name_plural': 'procedimentos',
                'ordering': ['sort_name', 'pk'],
            },
        ),
        migrations.AddField(
            model_name='doctor',
            name='procedures',
            field=models.ManyToManyField(blank=True, related_name='doctors', to='clinic.procedure', verbose_name='procedimentos'),
        ),
        migrations.AddField(
            model_name='appointmentprocedure',
            name='procedure',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clinic.procedure'),
        ),
        migrations.CreateModel(
            name='WorkingHours',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('weekday', models.PositiveSmallIntegerField(choices=[(1, 'Segunda-feira'), (2, 'Terça-feira'), (3, 'Quarta-feira'), (4, 'Quinta-feira'), (5, 'Sexta-feira'), (6, 'Sábado'), (7, 'Domingo')], verbose_name='dia da semana')),
                ('starts', models.TimeField(verbose_name='das')),
                ('ends', models.TimeField(verbose_name='às')),
                ('clinic', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='clinic.clinic', verbose_name='clínica')),
                ('doctor', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='hours', to='clinic.doctor', verbose_name='médico(a)')),
            ],
            options={
                'verbose_name': 'expediente',
                'verbose_name_plural': 'expediente',
                'ordering': ['weekday', 'starts', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='AppointmentEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('booked', 'Agendado'), ('rescheduled', 'Remarcado'), ('status_changed', 'Situação alterada'), ('annotated', 'Observações alteradas')], max_length=14, verbose_name='tipo')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='data')),
                ('door', models.CharField(choices=[('browser', 'Tela'), ('imagemais', 'API ImageMais'), ('mivicall', 'API MiviCall'), ('command', 'Comando')], max_length=9, verbose_name='via')),
                ('credential', models.CharField(blank=True, help_text='Name of the token, key or command.', max_length=80)),
                ('before', models.JSONField(default=dict)),
                ('after', models.JSONField(default=dict)),
                ('appointment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='events', to='clinic.appointment')),
                ('user', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('clinic', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='clinic.clinic', verbose_name='clínica')),
            ],
            options={
                'verbose_name': 'histórico',
                'verbose_name_plural': 'histórico',
                'ordering': ['at', 'pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['booked', 'rescheduled', 'status_changed', 'annotated'])), name='appointmentevent_kind_known'), models.CheckConstraint(condition=models.Q(('door__in', ['browser', 'imagemais', 'mivicall', 'command'])), name='appointmentevent_door_known')],
            },
        ),
        migrations.AddConstraint(
            model_name='staffuser',
            constraint=models.CheckConstraint(condition=models.Q(('clinic__isnull', False), ('is_superuser', True), _connector='OR'), name='staffuser_clinic_unless_superuser'),
        ),
        migrations.AddConstraint(
            model_name='staffuser',
            constraint=models.CheckConstraint(condition=models.Q(('role__in', ['receptionist', 'manager', 'master'])), name='staffuser_role_known'),
        ),
        migrations.AddConstraint(
            model_name='discount',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('fixed__isnull', False), ('percentage__isnull', True)), models.Q(('fixed__isnull', True), ('percentage__isnull', False)), _connector='OR'), name='discount_percentage_or_fixed'),
        ),
        migrations.AddConstraint(
            model_name='discount',
            constraint=models.CheckConstraint(condition=models.Q(('percentage__isnull', True), models.Q(('percentage__gt', 0), ('percentage__lte', 100)), _connector='OR'), name='discount_percentage_0_to_100'),
        ),
        migrations.AddConstraint(
            model_name='discount',
            constraint=models.CheckConstraint(condition=models.Q(('fixed__isnull', True), ('fixed__gt', 0), _connector='OR'), name='discount_fixed_above_zero'),
        ),
        migrations.AddConstraint(
            model_name='applieddiscount',
            constraint=models.CheckConstraint(condition=models.Q(('value__gte', 0)), name='applieddiscount_value_not_negative'),
        ),
        migrations.AddIndex(
            model_name='absence',
            index=models.Index(fields=['clinic', 'ends_at'], name='absence_clinic_ends_at'),
        ),
        migrations.AddConstraint(
            model_name='absence',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='absence_ends_after_start'),
        ),
        migrations.AddIndex(
            model_name='patient',
            index=django.contrib.postgres.indexes.GinIndex(fields=['search'], name='patient_search_trigram', opclasses=['gin_trgm_ops']),
        ),
        migrations.AddIndex(
            model_name='patient',
            index=django.contrib.postgres.indexes.GinIndex(fields=['phone'], name='patient_phone_trigram', opclasses=['gin_trgm_ops']),
        ),
        migrations.AddIndex(
            model_name='patient',
            index=models.Index(fields=['clinic', 'phone'], name='patient_clinic_phone'),
        ),
        migrations.AddIndex(
            model_name='patient',
            index=models.Index(fields=['clinic', 'phone_hash'], name='patient_clinic_phone_hash'),
        ),
        migrations.AddIndex(
            model_name='patient',
            index=models.Index(fields=['clinic', 'folded_name'], name='patient_clinic_folded_name'),
        ),
        migrations.AddIndex(
            model_name='patient',
            index=models.Index(condition=models.Q(('nif', ''), _negated=True), fields=['clinic', 'nif'], name='patient_clinic_nif'),
        ),
        migrations.AddIndex(
            model_name='patient',
            index=models.Index(fields=['clinic', 'birth_date'], name='patient_clinic_birth_date'),
        ),
        migrations.AddConstraint(
            model_name='patient',
            constraint=models.UniqueConstraint(fields=('clinic', 'uuid'), name='patient_uuid_once'),
        ),
        migrations.AddConstraint(
            model_name='patient',
            constraint=models.UniqueConstraint(condition=models.Q(('cpf__isnull', False)), fields=('clinic', 'cpf'), name='patient_cpf_once'),
        ),
        migrations.AddConstraint(
            model_name='patient',
            constraint=models.CheckConstraint(condition=models.Q(('cpf__isnull', True), ('cpf__regex', '^\\d{11}$'), _connector='OR'), name='patient_cpf_digits'),
        ),
        migrations.AddConstraint(
            model_name='patient',
            constraint=models.CheckConstraint(condition=models.Q(('nif', ''), ('nif__regex', '^\\d{9}$'), _connector='OR'), name='patient_nif_digits'),
        ),
        migrations.AddConstraint(
            model_name='patient',
            constraint=models.CheckConstraint(condition=models.Q(('phone__regex', '^\\+[1-9]\\d{1,14}$')), name='patient_phone_e164'),
        ),
        migrations.AddConstraint(
            model_name='patient',
            constraint=models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='patient_name_present'),
        ),
        migrations.AddIndex(
            model_name='appointment',
            index=models.Index(fields=['clinic', 'starts_at'], name='appointment_clinic_starts_at'),
        ),
        migrations.AddIndex(
            model_name='appointment',
            index=models.Index(fields=['doctor', 'starts_at'], name='appointment_doctor_starts_at'),
        ),
        migrations.AddIndex(
            model_name='appointment',
            index=models.Index(fields=['patient', 'starts_at'], name='appointment_patient_starts_at'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=models.UniqueConstraint(fields=('clinic', 'uuid'), name='appointment_uuid_once'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(models.Q(('status__in', ['cancelled', 'no_show']), _negated=True), ('deleted_at__isnull', True), ('encaixe_by__isnull', True)), expressions=[('clinic', '='), ('doctor', '='), (clinic.models.ranges.TsTzRange('starts_at', 'ends_at', django.contrib.postgres.fields.ranges.RangeBoundary()), '&&')], name='appointment_doctor_free'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(models.Q(('status__in', ['cancelled', 'no_show']), _negated=True), ('deleted_at__isnull', True)), expressions=[('clinic', '='), ('patient', '='), (clinic.models.ranges.TsTzRange('starts_at', 'ends_at', django.contrib.postgres.fields.ranges.RangeBoundary()), '&&')], name='appointment_patient_in_one_place'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=models.UniqueConstraint(condition=models.Q(('deleted_at__isnull', True), ('status', 'in_service')), fields=('clinic', 'doctor'), name='appointment_one_in_service'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='appointment_ends_after_start'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['scheduled', 'confirmed', 'checked_in', 'in_service', 'finished', 'no_show', 'cancelled', 'rescheduled'])), name='appointment_status_known'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=models.CheckConstraint(condition=models.Q(('source__in', ['manual', 'voice_ai', 'self_service', 'sync_external'])), name='appointment_source_known'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('cancelled_by__in', ['patient', 'clinic']), ('status', 'cancelled')), models.Q(models.Q(('status', 'cancelled'), _negated=True), ('cancel_reason', ''), ('cancelled_by', '')), _connector='OR'), name='appointment_cancelled_by_somebody'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('encaixe_by__isnull', True), ('encaixe_reason', '')), models.Q(('encaixe_by__isnull', False), models.Q(('encaixe_reason', ''), _negated=True)), _connector='OR'), name='appointment_encaixe_attributed'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=models.CheckConstraint(condition=models.Q(('typed_cpf', ''), ('typed_cpf__regex', '^\\d{11}$'), _connector='OR'), name='appointment_typed_cpf_digits'),
        ),
        migrations.AddConstraint(
            model_name='procedure',
            constraint=models.UniqueConstraint(fields=('clinic', 'uuid'), name='procedure_uuid_once'),
        ),
        migrations.AddConstraint(
            model_name='procedure',
            constraint=models.UniqueConstraint(condition=models.Q(('code', ''), _negated=True), fields=('clinic', 'code'), name='procedure_code_once'),
        ),
        migrations.AddConstraint(
            model_name='procedure',
            constraint=models.CheckConstraint(condition=models.Q(('price__gte', 0)), name='procedure_price_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='procedure',
            constraint=models.CheckConstraint(condition=models.Q(('duration_minutes__gte', 5), ('duration_minutes__lte', 720)), name='procedure_duration_5_to_720'),
        ),
        migrations.AddConstraint(
            model_name='doctor',
            constraint=models.UniqueConstraint(fields=('clinic', 'uuid'), name='doctor_uuid_once'),
        ),
        migrations.AddConstraint(
            model_name='doctor',
            constraint=models.UniqueConstraint(condition=models.Q(('council_number', ''), _negated=True), fields=('clinic', 'council_number'), name='doctor_council_number_once'),
        ),
        migrations.AddConstraint(
            model_name='doctor',
            constraint=models.CheckConstraint(condition=models.Q(('interval_minutes__gte', 5), ('interval_minutes__lte', 240)), name='doctor_interval_5_to_240'),
        ),
        migrations.AddConstraint(
            model_name='appointmentprocedure',
            constraint=models.UniqueConstraint(fields=('clinic', 'appointment', 'position'), name='appointmentprocedure_position_once'),
        ),
        migrations.AddConstraint(
            model_name='appointmentprocedure',
            constraint=models.CheckConstraint(condition=models.Q(('price__gte', 0)), name='appointmentprocedure_price_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='workinghours',
            constraint=models.CheckConstraint(condition=models.Q(('weekday__gte', 1), ('weekday__lte', 7)), name='workinghours_weekday_iso'),
        ),
        migrations.AddConstraint(
            model_name='workinghours',
            constraint=models.CheckConstraint(condition=models.Q(('ends__gt', models.F('starts'))), name='workinghours_ends_after_start'),
        ),
        migrations.RunSQL(APPEND_ONLY, DROP_APPEND_ONLY),
    ]
