import { comesBack } from './comes-back.ts'
import { conformance } from './conformance.ts'
import { trustsNobody } from './trusts-nobody.ts'

conformance('postgres', false)
trustsNobody('postgres', false)
comesBack('postgres', false)
