-- covering.py makes a wider index with the same key.
set local role kinebox_owner;
drop index exercise_sessions_tenant_id_exercise_started_idx;
reset role;
