import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import mysql from 'mysql2/promise'

/** Why tests that need a server are skipped, if they are. */
export const noMariadb = spawnSync('mariadbd', ['--version']).status !== 0 && 'needs mariadbd on the PATH'

interface Mariadb {
  readonly socket: string
  stop (): Promise<void>
}

/** Starts a MariaDB with an empty `shop`, and users who come in by the socket as `root` does: `app`; `seeing`, who may look at others' work; and `limited` to two connections. */
export async function startMariadb (): Promise<Mariadb> {
  const folder = await mkdtemp(join(tmpdir(), 'geordi-mariadb-'))
  const [data, socket] = [join(folder, 'data'), join(folder, 'socket')]
  const user = process.getuid?.() === 0 ? ['--user=root'] : []
  await promisify(execFile)('mariadb-install-db', ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db', ...user])
  const args = [
    '--no-defaults', `--datadir=${data}`, `--socket=${socket}`, '--skip-networking', '--innodb-buffer-pool-size=16M', ...user,
    // A zone other than the system's, which InnoDB takes no notice of.
    '--default-time-zone=+05:00',
    // As MySQL has them by default.
    '--performance-schema', '--performance-schema-instrument=wait/lock/metadata/sql/mdl=ON'
  ]
  const server = spawn('mariadbd', args, { stdio: 'ignore' })
  const stop = async () => {
    await end(server)
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const connection = await connect(server, socket)
    const rights = ['all on shop.* to app', 'all on shop.* to seeing', 'all on shop.* to limited', 'process on *.* to seeing', 'select on performance_schema.* to seeing']
    const users = ['app', 'seeing', 'limited with max_user_connections 2']
    for (const sql of ['create database shop', ...users.map(user => `create user ${user}`), ...rights.map(right => `grant ${right}`)]) {
      await connection.query(sql)
    }
    await connection.end()
  } catch (error) {
    await stop()
    throw error
  }
  return { socket, stop }
}

async function connect (server: ChildProcess, socketPath: string): Promise<mysql.Connection> {
  for (;;) {
    try {
      return await mysql.createConnection({ socketPath, user: 'root' })
    } catch (error) {
      if (server.exitCode !== null) throw new Error(`mariadbd has ended with ${server.exitCode}`, { cause: error })
      await sleep(50)
    }
  }
}

async function end (server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  const exited = once(server, 'exit')
  server.kill()
  await exited
}
