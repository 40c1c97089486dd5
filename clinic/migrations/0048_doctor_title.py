"""The title of a doctor, taken out of the name: "Dra. Ana Reis" is "Ana Reis" with the title "a Dra.".

Prints each name that it changes, and each title whose article it cannot tell, which stays in the name until a manager
chooses it. Back again the title stands in the name. Clinics have few doctors: all of it takes milliseconds.
"""

import re

from django.db import migrations, models

TITLES = [
    ("o Dr.", "Dr."),
    ("a Dra.", "Dra."),
    ("a Dr.ª", "Dr.ª"),
    ("o Enf.", "Enf. (m)"),
    ("a Enf.", "Enf. (f)"),
    ("a Enf.ª", "Enf.ª"),
    ("o Psic.", "Psic. (m)"),
    ("a Psic.", "Psic. (f)"),
    ("o Nutr.", "Nutr. (m)"),
    ("a Nutr.", "Nutr. (f)"),
    ("o Fisio.", "Fisio. (m)"),
    ("a Fisio.", "Fisio. (f)"),
    ("o Fono.", "Fono. (m)"),
    ("a Fono.", "Fono. (f)"),
    ("o Prof.", "Prof."),
    ("a Profa.", "Profa."),
    ("a Prof.ª", "Prof.ª"),
    ("o Prof. Dr.", "Prof. Dr."),
    ("a Profa. Dra.", "Profa. Dra."),
    ("o Prof. Doutor", "Prof. Doutor"),
    ("a Prof.ª Doutora", "Prof.ª Doutora"),
    ("o Sr.", "Sr."),
    ("a Sra.", "Sra."),
    ("o Dr", "Dr (sem ponto)"),
    ("a Dra", "Dra (sem ponto)"),
]
GUESSES = {"enf.", "psic.", "nutr.", "fisio.", "fono."}
SPELLED = {title.partition(" ")[2].casefold(): title for title, _ in TITLES} | {
    "drª": "a Dr.ª",
    "prof": "o Prof.",
    "profa": "a Profa.",
    "profª": "a Prof.ª",
    "prof. dra.": "a Profa. Dra.",
    "enfa": "a Enf.ª",
    "enfa.": "a Enf.ª",
    "enfª": "a Enf.ª",
    "sr": "o Sr.",
    "sra": "a Sra.",
}
BEGINNING = re.compile(
    rf"({'|'.join(re.escape(each) for each in sorted(SPELLED, key=len, reverse=True))}) +(?=\S)", re.IGNORECASE
)


def split(full_name):
    """Return title and name; None for the title where its article cannot be known, "" where there is none."""
    found = BEGINNING.match(full_name)
    if not found:
        return "", full_name
    if found[1].casefold() in GUESSES:
        return None, full_name
    title, name = SPELLED[found[1].casefold()], full_name[found.end() :]
    while (again := BEGINNING.match(name)) and SPELLED[again[1].casefold()] == title:
        name = name[again.end() :]
    return title, name


def take_out(apps, schema_editor):
    for doctor in apps.get_model("clinic", "Doctor").objects.order_by("pk"):
        full_name = doctor.name
        title, name = split(full_name)
        if title:
            doctor.title, doctor.name = title, name
            doctor.save(update_fields=["title", "name"])
            print(f"  doctor {doctor.pk}: “{full_name}” is now {title.partition(' ')[2]} | {name}")
        elif title is None:
            print(f"  doctor {doctor.pk}: “{full_name}” keeps its title in the name: choose it in the administration")


def put_back(apps, schema_editor):
    Doctor = apps.get_model("clinic", "Doctor")
    length = Doctor._meta.get_field("name").max_length
    for doctor in Doctor.objects.exclude(title=""):
        doctor.name = f"{doctor.title.partition(' ')[2]} {doctor.name}"[:length]
        doctor.save(update_fields=["name"])


class Migration(migrations.Migration):
    dependencies = [("clinic", "0047_holidays")]

    operations = [
        migrations.AddField(
            "doctor",
            "title",
            models.CharField(
                blank=True,
                choices=[("", "nenhum"), *TITLES],
                db_default="",
                default="",
                help_text="Aparece antes do nome; as listas seguem o nome.",
                max_length=20,
                verbose_name="título",
            ),
        ),
        migrations.AlterField(
            "doctor", "name", models.CharField(help_text="Sem o título.", max_length=120, verbose_name="nome")
        ),
        migrations.RunPython(take_out, put_back),
        migrations.AddConstraint(
            "doctor",
            models.CheckConstraint(
                condition=models.Q(("title__in", ["", *(title for title, _ in TITLES)])), name="doctor_title_known"
            ),
        ),
    ]
