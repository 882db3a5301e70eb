/** Resolves once this is so; several servers agree within seconds. */
export async function until(done: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000
  while (!(await done())) {
    if (Date.now() > deadline) throw new Error('Expected the servers to settle within 20 s.')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
