-- What boxes shall run, who tries it first, and the hourly health that decides about it.
set local role kinebox_owner;

-- A box's hour, from the messages that came in it: 24 rows a day instead of 1,440. Every number is a mean over the
-- hour's messages but what is said here.
create table device_health_1h (
    tenant_id int not null,
    device_id int not null,
    hour timestamptz not null,
    n int not null,
    -- Share of messages with the camera live, and their frame rate.
    live real not null,
    fps real,
    -- Pictures not analysed in the hour; a count that fell is that of a new start.
    dropped int not null,
    outbox_hours real not null,
    given_up int not null,
    disk_free_mb real not null,
    cpu_c real,
    confidence real,
    confidence_n int not null,
    primary key (tenant_id, device_id, hour)
);
create index on device_health_1h using brin (hour);

-- The keypoint confidence of a site's day: the mean of its boxes' means.
create table site_confidence_1d (
    tenant_id int not null,
    site_id int not null references sites on delete cascade,
    day date not null,
    boxes int not null,
    confidence real not null,
    primary key (tenant_id, site_id, day)
);

-- Up to where both tables are complete.
create table health_refreshed (tenant_id int primary key references tenants, until timestamptz not null);

create table releases (
    id int generated always as identity primary key,
    tenant_id int not null references tenants,
    role text not null check (role ~ '^[a-z][a-z0-9_]{0,47}$'),
    name text not null,
    version text not null,
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    url text,
    notes text not null default '',
    created timestamptz not null default now(),
    created_by int references users on delete set null
);
-- What a box says that it runs is the name and the version: no two releases may say the same.
create unique index releases_one on releases (tenant_id, role, (name || '-' || version));

create table rollouts (
    id int generated always as identity primary key,
    tenant_id int not null references tenants,
    release_id int not null references releases,
    state text not null check (state in ('candidate', 'promoted', 'rolled_back', 'cancelled')),
    share real not null check (share > 0 and share <= 0.5),
    metric text not null,
    min_gain real not null,
    min_hours real not null,
    max_hours real not null,
    sites int[],
    created timestamptz not null default now(),
    created_by int references users on delete set null,
    -- From when on candidates are compared with the others: enough of them run the release.
    measured_from timestamptz,
    -- The end of the last hour that was judged, and what was found.
    judged timestamptz,
    reason text,
    figures jsonb,
    decided timestamptz
);
create index on rollouts (tenant_id, id);
-- Two at once would each be measured with the other's effect.
create unique index rollouts_one on rollouts (tenant_id) where state = 'candidate';

create table rollout_devices (
    rollout_id int not null references rollouts,
    tenant_id int not null,
    device_id int not null references devices,
    candidate boolean not null,
    -- What the box was to run in the release's role before; null: what its software came with.
    former jsonb,
    primary key (rollout_id, device_id)
);
create index on rollout_devices (device_id);

create table desired_states (
    device_id int primary key references devices,
    tenant_id int not null,
    -- Rises, also where the database was restored from an older copy: never less than the time in seconds.
    serial int8 not null,
    models jsonb not null default '{}',
    software jsonb,
    envelope bytea not null,
    issued timestamptz not null,
    -- The serial that the broker has.
    published int8 not null default 0
);
create index desired_states_tenant on desired_states (tenant_id);
create index desired_states_unpublished on desired_states (device_id) where published < serial;

call keep_tenants_apart(array['device_health_1h', 'site_confidence_1d', 'health_refreshed', 'releases', 'rollouts',
                              'rollout_devices', 'desired_states']);
grant select on device_health_1h, site_confidence_1d, health_refreshed to kinebox_api;
grant select, insert on releases, rollout_devices to kinebox_api;
grant select, insert, update on rollouts, desired_states to kinebox_api;
grant select, update (published) on desired_states to kinebox_ingest;

-- A box that comes back gets its state again: a broker may have lost what it retained. Births alone name `models`.
create function desired_again() returns trigger language plpgsql as $$
begin
    update desired_states set published = 0 where device_id = new.id;
    return null;
