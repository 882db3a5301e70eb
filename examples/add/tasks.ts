import { task } from 'millrace'

export const add = task('add', ({ x, y }: { x: number; y: number }) => x + y)
