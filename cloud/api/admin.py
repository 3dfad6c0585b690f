"""kinebox-admin: what an operator does before anybody can sign in, with the rights of the database's owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import psycopg
import typer

from cloud.api.invitations import STATEMENT, invitation, link
from cloud.api.problems import ApiError

if TYPE_CHECKING:
    from cloud.api.who import UserRole

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Tenants, sites and first users of the cloud."
)
Url = Annotated[
    str, typer.Option("--database", envvar="KINEBOX_DATABASE_URL", help="postgresql://… of its owner")
]
PublicUrl = Annotated[
    str, typer.Option(envvar="KINEBOX_API_PUBLIC_URL", help="the address that browsers see")
]
Slug = Annotated[str, typer.Argument(help="lower-case letters, digits and -: a part of the topics of boxes")]


def _fail(text: str) -> typer.Exit:
    typer.echo(text, err=True)
    return typer.Exit(1)


def _connect(url: str) -> psycopg.Connection[Any]:
    """Connect, with the rights of the tables' owner: row-level security holds for it, too."""
    try:
        db = psycopg.connect(url, connect_timeout=5)
        db.execute("set role kinebox_owner")
    except psycopg.Error as error:
        raise _fail(f"The database does not let us in: {error}") from error
    return db


def _enter(db: psycopg.Connection[Any], slug: str) -> int:
    """See the tenant's rows from here to the end of the transaction."""
    row = db.execute("select tenant_of_slug(%s)", (slug,)).fetchone()
    if row is None or row[0] is None:
        raise _fail(f"There is no tenant {slug}.")
    db.execute("select set_config('kinebox.tenant', %s, true)", (str(row[0]),))
    return int(row[0])


def _invite(db: psycopg.Connection[Any], tenant: int, email: str, role: UserRole, public_url: str) -> None:
    try:
        token, parameters = invitation(tenant, email, role, None)
    except ApiError as error:
        raise _fail(f"{email}: {error.detail}") from error
    db.execute(STATEMENT, parameters)
    typer.echo(f"Send this link to {email}; it is good for a week and once:\n{link(public_url, token)}")


@app.command()
def create_tenant(
    slug: Slug,
    name: Annotated[str, typer.Argument(help="what people call it")],
    owner: Annotated[str, typer.Option(help="e-mail address of the first owner")],
    public_url: PublicUrl,
    database: Url,
) -> None:
    """Make a tenant and invite its first owner."""
    with _connect(database) as db:
        try:
            row = db.execute("select nextval(pg_get_serial_sequence('tenants', 'id'))").fetchone()
            assert row is not None
            db.execute("select set_config('kinebox.tenant', %s, true)", (str(row[0]),))
            db.execute(
                "insert into tenants (id, slug, name) overriding system value values (%s, %s, %s)",
                (row[0], slug, name),
            )
        except psycopg.errors.UniqueViolation as error:
            raise _fail(f"There is a tenant {slug} already.") from error
        except psycopg.errors.CheckViolation as error:
            raise _fail(f"{slug!r} will not do: lower-case letters, digits and -, at most 63.") from error
        _invite(db, int(row[0]), owner, "owner", public_url)


@app.command()
def invite(
    slug: Slug,
    email: Annotated[str, typer.Argument(help="e-mail address")],
    role: Annotated[str, typer.Option(help="owner, trainer, member or fleet_operator")],
    public_url: PublicUrl,
    database: Url,
) -> None:
    """Invite a user, for example where an owner has lost the password."""
    roles: dict[str, UserRole] = {
        "owner": "owner", "trainer": "trainer", "member": "member", "fleet_operator": "fleet_operator"
    }  # fmt: skip
    if role not in roles:
        raise _fail(f"There is no role {role}: {', '.join(roles)}.")
    with _connect(database) as db:
        _invite(db, _enter(db, slug), email, roles[role], public_url)


@app.command()
def add_site(
    slug: Slug,
    site: Annotated[str, typer.Argument(help="the site's part of the topics")],
    name: Annotated[str, typer.Argument(help="what people call it")],
    database: Url,
    time_zone: Annotated[str, typer.Option(help="such as Asia/Seoul")] = "UTC",
) -> None:
    """Add a site to a tenant."""
    with _connect(database) as db:
        tenant = _enter(db, slug)
        try:
            db.execute(
                "insert into sites (tenant_id, slug, name, time_zone) values (%s, %s, %s, %s)",
                (tenant, site, name, time_zone),
            )
        except psycopg.errors.IntegrityError as error:
            raise _fail(f"{site!r} will not do: {error.diag.message_primary}") from error
    typer.echo(f"Site {site} of {slug} is there.")


if __name__ == "__main__":
    app()
