"""The demo's user names and random passwords, written once to a file that only its owner may read."""

import os
import secrets
from pathlib import Path

from django.conf import settings

from clinic.management.demo.clinics import DemoClinic
from clinic.models import Clinic, Doctor, StaffUser

ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def access_file() -> Path:
    """Return the path of the file with user names and passwords."""
    return Path(settings.DATA_DIR) / "demo-access.txt"


def create_users(clinic: Clinic, demo: DemoClinic) -> dict[str, str]:
    """Store the clinic's users; return their passwords by user name."""
    passwords = {user.username: new_password() for user in demo.users}
    doctors = {doctor.full_name: doctor for doctor in Doctor.objects.of(clinic)}
    for user in demo.users:
        is_receptionist = user.role == StaffUser.Role.RECEPTIONIST
        StaffUser.objects.create_user(
            user.username,
            passwords[user.username],
            name=user.name,
            role=user.role,
            doctor=doctors[user.doctor] if user.doctor else None,
            clinic=clinic,
            may_squeeze_in=is_receptionist,
            may_record_absence=is_receptionist,
        )
    return passwords


def new_password() -> str:
    """Return sixteen unambiguous letters and digits in groups of four: 79 bits."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(4))


def write_access_file(passwords: dict[str, str]) -> None:
    """Write a line "user password" for each user, completely or not at all; replace an older database's file."""
    path = access_file()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    # O_EXCL neither follows a link nor opens a file that another user has made readable beforehand.
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.writelines(f"{username} {password}\n" for username, password in passwords.items())
    fresh.replace(path)
