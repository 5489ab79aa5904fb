/**
 * From where on something is worth telling. All of them are here. A finding that leads nowhere costs a reader's trust in the others, so they are rather too high.
 * Times are microseconds.
 */

/** Whatever the cause: less of the wall time, and mending it would not be noticed. */
export const LEAST = { time: 20_000, share: 0.05 }

/** One query for each row of another's answer. */
export const N_PLUS_ONE = {
  /** Fewer may well be a page's fixed number of questions. */
  count: 10,
  /** Answers or writes of so many rows each are batches: somebody has thought of it. */
  batchRows: 20,
  /** What belongs to one thing (`where user_id = $1`) may well be more: so many orders of each user are no batch yet. */
  listRows: 200,
  /** Of a driver that isn't known it takes more, each with a smaller answer: a conversation has some ten steps, and what is large comes in pieces. */
  exchanges: 30,
  batchBytes: 4_096,
  /** So many at once on the average, and a cache's are a pipeline. */
  pipelined: 4
}

/** The same work outside of the thread, once after the other, each time too short to be told alone. */
export const REPEATED = {
  /** Fewer may well be different things. */
  count: 5,
  time: 200_000,
  share: 0.3,
  /** The part of the time that the median times their count must make: else it is one of them that takes long. */
  alike: 0.5,
  /** So many at once on the average, and somebody has thought of it. */
  atOnce: 1.5
}

/** Many statements for a database within the process, which blocks the thread: each costs little, and there may well be many. */
export const WITHIN_PROCESS = { time: 50_000, share: 0.25 }

/** The very same question again and again. */
export const IDENTICAL = {
  count: 5,
  /** The share of the time between two of them for which a timer ran: then somebody asks until the answer changes. */
  polled: 0.5,
  /** The share of them between which the same server was written to: the answer may be another one each time. */
  rewritten: 0.5
}

/** A single operation that takes long. 100 ms are what a person notices in a page. */
export const SLOW_OPERATION = {
  time: 100_000,
  share: 0.2,
  /** Among many of its kind it is one by itself, and no part of what all of them cost, where it takes so many times what they take. */
  outlier: 10
}

/** Operations that could perhaps be awaited together. */
export const SEQUENTIAL = {
  /** Two may be a coincidence. */
  count: 3,
  /** Each one; less is nothing to gain. */
  step: 5_000,
  /** What could be saved, at least. */
  saved: 50_000,
  savedShare: 0.2
}

/** Time in one regular expression that is known to be able to explode. Others may simply have much to do. */
export const REGEX = {
  time: 50_000,
  share: 0.1,
  /** So many are checked, */
  checked: 2,
  /** each for so many milliseconds at most. Most take 5 to 250; a busy machine wants more. */
  checkLimit: 4000
}

/** Time in which nothing happened because somebody else held a lock. */
export const LOCK = { time: 20_000, share: 0.05, /** The part of the statement's time that the lock must account for. */ part: 0.5 }

/** Waiting for a free connection; opening one is told apart, as only new processes have it. */
export const POOL = { time: 20_000, share: 0.05 }

/** Input and output that blocks the thread. A few small files are read in less. */
export const SYNC_IO = { time: 20_000, share: 0.1 }

/** Operations in the thread pool, on files and on sockets that are so small that handing them over costs more than doing them. */
export const TINY = {
  count: 500,
  /** The median of what one of them takes. */
  time: 1_000,
  /** The median of what one of them moves; a stream's chunk has 16 to 64 KiB. */
  bytes: 4_096,
  share: 0.1
}

/** Collecting garbage. Programs that allocate as they should spend 2 to 10 % of their CPU time on it. */
export const GARBAGE = { time: 100_000, share: 0.1, cpuShare: 0.2 }

/** Loading modules while a request waits. Small ones take 1 to 5 ms. */
export const MODULE_LOADING = { time: 50_000, share: 0.1 }

/** Making text of data and data of text. It is many requests' real work, so it must have much of the time. */
export const SERIALISING = { time: 50_000, share: 0.25 }

/** The thread ran without answering anybody. */
export const BLOCKED = {
  /** One stretch. */
  time: 100_000,
  share: 0.2,
  /** What other findings explain is not told twice. */
  explained: 0.6
}

/** The application's own code, with all that it calls, and nothing else tells why. Less than a second is many requests' real work. */
export const COMPUTING = {
  time: 1_000_000,
  share: 0.5,
  /** What other findings explain is not told twice. */
  explained: 0.5,
  /** A second function is told where it has so much of that time by itself. */
  second: 0.01
}
