/** Queue and database servers on this machine, for development and tests. Nothing here is meant for production. */
export { startLocalServer } from './server.ts'
export type { LocalServer, LocalServerOptions } from './server.ts'
export { findRedisServer } from './redis.ts'
