"""The commands as scripts meet them: the secret alone on standard output, or one line on standard error."""

import os
import subprocess
import sys
from datetime import timedelta
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.utils import timezone

from clinic.access import access_tokens, api_keys, idempotency, rate_limit, staff_links
from clinic.booking import merge_patients, undo_merge
from clinic.models import (
    AccessToken,
    ApiKey,
    CredentialEvent,
    Patient,
    RequestCount,
    StaffLink,
    StaffSession,
    StaffUser,
    StoredAnswer,
)
from clinic.models.staff_link import team_of
from clinic.registry import Author, Side
from tests.factories import make_clinic, make_manager, make_master, make_patient, make_superuser, make_user

ROOT = Path(__file__).resolve().parent.parent


def manage(*arguments):
    """A process of its own, on the database of the tests."""
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    return subprocess.run(
        [sys.executable, ROOT / "manage.py", *arguments],
        cwd=ROOT, env=os.environ | {"DATABASE_URL": url}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def printed(*arguments) -> str:
    """What the command writes in this process, without its end of line."""
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue().removesuffix("\n")


# Credentials ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_command_prints_only_the_token_or_key_on_stdout():
    master = make_master()
    token = manage("create_access_token", "--username", master.username)
    key = manage("create_api_key", "--clinic", master.clinic.slug, "--name", "central", "--test")

    assert (token.returncode, token.stderr) == (key.returncode, key.stderr) == (0, "")
    assert access_tokens.authenticate(token.stdout.removesuffix("\n"))[0].user == master
    assert api_keys.authenticate(key.stdout.removesuffix("\n"))[0].clinic == master.clinic
    doors = CredentialEvent.objects.of(master.clinic).order_by("pk").values_list("kind", "channel")
    assert list(doors) == [("token_released", "command"), ("key_created", "command")]


@pytest.mark.django_db(transaction=True)
def test_impossible_start_prints_one_line_on_stderr():
    done = manage("create_access_token", "--username", "ninguém")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "CommandError: There is no user 'ninguém'.\n"


@pytest.mark.django_db
def test_key_has_every_scope_by_default():
    clinic = make_clinic()
    key, _ = api_keys.authenticate(printed("create_api_key", "--clinic", clinic.slug, "--name", " central "))
    assert (key.name, key.source, key.is_live, key.created_by) == ("central", "sync_external", True, None)
    assert key.scopes == ApiKey.Scope.values

    wanted = ["--scopes", "directory:read, appointments:read,directory:read", "--source", "voice_ai", "--test"]
    secret = printed("create_api_key", "--clinic", clinic.slug, "--name", "voz", *wanted)
    key, _ = api_keys.authenticate(secret)
    assert secret.startswith("miv_test_")
    assert (key.scopes, key.source, key.is_live) == (["appointments:read", "directory:read"], "voice_ai", False)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--clinic", "outra"], "no clinic 'outra'. The clinics are: boa-vista"),
        (["--name", "  "], "from 1 to 60 printable characters"),
        (["--name", "x" * 61], "from 1 to 60 printable characters"),
        (["--name", "duas\nlinhas"], "from 1 to 60 printable characters"),
        *((["--name", name], "one of them a letter") for name in ("12345", "---", "🙂", "(1)", "٣٤")),
        (["--scopes", "patients:read,patients:write"], "Unknown scope: patients:write. The scopes are: appointments:r"),
        (["--scopes", " , "], "at least one scope"),
        (["--source", "fax"], "Unknown source: fax. The sources are: manual, voice_ai"),
    ],
)
def test_a_key_that_cannot_be_is_not_created(arguments, said):
    make_clinic(slug="boa-vista")
    asked = {"--clinic": "boa-vista", "--name": "central"} | dict([arguments])
    with pytest.raises(CommandError) as refused:
        call_command("create_api_key", *[f"{option}={value}" for option, value in asked.items()])
    assert said in str(refused.value) and "\n" not in str(refused.value)
    assert not ApiKey.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["12345", "---", "🙂", "(1)", "٣٤"])
def test_a_superuser_without_a_letter_in_the_name_is_not_made(name):
    with pytest.raises(CommandError, match="nenhuma letra"):
        call_command("createsuperuser", "--noinput", "--username", "raiz", f"--name={name}")
    assert not StaffUser.objects.exists()

    call_command("createsuperuser", "--noinput", "--username", "raiz", "--name", "Ana 2", stdout=StringIO())
    assert StaffUser.objects.get().name == "Ana 2"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("user", "arguments", "said"),
    [
        (lambda: make_manager(username="ana"), [], "ana is not a master"),
        (lambda: make_master(username="ana", is_active=False), [], "ana is switched off"),
        (lambda: make_master(make_clinic(slug="boa-vista", active=False), username="ana"), [], "boa-vista is switched"),
        (lambda: make_master(username="ana"), ["--clinic", "torre"], "ana is of another clinic than torre"),
        (lambda: make_superuser(username="ana"), [], "say which with --clinic SLUG"),
        (lambda: make_superuser(username="ana"), ["--clinic", "nenhuma"], "no clinic 'nenhuma'"),
    ],
)
def test_a_token_that_cannot_be_is_not_released(user, arguments, said):
    user()
    make_clinic(slug="torre")
    with pytest.raises(CommandError, match=said):
        call_command("create_access_token", "--username", "ana", *arguments)
    assert not AccessToken.objects.exists()


