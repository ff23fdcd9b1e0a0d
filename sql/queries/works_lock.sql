select
    key, kind, state, order_id, attempt, next_at, opened_at, settled_at, params, facts, class, problem,
    lines
from works where key = any($1::text[]) order by key for no key update
