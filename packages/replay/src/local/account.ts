import { execFileSync, spawnSync } from 'node:child_process'
import { ReplayError } from '../errors.ts'

/** An OS account to run a server as. */
export interface Account { name: string, uid: number, gid: number }

/**
 * The account PostgreSQL has to run as, or null for our own. It refuses to run as root, so root needs another one:
 * `postgres` where it exists, else `nobody`, which every system has; so nothing is added to the machine.
 *
 * @throws ReplayError GEORDI_LOCAL_NO_ACCOUNT
 */
export function serverAccount (): Account | null {
  if (process.getuid?.() !== 0) return null
  const account = findAccount('postgres') ?? findAccount('nobody')
  if (account) return account
  throw new ReplayError('GEORDI_LOCAL_NO_ACCOUNT',
    'PostgreSQL does not run as root, and this machine has no other account for it. Create one: useradd --system postgres')
}

function findAccount (name: string): Account | null {
  const id = (flag: string) => Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
  try {
    return { name, uid: id('-u'), gid: id('-g') }
  } catch {
    return null
  }
}

/** Whether the account can reach a file or folder: every parent must let it through. */
export function canReach (account: Account | null, path: string): boolean {
  const as = account ? { uid: account.uid, gid: account.gid } : {}
  return spawnSync('test', ['-x', path], { ...as, cwd: '/', stdio: 'ignore' }).status === 0
}
