# The samples' medians, each beside its denominator. in: an object of figures; out: lines of a table.
def ratio($a; $b): ($a / $b * 100 | round) / 100;
[ "accepted, one per request, 64 connections\t\(.accept_per_s)\t/s\tp50 \(.accept_p50_ms) ms, p99 \(.accept_p99_ms) ms, \(.accept_errors) errors",
  "  pgbench writing the same rows\t\(.rows_per_s)\t/s\tratio \(ratio(.accept_per_s; .rows_per_s))",
  "  with a customer's token\t\(.accept_as_customer_per_s)\t/s\tratio \(ratio(.accept_as_customer_per_s; .accept_per_s))",
  "lone request, p50, 40 a second\t\(.lone_p50_ms)\tms",
  "  a lone commit of those rows, 40 a second\t\(.lone_rows_ms)\tms\tratio \(ratio(.lone_p50_ms; .lone_rows_ms))",
  "one request after the other, p50\t\(.busy_p50_ms)\tms",
  "  one commit after the other\t\(.busy_rows_ms)\tms\tratio \(ratio(.busy_p50_ms; .busy_rows_ms))",
  "lone request to row done, p50\t\(.lone_done_p50_ms)\tms",
  "accepted to worker start, \(.pickup_offered_200) /s\t\(.pickup_p50_ms_200)\tms\tp99 \(.pickup_p99_ms_200) ms",
  "accepted to worker start, \(.pickup_offered_1000) /s\t\(.pickup_p50_ms_1000)\tms\tp99 \(.pickup_p99_ms_1000) ms",
  "whole pipeline\t\(.pipeline_per_s)\t/s",
  "  CPU per intent\t\(.cpu_us_per_intent_coordinator + .cpu_us_per_intent_workers)\tus\tcoordinator \(.cpu_us_per_intent_coordinator), workers \(.cpu_us_per_intent_workers); besides PostgreSQL \(.cpu_us_per_intent_postgresql), Kafka \(.cpu_us_per_intent_kafka)",
  "  WAL per intent\t\(.wal_bytes_per_intent)\tB\t\(.commits_per_intent) commits",
  "orders, outbox to acknowledged\t\(.relay_orders_per_s)\t/s\tthe program's start included",
  "reports into rows\t\(.reports_per_s)\t/s\tfrom the first batch to the last",
  "  the same rows by array statements\t\(.array_updates_per_s)\t/s\tratio \(ratio(.reports_per_s; .array_updates_per_s))",
  "recovered after kill -9 at 1,000 /s\t\(.recovery_s)\ts\t\(.recovery_lost) lost",
  "request to first green answer\t\(.app_s)\ts",
  "  bare compose up of that file\t\(.bare_compose_s)\ts\tratio \(ratio(.app_s; .bare_compose_s))",
  (to_entries[] | select(.key | startswith("repair_s_")) | "repair: \(.key[9:] | gsub("_"; " "))\t\(.value)\ts"),
  (("2", "500") as $n | "idle, \($n) nodes: CPU of the coordinator\t\(.["idle_cpu_permille_coordinator_" + $n])\tpermille\tserver \(.["idle_cpu_permille_server_" + $n]), slave \(.["idle_cpu_permille_slave_" + $n]), Kafka \(.["idle_cpu_permille_kafka_" + $n]); \(.["idle_transactions_per_s_" + $n]) transactions/s; resident (private) coordinator \(.["rss_mb_coordinator_" + $n]) (\(.["private_mb_coordinator_" + $n])), server \(.["rss_mb_server_" + $n]) (\(.["private_mb_server_" + $n])), slave \(.["rss_mb_slave_" + $n]) (\(.["private_mb_slave_" + $n])) MB")
] | .[]
