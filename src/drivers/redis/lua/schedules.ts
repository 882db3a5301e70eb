/**
 * Schedules by name, or with none those after a name. Reads only.
 *
 * KEYS[1] the shard's prefix. ARGV: after, limit, name *. Returns (name, version, due, body) *; nothing where there is none.
 */
export const schedules = String.raw`
function scripts.schedules(ARGV)
  local names, found = {unpack(ARGV, 3)}, {}
  if #names == 0 then
    names = call('ZRANGEBYLEX', P..'tn', ARGV[1] == '' and '-' or '('..ARGV[1], '+', 'LIMIT', 0, ARGV[2])
  end
  local all = values(P..'t', names)
  for i = 1, #names do
    if all[i] then
      local n = #found
      found[n + 1] = names[i]
      found[n + 2], found[n + 3], found[n + 4] = match(all[i], '^(%d+)\t([^\n]*)\n(.*)$')
    end
  end
  return found
end
`
