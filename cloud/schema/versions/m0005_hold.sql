-- Ingest locks the subjects of a batch, so that erasing one waits for the rows that are being written of it.
-- A lock of a row takes the right to update some column of it.
set local role kinebox_owner;
grant update (first_seen) on subjects to kinebox_ingest;
reset role;
