from pathlib import Path

from tests import rewriting
from tests.rewriting import ROOT, files, import_own_share, module_name


def test_workers_import_each_file_once(monkeypatch):
    imported = []
    monkeypatch.setattr(rewriting, "import_module", imported.append)
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "3")
    for worker in range(3):
        monkeypatch.setenv("PYTEST_XDIST_WORKER", f"gw{worker}")
        import_own_share(["tests/schedule", "tests/test_phones.py::test_a[b::c]"])
    assert sorted(imported) == sorted(
        module_name(file) for file in [*files(["tests/schedule"]), ROOT / "tests/test_phones.py"]
    )
    assert len(imported) > 3


def test_a_file_is_imported_under_the_name_that_pytest_gives_it():
    assert module_name(Path(__file__)) == __name__


def test_what_is_wrong_with_a_file_is_left_to_collecting(monkeypatch, tmp_path):
    (tmp_path / "test_a.py").write_text("not Python")
    monkeypatch.setattr(rewriting, "ROOT", tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "1")
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    import_own_share([str(tmp_path)])
