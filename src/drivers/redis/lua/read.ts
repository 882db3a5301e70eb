/**
 * Jobs and flows by id. Reads only.
 *
 * KEYS[1] the shard's prefix. ARGV: ids. Returns for each: 0 unknown; of a job its record, its state as it is, 1 while it
 * is being cancelled, when it is due next, progress, attempts; of a flow ''  and its record, state, 1 while it is being
 * cancelled, when it was made and when it ended.
 */
export const read = String.raw`
function scripts.read(ARGV)
  begin({})
  local recs, progress = values(J, ARGV), values(M, ARGV)
  local answers = {}

  local function shown(r, next)
    if not isIdle(r.state) then return r.state end
    if covered(r) then return 'C' end
    if r.expires and r.expires <= now then return 'X' end
    return next and tonumber(next) <= now and 'W' or r.state
  end

  local function flow(id)
    local j = flows > 0 and joinOf(id)
    if not j or not find(j.flags, 'r', 1, true) then return 0 end
    local text = call('HGET', G, id..'\nr')
    local s = call('HMGET', P..'s:'..id, 't', 'e')
    return {'', text, j.state, j.state == 'A' and j.mark == 'c' and 1 or 0, s[1], s[2] or ''}
  end

  for i = 1, #ARGV do
    local id, rec = ARGV[i], recs[i]
    if not rec then
      answers[i] = flow(id)
    elseif isGone(id, rec) then
      answers[i] = 0
    else
      local r = parse(id, rec)
      local plain = r.token == '0' or (r.token == '1' and r.crashes == '0' and find('AKF', r.state, 1, true))
      local next = (r.state == 'S' or r.state == 'R') and call('ZSCORE', D, id)
      answers[i] = {rec, shown(r, next), r.state == 'A' and covered(r) and 1 or 0, next or '', progress[i],
        plain and {} or call('LRANGE', P..'h:'..id, 0, -1)}
    end
  end
  return answers
end
`

/**
 * Joins by id. Reads only.
 *
 * KEYS[1] the shard's prefix. ARGV: ids. Returns for each: 0 unknown, or its record, what it queues, a root's record, its
 * state, 1 while a cancel covers it.
 */
export const readJoins = String.raw`
function scripts.readJoins(ARGV)
  begin({})
  local answers = {}
  for i = 1, #ARGV do
    local id = ARGV[i]
    local j = joinOf(id)
    answers[i] = j and {call('HGET', G, id), call('HGET', G, id..'\n') or '', call('HGET', G, id..'\nr') or '', j.state,
      j.state == 'A' and isMarked(j.flow) and below(id) and 1 or 0} or 0
  end
  return answers
end
`

/**
 * Filled slots of joins by index. Reads only.
 *
 * KEYS[1] the shard's prefix. ARGV: (join, first index, how many) *. Returns for each (index, + or - and who filled it) *.
 */
export const slots = String.raw`
function scripts.slots(ARGV)
  begin({})
  local answers = {}
  for a = 1, #ARGV, 3 do
    local j = joinOf(ARGV[a])
    local at, limit, found = tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2]), {}
    while j and at < j.size and #found < limit * 2 do
      local fields = {}
      for i = at, min(at + 999, j.size - 1) do fields[#fields + 1] = i end
      local by = call('HMGET', P..'s:'..j.id, unpack(fields))
      for i = 1, #by do
        if by[i] and #found < limit * 2 then
          found[#found + 1] = fields[i]
          found[#found + 1] = by[i]
        end
      end
      at = at + 1000
    end
    answers[#answers + 1] = found
  end
  return answers
end
`

/**
 * A stride through all jobs, in no order. Reads only.
 *
 * KEYS[1] the shard's prefix. ARGV: cursor, stride, serial below which to look or '', state or '', queue or '', task or ''.
 * Returns: the next cursor; (serial, id) of what matched.
 */
export const scan = String.raw`
function scripts.scan(ARGV)
  begin({})
  local page = call('HSCAN', J, ARGV[1], 'COUNT', ARGV[2])
  local top, state, queue, task = tonumber(ARGV[3]), ARGV[4], ARGV[5], ARGV[6]
  local all, found = page[2], {}
  for i = 1, #all, 2 do
    local s, serial, q, t = match(all[i + 1], '^(.)[^\t]*\t[^\t]*\t([^\t]*)[^\n]*\n([^\n]*)\n([^\n]*)')
    if (not top or tonumber(serial) < top) and (queue == '' or q == queue) and (task == '' or t == task) then
      local fits = true
      if state ~= '' then
        if isIdle(s) then
          local r = parse(all[i], all[i + 1])
          if covered(r) then s = 'C' elseif r.expires and r.expires <= now then s = 'X'
          elseif s ~= 'W' then
            local next = call('ZSCORE', D, all[i])
            if next and tonumber(next) <= now then s = 'W' end
          end
        end
        fits = s == state
      end
      if fits and not isGone(all[i], all[i + 1]) then
        found[#found + 1] = serial
        found[#found + 1] = all[i]
      end
    end
  end
  return {page[1], found}
end
`

/**
 * Workers that hold a lease, or held one until the next sweep. Reads only.
 *
 * KEYS[1] the shard's prefix. Returns (worker, when its lease ends, how many jobs it holds, queues in lines) *.
 */
export const workers = String.raw`
function scripts.workers(ARGV)
  local all = call('ZRANGE', P..'l', 0, -1, 'WITHSCORES')
  local answers = {}
  for i = 1, #all, 2 do
    local held = call('HKEYS', P..'a:'..all[i])
    local n, info = 0, call('HGET', P..'a:'..all[i], '\n') or ''
    for k = 1, #held do
      if sub(held[k], 1, 1) ~= '\n' then n = n + 1 end
    end
    answers[#answers + 1] = all[i]
    answers[#answers + 1] = all[i + 1]
    answers[#answers + 1] = n
    answers[#answers + 1] = match(info, '^[^\n]*\n(.*)$') or ''
  end
  return answers
end
`

/**
 * How many jobs of each queue are in each state. Reads only.
 *
 * KEYS[1] the shard's prefix. Returns (queue and state in lines, number) *.
 */
export const counts = String.raw`
function scripts.counts(ARGV)
  return call('HGETALL', N)
end
`

/**
 * The namespace's clock. Reads only.
 *
 * KEYS[1] the shard's prefix.
 */
export const clock = String.raw`
function scripts.clock(ARGV)
  begin({})
  return now
end
`
