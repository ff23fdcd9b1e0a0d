-- How people sign in: a password (Argon2id), a second factor (TOTP) if they have set one up, and the session that they get.
create table passwords (
    member_id uuid primary key references members on delete cascade,
    hash text, -- null: none was chosen yet
    changed_at timestamptz,
    -- With this code, given by who may say who may, its member chooses a password.
    code_hash bytea,
    code_until timestamptz
);
create table second_factors (
    member_id uuid primary key references members on delete cascade,
    box bytea not null, -- sealed to the coordinator's key
    confirmed_at timestamptz,
    used_step bigint not null default 0 -- a code counts once
);
create table sessions (
    id uuid primary key,
    member_id uuid not null references members on delete cascade,
    hash bytea not null unique,
    by_cookie boolean not null,
    address text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    ended_at timestamptz
);
create index sessions_by_member on sessions (member_id);
create or replace function tell_access() returns trigger language plpgsql as $$
begin
    perform pg_notify('fairlead_access', case tg_table_name
        when 'members' then (case tg_op when 'DELETE' then to_jsonb(old) else to_jsonb(new) end)->>'id'
        when 'access_roles' then ''
        else (case tg_op when 'DELETE' then to_jsonb(old) else to_jsonb(new) end)->>'member_id' end);
    return null;
end
$$;
create trigger sessions_told after insert or update of expires_at, ended_at or delete on sessions
    for each row execute function tell_access();
-- Can this member come in, and say who may, for a day at least, without this token? By a token, or by a password of its own.
create function comes_in(member uuid, without uuid default null) returns boolean language sql stable as $$
    select exists (
        select from access_tokens t where t.member_id = member and t.id is distinct from without and t.revoked_at is null
          and (t.expires_at is null or t.expires_at > clock_timestamp() + interval '1 day')
          and (t.scopes is null or t.scopes && '{*,access.write}'))
        or exists (select from passwords p where p.member_id = member and p.hash is not null)
$$;
grant select, insert, update, delete on passwords, second_factors, sessions to fairlead_app;
