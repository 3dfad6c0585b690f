"""Inviting users: whoever has the link chooses a password. There is no other way to become one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from email_validator import EmailNotValidError, validate_email

from cloud.api.problems import ApiError
from cloud.api.secrets import digest
from cloud.api.sign_in import tenant_token

if TYPE_CHECKING:
    from cloud.api.database import Db
    from cloud.api.who import UserRole

GOOD_FOR = timedelta(days=7)
STATEMENT = """
    insert into invitations (digest, tenant_id, email, role, subject_id, expires)
    values (%(digest)s, %(tenant)s, %(email)s, %(role)s, %(subject)s, now() + %(good_for)s)"""


def normal_email(address: str) -> str:
    """The address as it is kept: lower case. Raises ApiError 422 for what is none."""
    try:
        return validate_email(address, check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        raise ApiError(422, "address_invalid", str(error)) from error


def invitation(
    tenant_id: int, email: str, role: UserRole, subject_id: int | None
) -> tuple[str, dict[str, object]]:
    """The token of the link, and the parameters of STATEMENT."""
    token = tenant_token(tenant_id)
    return token, {
        "digest": digest(token), "tenant": tenant_id, "email": normal_email(email), "role": role,
        "subject": subject_id, "good_for": GOOD_FOR,
    }  # fmt: skip


def link(public_url: str, token: str) -> str:
    """What is sent to whoever is invited. The token stands behind the #: it reaches no server's log."""
    return f"{public_url.rstrip('/')}/accept#{token}"


async def invite(db: Db, tenant_id: int, email: str, role: UserRole, subject_id: int | None = None) -> str:
    """Invite somebody; returns the token."""
    token, parameters = invitation(tenant_id, email, role, subject_id)
    await db.execute(STATEMENT, parameters)
    return token
