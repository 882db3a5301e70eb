import type { StandardSchemaV1 as Schema } from '@standard-schema/spec'

type Validate<I, O> = (value: I) => Schema.Result<O> | Promise<Schema.Result<O>>

/** A Standard Schema of a function, so that the suite needs no schema library. */
export const schema = <I, O>(validate: Validate<I, O>): Schema<I, O> => ({
  '~standard': { version: 1, vendor: 'millrace', validate: (value) => validate(value as I) },
})

/** A photo's key and width; the width may be left out, and is rounded. */
export const photo = schema<{ key: string; width?: number }, { key: string; width: number }>((value) => {
  const { key, width = 320 } = value
  const issues: Schema.Issue[] = []
  if (typeof key !== 'string') issues.push({ message: 'Expected a string', path: ['key'] })
  if (typeof width !== 'number') issues.push({ message: 'Expected a number', path: [{ key: 'width' }] })
  return issues.length > 0 ? { issues } : { value: { key, width: Math.round(width) } }
})
