import type { ScheduleEntry, ScheduleInfo } from '../index.ts'
import type { Colors, Output } from './output.ts'
import { table } from './table.ts'
import { visible } from './text.ts'
import { age, inZone, span, when } from './time.ts'

/** Where a schedule without a zone of its own is read. */
const here = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone

/** `in 3h, Mon 23 Nov 2026 03:00 Europe/Paris` */
export const runText = (time: Date, timezone: string | undefined): string =>
  `${age(time, Date.now())}, ${inZone(time, timezone ?? here())}`

export function scheduleTable(
  rows: readonly ScheduleInfo[],
  where: string,
  { colors, columns }: Output,
): string {
  if (rows.length === 0) return `No schedules in ${where}.`
  return table(
    rows,
    [
      { title: 'NAME', of: ({ name }) => name, least: 12 },
      { title: 'STATE', of: ({ state }) => state, paint: (text, { state }) => paint(state, text, colors) },
      { title: 'WHEN', of: ({ when }) => when, least: 9 },
      { title: 'FIRES', of: ({ work }) => work, least: 8 },
      { title: 'FIRED', of: ({ fired }) => String(fired), right: true },
      { title: 'NEXT', of: ({ next, timezone }) => (next ? runText(next, timezone) : ''), least: 7 },
    ],
    columns,
    colors.dim,
  )
}

const paint = (state: ScheduleInfo['state'], text: string, colors: Colors): string =>
  state === 'active' ? colors.green(text) : state === 'paused' ? colors.yellow(text) : colors.dim(text)

/** All that is known of a schedule, for people. */
export function describeSchedule(info: ScheduleInfo, next: readonly Date[], { colors }: Output): string {
  const { state, timezone, start, end, limit, jitter, history } = info
  const now = Date.now()
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['state', paint(state, state, colors)],
    ['when', info.when],
    ['fires', `${info.work} on ${info.queues.join(', ')}`],
    ['fired', `${info.fired}${limit === undefined ? '' : ` of ${limit}`}`],
    ['missed', info.missed],
    ['overlap', info.overlap],
    ['jitter', jitter === undefined ? undefined : `up to ${span(jitter)}`],
    ['start', start && when(start, now)],
    ['end', end && when(end, now)],
    ['last', info.last],
  ]
  return [
    colors.bold(visible(info.name)),
    ...facts.flatMap(([name, value]) =>
      value === undefined
        ? []
        : [`${colors.dim(name.padEnd(10))}${name === 'state' ? value : visible(value)}`],
    ),
    ...(next.length === 0 ? [] : [colors.dim('next runs')]),
    ...next.map((time) => `  ${runText(time, timezone)}`),
    ...(history.length === 0 ? [] : [colors.dim('history')]),
    ...history.map((entry) => `  ${entryText(entry, timezone)}`),
  ].join('\n')
}

function entryText({ due, at, id, skipped, count = 1 }: ScheduleEntry, timezone: string | undefined): string {
  const late = at.getTime() - due.getTime()
  const times = count > 1 ? `${count} due times, the last at ` : ''
  const what = id === undefined ? `left out (${skipped})` : `fired ${visible(id)}`
  return `${times}${inZone(due, timezone ?? here())}  ${what}${late >= 1000 ? `, ${span(late)} late` : ''}`
}
