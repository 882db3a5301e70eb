/**
 * One worker's round: its outcomes are applied, then it takes what waits. active -> final, retrying or waiting;
 * waiting -> active, or cancelled or expired where that is met; what is due is made waiting before.
 *
 * KEYS[1] the shard's prefix. ARGV: worker, lease, the call's number, flags (i it was idle, l it leaves, f nothing
 * runs there, c it won't wait, s it is to have no suspect, a
 * return all it holds), how many it wants, number of queues, (queue, share) *,
 * (id, hold, end, value) *.
 * An end is K, F, C with the result; R (counted) or r with the delay and, behind a line break, the error; B.
 * `a:<worker>` id -> hold is the fence: an outcome counts if its hold still stands there, and once.
 *
 * Returns: now; a letter for each outcome, a applied or s stale; (id, record) of what was taken; ms until the
 * next job is due, or -1; 1 if it is worth asking again at once, plus 2 if suspects were passed over for flag s; with flag a (id, hold, record) of all it holds.
 */
export const work = String.raw`
function scripts.work(ARGV)
  local wid, lease, nonce, flags, want, nq = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
  local queues, shares = {}, {}
  for i = 1, nq do queues[i], shares[i] = ARGV[5 + i * 2], tonumber(ARGV[6 + i * 2]) end
  begin(queues)
  local A = P..'a:'..wid
  if call('ZADD', P..'l', now + lease, wid) == 1 or call('EXISTS', A) == 0 then
    -- One field of over 64 bytes makes a hash table of it: hundreds of fields in a listpack would be slow.
    call('HSET', A, '\n', string.rep('-', 65)..'\n'..table.concat(queues, '\n'))
  end
  if find(flags, 'i', 1, true) then
    for i = 1, nq do call('ZREM', P..'i:'..queues[i], wid) end
  end

  local base = 6 + nq * 2
  local n = (#ARGV - base) / 4
  local answers = {}
  if n > 0 then
    local ids, acks, used = {}, {}, {}
    for i = 1, n do ids[i] = ARGV[base + i * 4 - 3] end
    local holds, recs = values(A, ids), values(J, ids)
    for i = 1, n do
      local id, hold = ids[i], holds[i]
      local a = base + i * 4
      if not hold or hold ~= ARGV[a - 2] or used[id] or not recs[i] then
        answers[i] = 's'
      else
        used[id] = true
        answers[i] = 'a'
        acks[#acks + 1] = id
        if sub(hold, -1) == 's' then acks[#acks + 1] = '\ns' end
        local how, value = ARGV[a - 1], ARGV[a]
        local final = how == 'K' or how == 'F' or how == 'C'
        local fixed, created, more, rest, queue, notify
        if final and sub(recs[i], 4, 4) == 'p' then
          fixed, created, more, rest, queue, notify = match(recs[i], '^A(..p)(%d+)([^\n]*)(\n([^\n]*)\n[^\n]*\n([^\n]*).*)$')
        end
        if fixed then
          local rec = how..fixed..created..more..'\t'..(now - created)..'\t'..rest..'\n'..value
          put(id, rec)
          count(queue, 'A', -1)
          count(queue, how, 1)
          retain(id, keepOf({}, how))
          tell(id, notify, id, rec)
        elseif not final or not endMember(id, recs[i], how, value) then
          local r = parse(id, recs[i])
          if final then
            conclude(r, how, '', value)
          else
            local delay, err = match(value, '^([^\n]*)\n?(.*)$')
            if how == 'R' then r.failures = r.failures + 1 end
            if how ~= 'B' then remember(r, wid, '', err) end
            if covered(r) then conclude(r, 'C', 'CANCELLED') else
              count(r.queue, 'A', -1)
              r.state = how == 'B' and 'W' or 'R'
              count(r.queue, r.state, 1)
              put(id, build(r))
              if how == 'B' then ahead(r.queue, r.prio, id, r.seq, tonumber(r.crashes) > 0) else later(now + delay, r) end
              if watching then seen[#seen + 1] = id end
            end
          end
        end
      end
    end
    endMarks(1000)
    flush()
    bulk('HDEL', A, acks)
  end

  local out, held, chosen, trims, removals, pos, places = {}, {}, {}, {}, {}, {}, {}
  local total, rest, suspect = 0, false, nil
  local barred, passed = find(flags, 's', 1, true), false

  local function take(queue, id, rec, isSuspect)
    local text, token, kind = leased(rec, wid)
    if not text or chosen[id] then return false end
    if kind == 'x' and not isBare(rec) then
      local r = parse(id, rec)
      local stop = covered(r) and 'C' or r.expires and r.expires <= now and 'X'
      if stop then
        chosen[id] = true
        rest = true
        conclude(r, stop, stop == 'C' and 'CANCELLED' or 'EXPIRED')
        return false
      end
      if r.expires then call('ZREM', E, id) end
    end
    chosen[id] = true
    local h = #held
    put(id, text)
    held[h + 1] = id
    held[h + 2] = token..'.'..nonce..(isSuspect and 's' or '')
    out[total * 2 + 1] = id
    out[total * 2 + 2] = text
    if isSuspect then
      held[h + 3] = '\ns'
      held[h + 4] = id
      suspect = true
    end
    if watching then seen[#seen + 1] = id end
    total = total + 1
    return true
  end

  -- What was handed back to this queue, of this priority or higher; suspects among them by their place.
  local function takeAhead(queue, limit, level)
    local below = '('..(10 - level) * 1e13
    local found = call('ZRANGEBYSCORE', P..'b:'..queue, '-inf', below, 'WITHSCORES', 'LIMIT', 0, limit)
    local list = {}
    for i = 1, #found, 2 do list[#list + 1] = {id = found[i], at = tonumber(found[i + 1]), key = P..'b:'..queue} end
    if suspect == nil then suspect = barred or call('HEXISTS', A, '\ns') == 1 end
    if barred and call('EXISTS', P..'y:'..queue) == 1 then passed = true end
    if not suspect then
      local first = call('ZRANGEBYSCORE', P..'y:'..queue, '-inf', below, 'WITHSCORES', 'LIMIT', 0, 50)
      for i = 1, #first, 2 do list[#list + 1] = {id = first[i], at = tonumber(first[i + 1]), key = P..'y:'..queue} end
      table.sort(list, function(a, b) return a.at < b.at end)
    end
    local ids = {}
    for i = 1, #list do ids[i] = list[i].id end
    local recs = values(J, ids)
    local got = 0
    for i = 1, #list do
      local each = list[i]
      local dubious = sub(each.key, #P + 1, #P + 1) == 'y'
      if got < limit and not (dubious and suspect) then
        if not chosen[each.id] then
          if recs[i] and take(queue, each.id, recs[i], dubious) then got = got + 1 else rest = true end
        end
        removals[#removals + 1] = each
      end
    end
    return got
  end

  local function takeLine(queue, limit, level)
    local key = P..'q'..level..':'..queue
    local from, got = pos[key] or 0, 0
    local at = from
    while got < limit do
      local page = min(limit - got, 500)
      local ids = call('LRANGE', key, at, at + page)
      local k = min(#ids, page)
      if k > 0 then
        local recs = call('HMGET', J, unpack(ids, 1, k))
        for i = 1, k do
          if recs[i] and take(queue, ids[i], recs[i]) then got = got + 1 end
        end
        at = at + k
      end
      if #ids <= page then
        places[queue] = nil
        local top = topOf(queue)
        if level > 0 and level == top % 10 and not lines[key] then setTop(queue, top - 1) end
        break
      end
      places[queue] = true
      if at - from > 5000 then rest = true break end
    end
    if at > 0 then pos[key] = at end
    return got
  end

  local function fetch(queue, limit)
    local top = topOf(queue)
    if not top then return 0 end
    local before = total
    for level = top % 10, 0, -1 do
      if top >= 10 and total - before < limit then takeAhead(queue, limit - (total - before), level) end
      if total - before >= limit then places[queue] = true break end
      takeLine(queue, limit - (total - before), level)
    end
    local got = total - before
    if got > 0 then
      count(queue, 'W', -got)
      count(queue, 'A', got)
    end
    return got
  end

  local wait = -1
  if want > 0 then
    local head = call('ZRANGE', D, 0, 0, 'WITHSCORES')
    if head[2] and tonumber(head[2]) <= now then
      if promote(500) == 500 then rest = true end
      head = call('ZRANGE', D, 0, 0, 'WITHSCORES')
    end
    for i = 1, nq do
      if shares[i] > 0 then fetch(queues[i], min(shares[i], want - total)) end
    end
    if nq > 1 then
      for i = 1, nq do
        if total < want then fetch(queues[i], want - total) end
      end
    end
    -- The lease is written before the lines are cut: an error between leaves a job in both, never in neither.
    flush()
    bulk('HSET', A, held)
    for i = 1, #removals do call('ZREM', removals[i].key, removals[i].id) end
    for key, at in pairs(pos) do call('LTRIM', key, at, -1) end
    for i = 1, nq do
      local queue = queues[i]
      local top = topOf(queue)
      if top and top >= 10 then
        if call('EXISTS', P..'b:'..queue, P..'y:'..queue) == 0 then setTop(queue, top - 10) end
      elseif places[queue] then
        fresh[queue] = fresh[queue] or 1
      elseif not rest then
        fresh[queue] = nil
      end
    end
    if total == 0 and not rest then
      for i = 1, nq do
        -- It has just looked: it need not be woken itself. Suspects may be for others.
        if not (topOf(queues[i]) and topOf(queues[i]) >= 10) then fresh[queues[i]] = nil end
        local score = find(flags, 'f', 1, true) and wall - 1e13 or wall
        if not find(flags, 'c', 1, true) then call('ZADD', P..'i:'..queues[i], score, wid) end
      end
    end
    if head[2] then
      wait = tonumber(head[2]) - now
      if wait < 0 then wait = 0 end
    end
  elseif find(flags, 'l', 1, true) then
    for i = 1, nq do
      local top = topOf(queues[i])
      if top then fresh[queues[i]] = 1 end
    end
  end
  local all = {}
  if find(flags, 'a', 1, true) then
    local both = call('HGETALL', A)
    local ids = {}
    for i = 1, #both, 2 do
      if sub(both[i], 1, 1) ~= '\n' then
        ids[#ids + 1] = both[i]
        all[#all + 1] = both[i]
        all[#all + 1] = both[i + 1]
        all[#all + 1] = ''
      end
    end
    local recs = values(J, ids)
    for i = 1, #ids do all[i * 3] = recs[i] or '' end
  end
  commit()
  return {now, table.concat(answers), out, wait, (rest and 1 or 0) + (passed and 2 or 0), all}
end
`
