/** Moves that several scripts make: what is due becomes waiting, and what is past its time is gone. */
export const moves = String.raw`
-- waiting -> active: the record as it is then, its token, kind and lost workers; nil of one that does not wait.
local function leased(rec, wid)
  local mark, prio, kind, created, mid, crashes, token, lines = match(rec,
    '^W(.)(.)(.)(%d+)(\t[^\t]*\t[^\t]*\t[^\t]*\t)(%d+)\t(%d+)[^\n]*(\n.*)$')
  if not mark then return nil end
  token = token + 1
  return 'A'..mark..prio..kind..created..mid..crashes..'\t'..token..'\t'..(now - created)..'\t'..wid..lines, token, kind
end

-- scheduled, retrying -> waiting: what is due, in the order in which it became so; how many.
local function promote(limit)
  local ids = call('ZRANGEBYSCORE', D, '-inf', now, 'LIMIT', 0, limit)
  if #ids == 0 then return 0 end
  local recs = values(J, ids)
  for i = 1, #ids do
    local rec = recs[i]
    local state = rec and sub(rec, 1, 1)
    if state == 'S' or state == 'R' then
      local r = parse(ids[i], rec)
      r.state = 'W'
      count(r.queue, state, -1)
      count(r.queue, 'W', 1)
      put(r.id, build(r))
      if tonumber(r.crashes) > 0 then
        serial = serial + 1
        ahead(r.queue, r.prio, r.id, serial, true)
      else
        line(r.queue, r.prio, r.id)
      end
    end
  end
  flush()
  bulk('ZREM', D, ids)
  return #ids
end

-- Whether a job with extras starts all the same: no cancel covers it, and it does not expire.
local function isBare(rec)
  return marks == 0 and sub(rec, 2, 2) ~= 'x'
    and find(rec, '^[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n[^\t]*\t[^\t]*\t[^\t]*\t[^\t]*\t[^\t]*\t\t') ~= nil
end

local function isFinal(state) return state == 'K' or state == 'F' or state == 'C' or state == 'X' end

-- When the record of an ended job of its own is gone; nil for any other.
local function fades(id, rec)
  if not isFinal(sub(rec, 1, 1)) then return nil end
  local r = parse(id, rec)
  local keep = keepOf(r, r.state)
  return keep and r.created + r.ended + keep, r
end

-- Whether a record's time has passed, though no sweep has deleted it yet.
local function isGone(id, rec)
  local at = fades(id, rec)
  return at ~= nil and at <= now
end

-- Locks: v key -> until (s started, f finished, e elapsed), when it ends, holder; vl keys by when to look at them.
-- Whether one is held, by whom, and the holder's record if it is a job.
local function isHeld(lock)
  local till, ends, id = match(lock, '^(.)([^\t]*)\t(.*)$')
  if ends ~= '' and tonumber(ends) <= now then return false, id end
  local rec = call('HGET', J, id)
  if till == 'e' then return true, id, rec end
  if not rec then
    local j = joinOf(id)
    return j and j.state == 'A', id
  end
  local state = sub(rec, 1, 1)
  if isFinal(state) then return false, id end
  if isIdle(state) then
    local r = parse(id, rec)
    if covered(r) or (r.expires and r.expires <= now) then return false, id end
  end
  return till == 'f' or state == 'W' or state == 'S', id, rec
end

local function lookAt(key, till, ends)
  local look = now + 600000
  if ends ~= '' and (till == 'e' or tonumber(ends) < look) then look = ends end
  call('ZADD', P..'vl', look, key)
end

local function hold(key, till, ends, id)
  call('HSET', P..'v', key, till..ends..'\t'..id)
  lookAt(key, till, ends)
end

-- Forget a page of locks that are held no more.
local function unlock(limit)
  local looks = call('ZRANGEBYSCORE', P..'vl', '-inf', now, 'LIMIT', 0, limit)
  for i = 1, #looks do
    local lock = call('HGET', P..'v', looks[i])
    if lock and isHeld(lock) then
      local till, ends = match(lock, '^(.)([^\t]*)')
      lookAt(looks[i], till, ends)
    else
      call('HDEL', P..'v', looks[i])
      call('ZREM', P..'vl', looks[i])
    end
  end
end
`
