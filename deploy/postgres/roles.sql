-- The logins of the services, for psql as a superuser in the database `kinebox`. Safe to run again.
-- Each is named like the system user that it is without containers, so that no password is needed there. With
-- passwords: psql -v schema_password=… -v ingest_password=… -v api_password=…
\set ON_ERROR_STOP on

create extension if not exists timescaledb;

-- Owns the database and makes its tables; no superuser. The groups are its own, so that it can hand them on.
select 'create role "kinebox-schema" login createrole'
    where not exists (select from pg_roles where rolname = 'kinebox-schema') \gexec
select format('alter database %I owner to "kinebox-schema"', current_database()) \gexec
set role "kinebox-schema";
select format('create role %I nologin', name) from unnest(array['kinebox_owner', 'kinebox_ingest', 'kinebox_api']) name
    where not exists (select from pg_roles where rolname = name) \gexec
select 'create role "kinebox-ingest" login in role kinebox_ingest'
    where not exists (select from pg_roles where rolname = 'kinebox-ingest') \gexec
select 'create role "kinebox-api" login in role kinebox_api'
    where not exists (select from pg_roles where rolname = 'kinebox-api') \gexec
reset role;

-- Nobody else may even connect.
select format('revoke all on database %I from public', current_database()) \gexec
select format('grant connect, temporary on database %I to kinebox_ingest, kinebox_api', current_database()) \gexec

\if :{?schema_password}
alter role "kinebox-schema" password :'schema_password';
alter role "kinebox-ingest" password :'ingest_password';
alter role "kinebox-api" password :'api_password';
\endif
