from tests.database import ROOT
from tests.distribution import BROWSER, FOLDERS, LONG, place, unit


def test_what_begins_first_is_there():
    assert [path for path in LONG if not (ROOT / path).exists()] == []


def test_a_file_is_one_unit_and_a_folder_that_shares_a_server_too():
    assert unit("tests/test_phones.py::test_a[tests/browser/]") == "tests/test_phones.py"
    assert {unit(f"tests/server/test_{name}.py::test_b") for name in "ab"} == {"tests/server/"}


def test_long_units_begin_first():
    first, folders = f"{LONG[0]}::test_a", [f"{folder}test_b.py::test_c" for folder in FOLDERS]
    others = [f"{LONG[-1]}::test_d", f"{BROWSER}test_e.py::test_f", "tests/access/test_g.py::test_h"]
    assert sorted([*reversed(others), *folders, first], key=place) == [first, *folders, *others]
