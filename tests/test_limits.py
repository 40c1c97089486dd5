"""What a field holds is told by the model alone: rules, forms and published documents read it there."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.admin.constraint_messages import CONSTRAINT_MESSAGES
from clinic.api.json_schema import integer_pattern
from clinic.models import Appointment, Patient
from clinic.models.doctor import LONGEST_INTERVAL, SHORTEST_INTERVAL
from clinic.models.limits import max_length

ROOT = Path(__file__).resolve().parent.parent
LIMITS = {max_length(Patient, "name"), max_length(Appointment, "notes"), LONGEST_INTERVAL}


def test_no_limit_is_written_beside_the_models():
    written = re.compile(rf"\b({'|'.join(map(str, LIMITS))})\b")
    for layer in ("booking", "api", "access", "queries", "web", "admin"):
        for file in (ROOT / "clinic" / layer).rglob("*.py"):
            lines = enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
            assert [number for number, line in lines if written.search(line)] == [], file


@pytest.mark.parametrize("document", ["/api/openapi.json", "/v1/openapi.json"])
@pytest.mark.parametrize(("model", "field"), [(Patient, "name"), (Appointment, "notes")])
def test_a_document_publishes_the_models_limit(client, document, model, field):
    limit = max_length(model, field)
    published = json.dumps(client.get(document).json(), ensure_ascii=False)
    assert f'"maxLength": {limit}' in published


def test_the_admins_sentence_names_the_models_interval():
    _, message = CONSTRAINT_MESSAGES["doctor_interval_5_to_240"]
    assert message == f"Use de {SHORTEST_INTERVAL} a {LONGEST_INTERVAL} minutos."


@given(st.integers(0, 1500), st.integers(0, 1500), st.integers(0, 20_000))
def test_the_pattern_of_a_range_fits_its_numbers_alone(one, other, number):
    least, most = sorted((one, other))
    assert bool(re.fullmatch(integer_pattern(least, most), str(number))) == (least <= number <= most)


def test_the_reference_publishes_the_settings():
    ask = (
        "import json, clinic.urls; from clinic.api.mivicall.api import api; print(json.dumps(api.get_openapi_schema()))"
    )
    settings = {"API_REQUESTS_A_MINUTE": "77", "API_REQUESTS_A_SECOND": "7", "STORED_ANSWER_DAYS": "5"}
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", ask]
    run = subprocess.run(command, cwd=ROOT, env=os.environ | settings, capture_output=True, text=True, check=True)
    description = " ".join(json.loads(run.stdout)["info"]["description"].split())
    assert "77 pedidos num minuto e 7 num segundo" in description and "guardada 5 dias" in description
    assert "77 req/min" in run.stdout and "300 req/min" not in run.stdout
