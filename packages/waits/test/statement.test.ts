import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { normaliseSql } from '@geordi/waits'

const CASES: ReadonlyArray<readonly [what: string, text: string, normal: string]> = [
  ['texts and numbers', "select * from t where a = 'it''s' and b = 42 and c > -1.5e3", 'select * from t where a = ? and b = ? and c > ?'],
  ['parameters stay', 'select $1, $2::int, :name, @value', 'select $1, $2::int, :name, @value'],
  ['names stay, with digits and quotes too', 'select t1.a2, "Order 3", `x 4` from t1', 'select t1.a2, "Order 3", `x 4` from t1'],
  ['white space and comments', 'select 1 -- because\n  /* of\n this */ from   t', 'select ? from t'],
  ['a list is a list, however long', 'select * from t where id in ($1, $2,$3)', 'select * from t where id in (…)'],
  ['a list of literals too', 'select * from t where id in (1, 2, 3)', 'select * from t where id in (…)'],
  ['rows of an insert', "insert into t (a, b) values (1, 'x'), (2, 'y'), (3, 'z')", 'insert into t (a, b) values (…), …'],
  ['dollar quotes', 'select $body$secret$body$, $$another$$', 'select ?, ?'],
  ['a backslash in a text', "select E'it\\'s secret', 2", 'select E?, ?'],
  ['a text with a comment in it', "select '-- no comment', 'secret'", 'select ?, ?'],
  ['a backslash that escapes nothing', "select * from t where path = 'C:\\' and name = 'secret'", 'select * from t where path = ? and name = ?'],
  ['a comment within a comment', 'select a /* one /* two */ secret */ from t', 'select a from t'],
  ['and another one in that', 'select a /* /* /* x */ secret */ secret */ from t', 'select a from t'],
  ['dollar quotes with other letters', 'select $é$my secret$é$', 'select ?'],
  ['one that only looks like it', 'select a /* one /* two */ from t', 'select a from t'],
  ['numbers of every kind', 'select .5, 1_000_000, 2., 0b101, 0o17, 0xff, -1.5e-3', 'select ?, ?, ?, ?, ?, ?, ?'],
  ['what has no end', "select a from t where b = 'secret", 'select a from t where b = ?'],
  ['a dollar quote without end', 'select a, $body$ secret', 'select a, ?'],
  ['a comment without end', 'select a /* secret', 'select a'],
  ['names with a dollar sign', 'select v$a, v$b from t$x where c = $1', 'select v$a, v$b from t$x where c = $1']
]

const OF_MYSQL: typeof CASES = [
  ['texts in double quotes', 'select * from `t` where a = "sec\\"ret" and b = "it""s" and c = \'sec\\\'ret\'', 'select * from `t` where a = ? and b = ? and c = ?'],
  ['comments', 'select a # secret\nfrom t -- secret\n/* secret */', 'select a from t'],
  ['what is no comment', 'update a set b = b--1, c = "x\nsecret" where d = 2', 'update a set b = b-?, c = ? where d = ?'],
  ['a text in a list', 'select * from t where a in ("x", \'y\', 3)', 'select * from t where a in (…)'],
  ['what has no end', 'select a from t where b = "secret \\', 'select a from t where b = ?'],
  ['dollar signs', 'select $$a, $$b', 'select $$a, $$b']
]

for (const [what, text, normal] of CASES) {
  test(`a statement without its values: ${what}`, () => assert.equal(normaliseSql(text), normal))
}

for (const [what, text, normal] of OF_MYSQL) {
  test(`a statement of MySQL without its values: ${what}`, () => assert.equal(normaliseSql(text, 'mysql'), normal))
}

test('a statement that is too long is cut, and shows nothing of a text that is cut', () => {
  const normal = normaliseSql(`select ${'a, '.repeat(700)}'secret`.padEnd(5000, ' secret'))
  assert.ok(normal.length < 2100)
  assert.ok(!normal.includes('secret'))
  assert.equal(normaliseSql(`update t set body = 'secret it''s ${'secret '.repeat(500)}'`), 'update t set body = ? …')
  assert.equal(normaliseSql(`update t set body = E'secret it\\'s ${'secret '.repeat(500)}'`), 'update t set body = E? …')
  assert.equal(normaliseSql(`update t set body = $$secret ${'secret '.repeat(500)}$$`), 'update t set body = ? …')
  assert.equal(normaliseSql(`update t set body = "secret it\\"s ${'secret '.repeat(500)}"`, 'mysql'), 'update t set body = ? …')
})

test('a text without end takes no time', () => {
  const start = process.cpuUsage()
  normaliseSql("select '" + "\\'".repeat(100_000))
  normaliseSql("select '" + "\\'".repeat(100_000), 'mysql')
  normaliseSql('/*'.repeat(50_000))
  normaliseSql('/*' + '/**/'.repeat(50_000))
  normaliseSql('/*' + '/* /**/ */'.repeat(50_000))
  normaliseSql('/*a*/'.repeat(50_000) + '/*')
  normaliseSql('$a$'.repeat(50_000))
  normaliseSql('('.repeat(50_000) + '?,'.repeat(50_000))
  normaliseSql('(?), '.repeat(400))
  assert.ok(process.cpuUsage(start).user < 2_000_000)
})

test('long texts are not kept: an app that writes large rows would grow by each of them', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  const before = process.memoryUsage().heapUsed
  const kept = Array.from({ length: 100 }, (_value, at) => normaliseSql(`insert into t values (${'x'.repeat(1_000_000)}${at})`))
  collect()
  assert.ok(process.memoryUsage().heapUsed - before < 20_000_000)
  assert.equal(kept.length, 100)
})
