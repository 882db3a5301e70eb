/** Milliseconds by the machine's steady clock, which is the same in all its processes. */
export const now = () => Number(process.hrtime.bigint()) / 1e6
