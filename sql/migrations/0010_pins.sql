-- Which commit each image of an instance was built from, and which one each source of a release is pinned to.
alter table instances add column commits jsonb;
create index works_by_release on works ((params->>'release')) where params ? 'release';
