-- Sessions and tokens that ended $1 days ago. What was in the coordinator's file stays: it must not be taken up again.
with cut as (select clock_timestamp() - $1 * interval '1 day' as at),
s as (delete from sessions using cut where coalesce(ended_at, expires_at) < cut.at returning 1),
t as (delete from access_tokens using cut where coalesce(revoked_at, expires_at) < cut.at and not from_file returning 1)
select (select count(*) from s) + (select count(*) from t)
