import { createRandom } from '../random.ts'
import { makeMessage } from '../seed.ts'
import { crew, repositories } from '../seed-data.ts'
import { prefersHtml } from '../negotiate.ts'
import { formatNumber, sendPage } from '../pages/layout.ts'
import { messagePage } from '../pages/message.ts'
import { slowRoutes } from '../slow/table.ts'
import { since } from '../stopwatch.ts'
import { insertCommits } from '../store.ts'
import { checkCommits, CommitFileError, parseCommitFile } from '../work/commit-files.ts'
import { csvLine } from '../work/csv.ts'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Means } from '../slow/means.ts'
import type { Outcome, Parameters, Values } from '../slow/route.ts'
import type { NewCommit } from '../store.ts'

const text = (maxLength: number) => ({ type: 'string', minLength: 1, maxLength, pattern: '^[^\\u0000]+$' })

const newCommits = {
  type: 'object',
  required: ['commits'],
  properties: {
    commits: {
      type: 'array',
      items: {
        type: 'object',
        required: ['repository', 'author', 'message'],
        properties: {
          repository: text(200),
          author: text(200),
          message: text(10_000),
          committedAt: { type: 'string', format: 'date-time' }
        }
      }
    }
  }
}

/** Routes that are slow, each for a reason of its own; see {@link slowRoutes}. */
export function addSlowRoutes (app: FastifyInstance, means: Means): void {
  for (const route of slowRoutes) {
    app.get<{ Querystring: Values<Parameters> }>(route.path, {
      schema: { querystring: { type: 'object', properties: route.parameters } }
    }, async function runSlowRoute (request, reply) {
      const gone = new AbortController()
      reply.raw.once('close', () => gone.abort())
      const started = performance.now()
      const { counted, sentence, file } = await route.run(means, request.query, gone.signal)
      const result = { ...counted, milliseconds: since(started) }
      // Of a replay nobody sees the answer: this is how a report can be held against what its own run has counted.
      request.log.info({ counted: result }, `counted by ${route.path}`)
      if (file && request.headers.accept?.includes(file.type)) return sendFile(reply, file)
      return answer(request, reply, result, sentence)
    })
  }

  app.post('/slow/import', {
    // By content type: a multipart body is read in the handler.
    schema: { body: { content: { 'application/json': { schema: newCommits } } } }
  }, async function importCommits (request, reply) {
    const commits = request.isMultipart() ? await readUpload(request) : checkCommits(request.body)
    const imported = await insertCommits(means.database, commits)
    return answer(request, reply, { imported }, `Imported ${formatNumber(imported)} commits.`)
  })

  app.get('/slow/import/sample.csv', async (_request, reply) => reply.type('text/csv; charset=utf-8').send(sampleFile(500)))
}

async function readUpload (request: FastifyRequest): Promise<NewCommit[]> {
  const file = await request.file()
  if (!file) throw new CommitFileError('The form has no file.')
  return parseCommitFile((await file.toBuffer()).toString('utf8'))
}

function answer (request: FastifyRequest, reply: FastifyReply, result: object, sentence: string) {
  return prefersHtml(request.headers.accept, 'json') ? sendPage(reply, messagePage(request.user, 'Done', sentence)) : result
}

function sendFile (reply: FastifyReply, { type, encoding, name, content }: NonNullable<Outcome['file']>): FastifyReply {
  return reply
    .header('content-disposition', `attachment; filename="${name}"`)
    .header('content-encoding', encoding)
    .header('vary', 'accept')
    .type(`${type}; charset=utf-8`)
    .send(content)
}

function sampleFile (rows: number): string {
  const random = createRandom(rows)
  const lines = Array.from({ length: rows }, () => csvLine([
    random.pick(repositories).name,
    random.pick(crew),
    makeMessage(random),
    new Date(Date.UTC(2026, random.below(10), 1 + random.below(28), random.below(24))).toISOString()
  ]))
  return ['repository,author,message,committedAt\r\n', ...lines].join('')
}
