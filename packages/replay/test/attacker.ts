import assert from 'node:assert/strict'
import { Redis } from 'ioredis'
import pg from 'pg'
import { openBackend } from '@geordi/replay'
import { PATIENCE } from './conformance-support.ts'
import type { LocalServer } from '@geordi/replay/local'

/** What a queue server holds of a replay, sealed. */
export interface Copy {
  readonly record: Buffer
  readonly capture: Buffer
}

/** Who can read and write the queue server but hasn't the secret. Works on the server itself, not through the store. */
export abstract class Attacker {
  readonly #server: LocalServer
  readonly #name: string

  protected constructor (server: LocalServer, name: string) {
    this.#server = server
    this.#name = name
  }

  static async on (server: LocalServer, name: string): Promise<Attacker> {
    if (server.kind === 'redis') return new RedisAttacker(server, name)
    const client = new pg.Client({ connectionString: server.url })
    await client.connect()
    return new PostgresAttacker(server, name, client)
  }

  async copy (id: string): Promise<Copy> {
    const [record, capture] = [await this.record(id), await this.capture(id)]
    assert.ok(record !== null && capture !== null, 'it is there to be copied')
    return { record, capture }
  }

  /** Puts back what was copied. */
  async putBack (id: string, { record, capture }: Partial<Copy>): Promise<void> {
    if (record !== undefined) await this.setRecord(id, record)
    if (capture !== undefined) await this.setCapture(id, capture)
  }

  /** As a new job: the queue has forgotten the one before. */
  async requeue (id: string): Promise<void> {
    await this.forgetJob(id)
    const backend = await openBackend({ url: this.#server.url, name: this.#name, role: 'web', timeout: PATIENCE })
    await backend.enqueue(id)
    await backend.close()
  }

  /** Writes a job of the attacker's own, as far from one of BullMQ's as the server takes. */
  abstract forgeJob (id: string): Promise<void>
  abstract record (id: string): Promise<Buffer | null>
  abstract capture (id: string): Promise<Buffer | null>
  abstract takeBackClaim (id: string): Promise<void>
  abstract close (): Promise<void>
  protected abstract setRecord (id: string, record: Buffer): Promise<void>
  protected abstract setCapture (id: string, capture: Buffer): Promise<void>
  protected abstract forgetJob (id: string): Promise<void>
}

class RedisAttacker extends Attacker {
  readonly #redis: Redis
  readonly #key: (id: string) => string
  readonly #job: (id: string) => string

  constructor (server: LocalServer, name: string) {
    super(server, name)
    this.#redis = new Redis(server.url)
    this.#key = id => `${name}:replay:${id}`
    this.#job = id => `bull:${name}:${id}`
  }

  async forgeJob (id: string): Promise<void> {
    await this.#redis.hset(this.#job(id), { name: '__proto__', data: '{', opts: '{"attempts":1000,"backoff":1}', timestamp: 'then' })
    await this.#redis.lpush(this.#job('wait'), id)
  }

  async record (id: string): Promise<Buffer | null> {
    return this.#redis.hgetBuffer(this.#key(id), 'record')
  }

  async capture (id: string): Promise<Buffer | null> {
    return this.#redis.hgetBuffer(this.#key(id), 'a:capture')
  }

  async takeBackClaim (id: string): Promise<void> {
    assert.equal(await this.#redis.hdel(this.#key(id), 'claimed'), 1, 'the claim was there')
  }

  async close (): Promise<void> {
    await this.#redis.quit()
  }

  protected async setRecord (id: string, record: Buffer): Promise<void> {
    await this.#redis.hset(this.#key(id), 'record', record)
  }

  protected async setCapture (id: string, capture: Buffer): Promise<void> {
    await this.#redis.hset(this.#key(id), 'a:capture', capture)
  }

  protected async forgetJob (id: string): Promise<void> {
    assert.equal(await this.#redis.del(this.#job(id)), 1, 'the job was there')
  }
}

class PostgresAttacker extends Attacker {
  readonly #client: pg.Client
  readonly #schema: string

  constructor (server: LocalServer, name: string, client: pg.Client) {
    super(server, name)
    this.#schema = name
    this.#client = client
  }

  async forgeJob (id: string): Promise<void> {
    await this.#once(`
      INSERT INTO ${this.#schema}_queue.job SELECT (jsonb_populate_record(job, jsonb_build_object(
        'id', $1::text, 'seq', job.seq + 1000000 - length($1), 'name', '__proto__', 'data', '[]'::jsonb, 'opts', '{"attempts":1000,"backoff":1}'::jsonb))).*
      FROM ${this.#schema}_queue.job LIMIT 1`, id)
  }

  async record (id: string): Promise<Buffer | null> {
    const { rows } = await this.#client.query(`SELECT record FROM ${this.#schema}.replays WHERE id = $1`, [id])
    return rows[0]?.record ?? null
  }

  async capture (id: string): Promise<Buffer | null> {
    const { rows } = await this.#client.query(`SELECT bytes FROM ${this.#schema}.artefacts WHERE id = $1 AND name = 'capture'`, [id])
    return rows[0]?.bytes ?? null
  }

  async takeBackClaim (id: string): Promise<void> {
    await this.#once(`UPDATE ${this.#schema}.replays SET claimed_at = NULL WHERE id = $1 AND claimed_at IS NOT NULL`, id)
  }

  async close (): Promise<void> {
    await this.#client.end()
  }

  protected async setRecord (id: string, record: Buffer): Promise<void> {
    await this.#once(`UPDATE ${this.#schema}.replays SET record = $2 WHERE id = $1`, id, record)
  }

  protected async setCapture (id: string, capture: Buffer): Promise<void> {
    await this.#once(`
      INSERT INTO ${this.#schema}.artefacts (id, name, bytes) VALUES ($1, 'capture', $2)
      ON CONFLICT (id, name) DO UPDATE SET bytes = excluded.bytes`, id, capture)
  }

  protected async forgetJob (id: string): Promise<void> {
    await this.#once(`DELETE FROM ${this.#schema}_queue.job WHERE id = $1`, id)
  }

  async #once (sql: string, ...values: unknown[]): Promise<void> {
    assert.equal((await this.#client.query(sql, values)).rowCount, 1, sql)
  }
}
