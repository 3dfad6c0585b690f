-- Rollups wait ten minutes for more of an hour: while somebody is in view, counting their hour anew each minute cost
-- nine times as much. Whoever reads meanwhile counts the hours that wait (history.py).
set local role kinebox_owner;

alter table rollup_pending add column added timestamptz not null default now();
create index on rollup_pending (subject_id);
grant select on rollup_pending to kinebox_api;

drop function refresh_rollups();

-- Bring up to date what has waited so long, and hours that were over before it came; returns how many hours of
-- subjects were counted anew.
create function refresh_rollups(patience interval default '10 minutes') returns bigint language plpgsql
    set jit = off as $$
declare hours bigint; first timestamptz;
begin
    -- One at a time; whoever comes second finds less to do.
    perform pg_advisory_xact_lock(hashtext('kinebox.refresh_rollups'));
    create temp table hour on commit drop as
        with taken as (delete from rollup_pending returning *)
        select bucket, tenant_id, subject_id, min(added) as added, date_trunc('day', bucket, 'UTC') as day
        from taken group by 1, 2, 3;
    -- What goes on waiting does so in one row, which knows for how long.
    with waiting as (delete from hour where added > now() - patience
                         and bucket > now() - interval '1 hour' - patience returning *)
    insert into rollup_pending select bucket, tenant_id, subject_id, added from waiting;
    select count(*) into hours from hour;
    analyze hour;
    delete from telemetry_1h r using hour h where r.subject_id = h.subject_id and r.bucket = h.bucket;
    -- A day at a time, its bounds in the statement's text: the plan then holds no other day's chunks.
    for first in select distinct day from hour loop
        execute format(
            $day$insert into telemetry_1h
                select h.bucket, h.tenant_id, h.subject_id, coalesce(n.exercise, ''), n.metric,
                       count(*), sum(n.value::float8), min(n.value), max(n.value)
                from hour h cross join lateral (
                    select * from telemetry_values v
                    where v.tenant_id = h.tenant_id and v.subject_id = h.subject_id
                      and v.time >= h.bucket and v.time < h.bucket + interval '1 hour'
                      and v.time >= %1$L::timestamptz and v.time < %1$L::timestamptz + interval '1 day'
                    offset 0) n  -- one look into the index for each subject and hour
                where h.day = %1$L::timestamptz
                group by 1, 2, 3, 4, 5$day$, first);
    end loop;
    create temp table day on commit drop as select distinct day as bucket, tenant_id, subject_id from hour;
    analyze day;
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

reset role;
