import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Profile } from '../src/index.ts'
import { resolveSources } from '../src/sources/index.ts'
import { profileLines, temporaryFolder } from './sources-support.ts'

/** One line of a script, and what a function on it is called; a pattern where V8 has several or differs by version, for all on it. */
type Case = readonly [code: string, name: string | RegExp]

const COMMONJS: readonly Case[] = [
  ['function plain () { spin() } plain()', 'plain'],
  ['async function later () { spin() } later()', 'later'],
  ['function * many () { spin() } many().next()', 'many'],
  ['async function * manyLater () { spin() } manyLater().next()', 'manyLater'],
  ['function /* ( */ commented /* ( */ () { spin() } commented()', 'commented'],
  ['class A1 { save () { spin() } } new A1().save()', 'A1.save'],
  ['class A2 { async save () { spin() } } new A2().save()', 'A2.save'],
  ['class A3 { * items () { spin() } } new A3().items().next()', 'A3.items'],
  ['class A4 { #hidden () { spin() } open () { return this.#hidden() } } new A4().open()', 'A4.#hidden'],
  ['class A5 { static create () { spin() } } A5.create()', 'A5.create'],
  ['class A6 { get size () { return spin() } } new A6().size', 'get A6.size'],
  ['class A7 { set size (to) { spin() } } new A7().size = 1', 'set A7.size'],
  ['class A8 { constructor () { spin() } } new A8()', 'new A8'],
  ['class A9 { [Symbol.iterator] () { spin() } } new A9()[Symbol.iterator]()', 'A9[Symbol.iterator]'],
  ['class B1 { "two words" () { spin() } } new B1()["two words"]()', "B1['two words']"],
  ['class B2 { handle = () => { spin() } } new B2().handle()', 'B2.handle'],
  ['class B3 { static handle = async () => { spin() } } B3.handle()', 'B3.handle'],
  ['class B4 { static { spin() } }', /^(B4 static block|B4 static fields|B4 fields|new B4)$/],
  ['class B5 { field = spin() } new B5()', /^(B5 fields|new B5)$/],
  ['class B6 extends A1 { field = spin() } new B6()', /^(B6 fields|new B6)$/],
  ['const B7 = class { save () { spin() } }; new B7().save()', 'B7.save'],
  ['exports.B8 = class { save () { spin() } }; new exports.B8().save()', 'exports.B8.save'],
  ['new (class extends A1 { load () { spin() } })().load()', '(class extends A1).load'],
  ['class C1 { constructor () { this.act = () => { spin() } } } new C1().act()', 'C1.act'],
  ['function C2 () { this.act = function () { spin() } } new C2().act()', 'C2.act'],
  ['function C3 () {} C3.prototype.act = function () { spin() }; new C3().act()', 'C3.act'],
  ['function C4 () {} C4.prototype = { act () { spin() } }; new C4().act()', 'C4.act'],
  ['function C5 () {} Object.assign(C5.prototype, { act () { spin() } }); new C5().act()', 'C5.act'],
  ["function C6 () {} Object.defineProperty(C6.prototype, 'it', { get () { spin() } }); new C6().it", 'get C6.it'],
  ['const f1 = () => { spin() }; f1()', 'f1'],
  ['const f2 = async x => { spin() }; f2()', 'f2'],
  ['const f3 = function () { spin() }; f3()', 'f3'],
  ['const f4 = function inner () { spin() }; f4()', 'inner'],
  ['const f5 = function () { spin() }.bind(null); f5()', 'f5'],
  ['const f6 = plain.name ? () => { spin() } : null; f6()', 'f6'],
  ['const f7 = (run => () => { run() })(spin); f7()', 'f7'],
  ['exports.foo = function () { spin() }; exports.foo()', 'exports.foo'],
  ['exports.bar = () => { spin() }; exports.bar()', 'exports.bar'],
  ['module.exports.baz = async () => { spin() }; exports.baz()', 'exports.baz'],
  ['const o1 = { key: function () { spin() } }; o1.key()', 'o1.key'],
  ['const o2 = { short () { spin() } }; o2.short()', 'o2.short'],
  ['const o3 = { nested: { deep: () => { spin() } } }; o3.nested.deep()', 'o3.nested.deep'],
  ['const o4 = { get it () { return spin() } }; o4.it', 'get o4.it'],
  ['const o5 = {}; o5.send = function send () { spin() }; o5.send()', 'o5.send'],
  ["const o6 = {}; o6['a-b'] = () => { spin() }; o6['a-b']()", "o6['a-b']"],
  ['const o7 = [() => { spin() }]; o7[0]()', 'o7[0]'],
  ['function defaults (cb = () => { spin() }) { cb() } defaults()', 'cb'],
  [';(function () { spin() })()', 'IIFE'],
  [';(() => { spin() })()', 'IIFE'],
  [';(function () { spin() }).call(null)', 'IIFE'],
  [';(function (factory) { factory() })(function () { spin() })', 'IIFE callback'],
  ['const g0 = (() => { return function () { spin() } })(); g0()', 'g0'],
  ['const g1 = (() => { spin() })()', 'IIFE for g1'],
  ['function g2 () { (() => { spin() })() } g2()', 'IIFE in g2'],
  ['[1].map(x => { spin() })', '[].map callback'],
  ['const rows = [1]; function g3 () { rows.map(x => { spin() }) } g3()', 'rows.map callback in g3'],
  ['function g4 () { rows.map(x => rows.map(y => { spin() })) } g4()', 'rows.map callback in g4'],
  ['class G5 { run () { this.rows = [1]; this.rows.map(x => { spin() }) } } new G5().run()', 'rows.map callback in G5.run'],
  ['function g6 () { return () => { spin() } } g6()()', 'returned by g6'],
  ['const memoize = fn => { fn() }; const g7 = memoize(() => { spin() })', 'memoize callback for g7'],
  ['function g8 () { new Promise(resolve => { spin() }) } g8()', 'new Promise executor in g8'],
  ['function g9 () { Promise.resolve().then(() => { spin() }) } g9()', '.then callback in g9'],
  ['setTimeout(() => { spin() }, 1)', 'setTimeout callback'],
  ["const app = { get: (...all) => all.at(-1)(), addHook: (name, fn) => fn(), route: ({ handler }) => handler(), register: fn => fn() }; app.get('/x', () => { spin() })",
    "app.get('/x') handler"],
  ["app.get('/' + 'y', { preHandler () {} }, () => { spin() })", 'app.get callback'],
  ["app.addHook('onRequest', async () => { spin() })", 'onRequest hook'],
  ["app.route({ method: 'POST', url: '/x/:id', handler: async () => { spin() } })", "app.route('POST /x/:id') handler"],
  ['app.register(async function () { spin() })', 'app.register plugin'],
  [`app.get('/${'long/'.repeat(30)}', () => { spin() })`, "app.get('/long/long/long/long…ong/long/long/long/') handler"],
  ["const emitter = new (require('node:events'))(); emitter.on('data', () => { spin() }); emitter.emit('data')", "emitter.on('data') listener"],
  ["const it = (name, fn) => fn(); it('works', () => { spin() })", "it('works') callback"],
  ['class H1 { constructor () { this.act = this.act.bind(this) } act () { spin() } } new H1().act()', 'H1.act'],
  ['function bound () { spin() } const h2 = bound.bind(null, 1); h2()', 'bound'],
  ['class H3 { static get it () { return spin() } } H3.it', 'get H3.it'],
  ['class H4 { static async save () { spin() } } H4.save()', 'H4.save'],
  ['class H5 { static #hidden () { spin() } static open () { H5.#hidden() } } H5.open()', 'H5.#hidden'],
  ['class H6 { async * items () { spin() } } new H6().items().next()', 'H6.items'],
  ['class H7 { #act = () => { spin() }; run () { this.#act() } } new H7().run()', 'H7.#act'],
  ["class H8 { ['computed' + 1] () { spin() } } new H8().computed1()", 'H8[…]'],
  ['class H9 { get #x () { return spin() } run () { return this.#x } } new H9().run()', 'get H9.#x'],
  ['const i1 = { async save () { spin() } }; i1.save()', 'i1.save'],
  ['const i2 = { * items () { spin() } }; i2.items().next()', 'i2.items'],
  ['const i3 = { async * items () { spin() } }; i3.items().next()', 'i3.items'],
  ['const i4 = { set it (to) { spin() } }; i4.it = 1', 'set i4.it'],
  ["const i5 = { ['a' + 1] () { spin() } }; i5.a1()", 'i5[…]'],
  ['const i6 = { async: async x => { spin() } }; i6.async()', 'i6.async'],
  ['let i7; i7 ??= () => { spin() }; i7()', 'i7'],
  ['const { i8 = () => { spin() } } = {}; i8()', 'i8'],
  ['const [i9 = () => { spin() }] = []; i9()', 'i9'],
  ['const j1 = async function () { spin() }; j1()', 'j1'],
  ['const j2 = function * () { spin() }; j2().next()', 'j2'],
  [';(async () => { spin() })()', 'IIFE'],
  [';!function () { spin() }()', 'IIFE'],
  [';(function named () { spin() })()', 'named'],
  ['module.exports = function () { spin() }; module.exports()', 'module.exports'],
  ['module.exports = { api () { spin() } }; module.exports.api()', 'module.exports.api'],
  ["app.get('/z', { schema: {} }, async function () { spin() })", "app.get('/z') handler"],
  ["app.get('/n', async function listAll () { spin() })", 'listAll'],
  ['const __name = fn => fn; __name(() => { spin() }, "kept")()', 'kept']
]

