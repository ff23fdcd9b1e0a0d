-- Asks for no-op instances, each with a name of its own.
local thread = 0
function setup(t)
  t:set("id", thread)
  thread = thread + 1
end
function init(args)
  n = 0
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  wrk.headers["Authorization"] = "Bearer " .. os.getenv("TOKEN")
end
-- RATE a second over 50 connections, spread so that they do not come together.
if os.getenv("RATE") then
  local mean = 50 * 1000 / tonumber(os.getenv("RATE"))
  function delay()
    return math.floor(mean * (0.5 + math.random()))
  end
end
function request()
  n = n + 1
  local body = string.format('{"app":"noop","name":"%s%dx%d","customer":"bench","tenant":"main","plane":"main"}', os.getenv("TAG"), id, n)
  return wrk.format(nil, "/v1/instances", nil, body)
end
function done(summary, latency, requests)
  io.write(string.format("RESULT %.1f %.3f %.3f %d\n", summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1000,
    latency:percentile(99) / 1000, summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout))
end
