"""Spreadsheets that are brought into a clinic, and their rows: two tables, empty at first."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.core.serializers.json
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0074_validate_hours_events"),
    ]

    operations = [
        migrations.CreateModel(
            name="ImportRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=[("patients", "Pacientes")], max_length=12, verbose_name="tipo")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("read", "Escolher as colunas"),
                            ("checking", "Conferindo"),
                            ("checked", "Conferida, ainda não importada"),
                            ("importing", "Importando"),
                            ("imported", "Importada"),
                            ("taking_back", "Desfazendo"),
                            ("taken_back", "Desfeita"),
                        ],
                        default="read",
                        max_length=12,
                        verbose_name="situação",
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="data")),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("browser", "Tela"),
                            ("admin", "Administração"),
                            ("imagemais", "API ImageMais"),
                            ("mivicall", "API MiviCall"),
                            ("command", "Comando"),
                        ],
                        max_length=9,
                        verbose_name="via",
                    ),
                ),
                ("credential", models.CharField(blank=True, help_text="Name of the command.", max_length=80)),
                ("file_name", models.CharField(max_length=200, verbose_name="arquivo")),
                ("file_format", models.CharField(max_length=4)),
                ("encoding", models.CharField(blank=True, max_length=12)),
                ("separator", models.CharField(blank=True, max_length=1)),
                ("sheet", models.CharField(blank=True, max_length=200)),
                ("headings", models.JSONField(default=list)),
                ("columns", models.JSONField(default=list)),
                ("month_first", models.JSONField(default=list)),
                ("mixed", models.JSONField(default=list)),
                ("overwrites", models.BooleanField(default=False)),
                ("total", models.PositiveIntegerField(default=0)),
                ("number", models.PositiveIntegerField(default=0)),
                ("imported_at", models.DateTimeField(blank=True, null=True)),
                ("taken_back_at", models.DateTimeField(blank=True, null=True)),
                (
                    "clinic",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="clinic.clinic",
                        verbose_name="clínica",
                    ),
                ),
                (
                    "taken_back_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "importação",
                "verbose_name_plural": "importações",
                "ordering": ["-at", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="ImportRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("cells", models.JSONField()),
                (
                    "fate",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Ainda não conferida"),
                            ("new", "Novo"),
                            ("same", "Já existe, igual"),
                            ("changed", "Já existe, muda"),
                            ("duplicate", "Repetido na planilha"),
                            ("refused", "Recusado"),
                            ("taken_back", "Desfeito"),
                            ("kept", "Ficou como está"),
                        ],
                        db_default="",
                        default="",
                        max_length=10,
                        verbose_name="destino",
                    ),
                ),
                (
                    "changes",
                    models.JSONField(
                        db_default={}, default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder
                    ),
                ),
                ("sentences", models.JSONField(db_default=[], default=list)),
                (
                    "keys",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), db_default=[], default=list
                    ),
                ),
                ("patient_id", models.BigIntegerField(null=True)),
                ("version", models.CharField(blank=True, db_default="", default="", max_length=40)),
                (
                    "clinic",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="clinic.clinic",
                        verbose_name="clínica",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rows",
                        to="clinic.importrun",
                    ),
                ),
            ],
            options={
                "verbose_name": "linha importada",
                "verbose_name_plural": "linhas importadas",
                "ordering": ["run", "number"],
            },
        ),
        migrations.AddIndex(
            model_name="importrun",
            index=models.Index(fields=["clinic", "-at"], name="importrun_clinic_at"),
        ),
        migrations.AddConstraint(
            model_name="importrun",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["importing", "taking_back"])),
                fields=("clinic",),
                name="importrun_one_writes",
            ),
        ),
        migrations.AddConstraint(
            model_name="importrun",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["patients"])), name="importrun_kind_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="importrun",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["read", "checking", "checked", "importing", "imported", "taking_back", "taken_back"])
                ),
                name="importrun_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="importrun",
            constraint=models.CheckConstraint(
                condition=models.Q(("channel__in", ["browser", "admin", "imagemais", "mivicall", "command"])),
                name="importrun_channel_known",
            ),
        ),
        migrations.AddIndex(
            model_name="importrow",
            index=models.Index(fields=["run", "fate", "number"], name="importrow_run_fate"),
        ),
        migrations.AddIndex(
            model_name="importrow",
            index=models.Index(
                condition=models.Q(("patient_id__isnull", False)),
                fields=["clinic", "patient_id"],
                name="importrow_patient",
            ),
        ),
        migrations.AddIndex(
            model_name="importrow",
            index=django.contrib.postgres.indexes.GinIndex(fastupdate=False, fields=["keys"], name="importrow_keys"),
        ),
        migrations.AddConstraint(
            model_name="importrow",
            constraint=models.UniqueConstraint(fields=("run", "number"), name="importrow_number_once"),
        ),
    ]
