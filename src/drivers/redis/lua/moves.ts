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
`
