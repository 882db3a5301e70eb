import { describe, expect, test } from 'vitest'
import { compile } from './compile.ts'
import { samplesOf } from './samples.ts'

const fenced = (info: string, code: string) => `\`\`\`${info}\n${code}\n\`\`\`\n`
const messages = (markdown: string) => compile(samplesOf('guide.md', markdown)).map(({ message }) => message)

describe('a document’s samples', () => {
  test('are its ts and typescript fences, with the line their code begins on', () => {
    const markdown = `# Title\n\n${fenced('ts', 'a')}${fenced('sh', 'b')}${fenced('typescript', 'c')}`
    expect(samplesOf('guide.md', markdown)).toEqual([
      { document: 'guide.md', line: 4, code: 'a' },
      { document: 'guide.md', line: 10, code: 'c' },
    ])
  })

  test('are found in lists, in HTML comments, and with a fence inside a longer fence', () => {
    const markdown =
      '- item\n\n  ```ts\n  if (a)\n    b\n  ```\n<!--\n~~~ts\nc\n~~~\n-->\n````ts\n```\n````\n'
    expect(samplesOf('guide.md', markdown).map(({ code }) => code)).toEqual(['if (a)\n  b', 'c', '```'])
  })

  test('carry a title, or the reason why they are not checked', () => {
    const markdown = fenced('ts title="tasks.ts"', 'a') + fenced('ts no-check reason="a sketch"', 'b')
    expect(samplesOf('guide.md', markdown)).toMatchObject([{ title: 'tasks.ts' }, { unchecked: 'a sketch' }])
  })

  test.each([
    ['ts nocheck', 'got nocheck'],
    ['ts no-check', 'come together'],
    ['ts no-check reason=""', 'got reason=""'],
    ['ts reason="why"', 'come together'],
    ['ts title="Enqueue a job"', 'a file name that ends in .ts'],
    ['ts title=tasks.ts', 'got title =tasks.ts'],
  ])('refuse what a fence can’t mean: %s', (info, message) => {
    expect(() => samplesOf('guide.md', `\n${fenced(info, 'a')}`)).toThrow(`guide.md:2: `)
    expect(() => samplesOf('guide.md', `\n${fenced(info, 'a')}`)).toThrow(message)
  })

  test('refuse a fence that is never closed', () => {
    expect(() => samplesOf('guide.md', 'text\n```ts\na\n')).toThrow('guide.md:2: this fence is never closed')
  })
})

describe('a sample', { timeout: 60_000 }, () => {
  test('that is wrong fails with its document and line', () => {
    const markdown = `Text.\n\n${fenced('ts', "import { z } from 'zod'\n\nconst n: number = z.string().parse('a')")}`
    expect(messages(markdown)).toEqual(["guide.md:6: Type 'string' is not assignable to type 'number'."])
  })

  test('that does not parse, or imports what is not there, fails', () => {
    const markdown = fenced('ts', 'const = 1') + fenced('ts', "import { nothing } from 'millrace'\nnothing()")
    const found = messages(markdown).join('\n')
    expect(found).toContain('guide.md:2: Variable declaration expected.')
    expect(found).toContain(`guide.md:5: Module '"millrace"' has no exported member 'nothing'.`)
  })

  test('may import a titled one of its document, which may come in several fences', () => {
    const markdown = [
      fenced('ts title="tasks.ts"', 'export const one = 1'),
      fenced('ts title="tasks.ts"', 'export const two: 2 = one'),
      fenced('ts', "import { one, two } from './tasks.ts'\nconst sum: string = one + two"),
    ]
    expect(messages(markdown.join(''))).toEqual([
      "guide.md:5: Type '1' is not assignable to type '2'.",
      "guide.md:9: Type 'number' is not assignable to type 'string'.",
    ])
  })

  test('sees no names of another sample unless it imports them', () => {
    expect(messages(fenced('ts', 'const mine = 1') + fenced('ts', 'mine'))).toEqual([
      "guide.md:5: Cannot find name 'mine'.",
    ])
  })

  test('with a reason not to be checked is not', () => {
    expect(messages(fenced('ts no-check reason="shows an error"', 'const n: number = ""'))).toEqual([])
  })
})
