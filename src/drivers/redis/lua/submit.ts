/**
 * new -> waiting, scheduled or succeeded; each submission whole or not at all, a known id writes nothing.
 *
 * KEYS[1] the shard's prefix. ARGV: the call's token; 1 if it is sent again; then items:
 *   p <n> <queue> <kind> (<id> <lines>) * n         jobs without extras of one queue, priority and kind
 *   j <id> <done> <kind> <lines>                    any other single job
 *   u <key> <until> <for> <wins> <skip>              the key of what follows, which is that many arguments
 *   s <name> <version> <due> <body> <skip>          a schedule's next step, before what it fires: that many arguments
 *   f <root> <joins> <jobs> <opens> (<id> <join> <queued> <root>) * joins (<id> <done> <kind> <lines>) * jobs <id> * opens
 * Returns a letter for each submission: a accepted, d duplicate, t a member's id is taken; for a schedule w written,
 * or s stale, and then nothing for what it fires; h if another
 * holds the key, r if that one runs as this one says: then the holders' ids follow, a line each. `t` name -> version, body; `td` names by due time; `tn` names in order.
 * Receipts are kept for two minutes, so that a call whose answer was lost and that is sent again gets its own.
 */
export const submit = String.raw`
function scripts.submit(ARGV)
  local token, again = ARGV[1], ARGV[2] == '1'
  begin({})
  local at, last = 3, #ARGV
  local today = floor(wall / 60000)
  if again then
    for m = today, today - 2, -1 do
      local receipts = call('HGET', P..'u:'..m, token)
      if receipts then return receipts end
    end
  end

  local receipts, mine = {}, {}
  local function answer(letter) receipts[#receipts + 1] = letter end

  local function known(id, rec)
    if mine[id] then return true end
    if rec and not isGone(id, rec) then return true end
    if flows > 0 and call('HEXISTS', G, id) == 1 then return true end
    if rec then
      local _, r = fades(id, rec)
      count(r.queue, r.state, -1)
      erase(id)
    end
    return false
  end

  local function run(n, queue, kind)
    local ids = {}
    for i = 1, n do ids[i] = ARGV[at + i * 2 - 2] end
    local recs = values(J, ids)
    local prio = sub(kind, 1, 1)
    local head, tail = 'W-'..kind..now..'\t\t', '\t0\t0\t0'
    local added = 0
    local size = #hash
    for i = 1, n do
      local id = ids[i]
      if mine[id] or ((recs[i] or flows > 0) and known(id, recs[i])) then
        answer('d')
      else
        mine[id] = true
        serial = serial + 1
        hash[size + 1] = id
        hash[size + 2] = head..serial..tail..ARGV[at + i * 2 - 1]
        size = size + 2
        line(queue, prio, id)
        added = added + 1
        answer('a')
      end
    end
    if added > 0 then count(queue, 'W', added) end
    at = at + n * 2
  end

  local function flow(root, nJoins, nJobs, nOpens)
    local jobs = at + nJoins * 4
    local opens = jobs + nJobs * 4
    local from = at
    at = opens + nOpens
    if known(root, call('HGET', J, root)) then return answer('d') end
    flush()
    local ids = {}
    for i = 1, nJobs do ids[i] = ARGV[jobs + (i - 1) * 4] end
    local recs = values(J, ids)
    for i = 1, nJobs do
      if mine[ids[i]] or recs[i] then return answer('t') end
    end
    mine[root] = true
    local fields = {}
    for i = 1, nJoins do
      local j = from + (i - 1) * 4
      local id = ARGV[j]
      mine[id] = true
      enrol(root, '\n'..id)
      local text = {ARGV[j + 1], ARGV[j + 2], ARGV[j + 3]}
      for k = 1, 3 do
        if text[k] ~= '' then
          fields[#fields + 1] = id..(k == 1 and '' or k == 2 and '\n' or '\nr')
          fields[#fields + 1] = text[k]
        end
      end
      joins[id] = nil
    end
    bulk('HSET', G, fields)
    call('HSET', P..'s:'..root, 't', now)
    flows = flows + 1
    set('f', flows)
    local steps = {}
    for i = 1, nJobs do
      local a = jobs + (i - 1) * 4
      mine[ids[i]] = true
      start(admit(ids[i], ARGV[a + 1], ARGV[a + 2], ARGV[a + 3]), ARGV[a + 1] ~= '', steps)
    end
    for i = 1, nOpens do steps[#steps + 1] = {open = ARGV[opens + i - 1]} end
    follow(steps)
    answer('a')
  end

  -- A job that has not started runs as another says, in its own line.
  local function reline(r, kind, rest)
    local task, extras, body = match(rest, '^\n[^\n]*\n([^\n]*)\n[^\n]*\n([^\n]*)\n(.*)$')
    local expires, when = match(extras, '^[^\t]*\t[^\t]*\t[^\t]*\t[^\t]*\t[^\t]*\t([^\t]*)\t([^\t]*)$')
    local due = now
    if when and when ~= '' then
      due = tonumber(sub(when, 2))
      if sub(when, 1, 1) == 'i' then due = now + due end
    end
    call('ZREM', E, r.id)
    local first = due > now and due or now
    if expires and expires ~= '' then call('ZADD', E, first + expires, r.id) end
    local before = r.state
    r.kind, r.due = sub(kind, 2, 2), first - r.created
    r.rest = '\n'..r.queue..'\n'..task..'\n'..r.notify..'\n'..extras..'\n'..body
    if due > now then
      r.state = 'S'
      later(due, r)
    elseif before == 'S' then
      r.state = 'W'
      call('ZREM', D, r.id)
      line(r.queue, r.prio, r.id)
    end
    count(r.queue, before, -1)
    count(r.queue, r.state, 1)
    put(r.id, build(r))
    if watching then seen[#seen + 1] = r.id end
  end

  local holders = {}
  local function unique(key, till, length, wins, skip)
    flush()
    local lock = call('HGET', P..'v', key)
    if lock then
      local held, id, rec = isHeld(lock)
      if held then
        holders[#holders + 1] = id
        local state = rec and sub(rec, 1, 1)
        local replaces = wins == 'l' and (state == 'W' or state == 'S')
        if replaces then reline(parse(id, rec), ARGV[at + 3], ARGV[at + 4]) end
        at = at + skip
        return answer(replaces and 'r' or 'h')
      end
    end
    hold(key, till, length ~= '' and now + length or '', ARGV[at + 1])
  end

  local function schedule(name, version, due, body, skip)
    local stored = call('HGET', P..'t', name)
    if (stored and match(stored, '^%d+') or '0') ~= version then
      at = at + skip
      return answer('s')
    end
    if body == '' then
      call('HDEL', P..'t', name)
      call('ZREM', P..'tn', name)
    else
      call('HSET', P..'t', name, call('HINCRBY', C, 'v', 1)..'\t'..due..'\n'..body)
      call('ZADD', P..'tn', 0, name)
    end
    if due == '' then call('ZREM', P..'td', name) else call('ZADD', P..'td', due, name) end
    answer('w')
  end

  while at <= last do
    local kind = ARGV[at]
    if kind == 'p' then
      local n, queue, k = tonumber(ARGV[at + 1]), ARGV[at + 2], ARGV[at + 3]
      at = at + 4
      run(n, queue, k)
    elseif kind == 'j' then
      local id, done, k, rest = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
      at = at + 5
      if known(id, call('HGET', J, id)) then answer('d') else
        mine[id] = true
        admit(id, done, k, rest)
        answer('a')
      end
    elseif kind == 'u' then
      local key, till, length, wins, skip = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4], tonumber(ARGV[at + 5])
      at = at + 6
      -- A known id is a duplicate of its own, whoever holds the key.
      local id = ARGV[at + 1]
      if not known(id, call('HGET', J, id)) then unique(key, till, length, wins, skip) end
    elseif kind == 's' then
      local name, version, due, body, skip = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4], tonumber(ARGV[at + 5])
      at = at + 6
      schedule(name, version, due, body, skip)
    else
      local root, a, b, c = ARGV[at + 1], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
      at = at + 5
      flow(root, a, b, c)
    end
  end
  endMarks(1000)
  local all = table.concat(receipts)
  if #holders > 0 then all = all..'\n'..table.concat(holders, '\n') end
  flush()
  call('HSET', P..'u:'..today, token, all)
  if minute ~= tostring(today) then
    call('EXPIRE', P..'u:'..today, 180)
    set('u', today)
  end
  commit()
  return all
end
`
