"""Bad files by the commands: the sentence of the page, another exit code than 0, and nothing stored."""

import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command

from clinic.models import ImportRow, ImportRun
from tests.exchange.sheets import csv_bytes, xlsx_by_openpyxl
from tests.exchange.test_killed import ROOT, environment
from tests.factories import make_clinic

NAMES = ("import_procedures", "import_doctors", "import_patients", "import_appointments")
BAD = {
    "empty": (b"", "vazio"),
    "blank": (b"\r\n;;\r\n", "vazio"),
    "headings": (b"Nome;Telefone\r\n", "linha dos t.tulos"),
    "columns": (csv_bytes([["Nome", *("x" * 200)], ["Ana"]]), "201 colunas"),
    "image": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "Não é uma planilha"),
    "quotes": (b'Nome\n"Ana\nRui\n', "aspas no meio ou que não fecham"),
    "old": (b"\xd0\xcf\x11\xe0old", "Excel antigo"),
    "cut": (xlsx_by_openpyxl([["Nome"], ["Ana"]])[:-200], "danificado"),
    "no headings": (b"1;2\n3;4\n", "coluna"),
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("content", "sentence"), BAD.values(), ids=BAD)
def test_a_bad_file_has_the_sentence_of_the_page(tmp_path, name, content, sentence):
    make_clinic(slug="nova")
    path = tmp_path / "velho.csv"
    path.write_bytes(content)
    with pytest.raises(CommandError, match=sentence) as refused:
        call_command(name, path, clinic="nova")
    assert refused.value.returncode == 1
    assert not ImportRow.objects.exists() and not ImportRun.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_bad_file_ends_the_command_with_one_line(tmp_path):
    make_clinic(slug="nova")
    path = tmp_path / "velho.csv"
    path.write_bytes(BAD["columns"][0])
    command = [sys.executable, "manage.py", "import_patients", str(path), "--clinic", "nova"]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 1 and not done.stdout
    assert done.stderr.splitlines() == [
        "CommandError: A linha 1 tem 201 colunas; são lidas no máximo 60. Apague as que não usa."
    ]
