import { formatNumber } from '../pages/layout.ts'
import { listLatestCommits, loadFiles } from '../store.ts'
import { countAuthorsOneByOne } from '../work/authors.ts'
import { annotateUntil } from '../work/burn.ts'
import { formatDistances } from './cache.ts'
import { findLatestCommit } from './fast.ts'
import { annotateForSeconds } from './forever.ts'
import { typeFiles } from './gc.ts'
import { exportCommits } from './gzip.ts'
import { keepInFiles } from './io.ts'
import { updateLockedRepository } from './lock.ts'
import { NoCacheError } from './means.ts'
import { loadDashboardInTurns } from './mutex.ts'
import { loadDashboardAtOnce } from './pool.ts'
import { searchCrew } from './regex.ts'
import { integer, slowRoute, text } from './route.ts'
import { loadDashboardOneByOne } from './serial.ts'
import { sendLines } from './socket.ts'
import { outlineFile } from './startup.ts'
import { findSimilarAuthors } from './statement.ts'
import type { SlowRoute } from './route.ts'

const ms = (milliseconds: number) => `${formatNumber(Math.round(milliseconds))} ms`

/** The routes that are slow, each for one reason, and one that isn't. Real work, no sleeps. */
export const slowRoutes: readonly SlowRoute[] = [
  slowRoute({
    path: '/slow/cpu',
    title: 'Busy JavaScript',
    what: 'Blames and highlights source files until so much CPU time is used.',
    parameters: { ms: integer(1, 600_000, 500, 'milliseconds') },
    async run ({ database }, { ms: time }) {
      const counted = annotateUntil(await loadFiles(database, 60), time)
      return { counted, sentence: `Annotated ${formatNumber(counted.files)} files with ${formatNumber(counted.lines)} lines, in ${ms(counted.cpuMs)} of CPU time.` }
    }
  }),
  slowRoute({
    path: '/slow/queries',
    title: 'A query for each row',
    what: 'Counts the authors of commits, and asks for each commit’s by itself.',
    parameters: { n: integer(1, 100_000, 200, 'commits') },
    async run ({ database }, { n }) {
      const counted = await countAuthorsOneByOne(database, n)
      return { counted, sentence: `Asked ${formatNumber(n)} times and waited ${ms(counted.waited)}; ${counted.authors[0]?.author ?? 'nobody'} has the most commits.` }
    }
  }),
  slowRoute({
    path: '/slow/statement',
    title: 'One slow statement',
    what: 'Compares the messages of the latest commits, each with each, in one statement.',
    parameters: { commits: integer(2, 4_000, 800, 'of the latest') },
    async run ({ database }, { commits }) {
      const counted = await findSimilarAuthors(database, commits)
      return { counted, sentence: `PostgreSQL compared ${formatNumber(counted.pairs)} pairs of commits in ${ms(counted.waited)}.` }
    }
  }),
  slowRoute({
    path: '/slow/cache',
    title: 'The same key again and again',
    what: 'Formats distances, and asks the cache for the same units each time.',
    parameters: { n: integer(1, 100_000, 500, 'distances') },
    async run ({ cache }, { n }) {
      if (cache === null) throw new NoCacheError()
      const counted = await formatDistances(cache, n)
      return { counted, sentence: `Asked the cache ${formatNumber(n)} times for «${counted.key}», which took ${ms(counted.waited)}.` }
    }
  }),
  slowRoute({
    path: '/slow/lock',
    title: 'A locked row',
    what: 'Changes a repository that another transaction has locked while it compares messages.',
    parameters: { commits: integer(2, 4_000, 800, 'of the latest, for the other one to compare') },
    async run ({ database, databaseUrl }, { commits }) {
      const counted = await updateLockedRepository(database, databaseUrl, commits)
      return { counted, sentence: `Waited ${ms(counted.waited)} for a lock that another transaction had for ${ms(counted.held)}.` }
    }
  }),
  slowRoute({
    path: '/slow/pool',
    title: 'Too few connections',
    what: 'Loads the eight sections of a dashboard at once, through a pool of two connections.',
    parameters: {},
    async run ({ smallPool }) {
      const counted = await loadDashboardAtOnce(smallPool)
      return { counted, sentence: `${counted.sections} sections waited ${ms(counted.waited)} in all for ${counted.connections} connections, the last one ${ms(counted.longestWait)}.` }
    }
  }),
  slowRoute({
    path: '/slow/mutex',
    title: 'A lock in the process',
    what: 'Loads the same sections at once, but each takes the same mutex first.',
    parameters: {},
    async run ({ database }) {
      const counted = await loadDashboardInTurns(database)
      return { counted, sentence: `${counted.sections} sections waited ${ms(counted.waited)} in all for their turn, the last one ${ms(counted.longestWait)}.` }
    }
  }),
  slowRoute({
    path: '/slow/serial',
    title: 'One after the other',
    what: 'Awaits the same sections one after the other, though none needs another.',
    parameters: {},
    async run ({ database }) {
      const counted = await loadDashboardOneByOne(database)
      return { counted, sentence: `Waited ${counted.awaits} times, ${ms(counted.waited)} in all, ${ms(counted.longestWait)} for the slowest.` }
    }
  }),
  slowRoute({
    path: '/slow/regex',
    title: 'A pattern that backtracks',
    what: 'Searches the crew by a name that it checks with a regular expression first.',
    // A letter more takes twice as long: 16 s for 31 letters and a sign where the default takes one. A minute is for slower machines.
    parameters: { q: text(32, `${'a'.repeat(27)}!`, 'a name') },
    async run (_means, { q }) {
      const counted = searchCrew(q)
      return { counted, sentence: `Matching ${counted.length} characters took ${ms(counted.matching)}; ${counted.plain ? `found ${counted.found.length}` : 'they are no name'}.` }
    }
  }),
  slowRoute({
    path: '/slow/io',
    title: 'Thousands of small files',
    what: 'Writes a file for each commit, synchronously, and reads them again one by one.',
    parameters: { files: integer(1, 20_000, 1_000, 'of them') },
    async run ({ database }, { files }) {
      const commits = await listLatestCommits(database, files)
      const counted = await keepInFiles(commits.map(commit => JSON.stringify(commit)), files)
      return { counted, sentence: `${formatNumber(counted.synchronous)} synchronous operations blocked for ${ms(counted.blocked)}, ${formatNumber(counted.asynchronous)} asynchronous ones took ${ms(counted.waited)}.` }
    }
  }),
  slowRoute({
    path: '/slow/gzip',
    title: 'A flush for each row',
    what: 'Makes a gzipped CSV of commits and flushes each row by itself. The file comes with Accept: text/csv.',
    parameters: { rows: integer(1, 200_000, 10_000, 'of them') },
    async run ({ database }, { rows }) {
      const { counted, content } = await exportCommits(await listLatestCommits(database, rows), rows)
      return {
        counted,
        sentence: `Flushed ${formatNumber(rows)} rows, which took ${ms(counted.waited)}: ${formatNumber(counted.bytes)} bytes became ${formatNumber(counted.compressedBytes)}.`,
        file: { type: 'text/csv', encoding: 'gzip', name: 'commits.csv', content }
      }
    }
  }),
  slowRoute({
    path: '/slow/socket',
    title: 'A write for each line',
    what: 'Sends commits to a collector of logs, each line by itself.',
    parameters: { lines: integer(1, 200_000, 10_000, 'of them') },
    async run ({ database }, { lines }) {
      const commits = await listLatestCommits(database, lines)
      const counted = await sendLines(commits.map(({ id, author, message }) => JSON.stringify({ id, author, message })), lines)
      return { counted, sentence: `Sent ${formatNumber(lines)} lines with ${formatNumber(counted.bytes)} bytes, which took ${ms(counted.waited)}.` }
    }
  }),
  slowRoute({
    path: '/slow/startup',
    title: 'A heavy module, loaded late',
    what: 'Lists the functions of a source file by TypeScript’s compiler, which the first request loads.',
    parameters: {},
    async run ({ database }) {
      const counted = await outlineFile((await loadFiles(database, 60)).find(({ path }) => path.endsWith('.ts')))
      return { counted, sentence: `${counted.loaded === 1 ? 'Loaded' : 'Had'} «${counted.module}» after ${ms(counted.waited)}; the file has ${counted.functions.length} functions.` }
    }
  }),
  slowRoute({
    path: '/slow/gc',
    title: 'Garbage',
    what: 'Types files as an editor would, with an undo step for each key, again and again.',
    parameters: { rounds: integer(1, 200, 5, 'times') },
    async run ({ database }, { rounds }) {
      const counted = await typeFiles(await loadFiles(database, 120), rounds)
      return { counted, sentence: `Typed ${formatNumber(counted.keystrokes)} keys; ${formatNumber(counted.collections)} collections of garbage took ${ms(counted.collecting)}.` }
    }
  }),
  slowRoute({
    path: '/slow/forever',
    title: 'Longer than any time limit',
    what: 'Blames and highlights source files for as long as you like, and lets others have their turn.',
    parameters: { s: integer(1, 3_600, 60, 'seconds') },
    async run ({ database }, { s }, signal) {
      const counted = await annotateForSeconds(await loadFiles(database, 60), s, signal)
      return { counted, sentence: `Annotated ${formatNumber(counted.files)} files in ${formatNumber(counted.seconds)} s.` }
    }
  }),
  slowRoute({
    path: '/fast',
    title: 'Nothing to find',
    what: 'Asks for the latest commit of a repository, which has an index for that.',
    parameters: {},
    async run ({ database }) {
      const counted = await findLatestCommit(database)
      return { counted, sentence: `The latest commit: «${counted.message ?? 'none'}».` }
    }
  })
]
