-- Roles, and who and what there is: tenants, sites, devices, users, people and dogs.
create extension if not exists timescaledb;

do $$
declare name text;
begin
    foreach name in array array['kinebox_owner', 'kinebox_ingest', 'kinebox_api'] loop
        if not exists (select from pg_roles where rolname = name) then
            execute format('create role %I nologin', name);
        end if;
    end loop;
    execute format('grant kinebox_owner to %I with set true', current_user);
end $$;
grant usage, create on schema public to kinebox_owner;
grant usage on schema public to kinebox_ingest, kinebox_api;

set local role kinebox_owner;

-- Whose rows a request may see. Set for one transaction: select set_config('kinebox.tenant', '7', true).
create function current_tenant() returns int language sql stable parallel safe
    return nullif(current_setting('kinebox.tenant', true), '')::int;

-- Forced: not even the owner of the tables reads across tenants. Only ingest serves them all.
create procedure keep_tenants_apart(tables text[]) language plpgsql as $$
declare name text; tenant text;
begin
    foreach name in array tables loop
        tenant := case name when 'tenants' then 'id' else 'tenant_id' end;
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
        execute format('create policy own_tenant on %I to kinebox_owner, kinebox_api
                        using (%I = current_tenant()) with check (%I = current_tenant())', name, tenant, tenant);
        execute format('create policy every_tenant on %I to kinebox_ingest using (true) with check (true)', name);
    end loop;
end $$;

create table tenants (
    id int generated always as identity primary key,
    slug text not null unique check (slug ~ '^[a-z0-9-]{1,63}$'),
    name text not null,
    created timestamptz not null default now()
);

create table sites (
    id int generated always as identity primary key,
    tenant_id int not null references tenants,
    slug text not null check (slug ~ '^[a-z0-9-]{1,63}$'),
    name text not null,
    time_zone text not null default 'UTC',
    unique (tenant_id, slug)
);

create table devices (
    id int generated always as identity primary key,
    tenant_id int not null references tenants,
    site_id int not null references sites,
    device uuid not null unique,
    created timestamptz not null default now(),
    retired timestamptz,
    available text not null default 'offline' check (available in ('online', 'stopped', 'offline')),
    last_seen timestamptz,
    software text,
    models jsonb,
    metrics text[]
);
create index on devices (tenant_id, site_id);

create table users (
    id int generated always as identity primary key,
    tenant_id int not null references tenants,
    email text not null check (email = lower(email)),
    password_hash text not null,
    role text not null check (role in ('owner', 'trainer', 'member', 'fleet_operator')),
    created timestamptz not null default now(),
    unique (email)
);

-- A name without meaning for whoever a box saw; people and dogs say more only where somebody enrolled them.
create table subjects (
    id int generated always as identity primary key,
    tenant_id int not null references tenants,
    subject uuid not null,
    species text not null check (species in ('human', 'dog')),
    first_seen timestamptz not null default now(),
    -- Consent withdrawn: what still arrives for this subject is acknowledged and not kept.
    erased timestamptz,
    unique (tenant_id, subject)
);

create table people (
    subject_id int primary key references subjects on delete cascade,
    tenant_id int not null references tenants,
    user_id int references users on delete set null,
    alias text,
    birth_year int check (birth_year between 1900 and 2100),
    height_m real check (height_m between 0.3 and 2.6),
    weight_kg real check (weight_kg between 1 and 400),
    conditions text[] not null default '{}'
);
create index on people (tenant_id);

create table dogs (
    subject_id int primary key references subjects on delete cascade,
    tenant_id int not null references tenants,
    user_id int references users on delete set null,
    alias text,
    breed text,
    born date,
    weight_kg real check (weight_kg between 0.3 and 150),
    conditions text[] not null default '{}'
);
create index on dogs (tenant_id, breed, born);

call keep_tenants_apart(array['tenants', 'sites', 'devices', 'users', 'subjects', 'people', 'dogs']);

grant select on tenants, sites, devices, users, subjects, people, dogs to kinebox_api, kinebox_ingest;
grant insert, update, delete on sites, devices, users, subjects, people, dogs to kinebox_api;
grant insert on subjects to kinebox_ingest;
grant update (available, last_seen, software, models, metrics) on devices to kinebox_ingest;

reset role;
