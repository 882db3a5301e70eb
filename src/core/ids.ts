/**
 * How the parts of a flow are called. A flow's root join has the flow's id. A step at path `0.2.1` (second
 * member of the third … counted from 0) is the job `<root>/0.2.1`; a join is called after the part that it
 * closes, with a mark for what it is: `*` the members of a group, `>` the edge to a chain's next step, `!`
 * the handlers of a part. Custom ids may hold no `/`, so none can be mistaken for another.
 */
const GROUP = '*'
const EDGE = '>'
const HANDLERS = '!'

export const stepId = (root: string, path: string): string => `${root}/${path}`
export const groupId = (root: string, path: string): string => `${root}/${path}${GROUP}`
export const edgeId = (root: string, path: string): string => `${root}/${path}${EDGE}`
export const handlersId = (root: string, path: string): string => `${root}/${path}${HANDLERS}`
export const onErrorId = (root: string, path: string): string => `${root}/${path}${HANDLERS}error`
export const onSuccessId = (root: string, path: string): string => `${root}/${path}${HANDLERS}success`

export const below = (path: string, index: number): string => (path === '' ? `${index}` : `${path}.${index}`)

/** The place in its flow of a step with this id. */
export const pathOf = (id: string): number[] =>
  id
    .slice(id.indexOf('/') + 1)
    .split('.')
    .filter(Boolean)
    .map(Number)

/** Whether a join's value is the list of its slots; another join's value is that of its one slot. */
export const isGroup = (join: string): boolean => join.endsWith(GROUP)

/** Whether the filler of a slot is a join; otherwise it is a job. */
export const isJoin = (filler: string): boolean => /[*>!]$/.test(filler)
