/**
 * Do `work` for each number from `from` to `to`, at most `wide` at once.
 *
 * @param {number} from @param {number} to @param {number} wide
 * @param {(i: number) => Promise<unknown>} work
 */
export async function lanes(from, to, wide, work) {
  let next = from
  const lane = async () => {
    while (next < to) await work(next++)
  }
  await Promise.all(Array.from({ length: wide }, lane))
}
