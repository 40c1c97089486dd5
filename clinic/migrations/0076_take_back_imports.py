"""The history of a patient whom an import has made may be deleted while that import is being taken back.

PostgreSQL itself looks whether it is so: the run is being taken back, it was imported no longer than thirty days ago,
and its row says that it made this patient. What is deleted is the event of the making; who imported and who took back
stays in the run. Only the trigger of one table is exchanged, in milliseconds.
"""

from django.db import migrations, models

DELETABLE = """
CREATE FUNCTION clinic_is_taken_back(clinic bigint, patient bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM clinic_importrow AS made JOIN clinic_importrun AS run ON run.id = made.run_id
        WHERE made.clinic_id = clinic AND made.patient_id = patient AND made.fate = 'new'
            AND run.state = 'taking_back' AND run.imported_at > now() - interval '31 days'
    )
$$;
DROP TRIGGER patientevent_append_only ON clinic_patientevent;
CREATE TRIGGER patientevent_append_only BEFORE UPDATE ON clinic_patientevent
    FOR EACH ROW EXECUTE FUNCTION clinic_redactable('changes');
CREATE TRIGGER patientevent_kept BEFORE DELETE ON clinic_patientevent FOR EACH ROW
    WHEN (OLD.kind <> 'registered' OR NOT clinic_is_taken_back(OLD.clinic_id, OLD.patient_id))
    EXECUTE FUNCTION clinic_redactable('changes');
"""
NOT_DELETABLE = """
DROP TRIGGER patientevent_kept ON clinic_patientevent;
DROP TRIGGER patientevent_append_only ON clinic_patientevent;
CREATE TRIGGER patientevent_append_only BEFORE UPDATE OR DELETE ON clinic_patientevent
    FOR EACH ROW EXECUTE FUNCTION clinic_redactable('changes');
DROP FUNCTION clinic_is_taken_back(bigint, bigint);
"""


class Migration(migrations.Migration):
    dependencies = [("clinic", "0075_imports")]

    operations = [
        migrations.RunSQL(DELETABLE, NOT_DELETABLE),
        migrations.RemoveConstraint(model_name="clinicevent", name="clinicevent_kind_known"),
        migrations.AlterField(
            model_name="clinicevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("time_zone", "Fuso horário alterado"),
                    ("absence", "Ausência ou fechamento"),
                    ("delay", "Atraso"),
                    ("directory", "Cadastro alterado por programa"),
                    ("hours", "Horário de atendimento"),
                    ("import", "Importação"),
                ],
                max_length=14,
                verbose_name="tipo",
            ),
        ),
        migrations.AddConstraint(
            model_name="clinicevent",
            constraint=models.CheckConstraint(
                condition=models.Q(kind__in=["time_zone", "absence", "delay", "directory", "hours", "import"]),
                name="clinicevent_kind_known",
            ),
        ),
    ]
