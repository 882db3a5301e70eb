/** Jobs within one process. @type {import('../types.ts').BackendKind} */
export const memory = {
  processes: false,
  pace: 4,
  beside: {
    'bare loop': new URL('../systems/loop.mjs', import.meta.url).href,
    'loop over text': new URL('../systems/loop.mjs?text', import.meta.url).href,
  },
  create: async ({ durability }) => ({ url: 'memory:', durability }),
  remove: async () => {},
}
