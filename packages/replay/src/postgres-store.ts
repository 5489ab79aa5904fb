import { setTimeout as delay } from 'node:timers/promises'
import type { Pool, QueryResultRow } from 'pg'
import { isConnectionError, unavailable, type BackendOptions } from './backend.ts'
import { CAPTURE, type Excess, type ResultStore, type Retention, type StoredReplay, type Terms } from './store.ts'

const RETRY_DELAY_MAX = 1000
const QUEUED = 'waiting AND start_before > now()'
const LEASED = 'coalesce(leased_until > now(), false)'

/** Replays, and their artefacts apart so that reading a state never reads a report. */
export class PostgresStore implements ResultStore {
  readonly #pool: Pool
  readonly #role: BackendOptions['role']
  readonly #schema: string
  #migrated: Promise<void> | undefined

  constructor (pool: Pool, { name, role }: BackendOptions) {
    this.#pool = pool
    this.#role = role
    // Quoted, because `order` and `user` are names, too.
    this.#schema = `"${name}"`
  }

  async create (id: string, record: Uint8Array, capture: Uint8Array, { owner, ttl, startWithin, maxOpen, maxQueued }: Terms): Promise<Excess | null> {
    const [row] = await this.#query<{ excess: Excess | null }>(`SELECT ${this.#schema}.create_replay($1, $2, $3, $4, $5, $6, $7, $8) AS excess`,
      [id, record, capture, owner, ttl, startWithin, maxOpen, maxQueued])
    return row!.excess
  }

  async read (id: string): Promise<StoredReplay | null> {
    const [row] = await this.#query<{ record: Buffer, claimed: boolean, leased: boolean, place: number | null }>(`
      SELECT record, claimed_at IS NOT NULL AS claimed, ${LEASED} AS leased, CASE WHEN ${QUEUED} THEN (
        SELECT count(*)::integer FROM ${this.#schema}.replays AS other
        WHERE NOT ended AND ${QUEUED} AND expires_at > now() AND (other.start_before, other.id) <= (replays.start_before, replays.id)) END AS place
      FROM ${this.#schema}.replays WHERE id = $1 AND expires_at > now()`, [id])
    if (row === undefined) return null
    const { place, ...stored } = row
    return place === null ? stored : { ...stored, place }
  }

  async write (id: string, record: Uint8Array, ends: boolean): Promise<boolean> {
    const rows = await this.#query(`
      UPDATE ${this.#schema}.replays SET record = $2, ended = ended OR $3, waiting = waiting AND NOT $3
      WHERE id = $1 AND expires_at > now() RETURNING id`, [id, record, ends])
    return rows.length === 1
  }

  async claim (id: string): Promise<boolean> {
    const rows = await this.#query(`
      WITH claimed AS (UPDATE ${this.#schema}.replays SET claimed_at = now() WHERE id = $1 AND claimed_at IS NULL AND expires_at > now() RETURNING id),
      gone AS (DELETE FROM ${this.#schema}.artefacts USING claimed WHERE artefacts.id = claimed.id AND name = '${CAPTURE}')
      SELECT id FROM claimed`, [id])
    return rows.length === 1
  }

  async lease (id: string, duration: number): Promise<void> {
    await this.#query(`UPDATE ${this.#schema}.replays SET leased_until = now() + make_interval(secs => $2), waiting = false WHERE id = $1`, [id, duration / 1000])
  }

  async put (id: string, artefact: string, bytes: Uint8Array): Promise<void> {
    await this.#query(`
      INSERT INTO ${this.#schema}.artefacts (id, name, bytes) SELECT id, $2, $3 FROM ${this.#schema}.replays WHERE id = $1
      ON CONFLICT (id, name) DO UPDATE SET bytes = excluded.bytes`, [id, artefact, bytes])
  }

  async get (id: string, artefact: string): Promise<Buffer | null> {
    const [row] = await this.#query<{ bytes: Buffer }>(`
      SELECT bytes FROM ${this.#schema}.artefacts JOIN ${this.#schema}.replays USING (id)
      WHERE id = $1 AND name = $2 AND expires_at > now()`, [id, artefact])
    return row?.bytes ?? null
  }

  async remove (id: string): Promise<void> {
    await this.#query(`DELETE FROM ${this.#schema}.replays WHERE id = $1`, [id])
  }

  async forget ({ count, bytes }: Retention): Promise<void> {
    await this.#query(`
      WITH sized AS (
        SELECT id, expires_at, octet_length(record) + (
          SELECT coalesce(sum(octet_length(bytes)), 0) FROM ${this.#schema}.artefacts WHERE artefacts.id = replays.id) AS size
        FROM ${this.#schema}.replays),
      ranked AS (
        SELECT id, row_number() OVER newest AS place, sum(size) OVER newest AS total
        FROM sized WINDOW newest AS (ORDER BY expires_at DESC, id ROWS UNBOUNDED PRECEDING))
      DELETE FROM ${this.#schema}.replays USING ranked
      WHERE replays.id = ranked.id AND (expires_at < now() OR (place > 1 AND (place > $1 OR total > $2) AND NOT (${LEASED} OR ${QUEUED})))`,
    [count, bytes])
  }

  async #query<Row extends QueryResultRow> (sql: string, values: unknown[]): Promise<Row[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        this.#migrated ??= this.#migrate()
        await this.#migrated
        return (await this.#pool.query<Row>(sql, values.map(value => value instanceof Uint8Array ? Buffer.from(value) : value))).rows
      } catch (error) {
        this.#migrated = undefined
        if (this.#role === 'web' || !isConnectionError(error)) throw unavailable(error)
        await delay(Math.min(attempt * 50, RETRY_DELAY_MAX))
      }
    }
  }

  async #migrate (): Promise<void> {
    const { rows } = await this.#pool.query('SELECT to_regproc($1) AS there', [`${this.#schema}.create_replay`])
    if (rows[0].there !== null) return
    // Two processes that start at once: CREATE … IF NOT EXISTS races with itself, so one goes first. Without BEGIN these are
    // one transaction, too.
    await this.#pool.query(`
      SELECT pg_advisory_xact_lock(hashtext('geordi ${this.#schema}'));
      CREATE SCHEMA IF NOT EXISTS ${this.#schema};
      CREATE TABLE IF NOT EXISTS ${this.#schema}.replays (
        id text PRIMARY KEY,
        record bytea NOT NULL,
        claimed_at timestamptz,
        leased_until timestamptz,
        expires_at timestamptz NOT NULL
      );
      ALTER TABLE ${this.#schema}.replays
        ADD COLUMN IF NOT EXISTS owner text,
        ADD COLUMN IF NOT EXISTS start_before timestamptz,
        ADD COLUMN IF NOT EXISTS waiting boolean NOT NULL DEFAULT false,
        ADD COLUMN IF NOT EXISTS ended boolean NOT NULL DEFAULT false;
      CREATE INDEX IF NOT EXISTS replays_expires_at ON ${this.#schema}.replays (expires_at);
      CREATE TABLE IF NOT EXISTS ${this.#schema}.artefacts (
        id text NOT NULL REFERENCES ${this.#schema}.replays ON DELETE CASCADE,
        name text NOT NULL,
        bytes bytea NOT NULL,
        PRIMARY KEY (id, name)
      );
      CREATE INDEX IF NOT EXISTS replays_open ON ${this.#schema}.replays (start_before) WHERE NOT ended;
      -- Counting and adding are one step for all web processes: each statement of a function sees what was committed before
      -- it, so the lock comes first; and it is held for no round trip.
      CREATE OR REPLACE FUNCTION ${this.#schema}.create_replay (
        new_id text, new_record bytea, new_capture bytea, new_owner text, ttl float, start_within float, max_open bigint, max_queued bigint
      ) RETURNS text LANGUAGE plpgsql AS $$
      DECLARE
        open_ones bigint;
        queued_ones bigint;
      BEGIN
        PERFORM pg_advisory_xact_lock(hashtext('geordi create ${this.#schema}'));
        SELECT count(*) FILTER (WHERE owner = new_owner), count(*) FILTER (WHERE ${QUEUED}) INTO open_ones, queued_ones
          FROM ${this.#schema}.replays WHERE NOT ended AND expires_at > now() AND (${LEASED} OR ${QUEUED});
        IF open_ones >= max_open THEN RETURN 'open'; END IF;
        IF queued_ones >= max_queued THEN RETURN 'queued'; END IF;
        INSERT INTO ${this.#schema}.replays (id, record, owner, waiting, start_before, expires_at) VALUES (new_id, new_record, new_owner, true,
          clock_timestamp() + make_interval(secs => start_within), clock_timestamp() + make_interval(secs => ttl));
        INSERT INTO ${this.#schema}.artefacts (id, name, bytes) VALUES (new_id, '${CAPTURE}', new_capture);
        RETURN NULL;
      END $$`)
  }
}
