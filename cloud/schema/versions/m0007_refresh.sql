-- A refresh of the rollups reads the windows of the subjects and hours that changed, however long the history is:
-- joined over all days at once, the planner merged the whole table with them.
set local role kinebox_owner;

create or replace function refresh_rollups() returns bigint language plpgsql set jit = off as $$
declare hours bigint; first timestamptz;
begin
    -- One at a time; whoever comes second finds less to do.
    perform pg_advisory_xact_lock(hashtext('kinebox.refresh_rollups'));
    create temp table hour on commit drop as
        with taken as (delete from rollup_pending returning *)
        select distinct *, date_trunc('day', bucket, 'UTC') as day from taken;
    get diagnostics hours = row_count;
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
