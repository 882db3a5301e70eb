import type { FlowStep } from 'millrace'
import { sizes } from '../tasks.ts'
import type { Upload } from './upload.ts'
import { isThumbnail } from './watch.ts'

const began = performance.now()

/** One line of the story, with the seconds since it began. */
export function tell(text: string): void {
  const seconds = ((performance.now() - began) / 1000).toFixed(2)
  console.log(`${seconds.padStart(6)} s  ${text}`)
}

/** A step as people call it: `coffee.png at 320`. */
export function labelOf(uploads: readonly Upload[], step: FlowStep): string {
  const { names } = uploads.find(({ id }) => step.id.startsWith(`${id}/`))!
  if (!isThumbnail(step)) return `the contact sheet of ${names.join(', ')}`
  const { key, size } = step.job!.input as { key: string; size: number }
  return `${names[Number(key.split('/')[1])]} at ${size}`
}

/** When each picture was there, in milliseconds since its upload was sent. */
export function table(uploads: readonly Upload[], steps: readonly FlowStep[]): string {
  const rows = uploads.flatMap(({ id, names, sent }) => {
    const own = steps.filter((step) => step.id.startsWith(`${id}/`))
    const times = own.map(({ job }) => `${job!.ended!.getTime() - sent}${job!.crashes > 0 ? '*' : ' '}`)
    return [
      ...names.map((name, n) => [name, ...times.slice(n * sizes.length, (n + 1) * sizes.length)]),
      [`  contact sheet of ${names.length}`, '', '', times.at(-1)!],
    ]
  })
  const head = ['ms from upload to', ...sizes.map((size) => `${size} px `)]
  return [head, ...rows]
    .map(([name, ...times]) => `  ${name!.padEnd(24)}${times.map((time) => time.padStart(10)).join('')}`)
    .join('\n')
}
