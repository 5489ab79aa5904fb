import { scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const hash = promisify<string, Buffer, number, Buffer>(scrypt)

/** Who is logged in. */
export interface User { name: string, admin: boolean }

interface Account extends User { salt: string, hash: string }

/** The demo's two accounts. Their passwords are public (the login page tells them); hashed all the same, as an example should. */
const accounts: ReadonlyMap<string, Account> = new Map([
  { name: 'picard', admin: true, salt: 'a4a4f4b377e4f11834afd88e688f39c5', hash: '3a4b43e716fc36f331bb724623b15e7e2f1c3052c6acc22ea45ebc80c6e1d626' },
  { name: 'wesley', admin: false, salt: '8b8653ecf8f61eb3504c99aa59ec7d9e', hash: 'ec7454906ae576a1de26d67681943b1783835a221faa8511706c8e2acd106610' }
].map(account => [account.name, account]))

/** Compared with when the name is unknown, so that the time to answer tells nothing. */
const nobody = { salt: '00', hash: '00'.repeat(32) }

/** The user with this name; null when there is none. */
export function findUser (name: string): User | null {
  const account = accounts.get(name)
  return account ? { name: account.name, admin: account.admin } : null
}

/** The user whose name and password these are, else null. */
export async function authenticate (name: string, password: string): Promise<User | null> {
  const { salt, hash: expected } = accounts.get(name) ?? nobody
  const actual = await hash(password, Buffer.from(salt, 'hex'), 32)
  return timingSafeEqual(actual, Buffer.from(expected, 'hex')) ? findUser(name) : null
}
