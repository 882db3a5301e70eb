import type { StandardSchemaV1 } from '@standard-schema/spec'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { check, checkSchema, validate } from '../../src/core/schema.ts'

const photo = z.object({ key: z.string(), width: z.number().int().default(320) })

describe('a schema', () => {
  test('gives the parsed value at once when it answers at once', () => {
    expect(validate(photo, { key: 'a' }, 'input')).toEqual({ key: 'a', width: 320 })
    expect(validate(v.pipe(v.string(), v.transform(Number)), '5', 'output')).toBe(5)
  })

  test('gives a promise only when its own answer is one', async () => {
    const slow = z.string().refine(async (text) => text === 'a')
    const answer = validate(slow, 'a', 'input')
    expect(answer).toBeInstanceOf(Promise)
    expect(await answer).toBe('a')
    await expect(validate(slow, 'b', 'input')).rejects.toMatchObject({ code: 'INVALID_INPUT', path: 'input' })
  })

  test.each<[string, StandardSchemaV1, unknown, string, RegExp]>([
    ['a field', photo, { key: 'a', width: 'x' }, 'input.width', /^input\.width: .*expected number/],
    ['the value itself', z.number(), 'x', 'input', /^input: .*expected number/],
    [
      'an element',
      z.object({ images: z.array(photo) }),
      { images: [{ key: 'a' }, { key: 1 }] },
      'input.images[1].key',
      /^input\.images\[1\]\.key: /,
    ],
    ['a key that is no name', z.object({ 'a b': z.string() }), {}, 'input["a b"]', /^input\["a b"\]: /],
    [
      'path segments as objects',
      v.object({ a: v.array(v.number()) }),
      { a: [1, 'x'] },
      'input.a[1]',
      /^input\.a\[1\]: /,
    ],
  ])('names the path of %s', (_, schema, value, path, message) => {
    expect(() => validate(schema, value, 'input')).toThrow(
      expect.objectContaining({ name: 'UsageError', code: 'INVALID_INPUT', path }),
    )
    expect(() => validate(schema, value, 'input')).toThrow(message)
  })

  test('lists the first three issues and counts the rest', () => {
    const checked = check(z.array(z.number()), ['a', 'b', 'c', 'd', 'e'], 'output')
    expect(checked).toMatchObject({ ok: false, path: 'output[0]' })
    expect((checked as { message: string }).message).toMatch(
      /^output\[0\]: .*; output\[1\]: .*; output\[2\]: [^;]*; and 2 more$/,
    )
  })

  test('that throws says nothing about the value: its error passes through', async () => {
    const broken = z.string().transform(() => {
      throw new TypeError('no connection')
    })
    await expect(async () => validate(broken, 'a', 'input')).rejects.toThrow(TypeError)
  })

  test('that fails without an issue has still failed', () => {
    const mute: StandardSchemaV1 = {
      '~standard': { version: 1, vendor: 'x', validate: () => ({ issues: [] }) },
    }
    expect(check(mute, 1, 'input')).toEqual({
      ok: false,
      message: 'input: refused by its schema',
      path: 'input',
    })
  })

  test.each([
    [null],
    [{}],
    [() => 1],
    ['string'],
    [{ '~standard': { version: 2, validate: () => 1 } }],
    [{ type: 'object' }],
  ])('%j is none', (schema) => {
    expect(() => checkSchema(schema, 'task "add": input')).toThrow(
      /^Expected task "add": input to be a Standard Schema/,
    )
  })

  test('may be a function', () => {
    const schema = Object.assign(() => 1, {
      '~standard': { version: 1, vendor: 'x', validate: () => ({ value: 1 }) },
    })
    expect(() => checkSchema(schema, 'input')).not.toThrow()
  })
})
