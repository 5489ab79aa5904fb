import { prefersHtml } from '../negotiate.ts'
import { homePage } from '../pages/home.ts'
import { sendPage } from '../pages/layout.ts'
import { commitPage, filePage, repositoryPage } from '../pages/repository.ts'
import { findCommit, findFile, findRepository, listCommits, listFiles, listRepositories } from '../store.ts'
import type { FastifyInstance } from 'fastify'
import type { Database } from '../database.ts'

const commitsPerPage = 40

/** PostgreSQL's text can't hold NUL: such a name is nobody's. */
const name = { type: 'string', maxLength: 200, pattern: '^[^\\u0000]+$' }
const commitId = { type: 'string', pattern: '^[0-9a-f]{40}$' }
const paging = { type: 'object', properties: { page: { type: 'integer', minimum: 1, maximum: 100_000, default: 1 } } }
const params = (properties: Record<string, object>) => ({ type: 'object', properties, required: Object.keys(properties) })

/** The repository browser itself. */
export function addRepositoryRoutes (app: FastifyInstance, database: Database): void {
  app.get('/', async function listAll (request, reply) {
    const repositories = await listRepositories(database)
    return prefersHtml(request.headers.accept, 'html') ? sendPage(reply, homePage(request.user, repositories)) : { repositories }
  })

  app.get<{ Params: { name: string }, Querystring: { page: number } }>('/repositories/:name', {
    schema: { params: params({ name }), querystring: paging }
  }, async function showRepository (request, reply) {
    const repository = await findRepository(database, request.params.name)
    if (!repository) return reply.callNotFound()
    const { page } = request.query
    const [commits, files] = await Promise.all([
      listCommits(database, repository.id, commitsPerPage, (page - 1) * commitsPerPage),
      listFiles(database, repository.id)
    ])
    const view = { repository, commits, files, page, pages: Math.ceil(repository.commits / commitsPerPage) }
    return prefersHtml(request.headers.accept, 'html') ? sendPage(reply, repositoryPage(request.user, view)) : view
  })

  app.get<{ Params: { name: string, id: string } }>('/repositories/:name/commits/:id', {
    schema: { params: params({ name, id: commitId }) }
  }, async function showCommit (request, reply) {
    const repository = await findRepository(database, request.params.name)
    const commit = repository && await findCommit(database, repository.id, request.params.id)
    if (!commit) return reply.callNotFound()
    return prefersHtml(request.headers.accept, 'html') ? sendPage(reply, commitPage(request.user, repository, commit)) : { repository, commit }
  })

  app.get<{ Params: { name: string, '*': string } }>('/repositories/:name/files/*', {
    schema: { params: params({ name, '*': name }) }
  }, async function showFile (request, reply) {
    const repository = await findRepository(database, request.params.name)
    const file = repository && await findFile(database, repository.id, request.params['*'])
    if (!file) return reply.callNotFound()
    return prefersHtml(request.headers.accept, 'html') ? sendPage(reply, filePage(request.user, repository, file)) : { repository, file }
  })
}
