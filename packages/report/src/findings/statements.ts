import type { WaitOperation } from '@geordi/profile'

const READS_SQL = /^[\s(]*(?:with|select|show|values|table)\b/i
/** Within a `with`, or as side effects. */
const CHANGES = /\b(?:insert|update|delete|merge|nextval|setval|pg_\w*lock\w*|for\s+(?:no\s+key\s+)?(?:update|share))\b|\bfor\s+key\s+share\b/i
/** The answer is another one each time. */
const VARIES = /\b(?:random|now|clock_timestamp|pg_sleep)\b/i

/** Commands of Redis that ask without changing or waiting for anything. */
const READS_CACHE = new Set([
  'get', 'getbuffer', 'mget', 'getrange', 'strlen', 'exists', 'type', 'hget', 'hgetall', 'hmget', 'hkeys', 'hvals', 'hlen', 'hexists', 'lrange', 'lindex', 'llen',
  'smembers', 'sismember', 'smismember', 'scard', 'zrange', 'zrangebyscore', 'zrevrange', 'zscore', 'zmscore', 'zcard', 'zrank', 'getbit', 'json.get', 'ft.search'
])

/** Commands of Redis that wait for somebody else on purpose. */
const BLOCKS_CACHE = new Set(['blpop', 'brpop', 'brpoplpush', 'blmove', 'blmpop', 'bzpopmin', 'bzpopmax', 'bzmpop', 'xread', 'xreadgroup', 'wait', 'waitaof'])

/** Whether it is answered only when something has happened: that it takes long, or is asked again, is its purpose. */
export function isWaiting ({ kind, statement }: Pick<WaitOperation, 'kind' | 'statement'>): boolean {
  return kind === 'cache' && BLOCKS_CACHE.has(statement.toLowerCase())
}

const READS_DOCUMENT = /^(?:find|aggregate|count|distinct)/i

/** Whether it asks for something that doesn't change by asking, nor by itself. */
export function reads (operation: Pick<WaitOperation, 'kind' | 'statement'>): boolean {
  return changesNothing(operation) && !(operation.kind === 'sql' && VARIES.test(operation.statement))
}

/** Whether it only asks. */
export function changesNothing ({ kind, statement }: Pick<WaitOperation, 'kind' | 'statement'>): boolean {
  switch (kind) {
    case 'sql': return READS_SQL.test(statement) && !CHANGES.test(statement)
    case 'cache': return READS_CACHE.has(statement.toLowerCase())
    case 'document': return READS_DOCUMENT.test(statement)
    case 'http': return /^(?:GET|HEAD) /.test(statement)
    default: return false
  }
}

/** Statements around others: transactions, settings, cursors that fetch batch by batch, and the question whether anybody is there. */
const AROUND = /^\s*(?:begin|start\s+transaction|commit|end|rollback|abort|savepoint|release|set|reset|fetch|move|declare|close|discard|listen|prepare|deallocate)\b|^\s*select\s+(?:\?|1)\s*$/i

export function isAround ({ kind, statement }: Pick<WaitOperation, 'kind' | 'statement'>): boolean {
  return kind === 'sql' && AROUND.test(statement)
}

/** Keys of a query, or a path's end, that lead from one page of a list to the next: each answer is a batch of as much as the service gives. */
const PAGE = /[?&](?:page(?:%5B\w+%5D)?|(?:page|next|continuation)[-_]?token|page[-_]?(?:number|no|index)|cursor|offset|skip|marker|start(?:ing)?(?:[-_]?(?:at|after))?|after|before|ending[-_]?before|next|(?:since|max|min)[-_]?id|(?:exclusivestart|last(?:evaluated)?)[-_]?(?:key|id))=|\/page\/\{id\}(?:\?|$)/i

/** Keys that have a list for a value, parts of an upload, and paths that take many things at a time: none that lead to one thing, `/batch/v1/jobs/{id}`. */
const MANY = /[?&](?:ids|\w+(?:_ids|Ids|%5B%5D)|partNumber)=|[/:]_?(?:bulk|batch|mget|msearch)(?:[A-Z]\w*|[-_]\w+)?(?:\?|$|\/(?![^?]{0,200}\{(?:id|name)\}))/

/** Whether it is for one list's pages, or for many things at a time, rather than for one thing of many. */
export function isPaged ({ kind, statement }: Pick<WaitOperation, 'kind' | 'statement'>): boolean {
  return kind === 'http' && (MANY.test(statement) || (PAGE.test(statement) && !/(?<!\/page\/)\{(?:id|name)\}/.test(statement)))
}

/** What makes batches of rows: ranges, lists, and limits that begin somewhere. */
const BATCH = /[<>]=?\s*(?:\$\d+|[?:@(])|\b(?:offset|between|in|any|all|unnest|values|rownum)\b|\blimit\s+\S{1,20}\s*,/i
/** Without those, a limit is one of each thing's, or else of a batch that is asked for in the same words each time. */
const LIMIT = /\b(?:limit|fetch|top)\b/i

/** Several rows or keys at a time. A list of two or more is `(…)`; of one it stays `($1)`. */
const LIST = /\b(?:any|all|unnest|jsonb?_(?:array|each|to_record|table)\w*|openjson)\s*\(|\bin\s*\(…\)|\bvalues\s*\([^()]*\), …/i

/** Whether it asks for many things at a time, whatever the answer: which of a list are there, say. Beside the one that they belong to, a list may be of states. */
export function isOfMany ({ kind, statement }: Pick<WaitOperation, 'kind' | 'statement'>): boolean {
  return kind === 'sql' && LIST.test(statement) && !isCompared(statement)
}

/** Whether it asks for the rows that belong to one thing. */
export function isOfOne ({ kind, statement }: Pick<WaitOperation, 'kind' | 'statement'>): boolean {
  return kind === 'sql' && verbOf(statement) === 'read' && isCompared(statement) && !BATCH.test(statement)
}

export function isLimited ({ statement }: Pick<WaitOperation, 'statement'>): boolean {
  return LIMIT.test(statement)
}

/** Whether its condition, or all of it where it has none, compares something with one value. */
function isCompared (statement: string): boolean {
  return /=\s*(?:\$\d+|[?:@])/.test(statement.slice(Math.max(0, statement.search(/\bwhere\b/i))))
}

/** What its first word does to rows. */
export function verbOf (statement: string): 'insert' | 'change' | 'read' {
  const word = /^[\s(]*(\w+)/.exec(statement)?.[1]?.toLowerCase() ?? ''
  if (word === 'insert') return 'insert'
  return ['update', 'delete', 'merge', 'replace', 'upsert'].includes(word) ? 'change' : 'read'
}
