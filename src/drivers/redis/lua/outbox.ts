/** How long tickets are kept after they were last asked for. */
const LAPSE = 3_600_000
/** How often it is noted that they were. */
const NOTE = 60_000
/** Of a backlog that is older than the outbox so many get a ticket: who gets its fill asks for more by itself. */
const BACKLOG = 100_000

/**
 * Part of the sweep: tickets that nobody has asked for in a long time are kept no longer.
 */
export const lapse = String.raw`
  if box and not boxed then
    call('UNLINK', O, O..'h', O..'p')
    call('HDEL', C, 'b')
  end
`

/**
 * Tickets to send, held for a time: one for each time that a job became waiting since it was first asked for,
 * beginning with what waited then. scheduled, retrying -> waiting: what is due, before.
 *
 * KEYS[1] the shard's prefix. ARGV: how many, for how long. Returns: the page's number; its tickets; 1 if there are
 * more; ms until the next job is due, or -1.
 *
 * `z` lists tickets, `<queue>\n<id>`, which `flush` writes. A page that was read lies in `zp` under its number, and
 * in `zh` under the time at which it goes back to the front of `z`. `c` holds b: until when tickets are
 * kept, and bn: the last page's number.
 */
export const outbox = String.raw`
function scripts.outbox(ARGV)
  local limit, hold = tonumber(ARGV[1]), tonumber(ARGV[2])
  begin({})

  local function ticketsOf(text)
    local list = {}
    for queue, id in string.gmatch(text, '([^\n]*)\n([^\n]*)\n') do
      if queue ~= '' then list[#list + 1] = queue..'\n'..id end
    end
    return list
  end

  local function fill()
    call('UNLINK', O, O..'h', O..'p')
    local room = ${BACKLOG}
    local function push(queue, ids)
      for i = 1, #ids do ids[i] = queue..'\n'..ids[i] end
      bulk('RPUSH', O, ids)
      room = room - #ids
    end
    local fields = call('HKEYS', C)
    for i = 1, #fields do
      local queue = match(fields[i], '^p:(.*)$')
      if queue then
        if room > 0 then push(queue, call('ZRANGE', P..'b:'..queue, 0, room - 1)) end
        if room > 0 then push(queue, call('ZRANGE', P..'y:'..queue, 0, room - 1)) end
        for level = 9, 0, -1 do
          if room > 0 then push(queue, call('LRANGE', P..'q'..level..':'..queue, 0, room - 1)) end
        end
      end
    end
  end

  if not boxed then fill() end
  boxed = true
  if not box or box < now + ${LAPSE - NOTE} then set('b', now + ${LAPSE}) end
  local more = promote(500) == 500
  flush()

  local old = call('ZRANGEBYSCORE', O..'h', '-inf', now, 'LIMIT', 0, 20)
  for i = #old, 1, -1 do
    local list = ticketsOf(call('HGET', O..'p', old[i]))
    local back = {}
    for k = #list, 1, -1 do back[#back + 1] = list[k] end
    bulk('LPUSH', O, back)
    call('HDEL', O..'p', old[i])
    call('ZREM', O..'h', old[i])
  end

  -- One whose job was taken or has ended meanwhile is dropped. To see that, whole records are read.
  local page, bytes = {}, 0
  while #page < limit do
    if bytes > 1e6 then more = true break end
    local tickets = call('LPOP', O, min(limit - #page, 50))
    if not tickets then break end
    local ids = {}
    for i = 1, #tickets do ids[i] = match(tickets[i], '\n(.*)$') end
    local recs = values(J, ids)
    for i = 1, #ids do
      if recs[i] then
        bytes = bytes + #recs[i]
        if sub(recs[i], 1, 1) == 'W' then page[#page + 1] = tickets[i] end
      end
    end
  end
  local number = 0
  if #page > 0 then
    number = call('HINCRBY', C, 'bn', 1)
    call('HSET', O..'p', number, table.concat(page, '\n')..'\n')
    call('ZADD', O..'h', now + hold, number)
  end
  commit()
  local head = call('ZRANGE', D, 0, 0, 'WITHSCORES')
  local wait = -1
  if head[2] then wait = tonumber(head[2]) - now end
  return {number, page, more and 1 or 0, wait < 0 and head[2] and 0 or wait}
end
`

/**
 * Forgets tickets that were sent.
 *
 * KEYS[1] the shard's prefix. ARGV: (page, n, place * n) *; n = 0 is the whole page.
 */
export const sent = String.raw`
function scripts.sent(ARGV)
  begin({})
  local at = 1
  while ARGV[at] do
    local page, n = ARGV[at], tonumber(ARGV[at + 1])
    local text = call('HGET', O..'p', page)
    if text and n > 0 then
      local list, left = {}, 0
      for ticket in string.gmatch(text, '[^\n]*\n[^\n]*\n') do list[#list + 1] = ticket end
      -- An empty one keeps the place.
      for i = 1, n do list[tonumber(ARGV[at + 1 + i])] = '\n\n' end
      for i = 1, #list do if list[i] ~= '\n\n' then left = left + 1 end end
      if left > 0 then call('HSET', O..'p', page, table.concat(list)) else n = 0 end
    end
    if text and n == 0 then
      call('HDEL', O..'p', page)
      call('ZREM', O..'h', page)
    end
    at = at + 2 + tonumber(ARGV[at + 1])
  end
  return 1
end
`
