import { CRASH_LIMIT } from '../../../port/index.ts'
import { PLAIN_KEEP } from '../text.ts'

/** Characters of a record that travels with the hint of its end, at the most. */
const TOLD = 2_000

/**
 * What every script builds on. KEYS[1] is the prefix of a shard's keys, `{<namespace>#<shard>}:`.
 * Effects that many jobs share are collected and written by `commit`: records, lines, counters, retention,
 * wake-ups. Nothing is written before a script has read and checked what it needs: an error in Lua is not
 * rolled back.
 *
 * `c` holds the namespace's settings: o clock offset, s last serial, w until when ids are watched, f number of
 * flows, k number of flows with marks, n number of shards (in the first), u the minute whose receipts have their
 * time to live, b until when tickets for a broker are kept (see lua/outbox.ts), and p:<queue> the highest
 * priority that its lines hold, plus 10 while something was handed back to it.
 */
export const prelude = String.raw`
local call, pcall, match, sub, find, floor, min

-- The shard that a call works on: what its keys begin with, and keys.
local P, J, C, N, D, E, M, X, G, O

-- now: the namespace's clock; wall: the server's own
local now, wall, serial, watching, flows, marks, minute
local conf, tops
local hash, lines, keys, kept, counts, told, seen, fresh, live
local due, firstSerial
local joins, covers, marked, unswept, members
local box, boxed, tickets

local function enter(prefix)
  if P == prefix then return end
  -- While a library is loaded, it has none of them.
  call, pcall, match, sub, find, floor, min =
    redis.call, redis.pcall, string.match, string.sub, string.find, math.floor, math.min
  P = prefix
  J, C, N, D, E, M, X, G, O = P..'j', P..'c', P..'n', P..'d', P..'e', P..'m', P..'x', P..'g', P..'z'
end

-- What an earlier call left behind, be it by an error, is dropped.
local function begin(queues)
  conf, tops = {}, {}
  hash, lines, keys, kept, counts, told, seen, fresh, live = {}, {}, {}, {}, {}, {}, {}, {}, {}
  due = nil
  joins, covers, marked, unswept, members = {}, {}, {}, {}, {}
  tickets = {}
  local names = {'o', 's', 'w', 'f', 'k', 'u', 'b'}
  for i = 1, #queues do names[7 + i] = 'p:'..queues[i] end
  local c = call('HMGET', C, unpack(names))
  local t = call('TIME')
  wall = t[1] * 1000 + floor(t[2] / 1000)
  now = wall + (c[1] or 0)
  serial = tonumber(c[2] or 0)
  firstSerial = serial
  watching = c[3] and tonumber(c[3]) > wall
  flows, marks, minute = tonumber(c[4] or 0), tonumber(c[5] or 0), c[6]
  box = tonumber(c[7])
  boxed = box and box > now
  for i = 1, #queues do tops[queues[i]] = tonumber(c[7 + i]) or false end
end

local function bulk(command, key, list)
  local n = #list
  if n == 0 then return end
  if n <= 4000 then return call(command, key, unpack(list)) end
  for i = 1, n, 4000 do call(command, key, unpack(list, i, min(i + 3999, n))) end
end

-- Values of many fields, in pages that Lua's stack can take.
local function values(key, fields)
  local n = #fields
  if n == 0 then return {} end
  if n <= 4000 then return call('HMGET', key, unpack(fields)) end
  local all = {}
  for i = 1, n, 4000 do
    local page = call('HMGET', key, unpack(fields, i, min(i + 3999, n)))
    for k = 1, #page do all[#all + 1] = page[k] end
  end
  return all
end

local function set(field, value)
  conf[#conf + 1] = field
  conf[#conf + 1] = value
end

local function put(id, rec)
  local n = #hash
  hash[n + 1] = id
  hash[n + 2] = rec
end

local function count(queue, state, delta)
  local key = queue..'\n'..state
  counts[key] = (counts[key] or 0) + delta
end

local function topOf(queue)
  local top = tops[queue]
  if top == nil then
    top = tonumber(call('HGET', C, 'p:'..queue)) or false
    tops[queue] = top
  end
  return top
end

local function setTop(queue, top)
  tops[queue] = top
  set('p:'..queue, top)
end

-- To the end of a line.
local function line(queue, prio, id)
  local key = P..'q'..prio..':'..queue
  local ids = lines[key]
  if not ids then
    ids = {}
    lines[key] = ids
    keys[#keys + 1] = key
    local top = topOf(queue)
    if not top then setTop(queue, tonumber(prio)) elseif tonumber(prio) > top % 10 then setTop(queue, top - top % 10 + prio) end
  end
  ids[#ids + 1] = id
  fresh[queue] = (fresh[queue] or 0) + 1
  if boxed then tickets[#tickets + 1] = queue..'\n'..id end
end

-- Ahead of a line, by serial: handed back (b), or a suspect (y), of which a worker holds one at a time.
local function ahead(queue, prio, id, place, suspect)
  call('ZADD', P..(suspect and 'y:' or 'b:')..queue, (9 - prio) * 1e13 + place, id)
  local top = topOf(queue)
  if not top then setTop(queue, 10) elseif top < 10 then setTop(queue, top + 10) end
  fresh[queue] = (fresh[queue] or 0) + 1
  if boxed then tickets[#tickets + 1] = queue..'\n'..id end
end

-- Writes the records, the lines and the flows' members collected so far: before they are read again.
local function flush()
  if #hash > 0 then bulk('HSET', J, hash) hash = {} end
  for i = 1, #keys do bulk('RPUSH', keys[i], lines[keys[i]]) end
  if #keys > 0 then keys, lines = {}, {} end
  if next(members) then
    for flow, ids in pairs(members) do bulk('RPUSH', P..'f:'..flow, ids) end
    members = {}
  end
  if #tickets > 0 then bulk('RPUSH', O, tickets) tickets = {} end
end

local function enrol(flow, id)
  local ids = members[flow]
  if not ids then members[flow] = {id} else ids[#ids + 1] = id end
end

-- Id, then whose record tells the end, and that; or nothing, where it is not small.
local function tell(id, notify, by, rec)
  if notify ~= '' then
    local ends = told[notify]
    if not ends then
      ends = {}
      told[notify] = ends
    end
    local n = #ends
    ends[n + 1] = id
    if rec and #rec <= ${TOLD} then ends[n + 2] = by..'\n'..rec else ends[n + 2] = '' end
  end
  if watching then seen[#seen + 1] = id end
end

local function later(at, queue)
  call('ZADD', D, at, queue.id)
  if not due or at < due.at then due = {at = at, queue = queue.queue} end
end

local function retain(id, keep)
  local ids = kept[keep]
  if not ids then kept[keep] = {id} else ids[#ids + 1] = id end
end

local function parse(id, rec)
  local r = {id = id}
  local more
  r.state, r.mark, r.prio, r.kind, r.created, r.due, r.seq, r.failures, r.crashes, r.token, more, r.rest = match(rec,
    '^(.)(.)(.)(.)([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)\t(%d+)([^\n]*)(\n.*)$')
  r.queue, r.notify, r.extras = match(r.rest, '^\n([^\n]*)\n[^\n]*\n([^\n]*)\n([^\n]*)')
  r.started, r.worker, r.ended = match(more, '^\t([^\t]*)\t([^\t]*)\t?([^\t]*)')
  if r.kind == 'x' then
    local flow, join, index, good, bad, expires = match(r.extras, '^([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)')
    if flow ~= '' then r.flow = flow end
    if join ~= '' then r.join, r.index = join, index end
    if good ~= '' then r.good, r.bad = tonumber(good), tonumber(bad) end
    if expires ~= '' and r.token == '0' and r.mark ~= 'r' then
      r.expires = r.created + (r.due == '' and 0 or r.due) + expires
    end
  end
  return r
end

local function build(r, code, result)
  local more = ''
  if r.started then more = '\t'..r.started..'\t'..r.worker end
  if code then more = (r.started and more or '\t\t')..'\t'..(now - r.created)..'\t'..code end
  return r.state..r.mark..r.prio..r.kind..r.created..'\t'..r.due..'\t'..r.seq..'\t'..r.failures..'\t'..r.crashes..'\t'..r.token..
    more..r.rest..(result and '\n'..result or '')
end

-- How long its record stays; nil for a flow's member, which goes with the flow.
local function keepOf(r, state)
  if r.flow then return nil end
  if state == 'K' then return r.good or ${PLAIN_KEEP.succeeded} end
  return r.bad or ${PLAIN_KEEP.failed}
end

local function isIdle(state) return state == 'W' or state == 'S' or state == 'R' end

-- Forget a record that is not a flow's member's.
local function erase(id)
  call('HDEL', J, id)
  call('HDEL', M, id)
  call('DEL', P..'h:'..id)
end

local function remember(r, worker, code, err, at)
  local key = P..'h:'..r.id
  call('RPUSH', key, (r.created + (r.started or 0))..'\t'..(at or now)..'\t'..worker..'\t'..code..'\t'..err)
  call('LTRIM', key, -20, -1)
end

local CRASH_LIMIT = ${CRASH_LIMIT}
`

