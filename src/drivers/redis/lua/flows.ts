/**
 * Flows: the arrive rule of src/port/arrive.ts, line by line, over these keys. `g` join id -> size, flags, flow,
 * slot; `g` "<id>\n" -> what it queues; `g` "<id>\nr" -> a root's keep, notify and outline. `s:<join>` s state, m
 * mark, n filled, b failed, t made, e ended, and slot -> who filled it; on a root also k: a mark was set in the
 * flow, l: members that have not ended, late: to be forgotten once they have. `f:<root>` the ids of a flow's jobs,
 * and its joins behind a line break. `mk` flow -> how far its members below marks were ended. `k:<worker>`
 * what it holds that was cancelled -> by which token.
 *
 * Flags: f failFast, c cancelSiblings, r root, q release, b besides, o otherwise.
 */
export const flows = String.raw`
local function joinOf(id)
  local j = joins[id]
  if j ~= nil then return j end
  local text = call('HGET', G, id)
  if not text then
    joins[id] = false
    return false
  end
  local size, flags, flow, upper, index = match(text, '^(%d+)\t([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)')
  local s = call('HMGET', P..'s:'..id, 's', 'm', 'n', 'b')
  j = {id = id, size = tonumber(size), flags = flags, flow = flow, upper = upper ~= '' and upper or nil, index = index,
    state = s[1] or 'A', mark = s[2] or nil, filled = tonumber(s[3] or 0), failed = tonumber(s[4] or 0)}
  joins[id] = j
  return j
end

local function saveJoin(j)
  local fields = {'s', j.state, 'n', j.filled, 'b', j.failed}
  if j.mark then fields[#fields + 1] = 'm' fields[#fields + 1] = j.mark end
  if j.ended then fields[#fields + 1] = 'e' fields[#fields + 1] = j.ended end
  call('HSET', P..'s:'..j.id, unpack(fields))
  j.dirty = false
end

local function isMarked(flow)
  if marks == 0 then return false end
  local known = marked[flow]
  if known == nil then
    known = call('HEXISTS', P..'s:'..flow, 'k') == 1
    marked[flow] = known
  end
  return known
end

-- Whether this join, or one above it, carries a mark.
local function below(id)
  local path, found = {}, false
  while id do
    local known = covers[id]
    if known ~= nil then found = known break end
    path[#path + 1] = id
    local j = joinOf(id)
    if not j then break end
    if j.mark then found = true break end
    id = j.upper
  end
  for i = 1, #path do covers[path[i]] = found end
  return found
end

local function covered(r)
  if r.mark == 'x' then return true end
  return r.flow ~= nil and r.join ~= nil and isMarked(r.flow) and below(r.join)
end

-- c: the join itself is cancelled; m: its members are
local function mark(j, kind)
  j.mark = kind
  j.dirty = true
  covers = {}
  if not isMarked(j.flow) then
    marks = marks + 1
    set('k', marks)
    marked[j.flow] = true
    call('HSET', P..'s:'..j.flow, 'k', 1)
  end
  call('HSET', P..'mk', j.flow, 0)
  unswept[j.flow] = true
end

local function tellWorker(r)
  call('HSET', P..'k:'..r.worker, r.id, r.token)
  pcall('SPUBLISH', P..'k:'..r.worker, r.id)
end

local function alive(flow, delta) live[flow] = (live[flow] or 0) + delta end

-- new -> waiting, scheduled, or succeeded if it was done before; its arrival is the caller's.
local function admit(id, done, kind, rest)
  serial = serial + 1
  if done == '' then
    -- The common member of a flow: due at once, and with nothing of its own.
    local queue, flow = match(rest, '^\n([^\n]*)\n[^\n]*\n[^\n]*\n([^\t\n]+)\t[^\t]*\t[^\t]*\t\t\t\t\n')
    if flow then
      enrol(flow, id)
      alive(flow, 1)
      line(queue, sub(kind, 1, 1), id)
      count(queue, 'W', 1)
      put(id, 'W-'..kind..now..'\t\t'..serial..'\t0\t0\t0'..rest)
      return
    end
  end
  local r = {id = id, state = 'W', mark = '-', prio = sub(kind, 1, 1), kind = sub(kind, 2, 2), created = now, due = '',
    seq = serial, failures = 0, crashes = 0, token = 0, rest = rest}
  r.queue, r.notify, r.extras = match(rest, '^\n([^\n]*)\n[^\n]*\n([^\n]*)\n([^\n]*)')
  local at = now
  if r.kind == 'x' then
    local flow, join, index, good, bad, expires, when = match(r.extras,
      '^([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)$')
    if flow ~= '' then
      r.flow = flow
      enrol(flow, id)
    end
    if good ~= '' then r.good, r.bad = tonumber(good), tonumber(bad) end
    if join ~= '' then r.join, r.index = join, index end
    if when ~= '' then
      at = tonumber(sub(when, 2))
      if sub(when, 1, 1) == 'i' then at = now + at end
      if at > now then r.due = at - now end
    end
    if expires ~= '' and done == '' then call('ZADD', E, (at > now and at or now) + expires, id) end
  end
  if done ~= '' then
    r.state = 'K'
    local keep = keepOf(r, 'K')
    tell(id, r.notify)
    if keep == 0 then return r end
    if keep then retain(id, keep) end
    count(r.queue, 'K', 1)
    put(id, build(r, '', done))
    return r
  end
  if r.flow then alive(r.flow, 1) end
  if at > now then
    r.state = 'S'
    later(at, r)
  else
    line(r.queue, r.prio, id)
  end
  count(r.queue, r.state, 1)
  put(id, build(r))
  return r
end

local function cancelled(j)
  return isMarked(j.flow) and (j.mark == 'c' or (j.upper ~= nil and below(j.upper)))
end

-- Reads what a join queues: lines, and blocks of eight of them.
local function reader(text)
  local at = 1
  local function take()
    local to = find(text, '\n', at, true) or #text + 1
    local found = sub(text, at, to - 1)
    at = to + 1
    return found
  end
  local function block(use)
    local id, done, kind = take(), take(), take()
    local from = at - 1
    for _ = 1, 5 do at = (find(text, '\n', at, true) or #text + 1) + 1 end
    if use then return admit(id, done, kind, sub(text, from, at - 2)), done ~= '' end
  end
  return take, block
end

local function start(r, done, steps)
  if done and r.join then steps[#steps + 1] = {join = r.join, index = r.index, ok = true, by = r.id} end
end

local function decide(j, well, steps, last)
  local releases = find(j.flags, 'q', 1, true)
  local stopped = (not well or releases) and cancelled(j)
  local state = stopped and 'C' or well and 'K' or 'F'
  j.state, j.ended, j.dirty = state, now, true
  if find(j.flags, 'r', 1, true) then
    local good, bad, notify = match(call('HGET', G, j.id..'\nr'), '^([^\t]*)\t([^\t]*)\t([^\n]*)')
    retain('\n'..j.id, tonumber(state == 'K' and good or bad))
    tell(j.id, notify, last and last.by, state == 'K' and last and last.rec)
  end
  local besides = find(j.flags, 'b', 1, true)
  local otherwise = find(j.flags, 'o', 1, true)
  local goesOn = state == 'K' and releases
  if goesOn or (state == 'K' and besides) or (state == 'F' and otherwise) then
    local take, block = reader(call('HGET', G, j.id..'\n'))
    local jobs, opens = match(take(), '^(%d+)\t(%d+)')
    if besides then block(state == 'K' and not cancelled(j)) end
    if otherwise then block(state == 'F') end
    if goesOn then
      for _ = 1, tonumber(jobs) do
        local r, done = block(true)
        start(r, done, steps)
      end
    end
    if goesOn then
      for _ = 1, tonumber(opens) do steps[#steps + 1] = {open = take()} end
      return
    end
  end
  if j.upper then steps[#steps + 1] = {join = j.upper, index = j.index, ok = state == 'K', by = j.id} end
end

local function settle(step, steps)
  local j = joinOf(step.join)
  if not j or call('HSETNX', P..'s:'..j.id, step.index, (step.ok and '+' or '-')..step.by) == 0 then return end
  j.filled = j.filled + 1
  if not step.ok then j.failed = j.failed + 1 end
  j.dirty = true
  if j.state ~= 'A' then return end
  if not step.ok and not j.mark and find(j.flags, 'c', 1, true) then mark(j, 'm') end
  if j.filled == j.size or (not step.ok and find(j.flags, 'f', 1, true)) then decide(j, j.failed == 0, steps, step) end
end

local function follow(steps)
  local i = 1
  while steps[i] do
    local step = steps[i]
    if step.open then
      local j = joinOf(step.open)
      if j and j.state == 'A' then decide(j, true, steps) end
    else
      settle(step, steps)
    end
    steps[i] = false
    i = i + 1
  end
end
`
