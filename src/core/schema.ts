import type { StandardSchemaV1 } from '@standard-schema/spec'
import { UsageError } from '../errors.ts'
import { show, step } from './show.ts'

/** What a schema said of a value. */
export type Checked =
  | { readonly ok: true; readonly value: unknown }
  /** `message` lists the first issues, each with its path; `path` is the first one's. */
  | { readonly ok: false; readonly message: string; readonly path: string }

/**
 * Ask a schema about a value; a promise only when the schema's own answer is one. What the schema itself
 * throws passes through: a look-up that failed says nothing about the value.
 *
 * @param where - what messages call the value
 */
export function check(
  schema: StandardSchemaV1,
  value: unknown,
  where: 'input' | 'output',
): Checked | Promise<Checked> {
  const answer = schema['~standard'].validate(value)
  return answer instanceof Promise ? answer.then((result) => read(result, where)) : read(answer, where)
}

/**
 * The value as the schema gives it back, parsed; a promise only when the schema's own answer is one.
 *
 * @throws UsageError INVALID_INPUT with the path of the first issue; rejects with it when asynchronous
 */
export function validate(
  schema: StandardSchemaV1,
  value: unknown,
  where: 'input' | 'output' = 'input',
): unknown {
  const checked = check(schema, value, where)
  return checked instanceof Promise ? checked.then(accept) : accept(checked)
}

/** @throws UsageError INVALID_OPTION when it is no Standard Schema */
export function checkSchema(schema: unknown, name: string): void {
  const props = isObject(schema) ? (schema as Partial<StandardSchemaV1>)['~standard'] : undefined
  if (isObject(props) && props.version === 1 && typeof props.validate === 'function') return
  throw new UsageError(
    'INVALID_OPTION',
    `Expected ${name} to be a Standard Schema (Zod 3.24, Valibot 1 or ArkType 2 and later), got ${show(schema)}.`,
  )
}

/** ArkType's schemas are functions. */
const isObject = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function'

function accept(checked: Checked): unknown {
  if (checked.ok) return checked.value
  throw new UsageError('INVALID_INPUT', checked.message, { path: checked.path })
}

const SHOWN = 3

function read(result: StandardSchemaV1.Result<unknown>, where: string): Checked {
  if (!result.issues) return { ok: true, value: result.value }
  const issues = result.issues
  const lines = issues.slice(0, SHOWN).map((issue) => `${pathOf(issue, where)}: ${issue.message}`)
  if (issues.length > SHOWN) lines.push(`and ${issues.length - SHOWN} more`)
  // Without an issue there is a failure all the same: the schema reported a list of none.
  const message = lines.join('; ') || `${where}: refused by its schema`
  return { ok: false, message, path: issues[0] ? pathOf(issues[0], where) : where }
}

function pathOf(issue: StandardSchemaV1.Issue, where: string): string {
  let path = where
  for (const segment of issue.path ?? []) {
    path += step(typeof segment === 'object' ? segment.key : segment)
  }
  return path
}
