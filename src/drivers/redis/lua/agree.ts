/**
 * How many shards the namespace has: fixed by the first who asks, and 1 where there was a namespace before.
 *
 * KEYS[1] the first shard's prefix. ARGV: how many whoever asks has. Returns how many there are.
 */
export const agree = `
function scripts.agree(ARGV)
  local n = call('HGET', C, 'n')
  if not n then
    n = call('EXISTS', C) == 1 and '1' or ARGV[1]
    call('HSET', C, 'n', n)
  end
  return tonumber(n)
end
`
