import type { Redis } from 'ioredis'
import { unavailable } from './backend.ts'
import { CAPTURE, type Excess, type ResultStore, type Retention, type StoredReplay, type Terms } from './store.ts'

/** The server's clock in milliseconds, to the microsecond: the queue's order. */
const NOW = "local time = redis.call('TIME') local now = time[1] * 1000 + time[2] / 1000 "

const CREATE = `${NOW}
local replay, open, queued, kept, sizes = unpack(KEYS)
local id, record, captureField, capture, owner, ttl, startWithin, maxOpen, maxQueued = unpack(ARGV)
ttl, startWithin = tonumber(ttl), tonumber(startWithin)
for _, index in ipairs({ open, queued }) do redis.call('ZREMRANGEBYSCORE', index, '-inf', now) end
if redis.call('ZCARD', open) >= tonumber(maxOpen) then return 'open' end
if redis.call('ZCARD', queued) >= tonumber(maxQueued) then return 'queued' end
redis.call('HSET', replay, 'record', record, 'owner', owner, captureField, capture)
redis.call('EXPIRE', replay, ttl)
local limit = now + math.min(ttl, startWithin) * 1000
redis.call('ZADD', open, limit, id)
redis.call('ZADD', queued, limit, id)
redis.call('ZADD', kept, now + ttl * 1000, id)
redis.call('HSET', sizes, id, #record + #capture)
for _, index in ipairs({ open, queued, kept, sizes }) do redis.call('EXPIRE', index, ttl) end`

const WRITE = `
local replay, queued = unpack(KEYS)
local id, record, ends, openPrefix = unpack(ARGV)
if redis.call('EXISTS', replay) == 0 then return 0 end
redis.call('HDEL', replay, '')
redis.call('HSET', replay, 'record', record)
if ends == '1' then
  redis.call('ZREM', queued, id)
  redis.call('ZREM', openPrefix .. (redis.call('HGET', replay, 'owner') or ''), id)
end
return 1`

/** By the server's clock: by one that runs ahead, what still waits would be told to be lost. */
const STALE = `${NOW} return redis.call('ZCOUNT', KEYS[1], '-inf', now)`

const CLAIM = "if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end redis.call('HDEL', KEYS[1], ARGV[1]) return redis.call('HSETNX', KEYS[1], 'claimed', '1')"

/**
 * What a worker has to write, in few bytes, is written on a server without memory, too: Redis refuses no command of a script after
 * its first write. So that is one which needs no memory, and, because a script that fails undoes nothing, one that does no harm.
 */
const LEASE = `${NOW}
local replay, lease, queued = unpack(KEYS)
local id, duration, openPrefix = unpack(ARGV)
redis.call('ZREM', queued, id)
redis.call('SET', lease, '1', 'PX', duration)
redis.call('ZADD', openPrefix .. (redis.call('HGET', replay, 'owner') or ''), 'XX', now + duration, id)`

/** Only of a replay that is still there: writing to an expired one would leave a key that never expires. */
const PUT = `
local replay, sizes = unpack(KEYS)
local id, field, bytes = unpack(ARGV)
if redis.call('EXISTS', replay) == 0 then return end
redis.call('HSET', replay, field, bytes)
local size = 0
for _, name in ipairs(redis.call('HKEYS', replay)) do size = size + redis.call('HSTRLEN', replay, name) end
redis.call('HSET', sizes, id, size)`

const REMOVE = `
local replay, lease, queued, kept, sizes = unpack(KEYS)
local id, openPrefix = unpack(ARGV)
redis.call('ZREM', openPrefix .. (redis.call('HGET', replay, 'owner') or ''), id)
redis.call('DEL', replay, lease)
redis.call('ZREM', queued, id)
redis.call('ZREM', kept, id)
redis.call('HDEL', sizes, id)`

const FORGET = `${NOW}
local queued, kept, sizes = unpack(KEYS)
local count, bytes, replayPrefix, leasePrefix = unpack(ARGV)
local function drop (id)
  redis.call('ZREM', kept, id)
  redis.call('HDEL', sizes, id)
end
for _, id in ipairs(redis.call('ZRANGEBYSCORE', kept, '-inf', now)) do drop(id) end
redis.call('ZREMRANGEBYSCORE', queued, '-inf', now)
local total = 0
for place, id in ipairs(redis.call('ZREVRANGE', kept, 0, -1)) do
  total = total + (redis.call('HGET', sizes, id) or 0)
  if place > 1 and (place > tonumber(count) or total > tonumber(bytes))
    and redis.call('EXISTS', leasePrefix .. id) == 0 and not redis.call('ZSCORE', queued, id) then
    redis.call('DEL', replayPrefix .. id)
    drop(id)
  end
end`

