import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'

const HELP = `npm run bench -- [options]

  --backend memory,sqlite   where jobs are kept (default: both); also redis, amqp (before Redis) and
                            amqp-sqlite
  --durability full|normal  SQLite: synced at every commit, or at checkpoints (default: full)
  --only drain,calls        cases whose names start so (default: all)
  --rounds N                measurements of each case and system, taken in turn (default: 5)
  --quick                   a tenth of the jobs and 2 rounds: to see that it runs, not to quote
  --vs name,…               beside it: a module of bench/peers, or the folder of another checkout of
                            Millrace that is built
  --json file               write all samples, settings and facts
  --dir folder              the disk to measure (default: the system's folder for temporary files)
`

/** @returns {import('../types.ts').Settings} */
export function readArguments(argv = process.argv.slice(2)) {
  const { values } = parseArgs({
    args: argv,
    options: {
      backend: { type: 'string', default: 'memory,sqlite' },
      durability: { type: 'string', default: 'full' },
      only: { type: 'string', default: '' },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      vs: { type: 'string', default: '' },
      json: { type: 'string' },
      dir: { type: 'string', default: tmpdir() },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(HELP)
    process.exit(0)
  }
  const rounds = Number(values.rounds ?? (values.quick ? 2 : 5))
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`Expected --rounds 1 or more, got ${values.rounds}`)
  if (values.durability !== 'full' && values.durability !== 'normal') {
    throw new Error(`Expected --durability full or normal, got ${values.durability}`)
  }
  return {
    backends: list(values.backend),
    durability: values.durability,
    rounds,
    only: list(values.only),
    versus: list(values.vs),
    scale: values.quick ? 0.1 : 1,
    json: values.json,
    folder: values.dir,
  }
}

/** @param {string} text */
const list = (text) => text.split(',').filter((name) => name !== '')
