"""The rules of this code that a program can check."""

import ast
import re
import subprocess
import sys
import tokenize
import tomllib
from functools import cache
from pathlib import Path

import pytest
from django.core.management import call_command

from clinic.form_fields import ROW_MINUTES
from clinic.schedule import DAY_MINUTES

ROOT = Path(__file__).resolve().parent.parent
CLINIC = ROOT / "clinic"
STYLES = ROOT / "static" / "css"
SCRIPTS = ROOT / "static" / "js"
BUNDLES = ROOT / "static" / "bundles"
INNER = ("models", "schedule", "booking", "queries")  # these know no HTTP
WRITES = {"save", "create", "bulk_create", "bulk_update", "update", "update_or_create", "get_or_create", "delete"}
MAX_TEST_NAME = 60
# Written in plain English, as Django's documentation is; a package that becomes so is added.
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


def test_packages_import_only_those_below_them():
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


def test_the_queries_write_nothing():
    for file in sources("queries"):
        written = [called for _, called in calls(file) if called.rpartition(".")[2] in WRITES and called != "Q.create"]
        assert written == [], file


def test_no_model_form_is_made_of_what_is_booked():
    for file in sources("web", "admin"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and any("ModelForm" in ast.unparse(base) for base in node.bases):
                assert not re.search(r"\bmodel = Appointment", ast.unparse(node)), f"{file}: {node.name}"


def test_entry_points_reach_rows_of_one_clinic_only():
    """`.objects` is followed by `.of(…)` in web and api: nobody lists another clinic's rows."""
    assert found(sources("web", "api"), r"\.objects\.(?!of\()\w+") == []


def test_nothing_is_marked_safe_and_no_form_goes_without_its_token():
    """Only the APIs' gateway goes without, whose callers send a token that no browser sends unasked, and what
    only says that the service is up. What Jinja renders it has escaped."""
    without = {CLINIC / "api" / "gateway.py", CLINIC / "api" / "mivicall" / "operations" / "health.py"}
    others = [file for file in sources() if file not in without | {CLINIC / "web" / "jinja.py"}]
    assert found(others, r"\b(mark_safe|SafeString|csrf_exempt|autoescape)\b") == []
    assert found(templates(), r"\|\s*(safe|safeseq)\b|{%-?\s*autoescape\s+(off|false)") == []
    for file in templates():
        for form in re.findall(r"<form\b[^>]*>.*?</form>", file.read_text(encoding="utf-8"), re.DOTALL | re.IGNORECASE):
            if re.search(r"""method=["']?post""", form.split(">")[0], re.IGNORECASE):
                token = "{{ csrf_input }}" if "jinja2" in file.parts else "{% csrf_token %}"
                assert token in form, f"{file.relative_to(ROOT)}: {form.splitlines()[0]}"


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


def parts(bundle):
    """The files that a bundle of static/bundles/ imports, with the layer of each."""
    imports = re.findall(r'^@import "(.+?)"(?: layer\((\w+)\))?;$', bundle.read_text(encoding="utf-8"), re.MULTILINE)
    return {(bundle.parent / path).resolve(): layer for path, layer in imports}


def test_no_style_sheet_is_too_long():
    lines = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in STYLES.rglob("*.css")}
    del lines[STYLES / "day" / "placement.css"]  # generated
    assert {file.name: number for file, number in lines.items() if number > 250} == {}


@pytest.mark.parametrize("bundle", sorted(BUNDLES.glob("*.css")), ids=lambda bundle: bundle.stem)
def test_a_bundle_of_styles_only_imports(bundle):
    comments, lines = r"(?s:/\*.*?\*/)", r"^@layer [\w, ]+;$|^@import .+;$"
    rest = re.sub(f"{comments}|{lines}", "", bundle.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert rest.strip() == "" and parts(bundle)


def test_no_rule_stands_outside_a_cascade_layer():
    """Every part is imported into a layer, and opens none itself; url() would be relative to the bundle.

    The admin's are in none: Django's own sheets are not either, and would win over any layer."""
    layered = [parts(bundle) for bundle in BUNDLES.glob("*.css") if bundle.stem != "admin"]
    assert all(layer for sheets in layered for layer in sheets.values())
    assert {file for sheets in layered for file in sheets} == {*STYLES.rglob("*.css")} - {*STYLES.glob("admin*.css")}
    assert found(STYLES.rglob("*.css"), r"@layer|@import|url\(") == []


def modules(file):
    """A script's file with all that it imports, directly or not."""
    paths = re.findall(r'^import (?:{[^}]*} from )?"(.+)";$', file.read_text(encoding="utf-8"), re.MULTILINE)
    return {file}.union(*(modules((file.parent / path).resolve()) for path in paths))


def test_no_page_loads_a_part_twice():
    site = parts(BUNDLES / "site.css")
    for page in ("day", "patient", "integration", "api"):
        assert not site.keys() & parts(BUNDLES / f"{page}.css").keys()
    for page in ("day", "integration", "api"):
        assert not modules(BUNDLES / "site.js") & modules(BUNDLES / f"{page}.js")


def test_every_script_is_in_a_bundle_and_says_first_what_it_does():
    scripts = {*SCRIPTS.rglob("*.js")}
    assert scripts <= set().union(*(modules(bundle) for bundle in BUNDLES.glob("*.js")))
    assert [file for file in scripts if not re.match(r"// [A-Z`][^\n]+\.\n\n", file.read_text(encoding="utf-8"))] == []


def test_scripts_import_and_export_only_what_a_bundle_can_join():
    """By name, at the top: clinic.bundles takes these lines out."""
    lines = [*found(SCRIPTS.rglob("*.js"), r"\bimport\b|\bexport\b")]
    joined = re.compile(r': (import {[\w, ]+} from "[\w./]+";|export (const|(async )?function) .*)$')
    assert [line for line in lines if not joined.search(line)] == []


def test_a_bundle_of_scripts_only_imports():
    for bundle in BUNDLES.glob("*.js"):
        assert re.fullmatch(r'// [^\n]+\n(import "[\w./]+";\n)+', bundle.read_text(encoding="utf-8")), bundle


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


def test_types_are_checked_strictly_in_every_module():
    """No library is let through without types: .ci/stubs/ has those of the ones that bring none."""
    checker = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]
    assert checker["strict"] and checker["files"] == ["clinic"] and checker["exclude"] == ["/migrations/"]
    assert "overrides" not in checker and checker["mypy_path"] == ["$MYPY_CONFIG_FILE_DIR/.ci/stubs"]
    assert found(sources(), r"type: ignore\[import") == []


