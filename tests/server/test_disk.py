"""Files without a name leave room on the disk, on which the database may be."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from clinic.models import ImportRun
from clinic.server import disk, uploads
from clinic.server.body import read_body
from clinic.server.environ import REFUSED_BODY
from clinic.web.importing import upload
from tests.factories import make_clinic, make_manager

ENOUGH = 1 << 60  # bytes; no disk has them
MULTIPART = {b"content-type": b"multipart/form-data; boundary=b", b"content-length": b"2000000"}


def test_nothing_is_begun_on_a_disk_without_the_reserve(monkeypatch):
    monkeypatch.setattr(disk, "RESERVE", ENOUGH)
    with pytest.raises(OSError, match="reserve"):
        disk.unnamed_file()


def test_what_is_being_written_stops_at_the_reserve(monkeypatch):
    file = disk.unnamed_file()
    file.write(b"x" * 3 * disk.PIECE)
    monkeypatch.setattr(disk, "RESERVE", ENOUGH)
    with pytest.raises(OSError, match="reserve"):
        file.write(b"x" * 3 * disk.PIECE)
    disk.close_file(file)
    assert file.closed


def read_upload(after_a_piece):
    """Return the body of an upload of 2 MB; `after_a_piece` is called once its first half was sent."""

    async def receive():
        after_a_piece()
        return {"type": "http.request", "body": b"x" * 1_000_000, "more_body": True}

    asked = read_body(MULTIPART, receive, f"{uploads.PREFIX}{uploads.ticket(1)}/")
    with ThreadPoolExecutor(1) as thread:  # in this one, Playwright's loop may be running
        return thread.submit(asyncio.run, asked).result()


def test_an_upload_is_refused_where_the_disk_is_full(monkeypatch):
    whole = read_upload(lambda: None)
    assert whole.refused is None and whole.file.seek(0, 2) == 2_000_000
    whole.file.close()
    assert read_upload(lambda: monkeypatch.setattr(disk, "RESERVE", ENOUGH)).refused == 507
    assert read_upload(lambda: None).refused == 507, "before a byte is read"


def test_the_page_of_a_full_disk_says_so(client):
    page = client.post(f"{uploads.PREFIX}{uploads.ticket(1)}/", **{REFUSED_BODY: 507})
    assert page.status_code == 507 and "não tem lugar para o arquivo" in page.text


@pytest.mark.django_db
@pytest.mark.parametrize("size", [100, 2_000_000])
def test_a_form_whose_file_finds_no_room_says_so(client, monkeypatch, size):
    class Full(disk.UnnamedFile):
        """Is full from the second piece on."""

        def write(self, data):
            monkeypatch.setattr(disk, "RESERVE", ENOUGH)
            return super().write(data)

    def opened():
        file = disk.unnamed_file()
        return Full(file.detach(), disk.PIECE)

    if size > disk.PIECE:
        monkeypatch.setattr(upload, "unnamed_file", opened)
    else:
        monkeypatch.setattr(disk, "RESERVE", ENOUGH)
    manager = make_manager(make_clinic())
    client.force_login(manager)
    file = SimpleUploadedFile("velho.csv", b"Nome\n" + b"Ana\n" * (size // 4))
    page = client.post(reverse("web:import-upload", args=[uploads.ticket(manager.pk)]), {"file": file})
    assert page.status_code == 507 and "não tem lugar para o arquivo" in page.text
    assert not ImportRun.objects.exists()
