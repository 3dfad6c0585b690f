-- Who may sign in, who agreed to what, and what the API may write and erase.
do $$
begin
    if not exists (select from pg_roles where rolname = 'kinebox_lookup') then
        create role kinebox_lookup nologin;
    end if;
    execute format('grant kinebox_lookup to %I with set true', current_user);
end $$;
grant usage, create on schema public to kinebox_lookup;

set local role kinebox_owner;

-- A box that talks to the API proves itself by a secret, of which this is the SHA-256.
alter table devices add column secret_digest bytea;
alter table devices add column name text;

-- Whoever was invited chooses a password; the digest is that of the link's token.
create table invitations (
    digest bytea primary key,
    tenant_id int not null references tenants,
    email text not null check (email = lower(email)),
    role text not null check (role in ('owner', 'trainer', 'member', 'fleet_operator')),
    -- The person or dog that the new user will see as their own.
    subject_id int references subjects on delete cascade,
    created timestamptz not null default now(),
    expires timestamptz not null
);

-- Each use of a refresh token makes the next of its family; one that is used again later ends the family.
create table refresh_tokens (
    digest bytea primary key,
    tenant_id int not null references tenants,
    user_id int not null references users on delete cascade,
    family uuid not null,
    expires timestamptz not null,
    used timestamptz
);
create index on refresh_tokens (family);
create index on refresh_tokens (user_id);
create index on refresh_tokens (expires);

-- record: keep measurements and show them to the person; coach: show them to trainers; research: count them in
-- questions about many.
create table consents (
    id int generated always as identity primary key,
    tenant_id int not null references tenants,
    subject_id int not null references subjects on delete cascade,
    version text not null,
    purposes text[] not null check (purposes <@ array['record', 'coach', 'research'] and 'record' = any(purposes)),
    given timestamptz not null default now(),
    given_by int references users on delete set null,
    withdrawn timestamptz
);
create unique index consents_one on consents (subject_id) where withdrawn is null;
create index on consents (tenant_id);

alter table people add column goal text;
alter table dogs add column goal text;
create index on people (user_id);
create index on dogs (user_id);

call keep_tenants_apart(array['invitations', 'refresh_tokens', 'consents']);
grant select, insert, update, delete on invitations, refresh_tokens, consents to kinebox_api;
grant delete on invitations, refresh_tokens to kinebox_ingest;

-- Sessions that come by the API: numbered like those of a box's start.
grant insert, update on boots, exercise_sessions to kinebox_api;
grant insert on rollup_pending to kinebox_api;

-- A message of a box that nobody knew has a tenant in its topic alone, and may name a subject that is erased.
create policy of_unknown_boxes on dead_letters to kinebox_owner using (tenant_id is null
    and split_part(topic, '/', 3) = (select slug from tenants where id = current_tenant()));

-- Everything of one subject of the current tenant, for good; the row in subjects stays, so that what arrives late
-- is dropped. Waits for transactions that write of the subject (they lock its row FOR KEY SHARE), and for a refresh
-- of the rollups; both wait for this one, and then find nothing to do.
create function erase_subject(which int) returns bigint language plpgsql security definer
    set search_path = public, pg_temp as $$
declare name text; tenant int := current_tenant(); gone bigint;
begin
    perform pg_advisory_xact_lock(hashtext('kinebox.refresh_rollups'));
    select subject::text into name from subjects where id = which and tenant_id = tenant for update;
    if name is null then
        return 0;
    end if;
    update subjects set erased = coalesce(erased, now()) where id = which;
    delete from telemetry_10s where tenant_id = tenant and subject_id = which;
    get diagnostics gone = row_count;
    delete from exercise_sessions where tenant_id = tenant and subject_id = which;
    delete from telemetry_1h where tenant_id = tenant and subject_id = which;
    delete from telemetry_1d where tenant_id = tenant and subject_id = which;
    delete from rollup_pending where tenant_id = tenant and subject_id = which;
    -- Among the reasons to refuse a message is how it spells the name.
    delete from dead_letters where (tenant_id = tenant or tenant_id is null)
        and position(replace(name, '-', '') in replace(lower(encode(payload, 'escape')), '-', '')) > 0;
    delete from invitations where subject_id = which;
    delete from people where subject_id = which;
    delete from dogs where subject_id = which;
    delete from consents where subject_id = which;
    return gone;
end $$;
revoke execute on function erase_subject from public;
grant execute on function erase_subject to kinebox_api;

create policy lookup on users for select to kinebox_lookup using (true);
create policy lookup on devices for select to kinebox_lookup using (true);
grant select (email, tenant_id) on users to kinebox_lookup;
create policy lookup on tenants for select to kinebox_lookup using (true);
grant select (device, tenant_id) on devices to kinebox_lookup;
grant select (id, slug) on tenants to kinebox_lookup;

reset role;

-- Before somebody has signed in, nobody knows the tenant: these tell it and nothing else.
set local role kinebox_lookup;
create function tenant_of_user(address text) returns int language sql stable security definer
    set search_path = public, pg_temp
    return (select tenant_id from users where email = address);
create function tenant_of_device(which uuid) returns int language sql stable security definer
    set search_path = public, pg_temp
    return (select tenant_id from devices where device = which);
create function tenant_of_slug(which text) returns int language sql stable security definer
    set search_path = public, pg_temp
    return (select id from tenants where slug = which);
revoke execute on function tenant_of_user, tenant_of_device, tenant_of_slug from public;
grant execute on function tenant_of_slug to kinebox_owner;
grant execute on function tenant_of_user, tenant_of_device to kinebox_api;
reset role;
revoke create on schema public from kinebox_lookup;
