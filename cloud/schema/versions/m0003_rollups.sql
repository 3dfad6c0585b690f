-- Hourly and daily rollups that stay right when rows arrive late, in both editions of TimescaleDB: continuous
-- aggregates are licensed, and take no new columns.
set local role kinebox_owner;

create table telemetry_1h (
    bucket timestamptz not null,
    tenant_id int not null,
    subject_id int not null,
    exercise text not null default '',
    metric text not null,
    n int not null,
    total float8 not null,
    minimum real not null,
    maximum real not null,
    primary key (tenant_id, metric, subject_id, exercise, bucket)
);
create index on telemetry_1h (tenant_id, metric, exercise, bucket);
create index on telemetry_1h (subject_id, bucket);
create table telemetry_1d (like telemetry_1h including all);

-- Subject and hour of what was inserted, appended in the same transaction: a row is here exactly when its windows
-- can be seen, so a refresh that takes it away has counted them.
create table rollup_pending (bucket timestamptz not null, tenant_id int not null, subject_id int not null);

call keep_tenants_apart(array['telemetry_1h', 'telemetry_1d', 'rollup_pending']);

-- Bring the rollups up to date; returns how many hours of subjects were counted anew.
create function refresh_rollups() returns bigint language plpgsql as $$
declare hours bigint;
begin
    -- One at a time; whoever comes second finds less to do.
    perform pg_advisory_xact_lock(hashtext('kinebox.refresh_rollups'));
    create temp table hour on commit drop as
        with taken as (delete from rollup_pending returning *) select distinct * from taken;
    get diagnostics hours = row_count;
    delete from telemetry_1h r using hour h where r.subject_id = h.subject_id and r.bucket = h.bucket;
    insert into telemetry_1h
        select h.bucket, h.tenant_id, h.subject_id, coalesce(n.exercise, ''), n.metric,
               count(*), sum(n.value::float8), min(n.value), max(n.value)
        from hour h join telemetry_values n on n.tenant_id = h.tenant_id and n.subject_id = h.subject_id
             and n.time >= h.bucket and n.time < h.bucket + interval '1 hour'
        group by 1, 2, 3, 4, 5;
    create temp table day on commit drop as
        select distinct date_trunc('day', bucket, 'UTC') as bucket, tenant_id, subject_id from hour;
    delete from telemetry_1d r using day d where r.subject_id = d.subject_id and r.bucket = d.bucket;
    insert into telemetry_1d
        select d.bucket, d.tenant_id, d.subject_id, r.exercise, r.metric,
               sum(r.n), sum(r.total), min(r.minimum), max(r.maximum)
        from day d join telemetry_1h r on r.subject_id = d.subject_id
             and r.bucket >= d.bucket and r.bucket < d.bucket + interval '1 day'
        group by 1, 2, 3, 4, 5;
    drop table hour, day;
    return hours;
end $$;

-- Drop what is older; returns how many chunks went. Rollups stay. As the owner, who alone may drop.
create function drop_old_telemetry(keep interval) returns bigint language sql security definer
    set search_path = public, pg_temp
    return (select count(*) from drop_chunks('telemetry_10s', now() - keep))
         + (select count(*) from drop_chunks('device_health', now() - keep));
revoke execute on function drop_old_telemetry from public;
grant execute on function drop_old_telemetry to kinebox_ingest;

grant select, insert, delete on telemetry_1h, telemetry_1d, rollup_pending to kinebox_ingest;
grant select, delete on telemetry_1h, telemetry_1d to kinebox_api;

reset role;
