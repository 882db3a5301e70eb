/** One fenced block of TypeScript in a Markdown document. */
export interface Sample {
  readonly document: string
  /** The line of the document on which the code begins, counted from 1. */
  readonly line: number
  readonly code: string
  /** The file that the sample shows; samples of one document with one title are one file. */
  readonly title?: string
  /** Why the sample is not compiled. */
  readonly unchecked?: string
}

/**
 * The TypeScript samples of a document, those inside HTML comments too: a comment can hold what a sample
 * builds on and the reader needn't see. Throws when a fence says something that it can't mean.
 */
export function samplesOf(document: string, markdown: string): Sample[] {
  const samples: Sample[] = []
  const lines = markdown.split('\n')
  for (let index = 0; index < lines.length; index++) {
    const opening = fence(lines[index]!)
    if (!opening) continue
    const place = `${document}:${index + 1}`
    const end = lines.findIndex((line, at) => at > index && closes(line, opening.marks))
    if (end < 0) throw new Error(`${place}: this fence is never closed.`)
    if (/^(ts|typescript)$/.test(opening.language)) {
      const code = lines.slice(index + 1, end).map((line) => unindent(line, opening.indent))
      const attributes = attributesOf(opening.rest, place)
      samples.push({ document, line: index + 2, code: code.join('\n'), ...attributes })
    }
    index = end
  }
  return samples
}

function fence(line: string): { indent: number; marks: string; language: string; rest: string } | undefined {
  const [, indent, marks, language, rest] = /^( *)(`{3,}|~{3,}) *([^\s`]*)([^`]*)$/.exec(line) ?? []
  if (indent === undefined) return undefined
  return { indent: indent.length, marks: marks!, language: language!, rest: rest!.trim() }
}

function closes(line: string, marks: string): boolean {
  const text = line.trim()
  return text.startsWith(marks) && text === marks.charAt(0).repeat(text.length)
}

function unindent(line: string, indent: number): string {
  return line.slice(0, indent).trim() === '' ? line.slice(indent) : line
}

function attributesOf(text: string, place: string): Pick<Sample, 'title' | 'unchecked'> {
  const words: readonly string[] = text.match(/[\w-]+(="[^"]*")?|\S+/g) ?? []
  const value = (name: string) =>
    words.find((word) => word.startsWith(`${name}="`))?.slice(name.length + 2, -1)
  const stray = words.filter((word) => word !== 'no-check' && !/^(title|reason)="[^"]+"$/.test(word))
  if (stray.length > 0) {
    throw new Error(`${place}: expected title="…" or no-check reason="…" after ts, got ${stray.join(' ')}.`)
  }
  const title = value('title')
  if (title !== undefined && !/^[\w./-]+\.m?ts$/.test(title)) {
    throw new Error(`${place}: expected the title to be a file name that ends in .ts, got "${title}".`)
  }
  const reason = value('reason')
  if (words.includes('no-check') !== (reason !== undefined)) {
    throw new Error(`${place}: no-check and reason="…" come together.`)
  }
  return { ...(title === undefined ? {} : { title }), ...(reason === undefined ? {} : { unchecked: reason }) }
}
