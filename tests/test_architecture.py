"""The house rules of DESIGN.md that a program can check."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parent.parent
CLINIC = ROOT / "clinic"
INNER = ("models", "schedule", "booking", "queries")  # these know no HTTP
WRITES = {"save", "create", "bulk_create", "bulk_update", "update", "update_or_create", "get_or_create", "delete"}
MAX_TEST_NAME = 60
# Written in plain English, as Django's documentation is; a package that becomes so is added.
PLAIN_ENGLISH = (
    "access",
    "admin",
    "local",
    "management",
    "models",
    "server",
    "templatetags",
    "apps.py",
    "cursors.py",
    "form_fields.py",
    "form_questions.py",
    "logs.py",
    "settings.py",
    "urls.py",
    "wsgi.py",
)
DIALECT = r"\b(told|said|somebody|whoever|whom)\b"
BOOKED = ("Appointment", "AppointmentProcedure", "AppliedDiscount", "AppointmentEvent")


def sources(*inside):
    """Python files below these folders of clinic/, or those files; migrations are history."""
    for name in inside or ("",):
        path = CLINIC / name
        for file in sorted(path.rglob("*.py")) if not name.endswith(".py") else [path]:
            if "migrations" not in file.parts:
                yield file


def templates():
    return sorted((ROOT / "templates").rglob("*.html"))


def found(files, pattern):
    """`file:line: text` wherever the pattern occurs."""
    pattern = re.compile(pattern, re.IGNORECASE)
    return [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()}"
        for file in files
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]


def calls(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return [(node, ast.unparse(node.func)) for node in ast.walk(tree) if isinstance(node, ast.Call)]


def names(file):
    """Every name, attribute and parameter in the file's code, not in its sentences."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.arg):
            yield node.arg


def test_imports_between_layers_follow_the_contracts():
    linter = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stdout + run.stderr
    assert "0 broken" in run.stdout


@pytest.mark.parametrize("layer", INNER)
def test_inner_layers_know_no_request(layer):
    for file in sources(layer):
        assert not {"request", "HttpRequest", "HttpResponse"} & set(names(file)), file


@pytest.mark.parametrize("layer", INNER)
def test_inner_layers_import_nothing_of_http(layer):
    web = (
        r"^\s*(from|import)\s+(django\.(http|shortcuts|urls|views|forms|template|contrib\.messages)|django_htmx|ninja)"
    )

    assert found(sources(layer), web) == []


def test_only_booking_writes_what_is_booked():
    """Neither `Appointment(…)`, nor `Appointment.objects.create(…)` or the like, anywhere else.

    `seed_load` copies rows for the benchmarks past every rule, and says so.
    """
    offences = []
    for file in sources():
        if file.is_relative_to(CLINIC / "booking") or file.name == "seed_load.py":
            continue
        for node, called in calls(file):
            head, _, method = called.rpartition(".")
            if called.rpartition(".")[2] in BOOKED:
                offences.append(f"{file.relative_to(ROOT)}:{node.lineno} {called}(…)")
            elif (
                method in WRITES
                and any(re.search(rf"\b{model}\.objects\b", head) for model in BOOKED)
                or method in WRITES
                and re.search(r"\b(appointment|booking|visit)$", head)
            ):
                offences.append(f"{file.relative_to(ROOT)}:{node.lineno} {called}")

    assert offences == []


def test_no_model_form_is_made_of_what_is_booked():
    for file in sources("web", "admin"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and any("ModelForm" in ast.unparse(base) for base in node.bases):
                assert not re.search(r"\bmodel = Appointment", ast.unparse(node)), f"{file}: {node.name}"


def test_the_doors_reach_rows_of_one_clinic_only():
    """`.objects` is followed by `.of(…)` in web and api: nobody lists another clinic's rows."""
    assert found(sources("web", "api"), r"\.objects\.(?!of\()\w+") == []


def test_nothing_is_marked_safe_and_no_form_goes_without_its_token():
    """Only the APIs' door goes without, where whoever comes in shows a token that no browser sends unasked, and what
    only says that the service is up."""
    without = {CLINIC / "api" / "door.py", CLINIC / "api" / "mivicall" / "health.py"}
    others = [file for file in sources() if file not in without]
    assert found(others, r"\b(mark_safe|SafeString|csrf_exempt|autoescape)\b") == []
    assert found(templates(), r"\|\s*(safe|safeseq)\b|{%\s*autoescape\s+off") == []
    for file in templates():
        for form in re.findall(r"<form\b[^>]*>.*?</form>", file.read_text(encoding="utf-8"), re.DOTALL | re.IGNORECASE):
            if re.search(r"""method=["']?post""", form.split(">")[0], re.IGNORECASE):
                assert "{% csrf_token %}" in form, f"{file.relative_to(ROOT)}: {form.splitlines()[0]}"


@pytest.mark.parametrize(
    "pattern",
    [
        r"<[^>%]*\sstyle\s*=",
        r"<[^>%]*\son[a-z]+\s*=\s*[\"']",
        r"hx-on[:-]",
        r"javascript:",
        r"hx-vals\s*=\s*[\"']js:",
    ],
)
def test_templates_hold_nothing_that_the_csp_forbids(pattern):
    assert found(templates(), pattern) == []


def test_templates_have_no_inline_code_and_load_no_foreign_host():
    for file in templates():
        text = file.read_text(encoding="utf-8")
        for tag, attributes, body in re.findall(r"(?is)<(script|style)\b([^>]*)>(.*?)</\1>", text):
            assert "nonce" in attributes or (tag == "script" and "src=" in attributes and not body.strip()), file
    assert found(templates(), r"""(src|href|action|hx-get|hx-post)\s*=\s*["'](https?:)?//(?!wa\.me/)""") == []


def test_no_line_of_a_template_is_too_long():
    assert found(templates(), r".{201}") == []


def test_no_utils_no_signals_no_save_overrides():
    assert [file for file in sources() if file.stem in {"utils", "helpers", "misc", "signals"}] == []
    assert found(sources(), r"django\.(db\.models|dispatch)\S* import .*\b(receiver|post_save|pre_save|Signal)\b") == []
    for file in sources("models"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                overridden = {item.name for item in node.body if isinstance(item, ast.FunctionDef)} & {"save", "delete"}
                assert not overridden, f"{file}: {node.name} overrides {overridden}"


def test_test_names_have_at_most_60_letters():
    """The subject and the outcome; what is longer belongs in the test's docstring."""
    long = []
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and re.match(rf"test_.{{{MAX_TEST_NAME + 1}}}", node.name):
                long.append(f"{file.relative_to(ROOT)}:{node.lineno} {node.name}")

    assert long == []


@pytest.mark.parametrize("package", PLAIN_ENGLISH)
def test_packages_are_written_in_plain_english(package):
    assert found(sources(package), DIALECT) == []


def test_one_module_reads_request_htmx():
    others = [file for file in sources() if file != CLINIC / "web" / "htmx.py"]

    assert found(others, r"""\brequest\.htmx\b|getattr\(request, ["']htmx""") == []


@pytest.mark.django_db
def test_the_migrations_are_those_of_the_models():
    call_command("makemigrations", "clinic", check_changes=True, dry_run=True, verbosity=0)


def test_hooks_before_a_commit_are_steps_of_ci():
    hooks = re.findall(r"entry: \.venv/bin/(?:python )?(.+)", (ROOT / ".pre-commit-config.yaml").read_text())
    steps = (ROOT / ".ci" / "run").read_text()

    assert len(hooks) == 5
    assert [hook for hook in hooks if f"python3 -m uv run {hook}" not in steps] == []
