import { since } from '../stopwatch.ts'
import type { SourceFile } from 'typescript'
import type { FileRow } from '../store.ts'

/** Whether this process has loaded the compiler: once is all it takes. */
let loaded = false

/** The exports of a source file, by TypeScript's own compiler, which is loaded when somebody first asks for an outline. */
export async function outlineFile (file: FileRow = { path: 'none.ts', content: '' }) {
  const first = !loaded
  const asked = performance.now()
  const { default: typescript } = await import('typescript')
  loaded = true
  const waited = since(asked)
  const source = typescript.createSourceFile(file.path, file.content, typescript.ScriptTarget.Latest)
  return { module: 'typescript', loaded: first ? 1 : 0, path: file.path, functions: listFunctions(source, typescript.isFunctionDeclaration), waited }
}

function listFunctions (source: SourceFile, isFunction: typeof import('typescript').isFunctionDeclaration): string[] {
  return source.statements.filter(isFunction).flatMap(({ name }) => name ? [name.text] : [])
}
