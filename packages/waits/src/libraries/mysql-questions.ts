/** What MySQL and MariaDB are asked about locks. Times are seconds. Each column has a name of its own: MySQL 8 writes those of its schemas in capitals. */

/** A session, with what it does. */
export interface Process {
  readonly id: number
  readonly state: string | null
  readonly info: string | null
  readonly at: number
  /** Since its statement has begun. */
  readonly age: number | string
}

/** Who holds a lock; `null` for what isn't known. */
export interface Holder {
  readonly holder: number | null
  readonly user: string | null
  readonly host: string | null
  readonly command: string | null
  readonly info: string | null
}

/** A transaction that waits for a row, and who holds that. */
export interface RowLock extends Holder {
  readonly waiting: number
  readonly at: number
  /** The second in which it began. */
  readonly since: number
}

const AT = 'unix_timestamp(now(6)) + 0e0 AS at'

/** Sessions, which every user may see that are their own. */
export function processes (version: string): string {
  return `SELECT id AS id, state AS state, info AS info, ${AT}, ${isMariadb(version) ? 'time_ms / 1000' : 'time'} AS age FROM information_schema.processlist WHERE id IN (?)`
}

const HOLDER = 'h.id AS holder, h.user AS user, h.host AS host, h.command AS command, h.info AS info'

/** The first one that the server knows and the user may ask is enough; the last one doesn't tell who holds the lock. All want the right PROCESS. */
export function rowLocks (version: string): string[] {
  const [waits, requesting, blocking] = isMariadb(version) || version.startsWith('5.')
    ? ['information_schema.innodb_lock_waits', 'requesting_trx_id', 'blocking_trx_id']
    : ['performance_schema.data_lock_waits', 'requesting_engine_transaction_id', 'blocking_engine_transaction_id']
  const waiting = `w.trx_mysql_thread_id AS waiting, ${AT}, unix_timestamp(w.trx_wait_started) + 0e0 AS since`
  const which = "w.trx_state = 'LOCK WAIT' AND w.trx_mysql_thread_id IN (?)"
  return [
    // Several may be before it; who waits itself isn't the cause.
    `SELECT ${waiting}, ${HOLDER} FROM information_schema.innodb_trx w LEFT JOIN ${waits} l ON l.${requesting} = w.trx_id
      LEFT JOIN information_schema.innodb_trx b ON b.trx_id = l.${blocking} LEFT JOIN information_schema.processlist h ON h.id = b.trx_mysql_thread_id
      WHERE ${which} ORDER BY b.trx_state = 'LOCK WAIT'`,
    `SELECT ${waiting}, NULL AS holder, NULL AS user, NULL AS host, NULL AS command, NULL AS info FROM information_schema.innodb_trx w WHERE ${which}`
  ]
}

/** For what a session waits that waits for a table or a named lock: known to the performance schema, where that is on and the user may read it. */
export const metadataHolders = `
  SELECT ${HOLDER} FROM performance_schema.threads wt
    JOIN performance_schema.metadata_locks w ON w.owner_thread_id = wt.thread_id AND w.lock_status = 'PENDING'
    JOIN performance_schema.metadata_locks g ON g.object_type = w.object_type AND g.object_schema <=> w.object_schema AND g.object_name <=> w.object_name
      AND g.lock_status = 'GRANTED' AND g.owner_thread_id <> w.owner_thread_id
    JOIN performance_schema.threads ht ON ht.thread_id = g.owner_thread_id
    JOIN information_schema.processlist h ON h.id = ht.processlist_id
  WHERE wt.processlist_id = ? LIMIT 1`

/** Everybody may ask who holds a named lock. Its name is read out of the statement, and is told nobody but the server that has it from there. */
export function advisoryHolder (statement: string): readonly [sql: string, values: readonly unknown[]] | undefined {
  const name = /\bget_lock\s*\(\s*'([^'\\]*)'/i.exec(statement)?.[1]
  if (name === undefined) return undefined
  return [`SELECT used.id AS holder, h.user AS user, h.host AS host, h.command AS command, h.info AS info
    FROM (SELECT is_used_lock(?) AS id) used LEFT JOIN information_schema.processlist h ON h.id = used.id WHERE used.id IS NOT NULL`, [name]]
}

function isMariadb (version: string): boolean {
  return /mariadb/i.test(version)
}
