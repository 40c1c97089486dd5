"""What collectstatic makes of the bundles in static/bundles/."""

import pytest
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.test import override_settings

from clinic.web.bundles import bundled

SOURCES = settings.ROOT / "static"
pytestmark = pytest.mark.xdist_group("bundles")  # one collectstatic for all


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """The folder of collected files, and the storage that names them."""
    folder = tmp_path_factory.mktemp("static")
    storages = {"staticfiles": {"BACKEND": "clinic.web.bundles.BundledStaticFilesStorage"}}
    with override_settings(STORAGES=storages, STATIC_ROOT=folder):
        call_command("collectstatic", interactive=False, verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)  # over what is there already
        yield folder


def text(folder, name):
    return (folder / staticfiles_storage.stored_name(name)).read_text(encoding="utf-8")


def test_an_import_becomes_the_part_in_its_layer():
    files = {"bundles/a.css": '/* A. */\n@layer x;\n@import "../css/b.css" layer(x);\n@import "../css/c.css";\n'}
    files |= {"css/b.css": ".b { color: red }\n", "css/c.css": ".c { top: 0 }\n"}
    expected = "/* A. */\n@layer x;\n@layer x {\n.b { color: red }\n}\n.c { top: 0 }\n"
    assert bundled("bundles/a.css", files.__getitem__) == expected


@pytest.mark.parametrize("name", ["site", "day", "patient", "integration", "api", "admin"])
def test_a_collected_bundle_holds_its_parts(collected, name):
    sheet = text(collected, f"bundles/{name}.css")
    assert "@import" not in sheet and sheet.count("{") == sheet.count("}") > 10


def test_a_bundle_is_collected_hashed_and_compressed_without_its_parts(collected):
    name = staticfiles_storage.stored_name("bundles/day.css")
    assert name != "bundles/day.css" and (collected / f"{name}.br").exists() and (collected / f"{name}.gz").exists()
    assert not [file for file in (collected / "css").rglob("*") if file.is_file()]
    with pytest.raises(ValueError, match="Missing staticfiles manifest entry"):
        staticfiles_storage.stored_name("css/base.css")


def test_another_part_gives_the_bundle_another_name(collected, tmp_path):
    before = staticfiles_storage.stored_name("bundles/patient.css")
    changed = tmp_path / "static"
    changed.mkdir()
    (changed / "css").mkdir()
    (changed / "css" / "patient.css").write_text(".patients { color: red }\n", encoding="utf-8")
    with override_settings(STATICFILES_DIRS=[changed, SOURCES]):
        call_command("collectstatic", interactive=False, verbosity=0)
    assert staticfiles_storage.stored_name("bundles/patient.css") != before
    assert "color: red" in text(collected, "bundles/patient.css")