@pytest.mark.django_db
def test_a_superuser_says_for_which_clinic():
    clinic, user = make_clinic(), make_superuser()
    token = printed("create_access_token", "--username", user.username, "--clinic", clinic.slug)
    assert access_tokens.authenticate(token)[0].clinic == clinic


# What is kept for a while ---------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_only_what_is_old_is_forgotten():
    clinic, other = make_clinic(), make_clinic()
    kept = timezone.now() - timedelta(days=settings.STORED_ANSWER_DAYS)
    for number, (whose, at) in enumerate(
        [
            (clinic, kept - timedelta(minutes=1)),
            (other, kept - timedelta(days=300)),
            (clinic, kept + timedelta(minutes=1)),
            (other, timezone.now()),
        ]
    ):
        StoredAnswer.objects.create(
            clinic=whose, credential="mivicall", key=str(number), fingerprint="f", created_at=at
        )
    for key, ends in ("old", -1), ("new", 1):
        StaffSession.objects.create(session_key=key, expire_date=timezone.now() + timedelta(minutes=ends))
    rate_limit.admit("now", 1, 1)
    RequestCount.objects.bulk_create(
        RequestCount(who="then", tick=RequestCount.objects.get().tick - ago, count=1) for ago in (300, 600, 6000)
    )

    assert (
        printed("purge_expired")
        == "Forgotten: 2 stored answers, 2 request counts, 0 accesses, 0 merges, 0 imports, 0 links, 0 sandboxes."
    )
    assert set(StoredAnswer.objects.values_list("key", flat=True)) == {"2", "3"}
    assert StaffSession.objects.get().session_key == "new"
    assert RequestCount.objects.count() == 2
    assert printed("purge_expired", "--verbosity=0") == ""


@pytest.mark.django_db
def test_the_data_of_merges_that_cannot_be_undone_are_forgotten():
    clinic, merges = make_clinic(), {}
    for name, days, is_undone in (("old", 31, False), ("undone", 1, True), ("undoable", 29, False)):
        kept, merged = make_patient(clinic, email="ana@exemplo.com"), make_patient(clinic)
        at = timezone.now() - timedelta(days=days)
        author = {"clinic": clinic, "by": Author("command", credential="tests"), "now": at}
        merges[name] = merge_patients(kept.pk, merged.pk, sides={"name": Side.MERGED, "phone": Side.MERGED}, **author)
        if is_undone:
            undo_merge(merges[name].pk, **author)

    assert "2 merges" in printed("purge_expired") and "0 merges" in printed("purge_expired")
    for merge in merges.values():
        merge.refresh_from_db()
    assert [merges[name].changes | merges[name].numbers for name in ("old", "undone")] == [{}, {}]
    assert "phone" in merges["undoable"].changes and "cpf" in merges["undoable"].numbers


@pytest.mark.django_db
def test_links_of_staff_that_open_nothing_are_forgotten():
    clinic = make_clinic()
    old, young = (timezone.now() - timedelta(days=days) for days in (31, 29))
    fates = {
        "used": {"used_at": old},
        "withdrawn": {"revoked_at": old},
        "used of late": {"used_at": young},
        "waits for ever": {"expires_at": old},
    }
    links = {name: staff_links.invite(clinic, by=None, name="Rita")[0] for name in fates}
    resets = {name: staff_links.release_reset(make_user(clinic), clinic=clinic, by=None)[0] for name in ("old", "new")}
    for name, values in fates.items():
        StaffLink.objects.filter(pk=links[name].pk).update(**values)
    StaffLink.objects.filter(pk=resets["old"].pk).update(expires_at=old)

    assert "3 links" in printed("purge_expired") and "0 links" in printed("purge_expired")
    kept = [links["used of late"], links["waits for ever"], resets["new"]]
    assert set(StaffLink.objects.all()) == set(kept)
    assert links["waits for ever"].user in team_of(clinic)


@pytest.mark.django_db
def test_a_forgotten_answer_makes_its_key_new_again():
    asked = idempotency.Request(make_clinic(), "mivicall", "k", "POST", "/v1/appointments", b"{}")
    idempotency.keep(idempotency.claim(asked), 201, "{}")
    assert isinstance(idempotency.claim(asked), StoredAnswer)
    assert idempotency.forget(timezone.now() + timedelta(seconds=1)) == 1
    assert isinstance(idempotency.claim(asked), int)


# Phone hashes ---------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_phone_hashes_follow_their_key_in_batches(settings, monkeypatch):
    monkeypatch.setattr("clinic.management.commands.rehash_phones.BATCH", 2)
    clinics = [make_clinic(), make_clinic()]
    patients = [make_patient(clinics[number % 2], phone=f"+55819999{number:05d}") for number in range(5)]
    before = {patient.pk: (patient.phone_hash, patient.updated_at) for patient in patients}
    assert printed("rehash_phones") == "0 phone hashes rewritten."

    settings.PHONE_HASH_KEY = "another key"
    assert printed("rehash_phones") == "5 phone hashes rewritten."
    for patient in Patient.objects.all():
        old, at = before[patient.pk]
        assert patient.phone_hash != old and patient.updated_at == at
        stored = patient.phone_hash
        patient.save()
        assert patient.phone_hash == stored
    assert printed("rehash_phones") == "0 phone hashes rewritten."
