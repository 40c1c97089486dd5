from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from psycopg import sql

# What the application only reads: PostgreSQL's triggers write it, with the rights of the owner.
READ_ONLY = ["clinic_rowchange"]
# What it adds to. Rows of a sandbox are deleted with it, and a redaction blanks texts: triggers refuse all else.
HISTORIES = ["clinic_clinicevent", "clinic_credentialevent"]

HAS_TOO_MUCH_SQL = "SELECT rolsuper, pg_has_role(rolname, current_user, 'USAGE') FROM pg_roles WHERE rolname = %s"
STATEMENTS = [
    "GRANT USAGE ON SCHEMA public TO {role}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
    "GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO {role}",
    f"REVOKE INSERT, UPDATE, DELETE ON {', '.join(READ_ONLY)} FROM {{role}}",
    f"REVOKE UPDATE ON {', '.join(HISTORIES)} FROM {{role}}",
    "REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {role}",
    # Of everybody: from a role alone it would take nothing away.
    "REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC",
]


class Command(BaseCommand):
    """Give a role of PostgreSQL what the running application needs, and nothing by which it could rewrite a history:
    as a redaction does, it may blank what was written in one, and no more.

    Run it as the owner of the tables after every `migrate`. The owner may switch triggers off; a role that owns nothing
    may not, nor may it TRUNCATE. Safe to repeat.
    """

    help = "Grants a database role the rights of the running application, which cannot rewrite the histories."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("role", help="A role that exists and can sign in, of its own DATABASE_URL.")

    def handle(self, *args: Any, role: str, **options: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(HAS_TOO_MUCH_SQL, [role])
            found = cursor.fetchone()
            if found is None:
                raise CommandError(f"There is no role {role}. Create it: CREATE ROLE {role} LOGIN PASSWORD '…'.")
            if any(found):
                raise CommandError(
                    f"The role {role} is a superuser or has the owner's rights: it could rewrite a history."
                )
            for statement in STATEMENTS:
                names = {"role": sql.Identifier(role), "database": sql.Identifier(connection.settings_dict["NAME"])}
                cursor.execute(sql.SQL(statement).format(**names).as_string(cursor.cursor))
        self.stdout.write(f"{role} has what the application needs. It owns nothing, so it cannot rewrite a history.")
