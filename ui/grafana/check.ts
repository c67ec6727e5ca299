// Has TypeScript judge a dashboard's JSON: a text is checked as if it stood in a module of its own, where a field that
// is misspelt, missing or of another kind is a mistake. An import of JSON would not do, since it forgets that "line" is
// "line" and not any text.

import ts from 'typescript'

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  types: [],
}

/** The mistakes in each text, by its name, as `line: what is wrong`. */
export function mistakes(texts: Record<string, string>): Record<string, string[]> {
  const folder = import.meta.dirname
  const modules = new Map<string, string>()
  for (const [name, text] of Object.entries(texts)) {
    // On the text's own first line, so that lines are counted as in the file.
    const before = `import type { Dashboard } from './dashboard'; export const it: Dashboard = `
    modules.set(`${folder}/${name}.ts`, before + text)
  }
  const host = ts.createCompilerHost(OPTIONS)
  const { fileExists, readFile, getSourceFile } = host
  host.fileExists = (path) => modules.has(path) || fileExists(path)
  host.readFile = (path) => modules.get(path) ?? readFile(path)
  host.getSourceFile = (path, options, ...more) => {
    const text = modules.get(path)
    return text === undefined ? getSourceFile(path, options, ...more) : ts.createSourceFile(path, text, options)
  }
  const program = ts.createProgram([...modules.keys()], OPTIONS, host)
  const found = Object.keys(texts).map((name) => {
    const file = program.getSourceFile(`${folder}/${name}.ts`)
    return [name, ts.getPreEmitDiagnostics(program, file).map(described)]
  })
  return Object.fromEntries(found)
}

function described({ file, start, messageText }: ts.Diagnostic): string {
  const line = file && start !== undefined ? file.getLineAndCharacterOfPosition(start).line + 1 : 0
  return `${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
}
