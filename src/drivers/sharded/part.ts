import type {
  Backend,
  ConsumeOptions,
  Consumer,
  Control,
  Delivery,
  ListFilter,
  Page,
  Records,
} from '../../port/index.ts'

/** One of the backends among which a namespace is divided. */
export interface Part extends Pick<Backend, 'submit' | 'sweep' | 'events' | 'schedules'> {
  readonly records: Omit<Records, 'list'> & {
    list(filter: ListFilter, limit: number, cursor?: string): Promise<MarkedPage>
  }
  readonly control: Control
  /** `onRing`: something may wait for the worker; the answer is whether it will look. */
  consume(options: ConsumeOptions, onRing: () => boolean): Promise<PartConsumer>
}

/** A page that can be taken up again at any of its jobs. */
export interface MarkedPage extends Page {
  /** For each job the cursor of which it is the first. */
  readonly marks: readonly string[]
}

/** One worker's subscription to one part. */
export interface PartConsumer extends Omit<Consumer, 'take'> {
  /**
   * Up to `max` leased jobs, those that wait now. After none the worker counts as idle here: it is rung.
   *
   * @param suspects - whether one of them may have crashes behind it
   */
  look(max: number, suspects: boolean): Promise<Look>
  /** The worker will not look for a while: whom it is rung for is to be told to another. */
  leave(): void
}

export interface Look {
  readonly found: readonly Delivery[]
  /** Suspects wait there, and were not to be brought. */
  readonly passedOver: boolean
}

/**
 * In which part a job, a join or a flow lies: its flow's root decides, and a firing's schedule. It is part of the
 * stored form: never change it.
 */
export function partOf(id: string, count: number): number {
  if (count === 1) return 0
  let hash = 0x811c9dc5
  for (let i = 0; i < id.length; i++) {
    const code = id.charCodeAt(i)
    if (code === SLASH || code === AT) break
    hash = Math.imul(hash ^ code, 0x01000193)
  }
  // Multiplied once more: of FNV's bits, the low ones mix least.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return ((hash ^ (hash >>> 13)) >>> 0) % count
}

const SLASH = 47
const AT = 64
