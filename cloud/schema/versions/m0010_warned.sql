-- Boxes with which something was wrong when the fleet was last looked through. What exactly, the page asks anew: of
-- these alone, whatever the size of the fleet.
set local role kinebox_owner;

create table warned_devices (
    device_id int primary key references devices on delete cascade,
    tenant_id int not null
);
create table warned_refreshed (tenant_id int primary key references tenants, refreshed timestamptz not null);

call keep_tenants_apart(array['warned_devices', 'warned_refreshed']);
grant select, insert, delete on warned_devices to kinebox_api;
grant select, insert, update on warned_refreshed to kinebox_api;

reset role;
