"""Sentences are kept as they are translated, in the server's processes only."""

import json
import subprocess
import sys

from tests.test_start import ROOT, clean_environment

PROGRAM = """
import json, django; django.setup()
import clinic.wsgi
from django.utils.translation import gettext, override
from django.utils.translation.trans_real import translation

found = []
for language in ("pt-br", "pt-pt", "pt-br"):
    with override(language):
        kept = translation(language).gettext.cache_info
        hits = kept().hits
        sentences = [gettext("Agendamentos") for _ in range(3)]
        found.append((sentences, kept().hits - hits))
print(json.dumps(found))
"""


def test_each_language_keeps_its_own_sentences(tmp_path):
    made = {"DJANGO_SETTINGS_MODULE": "clinic.settings", "SECRET_KEY": "x" * 60, "ALLOWED_HOSTS": "testserver"}
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=clean_environment(tmp_path, **made), cwd=ROOT, capture_output=True, timeout=60, check=True,
    )  # fmt: skip
    first, in_portugal, again = json.loads(ran.stdout)
    assert first == [["Agendamentos"] * 3, 2]
    assert in_portugal == [["Marcações"] * 3, 2]
    assert again == [["Agendamentos"] * 3, 3]
