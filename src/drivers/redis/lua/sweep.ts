import { lapse } from './outbox.ts'

/**
 * Housekeeping, a page of each kind: due -> waiting; lost workers' jobs -> waiting, failed or cancelled; late ones
 * -> expired; members below marks -> cancelled; what was kept long enough is deleted.
 *
 * KEYS[1] the shard's prefix. ARGV: the page's size. Returns: how much moved, now, ms until the next job or
 * schedule is due or -1, the names of schedules that are due.
 *
 * `x:<keep>` lists what ended, in that order, so its first goes first; `x` says when. An entry whose job lives
 * again, or was kept anew, is dropped or moved back. A flow's entry is its id behind a line break.
 */
export const sweep = String.raw`
function scripts.sweep(ARGV)
  local limit = tonumber(ARGV[1])
  begin({})
  local moved = promote(limit)

  local function reclaim()
    local gone = call('ZRANGEBYSCORE', P..'l', '-inf', now, 'LIMIT', 0, limit)
    local left = limit
    for i = 1, #gone do
      if left <= 0 then break end
      local n, all = loseWorker(gone[i], left)
      left = left - n
      moved = moved + n
      if all then moved = moved + 1 end
      flush()
    end
  end

  local function expire()
    local ids = call('ZRANGEBYSCORE', E, '-inf', now, 'LIMIT', 0, limit)
    if #ids == 0 then return end
    local recs = values(J, ids)
    for i = 1, #ids do
      if recs[i] and isIdle(sub(recs[i], 1, 1)) then
        local r = parse(ids[i], recs[i])
        if r.expires and r.expires <= now then
          if covered(r) then conclude(r, 'C', 'CANCELLED') else conclude(r, 'X', 'EXPIRED') end
          moved = moved + 1
        end
      end
    end
    bulk('ZREM', E, ids)
    flush()
  end

  local function endAllMarked()
    local waiting = call('HKEYS', P..'mk')
    for i = 1, min(#waiting, 20) do
      local n, more = endMarked(waiting[i], limit)
      moved = moved + n
      if more and n == 0 then moved = moved + 1 end
    end
    flush()
  end

  local function deleteJobs(ids, recs)
    local gone = {}
    for i = 1, #ids do
      if recs[i] then
        local state, token, queue = match(recs[i], '^(.)[^\t]*\t[^\t]*\t[^\t]*\t[^\t]*\t[^\t]*\t(%d+)[^\n]*\n([^\n]*)')
        gone[#gone + 1] = ids[i]
        count(queue, state, -1)
        if token ~= '0' then call('DEL', P..'h:'..ids[i]) end
      end
    end
    bulk('HDEL', J, gone)
    bulk('HDEL', M, gone)
    return #gone
  end

  -- A flow whose time has come; whether it is gone.
  local function deleteFlow(root, room)
    local s = call('HMGET', P..'s:'..root, 'l', 'k')
    if tonumber(s[1] or 0) + (live[root] or 0) > 0 then
      call('HSET', P..'s:'..root, 'late', 1)
      return true
    end
    local key = P..'f:'..root
    local members = call('LRANGE', key, 0, room - 1)
    local jobs = {}
    for i = 1, #members do
      local member = members[i]
      if sub(member, 1, 1) ~= '\n' then jobs[#jobs + 1] = member elseif sub(member, 2) ~= root then
        local id = sub(member, 2)
        call('HDEL', G, id, id..'\n', id..'\nr')
        call('DEL', P..'s:'..id)
      end
    end
    deleteJobs(jobs, values(J, jobs))
    moved = moved + #members
    call('LTRIM', key, #members, -1)
    if #members >= room then return false end
    call('HDEL', G, root, root..'\n', root..'\nr')
    call('DEL', P..'s:'..root)
    call('HDEL', P..'mk', root)
    joins[root] = nil
    flows = flows - 1
    set('f', flows)
    if s[2] then
      marks = marks - 1
      set('k', marks)
    end
    moved = moved + 1
    return true
  end

  local function forget(keep)
    local key = X..':'..keep
    local ids = call('LRANGE', key, 0, limit - 1)
    local recs = values(J, ids)
    local goneIds, goneRecs, back, at, head = {}, {}, {}, 0, nil
    local room = limit
    for i = 1, #ids do
      local id, rec = ids[i], recs[i]
      if sub(id, 1, 1) == '\n' then
        local root = sub(id, 2)
        local ended = call('HGET', P..'s:'..root, 'e')
        if ended and ended + keep > now then head = ended + keep break end
        if ended and not deleteFlow(root, room) then head = now break end
      elseif rec then
        local time, r = fades(id, rec)
        if time and time <= now then
          goneIds[#goneIds + 1] = id
          goneRecs[#goneRecs + 1] = rec
        elseif time and r.mark == 'r' then
          back[#back + 1] = id
        elseif time then
          head = time
          break
        end
      end
      at = i
    end
    local deleted = deleteJobs(goneIds, goneRecs)
    moved = moved + deleted
    if at > 0 then call('LTRIM', key, at, -1) end
    bulk('RPUSH', key, back)
    if not head and #ids > #back and call('EXISTS', key) == 1 then head = now end
    if head then call('ZADD', X, head, keep)
    elseif #back > 0 then call('ZADD', X, now + 1000, keep)
    else call('ZREM', X, keep) end
  end

  reclaim()
  expire()
  endAllMarked()
  endMarks(limit)
  flush()
  unlock(limit)
  local fading = call('ZRANGEBYSCORE', X, '-inf', now, 'LIMIT', 0, 20)
  for i = 1, #fading do forget(fading[i]) end
  call('ZREMRANGEBYSCORE', P..'w', '-inf', wall)
${lapse}  commit()
  local head = call('ZRANGE', D, 0, 0, 'WITHSCORES')
  local wait = -1
  if head[2] then wait = tonumber(head[2]) - now end
  if head[2] and wait < 0 then wait = 0 end
  local plans = call('ZRANGEBYSCORE', P..'td', '-inf', now, 'LIMIT', 0, limit)
  local plan = call('ZRANGEBYSCORE', P..'td', '('..now, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  if plan[2] and (wait < 0 or plan[2] - now < wait) then wait = plan[2] - now end
  return {moved, now, wait, plans}
end
`
