/** Slots of a Redis Cluster. */
export const SLOTS = 16_384

/** Which slot a key or channel lies in: that of its hash tag, as Redis computes it (CRC16, XMODEM). */
export function slotOf(key: string): number {
  const open = key.indexOf('{')
  const close = open < 0 ? -1 : key.indexOf('}', open)
  const tag = close > open + 1 ? key.slice(open + 1, close) : key
  let crc = 0
  for (const byte of Buffer.from(tag)) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff
  }
  return crc % SLOTS
}

/** One hash tag for all keys of a shard, so that a Cluster keeps them on one node. */
const prefixOf = (namespace: string, name: string): string => `{${namespace}#${name}}:`

/**
 * What the keys of each shard begin with. The first is the same for any number of shards: it knows the number.
 * The others' names are chosen so that their slots lie at even distances from its: nodes that hold equal parts
 * of the slots hold equal numbers of shards. It is part of the stored form: never change it.
 */
export function prefixesOf(namespace: string, shards: number): string[] {
  const prefixes = [prefixOf(namespace, '0')]
  const first = slotOf(prefixes[0]!)
  for (let shard = 1; shard < shards; shard++) {
    const aim = first + (shard * SLOTS) / shards
    for (let salt = 0; ; salt++) {
      const prefix = prefixOf(namespace, salt === 0 ? `${shard}` : `${shard}.${salt}`)
      const off = (((slotOf(prefix) - aim) % SLOTS) + SLOTS * 1.5) % SLOTS
      if (Math.abs(off - SLOTS / 2) > SLOTS / shards / 50) continue
      prefixes.push(prefix)
      break
    }
  }
  return prefixes
}
