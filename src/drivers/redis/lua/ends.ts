/**
 * Every end that a job comes to other than by the short way in `work`, and what ends many at once: a worker that is
 * lost, a mark on a flow.
 */
export const ends = String.raw`
-- A final end: record, retention, and all that follows from it in a flow.
local function conclude(r, state, code, result)
  count(r.queue, r.state, -1)
  if r.state == 'S' or r.state == 'R' then call('ZREM', D, r.id) end
  if r.expires then call('ZREM', E, r.id) end
  local keep = keepOf(r, state)
  r.state = state
  local rec
  if keep == 0 then
    erase(r.id)
  else
    if keep then retain(r.id, keep) end
    count(r.queue, state, 1)
    rec = build(r, code, result)
    put(r.id, rec)
    if not result then rec = nil end
  end
  if r.flow then alive(r.flow, -1) end
  tell(r.id, r.notify, r.id, rec)
  if r.join then follow({{join = r.join, index = r.index, ok = state == 'K', by = r.id, rec = rec}}) end
end

-- The common end of a flow's member, as conclude would come to it; false of any other.
local function endMember(id, rec, state, result)
  local fixed, created, more, rest, queue, notify, flow, join, index = match(rec,
    '^A(..x)(%d+)([^\n]*)(\n([^\n]*)\n[^\n]*\n([^\n]*)\n([^\t\n]+)\t([^\t]+)\t(%d+)\t.*)$')
  if not fixed then return false end
  local text = state..fixed..created..more..'\t'..(now - created)..'\t'..rest..'\n'..result
  put(id, text)
  count(queue, 'A', -1)
  count(queue, state, 1)
  alive(flow, -1)
  tell(id, notify, id, text)
  follow({{join = join, index = index, ok = state == 'K', by = id, rec = text}})
  return true
end

-- active -> waiting, cancelled, or failed at the crash limit: its worker was lost under it.
local function lose(r, worker)
  r.crashes = r.crashes + 1
  remember(r, worker, 'WORKER_LOST', '')
  if covered(r) then return conclude(r, 'C', 'CANCELLED') end
  if r.crashes >= CRASH_LIMIT then return conclude(r, 'F', 'WORKER_LOST') end
  count(r.queue, 'A', -1)
  count(r.queue, 'W', 1)
  r.state = 'W'
  put(r.id, build(r))
  ahead(r.queue, r.prio, r.id, r.seq, true)
  if watching then seen[#seen + 1] = r.id end
end

-- All that a worker holds, up to a limit, is lost; how much moved, and whether nothing is left.
local function loseWorker(worker, limit)
  local key = P..'a:'..worker
  local held = call('HKEYS', key)
  local ids, all = {}, true
  for i = 1, #held do
    if sub(held[i], 1, 1) ~= '\n' then
      if #ids < limit then ids[#ids + 1] = held[i] else all = false end
    end
  end
  local recs = values(J, ids)
  local rows = {}
  for i = 1, #ids do
    if recs[i] then rows[#rows + 1] = parse(ids[i], recs[i]) end
  end
  for i = 1, #rows do lose(rows[i], worker) end
  bulk('HDEL', key, ids)
  if all then
    local info = call('HGET', key, '\n')
    for queue in string.gmatch(info and match(info, '^[^\n]*\n(.*)$') or '', '[^\n]+') do call('ZREM', P..'i:'..queue, worker) end
    call('DEL', key, P..'k:'..worker)
    call('ZREM', P..'l', worker)
  end
  return #ids, all
end

-- End idle members below marks, and tell the workers of running ones; a page of a flow.
local function endMarked(flow, limit)
  local from = call('HGET', P..'mk', flow)
  if not from then return 0, false end
  unswept[flow] = nil
  flush()
  local ids = call('LRANGE', P..'f:'..flow, from, from + limit - 1)
  local jobs = {}
  for i = 1, #ids do
    if sub(ids[i], 1, 1) ~= '\n' then jobs[#jobs + 1] = ids[i] end
  end
  flush()
  local recs = values(J, jobs)
  local moved = 0
  for i = 1, #jobs do
    local state = recs[i] and sub(recs[i], 1, 1)
    if state == 'A' or (state and isIdle(state)) then
      local r = parse(jobs[i], recs[i])
      if covered(r) then
        -- What had expired before the mark stays so, as readers have seen it.
        if state == 'A' then tellWorker(r) else
          if r.expires and r.expires <= now then conclude(r, 'X', 'EXPIRED') else conclude(r, 'C', 'CANCELLED') end
          moved = moved + 1
        end
      end
    end
  end
  -- A mark that was set meanwhile begins the pass anew.
  local more = unswept[flow] or #ids == limit
  if not more then call('HDEL', P..'mk', flow) elseif not unswept[flow] then call('HSET', P..'mk', flow, from + limit) end
  return moved, more
end

-- The first page of each flow in which this script set a mark.
local function endMarks(limit)
  for _ = 1, 10 do
    local flow = next(unswept)
    if not flow then return end
    endMarked(flow, limit)
  end
end
`
