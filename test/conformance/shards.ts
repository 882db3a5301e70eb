const order = 'a queue has one line in each shard, and each keeps to the order by itself'
const pages = 'each shard stamps its jobs by its own clock, and those of one millisecond are listed by id'
const places =
  'a take ends with the first shard that answers; what the others bring is for the next, or goes back within 100 ms'
const alive =
  'a worker that has jobs of one shard is idle in another, and is rung there as the clock is moved: its answer renews its lease'

/** What does not hold of a namespace of several shards, which `seam.redis` shows of each by itself. */
export const except: Readonly<Record<string, string>> = {
  'a take gets at most as many jobs as it asked for': order,
  'a worker rid of its suspect, however it ended, may have the next': order,
  'a job that kills its worker costs its neighbours one loss each': order,
  'a batch of 1,000 submissions is accepted as one call, in order': order,
  'a sweep names what is due, the longest first, and says when the next will be': order,
  'places that one queue leaves free go to the others': places,
  'a job is in the line or in a lease, never in neither': places,
  'a worker that comes back and is lost again takes with it only what it held since': order,
  'small sweeps come to the same end as one large one': alive,
  'sweeps through several handles at once move each job once': alive,
  'of a cancel and a take at the same time, each job sees one first': places,
  'jobs are listed newest first, in pages, each once': pages,
  'jobs that come while a list is paged do not shift its pages': pages,
  'jobs that go while a list is paged do not shift its pages': pages,
  'a list is narrowed by queue, by task and by both': pages,
  'a list is narrowed by state, every state that a job is stored in': pages,
}
