/** @param {readonly number[]} values */
const sorted = (values) => [...values].sort((a, b) => a - b)

/** @param {readonly number[]} values */
export function median(values) {
  const all = sorted(values)
  const middle = all.length >> 1
  if (all.length === 0) return Number.NaN
  return all.length % 2 === 1
    ? /** @type {number} */ (all[middle])
    : (at(all, middle - 1) + at(all, middle)) / 2
}

/** The value below which that share of the values lies. @param {readonly number[]} values @param {number} share */
export function quantile(values, share) {
  const all = sorted(values)
  return all.length === 0 ? Number.NaN : at(all, Math.min(all.length - 1, Math.floor(all.length * share)))
}

/** Half the distance from the least to the greatest, as a part of the median. @param {readonly number[]} values */
export function spread(values) {
  const all = sorted(values)
  return (at(all, all.length - 1) - at(all, 0)) / 2 / Math.abs(median(all))
}

/** @param {readonly number[]} values */
export const percentiles = (values) => ({ p50: quantile(values, 0.5), p99: quantile(values, 0.99) })

/** @param {readonly number[]} values @param {number} index */
const at = (values, index) => /** @type {number} */ (values[index])
