"""What collectstatic makes of the bundles in static/bundles/."""

import re

import pytest
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.test import override_settings

from clinic.bundles import script, style

SOURCES = settings.ROOT / "static"


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """The folder of collected files, and the storage that names them."""
    folder = tmp_path_factory.mktemp("static")
    storages = {"staticfiles": {"BACKEND": "clinic.bundles.BundledStaticFilesStorage"}}
    with override_settings(STORAGES=storages, STATIC_ROOT=folder):
        call_command("collectstatic", interactive=False, verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)  # over what is there already
        yield folder


def text(folder, name):
    return (folder / staticfiles_storage.stored_name(name)).read_text(encoding="utf-8")


def test_an_import_becomes_the_part_in_its_layer():
    files = {"bundles/a.css": '/* A. */\n@layer x;\n@import "../css/b.css" layer(x);\n@import "../css/c.css";\n'}
    files |= {"css/b.css": ".b { color: red }\n", "css/c.css": ".c { top: 0 }\n"}
    expected = "@layer x;\n@layer x {\n.b { color: red }\n}\n.c { top: 0 }\n"
    assert style("bundles/a.css", files.__getitem__) == expected


def test_a_script_stands_once_after_the_modules_it_imports():
    files = {"bundles/a.js": '// A.\nimport "../js/b.js";\nimport "../js/day/c.js";\n'}
    files["js/b.js"] = 'import { one, two } from "./day/c.js";\n\nexport const three = one + two;\n'
    files["js/day/c.js"] = "export const one = 1;\nexport const two = 2;\n"
    expected = "const one = 1;\nconst two = 2;\n\nconst three = one + two;\n// A.\n"
    assert script("bundles/a.js", files.__getitem__, set()) == expected


@pytest.mark.parametrize("name", ["site", "day", "patient", "integration", "api", "admin"])
def test_a_collected_bundle_holds_its_parts(collected, name):
    sheet = text(collected, f"bundles/{name}.css")
    assert "@import" not in sheet and sheet.count("{") == sheet.count("}") > 10


@pytest.mark.parametrize("name", ["site", "day", "integration", "api", "admin"])
def test_collected_script_imports_nothing_and_declares_names_once(collected, name):
    module = text(collected, f"bundles/{name}.js")
    names = re.findall(r"^(?:async )?(?:const|let|function|class) (\w+)", module, re.MULTILINE)
    assert not re.search(r"^\s*(import|export)\b", module, re.MULTILINE)
    assert names and len(names) == len(set(names))


def test_bundle_is_collected_hashed_and_compressed_without_its_parts(collected):
    name = staticfiles_storage.stored_name("bundles/day.css")
    assert name != "bundles/day.css" and (collected / f"{name}.br").exists() and (collected / f"{name}.gz").exists()
    assert not [file for parts in ("css", "js") for file in (collected / parts).rglob("*") if file.is_file()]
    with pytest.raises(ValueError, match="Missing staticfiles manifest entry"):
        staticfiles_storage.stored_name("css/base.css")


def test_another_part_gives_the_bundle_another_name(collected, tmp_path):
    before, address = (
        staticfiles_storage.stored_name("bundles/patient.css"),
        staticfiles_storage.url("bundles/patient.css"),
    )
    changed = tmp_path / "static"
    changed.mkdir()
    (changed / "css").mkdir()
    (changed / "css" / "patient.css").write_text(".patients { color: red }\n", encoding="utf-8")
    with override_settings(STATICFILES_DIRS=[changed, SOURCES]):
        call_command("collectstatic", interactive=False, verbosity=0)
    after = staticfiles_storage.stored_name("bundles/patient.css")
    assert after != before and after in staticfiles_storage.url("bundles/patient.css") != address
    assert "color: red" in text(collected, "bundles/patient.css")


def test_an_address_that_is_asked_for_by_force_is_not_kept(collected):
    name = "bundles/family.css"
    with override_settings(DEBUG=True):
        assert staticfiles_storage.url(name, force=True).endswith(staticfiles_storage.stored_name(name))
        assert staticfiles_storage.url(name).endswith(name)
        assert staticfiles_storage.url(name, force=True).endswith(staticfiles_storage.stored_name(name))
