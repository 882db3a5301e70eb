import { parseArgs } from 'node:util'
import { places } from './places.mjs'

const HELP = `npm run chaos -- [options]

Producers enqueue jobs with retries, delays and chords, while worker processes are killed (SIGKILL) or
stopped for longer than their lease (SIGSTOP, then SIGCONT), a random one every 100 to 500 ms. At the end
every accepted job must have ended, once. Exits 1 unless lost = finished twice = stuck = 0.

  --backend NAME                where jobs are kept: sqlite (default, in a new file), redis, amqp (RabbitMQ
                                before Redis), amqp-sqlite
  --url URL                     the server, for redis and amqp
  --jobs N                      members and bodies of chords included (default: 20000)
  --workers N                   processes (default: 4)
  --seconds N                   how long jobs come and processes are killed (default: jobs / 250)
  --lease ms                    of the workers (default: 1000)
  --seed N                      asks for the same jobs and the same kills again
  --json file                   write all figures
  --keep                        keep the journals and the file, and print where they are
`

/** @returns {import('./types.ts').Settings} */
export function readArguments(argv = process.argv.slice(2)) {
  const { values } = parseArgs({
    args: argv,
    options: {
      backend: { type: 'string', default: 'sqlite' },
      url: { type: 'string' },
      jobs: { type: 'string', default: '20000' },
      workers: { type: 'string', default: '4' },
      seconds: { type: 'string' },
      lease: { type: 'string', default: '1000' },
      seed: { type: 'string' },
      json: { type: 'string' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(HELP)
    process.exit(0)
  }
  if (!Object.hasOwn(places, values.backend)) {
    throw new Error(`Expected --backend ${Object.keys(places).join(', ')}, got ${values.backend}`)
  }
  const jobs = whole('jobs', values.jobs)
  return {
    backend: values.backend,
    url: values.url,
    jobs,
    workers: whole('workers', values.workers),
    seconds: whole('seconds', values.seconds ?? String(Math.max(10, Math.ceil(jobs / 250)))),
    lease: whole('lease', values.lease),
    seed: values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : whole('seed', values.seed, 0),
    json: values.json,
    keep: values.keep,
  }
}

/** @param {string} name @param {string} value */
function whole(name, value, least = 1) {
  const number = Number(value)
  if (Number.isInteger(number) && number >= least) return number
  throw new Error(`Expected --${name} to be a whole number from ${least}, got ${value}`)
}