/** What every script that may have written ends with. */
export const commit = String.raw`
-- The first of a line as a free worker would take it, so that it need not come for it; nil where a take has to look
-- closer. What may keep take in lua/work.ts from taking a job has to count here as well.
local function firstFor(queue, wid)
  local top = topOf(queue)
  local lease = call('ZSCORE', P..'l', wid)
  if not top or top >= 10 or not lease or tonumber(lease) <= now then return nil end
  for level = top, 0, -1 do
    local key = P..'q'..level..':'..queue
    local ids = call('LRANGE', key, 0, 1)
    local id = ids[1]
    if id then
      local rec = call('HGET', J, id)
      if not rec then return nil end
      local text, token, kind = leased(rec, wid)
      if not text then return nil end
      if kind == 'x' and not isBare(rec) then return nil end
      local hold = token..'.p'..wall
      local more = (ids[2] or level > 0) and '1' or '0'
      return {id = id, rec = text, hold = hold, key = key, message = now..'\n'..more..'\n'..id..'\n'..hold..'\n'..text}
    end
  end
end

-- waiting -> active, by a message that a worker has heard.
local function give(queue, wid, first)
  local A = P..'a:'..wid
  local info = call('HGET', A, '\n')
  local queues = info and match(info, '^[^\n]*\n(.*)$') or ''
  call('HSET', J, first.id, first.rec)
  call('HSET', A, first.id, first.hold)
  call('LPOP', first.key)
  count(queue, 'W', -1)
  count(queue, 'A', 1)
  if watching then seen[#seen + 1] = first.id end
  for other in string.gmatch(queues, '[^\n]+') do
    if other ~= queue then call('ZREM', P..'i:'..other, wid) end
  end
end

local function wake(queue)
  while true do
    local idle = call('ZPOPMIN', P..'i:'..queue)
    local wid = idle[1]
    if not wid then return false end
    local first = tonumber(idle[2]) < 0 and firstFor(queue, wid)
    local heard = pcall('SPUBLISH', P..'w:'..wid, first and first.message or '')
    -- Without the right to publish nobody hears of anything, and everybody looks once a second.
    if type(heard) ~= 'number' then return true end
    if heard > 0 then
      if first then give(queue, wid, first) end
      return true
    end
  end
end

local function commit()
  flush()
  for queue, n in pairs(fresh) do
    if wake(queue) and n > 1 then wake(queue) end
  end
  if due and not fresh[due.queue] then
    local head = call('ZRANGE', D, 0, 0, 'WITHSCORES')
    if head[2] and tonumber(head[2]) >= due.at then wake(due.queue) end
  end
  for id, j in pairs(joins) do if j and j.dirty then saveJoin(j) end end
  for flow, delta in pairs(live) do
    if delta ~= 0 and call('HINCRBY', P..'s:'..flow, 'l', delta) == 0 and call('HDEL', P..'s:'..flow, 'late') == 1 then
      retain('\n'..flow, 0)
    end
  end
  for keep, ids in pairs(kept) do
    bulk('RPUSH', X..':'..keep, ids)
    call('ZADD', X, 'NX', now + keep, keep)
  end
  for key, delta in pairs(counts) do
    if delta ~= 0 and call('HINCRBY', N, key, delta) <= 0 then call('HDEL', N, key) end
  end
  if serial ~= firstSerial then set('s', serial) end
  if #conf > 0 then bulk('HSET', C, conf) end
  for notify, ends in pairs(told) do pcall('SPUBLISH', P..'n:'..notify, table.concat(ends, '\n')) end
  if #seen > 0 then
    for i = 1, #seen, 1000 do
      local till = call('ZMSCORE', P..'w', unpack(seen, i, min(i + 999, #seen)))
      for k = 1, #till do
        if till[k] and tonumber(till[k]) > wall then pcall('SPUBLISH', P..'i:'..seen[i + k - 1], '') end
      end
    end
  end
end
`