/** A module has one default export. */
const DEFAULTS: ReadonlyArray<readonly [file: string, Case]> = [
  ['class.mjs', ['export default class { save () { spin() } } import(import.meta.url).then(self => new self.default().save())', 'default.save']],
  ['arrow.mjs', ['export default async () => { spin() }; import(import.meta.url).then(self => self.default())', 'export default']],
  ['named.mjs', ['export default function named () { spin() } named()', 'named']]
]

const MODULE: readonly Case[] = [
  ['export default function () { spin() }', 'export default'],
  ['export const f = async function * () { spin() }; f().next()', 'f'],
  ['export class Session { save () { spin() } } new Session().save()', 'Session.save'],
  ['export const late = await (async () => { spin() })()', 'IIFE for late'],
  ['import(import.meta.url).then(self => self.default())', '.then callback']
]

function namesByLine ({ frames }: Profile, url: string): Map<number, string[]> {
  const names = new Map<number, string[]>()
  for (const frame of frames) {
    if (frame.url !== url || (frame.line === 1)) continue
    names.set(frame.line, [...names.get(frame.line) ?? [], frame.source?.name ?? frame.name])
  }
  return names
}

const FILES: ReadonlyArray<readonly [file: string, cases: readonly Case[]]> = [
  ['script.cjs', COMMONJS], ['module.mjs', MODULE], ...DEFAULTS.map(([file, one]) => [file, [one]] as const)
]

for (const [file, cases] of FILES) {
  describe(`functions that V8 sampled in ${file}`, () => {
    let names: Map<number, string[]>
    before(async () => {
      const folder = temporaryFolder({ after })
      const { profile, url } = await profileLines(folder, file, cases.map(([code]) => code))
      const resolved = await resolveSources(profile)
      assert.deepEqual(resolved.notes, [])
      names = namesByLine(resolved.profile, url)
    })
    cases.forEach(([code, name], at) => test(code.slice(0, 100), () => {
      const found = names.get(at + 2) ?? []
      // Its callers on the line may have been sampled too.
      if (typeof name === 'string') assert.ok(found.includes(name), `${name} isn't one of ${found}`)
      else assert.ok(found.length > 0 && found.every(one => name.test(one)), `${found}`)
    }))
  })
}
