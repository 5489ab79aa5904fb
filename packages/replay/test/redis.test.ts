import { findRedisServer } from '@geordi/replay/local'
import { comesBack } from './comes-back.ts'
import { conformance } from './conformance.ts'
import { trustsNobody } from './trusts-nobody.ts'

const skip = findRedisServer() === null && 'needs redis-server or valkey-server on the PATH'
conformance('redis', skip)
trustsNobody('redis', skip)
comesBack('redis', skip)
