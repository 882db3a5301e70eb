/**
 * The heartbeat: the lease is prolonged, progress written where the hold still stands.
 *
 * KEYS[1] the shard's prefix. ARGV: worker, lease, number of queues, queues, (id, hold, progress) *.
 * Returns: (field, hold) of all it holds; the ids of what it holds that lies below a cancel mark.
 */
export const renew = String.raw`
function scripts.renew(ARGV)
  local wid, lease, nq = ARGV[1], ARGV[2], tonumber(ARGV[3])
  begin({})
  local A, K = P..'a:'..wid, P..'k:'..wid
  if call('ZADD', P..'l', now + lease, wid) == 1 or call('EXISTS', A) == 0 then
    local queues = {}
    for i = 1, nq do queues[i] = ARGV[3 + i] end
    call('HSET', A, '\n', string.rep('-', 65)..'\n'..table.concat(queues, '\n'))
  end
  local all = call('HGETALL', A)
  local holds = {}
  for i = 1, #all, 2 do holds[all[i]] = all[i + 1] end
  local progress = {}
  for i = 4 + nq, #ARGV, 3 do
    if holds[ARGV[i]] == ARGV[i + 1] then
      progress[#progress + 1] = ARGV[i]
      progress[#progress + 1] = ARGV[i + 2]
      if watching then seen[#seen + 1] = ARGV[i] end
    end
  end
  bulk('HSET', M, progress)
  local marked, gone = {}, {}
  local under = call('HGETALL', K)
  for i = 1, #under, 2 do
    local id, hold = under[i], holds[under[i]]
    if hold and match(hold, '^%d+') == under[i + 1] then marked[#marked + 1] = id else gone[#gone + 1] = id end
  end
  bulk('HDEL', K, gone)
  commit()
  return {all, marked}
end
`

/**
 * The helper thread's heartbeat: the lease is prolonged, if the worker still has one.
 *
 * KEYS[1] the shard's prefix. ARGV: worker, lease.
 */
export const beat = String.raw`
function scripts.beat(ARGV)
  begin({})
  return call('ZADD', P..'l', 'XX', 'CH', now + ARGV[2], ARGV[1])
end
`

/**
 * A worker leaves: what it holds is lost, and runs elsewhere at once.
 *
 * KEYS[1] the shard's prefix. ARGV: worker, queues. Returns 1 once nothing is left.
 */
export const quit = String.raw`
function scripts.quit(ARGV)
  begin({})
  local _, all = loseWorker(ARGV[1], 1000)
  for i = 2, #ARGV do call('ZREM', P..'i:'..ARGV[i], ARGV[1]) end
  endMarks(1000)
  commit()
  return all and 1 or 0
end
`
