import type { Client } from './client.ts'
import { createHandle, type Handle, type HandleParts } from './handle.ts'

/** A flow, wherever its steps run. */
export interface FlowHandle<O = unknown> extends Handle<O> {}

export function createFlowHandle<O>(client: Client, parts: HandleParts): FlowHandle<O> {
  return createHandle<O>(client, parts)
}
