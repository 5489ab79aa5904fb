import { randomBytes } from 'node:crypto'
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ReplayError } from '../errors.ts'
import { isAlive, markProcess, stopProcess } from './processes.ts'
import type { ProcessMark } from './processes.ts'

/** Who works in a folder; kept there as `server.json`. */
interface Tenancy { guard: ProcessMark | null, server: ProcessMark | null }

const tenancyFile = (folder: string) => join(folder, 'server.json')

function readTenancy (folder: string): Tenancy | null {
  try {
    return JSON.parse(readFileSync(tenancyFile(folder), 'utf8')) as Tenancy
  } catch {
    return null
  }
}

/**
 * Makes this process the folder's only guard. Two servers in one folder would destroy its data, so a living guard is an
 * error. A server whose guard was killed too is ended first: nobody uses it any more.
 *
 * @throws ReplayError GEORDI_LOCAL_FOLDER_IN_USE
 */
export async function claimFolder (folder: string): Promise<void> {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      writeTenancy(folder, null, 'wx')
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const before = readTenancy(folder)
    if (before?.guard && isAlive(before.guard)) break
    // SIGINT is PostgreSQL's fast shutdown and an orderly end for Redis as well.
    if (before?.server) await stopProcess(before.server, [['SIGINT', 10_000], ['SIGKILL', 5_000]])
    unlinkSync(tenancyFile(folder))
  }
  throw new ReplayError('GEORDI_LOCAL_FOLDER_IN_USE', `Another process runs a server in ${folder}. Stop it, or choose another folder.`)
}

/** Notes the server's process, so that it is found again if this process is killed. */
export function noteServer (folder: string, pid: number): void {
  writeTenancy(folder, markProcess(pid), 'w')
}

function writeTenancy (folder: string, server: ProcessMark | null, flag: 'w' | 'wx'): void {
  const tenancy: Tenancy = { guard: markProcess(process.pid), server }
  writeFileSync(tenancyFile(folder), JSON.stringify(tenancy), { flag, mode: 0o600 })
}

/** Gives the folder free for the next one. */
export function releaseFolder (folder: string): void {
  unlinkSync(tenancyFile(folder))
}

/**
 * The folder's password, random and made at the first start: a server that comes back has the same one, so who was
 * connected to it gets in again.
 */
export function keptPassword (folder: string): string {
  const kept = readPassword(folder)
  if (kept !== null) return kept
  const password = randomBytes(24).toString('base64url')
  writeFileSync(passwordFile(folder), password + '\n', { mode: 0o600 })
  return password
}

/** The password that was made for the folder; null when there is none. */
export function readPassword (folder: string): string | null {
  try {
    return readFileSync(passwordFile(folder), 'utf8').trim() || null
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

export const passwordFile = (folder: string) => join(folder, 'password')