end $$;
create trigger desired_again after update of models on devices for each row execute function desired_again();

-- Bring the current tenant's hours up to date, at most `most` of them; returns up to where. Health is stored with the
-- time when it came, so an hour that is over stays as it is. Each box's hours are one range of the index.
create function refresh_health(most interval) returns timestamptz language plpgsql security definer
    set search_path = public, pg_temp as $$
declare
    tenant int := current_tenant();
    since timestamptz;
    before timestamptz := date_trunc('hour', now() - interval '2 minutes', 'UTC');
    today date;
begin
    perform pg_advisory_xact_lock(hashtext('kinebox.refresh_health'), tenant);
    select until into since from health_refreshed where tenant_id = tenant;
    if since is null then
        select greatest(before - interval '36 days', date_trunc('hour', created, 'UTC')) into since
        from tenants where id = tenant;
        insert into health_refreshed values (tenant, since);
    end if;
    before := least(before, since + most);
    if before is null or before <= since then
        return since;
    end if;
    insert into device_health_1h
        select tenant, d.id, h.* from devices d cross join lateral (
            select date_trunc('hour', m.time, 'UTC'), count(*),
                   avg((m.camera = 'live')::int), avg(m.fps) filter (where m.camera = 'live'),
                   least(sum(case when m.dropped < m.dropped_before then m.dropped
                                  else coalesce(m.dropped - m.dropped_before, 0) end), 2147483647),
                   avg(m.outbox_hours), least(sum(greatest(m.outbox_given_up - m.given_up_before, 0)), 2147483647),
                   avg(m.disk_free_mb), avg(m.cpu_c), avg(m.confidence), count(m.confidence)
            from (select *, lag(dropped) over w as dropped_before, lag(outbox_given_up) over w as given_up_before
                  from device_health where tenant_id = tenant and device_id = d.id
                       and time >= since - interval '10 minutes' and time < before
                  window w as (order by time)) m
            where m.time >= since group by 1) h
        where d.tenant_id = tenant
        on conflict do nothing;
    for today in select generate_series(date_trunc('day', since at time zone 'UTC'),
                                        before at time zone 'UTC' - interval '1 day', interval '1 day')
    loop
        insert into site_confidence_1d
            select tenant, site_id, today, count(*), avg(mean) from (
                select d.site_id, (select sum(h.confidence::float8 * h.confidence_n) / sum(h.confidence_n)
                    from device_health_1h h
                    where h.tenant_id = tenant and h.device_id = d.id and h.confidence_n > 0
                      and h.hour >= today::timestamp at time zone 'UTC'
                      and h.hour < (today + 1)::timestamp at time zone 'UTC') as mean
                from devices d where d.tenant_id = tenant) m
            where mean is not null group by site_id
            on conflict do nothing;
        delete from device_health_1h where hour < now() - interval '100 days';
        delete from site_confidence_1d where day < today - 100;
    end loop;
    update health_refreshed set until = before where tenant_id = tenant;
    return before;
end $$;
-- The last message about a box's health. A function: the order does not get through the barrier of health_history,
-- and without it every row of the box is read.
create function latest_health(which int) returns setof device_health language sql stable rows 1 security definer
    set search_path = public, pg_temp
    begin atomic
        select * from device_health where tenant_id = current_tenant() and device_id = which
            and time > now() - interval '30 days' order by time desc limit 1;
    end;
revoke execute on function refresh_health, latest_health from public;
grant execute on function refresh_health, latest_health to kinebox_api;

reset role;

-- Rollouts of every tenant go on without anybody signed in: their numbers, and nothing else.
grant create on schema public to kinebox_lookup;
set local role kinebox_lookup;
create function every_tenant() returns setof int language sql stable security definer
    set search_path = public, pg_temp
    begin atomic select id from tenants order by id; end;
revoke execute on function every_tenant from public;
grant execute on function every_tenant to kinebox_api;
reset role;
revoke create on schema public from kinebox_lookup;
