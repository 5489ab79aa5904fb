import { findRedisServer } from '@geordi/replay/local'
import { comesBack } from './comes-back.ts'
import { conformance } from './conformance.ts'

const skip = findRedisServer() === null && 'needs redis-server or valkey-server on the PATH'
conformance('redis', skip)
comesBack('redis', skip)
