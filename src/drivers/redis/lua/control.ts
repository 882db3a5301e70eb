/**
 * Marks jobs or flows as cancelled, and all below them. Idle -> cancelled; active ones are marked and their workers
 * told; of a flow a page of members is seen to.
 *
 * KEYS[1] the shard's prefix. ARGV: ids. Returns a letter for each: c cancelled, g cancelling, f final, u unknown, m
 * cancelled so far as this call got: call again.
 */
export const cancel = String.raw`
function scripts.cancel(ARGV)
  begin({})
  local answers = {}

  local function cancelFlow(id)
    local j = joinOf(id)
    if not j or not find(j.flags, 'r', 1, true) then return 'u' end
    if j.state ~= 'A' then return 'f' end
    if j.mark ~= 'c' then mark(j, 'c') end
    endMarked(id, 1000)
    if j.state ~= 'A' then return 'c' end
    return call('HEXISTS', P..'mk', id) == 1 and 'm' or 'g'
  end

  local function cancelJob(id)
    flush()
    local rec = call('HGET', J, id)
    if not rec then return cancelFlow(id) end
    if isGone(id, rec) then return 'u' end
    local r = parse(id, rec)
    if isIdle(r.state) then
      if r.expires and r.expires <= now and not covered(r) then
        conclude(r, 'X', 'EXPIRED')
        return 'f'
      end
      local fresh = not covered(r)
      conclude(r, 'C', 'CANCELLED')
      return fresh and 'c' or 'f'
    end
    if r.state ~= 'A' then return 'f' end
    r.mark = 'x'
    put(id, build(r))
    tellWorker(r)
    if watching then seen[#seen + 1] = id end
    return 'g'
  end

  for i = 1, #ARGV do answers[i] = cancelJob(ARGV[i]) end
  endMarks(1000)
  commit()
  return table.concat(answers)
end
`

/**
 * failed, cancelled, expired -> waiting, by hand: attempts and lost workers are counted anew, and it no longer expires.
 *
 * KEYS[1] the shard's prefix. ARGV: ids. Returns a letter for each: w waiting, l live, s succeeded, m member, u unknown.
 */
export const retry = String.raw`
function scripts.retry(ARGV)
  begin({})
  local answers = {}

  local function again(id)
    flush()
    local rec = call('HGET', J, id)
    if not rec then return joinOf(id) and find(joinOf(id).flags, 'r', 1, true) and 'm' or 'u' end
    if isGone(id, rec) then return 'u' end
    local r = parse(id, rec)
    if isIdle(r.state) and r.expires and r.expires <= now then
      conclude(r, 'X', 'EXPIRED')
      flush()
      rec = call('HGET', J, id)
      if not rec then return 'u' end
      r = parse(id, rec)
    end
    if r.state == 'K' then return 's' end
    if not isFinal(r.state) then return 'l' end
    if r.join then return 'm' end
    -- One that ended while it waited left its place in line. In a very long line it may keep it.
    local key = P..'q'..r.prio..':'..r.queue
    if r.state ~= 'F' and call('LLEN', key) <= 10000 then call('LREM', key, 0, id) end
    count(r.queue, r.state, -1)
    count(r.queue, 'W', 1)
    local job, result = match(r.rest, '^(\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*\n[^\n]*)\n?(.*)$')
    if result ~= '' then
      if sub(result, 1, 1) == '\1' then result = cjson.decode(sub(result, 2)) end
      remember(r, r.worker, '', result, r.created + r.ended)
    end
    r.state, r.mark, r.failures, r.crashes, r.due = 'W', 'r', 0, 0, now - r.created
    r.rest = job
    put(id, build(r))
    if r.flow then alive(r.flow, 1) end
    line(r.queue, r.prio, id)
    if watching then seen[#seen + 1] = id end
    return 'w'
  end

  for i = 1, #ARGV do answers[i] = again(ARGV[i]) end
  commit()
  return table.concat(answers)
end
`

/**
 * Moves the namespace's clock, for tests, and wakes every idle worker, since jobs may be due now.
 *
 * KEYS[1] the shard's prefix. ARGV: the offset.
 */
export const shift = String.raw`
function scripts.shift(ARGV)
  begin({})
  call('HSET', C, 'o', ARGV[1])
  local fields = call('HKEYS', C)
  for i = 1, #fields do
    local queue = match(fields[i], '^p:(.*)$')
    while queue and wake(queue) do end
  end
  commit()
  return 1
end
`

/**
 * Has changes of these ids published, for a time.
 *
 * KEYS[1] the shard's prefix. ARGV: for how long, ids.
 */
export const watch = String.raw`
function scripts.watch(ARGV)
  begin({})
  local till = wall + ARGV[1]
  for i = 2, #ARGV do call('ZADD', P..'w', till, ARGV[i]) end
  call('HSET', C, 'w', till)
  return 1
end
`