/**
 * One hash a replay (`record`, `claimed`, `owner`, artefacts as `a:<name>`), which expires as a whole; a key whose expiry is
 * the worker's lease; and over all replays: `queued` and, for each owner, `open` (sorted by the time until which they count),
 * `kept` (by the time when they expire) and `sizes` (bytes by id). Scripts look for keys by prefix, so no cluster.
 */
export class RedisStore implements ResultStore {
  readonly #ready: () => Promise<Redis>
  readonly #name: string

  constructor (ready: () => Promise<Redis>, name: string) {
    this.#ready = ready
    this.#name = name
  }

  async create (id: string, record: Uint8Array, capture: Uint8Array, { owner, ttl, startWithin, maxOpen, maxQueued }: Terms): Promise<Excess | null> {
    const keys = [this.#replay(id), `${this.#open}${owner}`, this.#queued, this.#kept, this.#sizes]
    return await this.#eval(CREATE, keys, id, record, field(CAPTURE), capture, owner, ttl, startWithin, maxOpen, maxQueued) as Excess | null
  }

  async read (id: string): Promise<StoredReplay | null> {
    // The lease last: what a worker has just taken out of the queue has one.
    const [[record, claimed], rank, stale, leased] = await this.#run(async redis => Promise.all([
      redis.hmgetBuffer(this.#replay(id), 'record', 'claimed'),
      redis.zrank(this.#queued, id),
      redis.eval(STALE, 1, this.#queued) as Promise<number>,
      redis.exists(this.#lease(id))
    ]))
    if (record == null) return null
    const place = rank === null ? 0 : rank - stale + 1
    return { record, claimed: claimed != null, leased: leased === 1, ...(place > 0 ? { place } : {}) }
  }

  async write (id: string, record: Uint8Array, ends: boolean): Promise<boolean> {
    return await this.#eval(WRITE, [this.#replay(id), this.#queued], id, record, ends ? '1' : '0', this.#open) === 1
  }

  async claim (id: string): Promise<boolean> {
    return await this.#eval(CLAIM, [this.#replay(id)], field(CAPTURE)) === 1
  }

  async lease (id: string, duration: number): Promise<void> {
    await this.#eval(LEASE, [this.#replay(id), this.#lease(id), this.#queued], id, duration, this.#open)
  }

  async put (id: string, artefact: string, bytes: Uint8Array): Promise<void> {
    await this.#eval(PUT, [this.#replay(id), this.#sizes], id, field(artefact), bytes)
  }

  async get (id: string, artefact: string): Promise<Buffer | null> {
    return this.#run(redis => redis.hgetBuffer(this.#replay(id), field(artefact)))
  }

  async remove (id: string): Promise<void> {
    await this.#eval(REMOVE, [this.#replay(id), this.#lease(id), this.#queued, this.#kept, this.#sizes], id, this.#open)
  }

  async forget ({ count, bytes }: Retention): Promise<void> {
    await this.#eval(FORGET, [this.#queued, this.#kept, this.#sizes], count, bytes, this.#replay(''), this.#lease(''))
  }

  async #eval (script: string, keys: string[], ...values: Array<string | number | Uint8Array>): Promise<unknown> {
    return this.#run(redis => redis.eval(script, keys.length, ...keys, ...values.map(value => value instanceof Uint8Array ? Buffer.from(value) : value)))
  }

  async #run<T> (command: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = await this.#ready()
    try {
      return await command(redis)
    } catch (error) {
      throw unavailable(error)
    }
  }

  #replay (id: string): string {
    return `${this.#name}:replay:${id}`
  }

  #lease (id: string): string {
    return `${this.#name}:lease:${id}`
  }

  get #open (): string {
    return `${this.#name}:open:`
  }

  get #queued (): string {
    return `${this.#name}:queued`
  }

  get #kept (): string {
    return `${this.#name}:kept`
  }

  get #sizes (): string {
    return `${this.#name}:sizes`
  }
}

function field (artefact: string): string {
  return `a:${artefact}`
}
