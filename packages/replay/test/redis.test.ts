import { findRedisServer } from '@geordi/replay/local'
import { conformance } from './conformance.ts'

conformance('redis', findRedisServer() === null && 'needs redis-server or valkey-server on the PATH')
