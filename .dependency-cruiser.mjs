// The floors of the design: imports only go down. Every folder of src/ may import itself, what stands
// beside it here, and nothing else of ours. A type import counts like any other.
const floors = {
  async: [],
  port: [],
  errors: [],
  core: ['port', 'errors'],
  drivers: ['port', 'async', 'errors'],
  worker: ['core', 'port', 'async', 'errors'],
  client: ['core', 'port', 'async', 'errors'],
  app: ['worker', 'client', 'drivers/open', 'core', 'port', 'async', 'errors'],
  index: ['app', 'worker', 'client', 'core', 'port', 'async', 'errors'],
  cli: ['index'],
  dashboard: ['index'],
}

// Client libraries and other packages, by the part of src/ that may load them.
const packages = {
  core: ['@standard-schema/spec', 'croner'],
  'drivers/sqlite': ['@photostructure/sqlite'],
  'drivers/redis': ['ioredis'],
  'drivers/amqp': ['amqplib'],
}

// Found by a URL or by the user, so that nothing in src/ imports them.
const entries = [
  '^src/(index|cli/main|testing/index|drivers/[^/]+/index)\\.ts$',
  '^src/worker/pulse-thread\\.ts$',
  '^src/drivers/[^/]+/pulse\\.ts$',
]

/** A folder or a single module of src/, as a pattern. @param {string} part */
const within = (part) => `^src/${part}(/|\\.ts$)`

/** @param {string[]} parts */
const anyOf = (parts) => parts.map(within)

/** @type {import('dependency-cruiser').IForbiddenRuleType[]} */
const layers = Object.entries(floors).map(([part, below]) => ({
  name: `${part}-imports-only-down`,
  comment: `src/${part} may import ${below.length > 0 ? below.join(', ') : 'nothing of ours'}.`,
  severity: 'error',
  from: { path: within(part) },
  to: { path: '^src/', pathNot: anyOf([part, ...below]) },
}))

/** @type {import('dependency-cruiser').IForbiddenRuleType[]} */
const libraries = Object.entries(packages).map(([part, names]) => ({
  name: `${part.replace('/', '-')}-packages`,
  comment: `src/${part} may load ${names.join(', ')} and no other package.`,
  severity: 'error',
  from: { path: within(part) },
  to: { path: 'node_modules/', pathNot: names.map((name) => `node_modules/${name}/`) },
}))

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...layers,
    ...libraries,
    {
      name: 'one-driver-never-knows-another',
      comment:
        'What two drivers share belongs in port or async; `joined` is handed its store, by who has a broker, and `sharded` its parts.',
      severity: 'error',
      from: { path: '^src/drivers/([^/]+)/' },
      to: { path: '^src/drivers/', pathNot: '^src/drivers/($1|joined|sharded)/' },
    },
    {
      name: 'drivers-open-lazily',
      comment: 'open.ts loads a driver with `await import()`, so that nobody pays for what they do not use.',
      severity: 'error',
      from: { path: '^src/drivers/[^/]+\\.ts$' },
      to: { path: '^src/drivers/[^/]+/', dependencyTypesNot: ['dynamic-import', 'type-only'] },
    },
    {
      name: 'testing-knows-memory-only',
      comment: 'millrace/testing may import everything but cli, dashboard and the drivers other than memory.',
      severity: 'error',
      from: { path: '^src/testing/' },
      to: { path: '^src/(cli|dashboard|drivers)/', pathNot: '^src/drivers/(memory/|open\\.ts$)' },
    },
    {
      name: 'nothing-imports-testing',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/testing/' },
      to: { path: '^src/testing/' },
    },
    {
      name: 'pure-core',
      comment:
        'core does no I/O and reads no clock and no randomness: they are arguments. util only looks at values.',
      severity: 'error',
      from: { path: '^src/(core|port|errors)(/|\\.ts$)' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?util(/types)?$' },
    },
    {
      name: 'by-package-name',
      comment: "Examples and benches import 'millrace' as a user does.",
      severity: 'error',
      from: { path: '^(examples|bench)/' },
      to: { path: '^(src|dist)/', dependencyTypesNot: ['aliased'] },
    },
    {
      name: 'no-circular-imports',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      comment: 'A module that imports nothing and that nothing imports is left over.',
      severity: 'error',
      from: { orphan: true, path: '^src/', pathNot: entries },
      to: {},
    },
    {
      name: 'declared-packages',
      comment: 'What the package loads stands in its dependencies or peerDependencies.',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['npm-peer'] },
    },
    {
      name: 'resolves',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '^dist/'] },
    exclude: { path: ['^examples/[^/]+/(node_modules|public)/', '^bench/(node_modules|peers)/'] },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    combinedDependencies: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['types', 'import', 'node', 'default'],
    },
  },
}