def test_the_code_is_written_in_plain_english():
    assert found(sources(), DIALECT) == []


def numbers_in(file, pattern):
    """The different numbers at the group of the pattern."""
    return {int(number) for number in re.findall(pattern, file.read_text(encoding="utf-8"))}


def test_scripts_measure_as_the_styles_and_the_server_do():
    grid = SCRIPTS / "hours" / "grid.js"
    edge = numbers_in(SCRIPTS / "day" / "move_drag.js", r"LOWER_EDGE_PX = (\d+)")
    end = numbers_in(SCRIPTS / "hours" / "drag.js", r"END_PX = \{ mouse: (\d+)")

    assert numbers_in(STYLES / "day" / "move.css", r"height: (\d+)px;\s+cursor: ns-resize") == edge
    assert numbers_in(STYLES / "week_grid.css", r"min\((\d+)px, 100% / 3\)") == end
    assert numbers_in(grid, r"\bROW_MINUTES = (\d+)") == {ROW_MINUTES}
    assert numbers_in(grid, r"\bDAY_MINUTES = (\d+)") == {DAY_MINUTES}


def test_pages_styles_and_scripts_are_written_in_plain_english():
    assert found([*templates(), *sorted(SCRIPTS.rglob("*.js")), *sorted(STYLES.rglob("*.css"))], DIALECT) == []


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


# What sources say of other files --------------------------------------------------------------------------------------

FILE = re.compile(r"(?<![\w/<>*{}$-])((?:[\w.-]+/)*[\w-]+\.(?:md|py|css|js|toml|po))\b(?![\w(])")
SECTION = re.compile(r"""((?:[\w-]+/)*[\w-]+\.md|README|(?<=\()[A-Z-]{4,}|[A-Z-]{4,}(?=, ")), "?([A-Z]\w+(?: \w+)*)""")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


@cache
def prose():
    """(file, text) of all that people read: the docstrings and comments of Python, other kinds of files whole."""
    texts = []
    below = (file for folder in (".ci", "clinic", "static", "tests") for file in (ROOT / folder).rglob("*"))
    for file in [*ROOT.glob("*.*"), *below]:
        if file.suffix == ".py":
            texts.append((file, "\n".join([*docstrings(file), *comments(file)])))
        elif file.suffix in {".md", ".css", ".js", ".toml", ".yaml"} or file.name == "run":
            texts.append((file, file.read_text(encoding="utf-8")))
    return texts


def docstrings(file):
    documented = ast.Module | ast.ClassDef | ast.FunctionDef
    nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    return filter(None, (ast.get_docstring(node) for node in nodes if isinstance(node, documented)))


def comments(file):
    with tokenize.open(file) as source:
        return [token.string for token in tokenize.generate_tokens(source.readline) if token.type == tokenize.COMMENT]


def named(file, name):
    """The file that another one names: from the top, from clinic/, or from its own folder. None when there is none."""
    return next((path for folder in (ROOT, CLINIC, file.parent) if (path := folder / name).exists()), None)


def test_files_named_in_prose_and_links_exist():
    missing = [
        f"{file.relative_to(ROOT)} names {name}"
        for file, text in prose()
        for name in FILE.findall(text) + (LINK.findall(text) if file.suffix == ".md" else [])
        if named(file, name) is None
    ]

    assert missing == []


def test_sections_named_in_prose_exist():
    missing = [
        f"{file.relative_to(ROOT)} names {section} of {name}"
        for file, text in prose()
        for name, section in SECTION.findall(text)
        if not has_section(file, name, section)
    ]

    assert missing == []


def has_section(file, name, section):
    path = named(file, name if name.endswith(".md") else f"{name}.md")
    return path is not None and re.search(rf"^#+ {re.escape(section)}", path.read_text(encoding="utf-8"), re.MULTILINE)
