from tests.database import ROOT
from tests.distribution import FOLDERS, LONG, place, unit


def test_what_begins_first_is_there():
    assert [path for path in LONG if not (ROOT / path).exists()] == []


def test_a_file_is_one_unit_and_a_folder_that_shares_a_server_too():
    assert unit("tests/test_phones.py::test_a[tests/browser/]") == "tests/test_phones.py"
    assert {unit(f"tests/browser/test_{name}.py::test_b") for name in "ab"} == {"tests/browser/"}


def test_long_units_begin_first():
    first = [f"{folder}test_a.py::test_b" for folder in FOLDERS]
    others = [f"{LONG[-1]}::test_c", "tests/access/test_d.py::test_e"]
    assert sorted([*others, *first], key=place) == [*first, *others]
