import { comesBack } from './comes-back.ts'
import { conformance } from './conformance.ts'

conformance('postgres', false)
comesBack('postgres', false)
