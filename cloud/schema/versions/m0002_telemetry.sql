-- What boxes send. The columns of the metrics are added from the catalogue, see columns.py.
set local role kinebox_owner;

-- One row for each start of a box's hub: which of its messages are committed. A set of ranges, so that gaps stay
-- visible and a message sent again is known whatever its time says.
create table boots (
    id int generated always as identity primary key,
    tenant_id int not null references tenants,
    device_id int not null references devices,
    boot uuid not null,
    seqs int8multirange not null default '{}',
    -- The box gave up or saw acknowledged what is below: an acknowledgement need not wait for it.
    floor int8 not null default 1,
    last_seen timestamptz not null default now(),
    unique (device_id, boot)
);

-- The highest number up to which nothing is missing.
create function contiguous(seqs int8multirange, floor int8) returns int8 language sql immutable parallel safe
    return coalesce((select upper(r) - 1 from unnest(seqs + int8multirange(int8range(1, floor))) as r
                     where r @> 1::int8), 0);

create table telemetry_10s (
    time timestamptz not null,
    received timestamptz not null default now(),
    seq int8 not null,
    boot_id int not null,
    tenant_id int not null,
    device_id int not null,
    subject_id int not null,
    session uuid,
    duration_s real not null,
    reps int not null,
    partial_reps int not null,
    -- s: synchronised, e: estimated, u: unknown, then `time` is when the window was received
    clock "char" not null,
    historical boolean not null,
    camera text not null,
    exercise text,
    -- one letter for each metric, at its position in metric_columns; '-' where there is none
    grades text,
    -- metrics of a box newer than this catalogue
    other jsonb
);
select create_hypertable('telemetry_10s', by_range('time', interval '1 day'), create_default_indexes => false);
create unique index telemetry_10s_once on telemetry_10s (boot_id, seq, time);
create index telemetry_10s_subject on telemetry_10s (tenant_id, subject_id, time);

create table metric_columns (
    position smallint generated always as identity primary key,
    key text not null unique
);

create table exercise_sessions (
    session uuid not null,
    tenant_id int not null,
    device_id int not null,
    subject_id int not null,
    species text not null,
    started timestamptz not null,
    duration_s real not null,
    ended boolean not null,
    reason text,
    -- the latest exercise, how long after the beginning it was told, and all there were
    exercise text,
    exercise_s real,
    exercises text[] not null default '{}',
    reps int not null,
    partial_reps int not null,
    hold_s real not null,
    clock "char" not null,
    camera text not null,
    model text not null,
    software text not null,
    grades text,
    other jsonb,
    primary key (tenant_id, session)
);
create index on exercise_sessions (tenant_id, subject_id, started);
create index on exercise_sessions (tenant_id, exercise, started);

create table device_health (
    time timestamptz not null default now(),
    tenant_id int not null,
    device_id int not null,
    uptime_s real not null,
    camera text not null,
    fps real not null,
    dropped int not null,
    outbox_rows int not null,
    outbox_bytes int8 not null,
    outbox_hours real not null,
    outbox_hours_left real,
    outbox_given_up int not null,
    disk_free_mb real not null,
    cpu_c real,
    confidence real
);
select create_hypertable('device_health', by_range('time', interval '7 days'), create_default_indexes => false);
create index on device_health (tenant_id, device_id, time);

-- What could not be taken, whole, with the reason. The same message again only counts.
create table dead_letters (
    digest bytea primary key,
    first_received timestamptz not null default now(),
    last_received timestamptz not null default now(),
    times int not null default 1,
    tenant_id int,
    device_id int,
    topic text not null,
    payload bytea not null,
    bytes int not null,
    reason text not null,
    detail text not null
);
create index on dead_letters (last_received);
create index on dead_letters (tenant_id, last_received);

call keep_tenants_apart(array['boots', 'exercise_sessions', 'device_health', 'dead_letters']);

-- Chunks of a hypertable take over its grants but not its policies: whoever may read the table may read every
-- tenant's rows from a chunk. So the API gets no grant here; it reads the view telemetry (columns.py). The windows
-- have no row security at all: it would guard them from nobody, and forbids COPY and compression.
grant select, insert on telemetry_10s to kinebox_ingest;
grant select, insert on device_health to kinebox_ingest;
create view health_history with (security_barrier) as
    select * from device_health where tenant_id = current_tenant();
grant select on health_history to kinebox_api;
grant select, insert, update on boots, exercise_sessions to kinebox_ingest;
grant select, insert, update, delete on dead_letters to kinebox_ingest;
grant select on boots, dead_letters, metric_columns to kinebox_api;
grant select on metric_columns to kinebox_ingest;
grant select, delete on exercise_sessions to kinebox_api;

reset role;
