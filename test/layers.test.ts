// The import order of src/ARCHITECTURE.md, held on what the compiler itself takes for an import:
// static, dynamic, re-exported and type-only alike.

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { isStringLiteral } from 'typescript/unstable/ast/is';
import { API } from 'typescript/unstable/sync';
import { afterEach, describe, expect, test } from 'vitest';

const projectRoot = resolve(import.meta.dirname, '..');
const temporary: string[] = [];

/** What a folder that calls itself pure must not reach for; node:net is not among them for the sake of isIP. */
const effects = /^node:(fs|dgram|tls|http|https|dns|os|child_process|worker_threads|timers)(\/|$)/;

interface Architecture {
  /** The row of each folder, from the top; folders of one row do not import each other. */
  readonly row: ReadonlyMap<string, number>;
  readonly pure: ReadonlySet<string>;
}

function readArchitecture(root: string): Architecture {
  const text = readFileSync(join(root, 'src/ARCHITECTURE.md'), 'utf8');
  const order = /^ {4}(bin → .+)$/m.exec(text)?.[1];
  if (order === undefined) throw new Error('src/ARCHITECTURE.md names no import order');
  const row = new Map<string, number>();
  for (const [index, names] of order.split(' → ').entries())
    for (const name of names.split(' | ')) row.set(name.trim(), index);
  const pure = [...text.matchAll(/^\| `(\w+)\/` *\|[^|]*\| *pure\b/gm)].map((match) => match[1] as string);
  return { row, pure: new Set(pure) };
}

/** Every import of `root`/src: file, and what it names, resolved to a path below src/ where it is relative. */
function readImports(root: string): { from: string; to: string }[] {
  const api = new API({ cwd: root });
  try {
    const project = api.updateSnapshot({ openProject: join(root, 'tsconfig.json') }).getProjects()[0];
    if (project === undefined) throw new Error(`${root}/tsconfig.json opens no project`);
    const found: { from: string; to: string }[] = [];
    for (const path of project.rootFiles.filter((file) => file.startsWith(join(root, 'src') + sep)))
      for (const { text: name } of (project.program.getSourceFile(path)?.imports ?? []).filter(
        isStringLiteral,
      )) {
        const to = name.startsWith('.') ? relative(root, resolve(dirname(path), name)) : name;
        found.push({ from: relative(root, path), to });
      }
    return found;
  } finally {
    api.close();
  }
}

const folderOf = (path: string) => path.split(sep)[1] as string;

/** One line for each import that breaks the order, names an unknown folder, or brings effects where they do not belong. */
function layerFaults(root: string): string[] {
  const { row, pure } = readArchitecture(root);
  const faults: string[] = [];
  for (const { from, to } of readImports(root)) {
    const importer = folderOf(from);
    const importerRow = row.get(importer);
    if (importerRow === undefined) faults.push(`${from}: ${importer} is not in the order`);
    else if (to.startsWith(`src${sep}`)) {
      const imported = folderOf(to);
      const importedRow = row.get(imported);
      if (importedRow === undefined) faults.push(`${from}: imports ${to}, which is not in the order`);
      else if (imported !== importer && importedRow <= importerRow)
        faults.push(`${from}: ${importer} must not import ${to}`);
    } else if (to === 'koffi' && importer !== 'unix')
      faults.push(`${from}: only unix calls foreign functions`);
    else if (pure.has(importer) && effects.test(to))
      faults.push(`${from}: ${importer} is pure and must not import ${to}`);
  }
  return faults;
}

/** A copy of the tree that only the compiler reads, with one file added. */
function plant(path: string, content: string): string {
  const root = mkdtempSync(join(tmpdir(), 'layers-'));
  temporary.push(root);
  cpSync(join(projectRoot, 'src'), join(root, 'src'), { recursive: true });
  cpSync(join(projectRoot, 'tsconfig.json'), join(root, 'tsconfig.json'));
  writeFileSync(join(root, path), content);
  return root;
}

afterEach(() => {
  for (const root of temporary.splice(0)) rmSync(root, { recursive: true });
});

describe('import order (src/ARCHITECTURE.md)', () => {
  test('every import of src/ goes down the list', () => {
    expect(readImports(projectRoot).length).toBeGreaterThan(20);
    expect(layerFaults(projectRoot)).toEqual([]);
  });

  test.each([
    ['upward', "import { a } from '../registrar/x.ts';", 'message must not import src/registrar/x.ts'],
    [
      'as a type',
      "import type { A } from '../store/store.ts';",
      'message must not import src/store/store.ts',
    ],
    ['re-exported', "export { a } from '../server/x.ts';", 'message must not import src/server/x.ts'],
    ['dynamic', "export const a = () => import('../cli/x.ts');", 'message must not import src/cli/x.ts'],
    [
      'of a type in place',
      "export type A = import('../auth/x.ts').A;",
      'message must not import src/auth/x.ts',
    ],
    ['of an unknown folder', "import '../utils/x.ts';", 'imports src/utils/x.ts, which is not in the order'],
    [
      'of a socket by a pure folder',
      "import 'node:dgram';",
      'message is pure and must not import node:dgram',
    ],
    ['of foreign functions', "import koffi from 'koffi';", 'only unix calls foreign functions'],
  ])('names a planted import %s', (_, statement, fault) => {
    const root = plant(
      'src/message/planted.ts',
      `// import '../cli/y.ts'\nconst s = "import '../cli/z.ts'";\n${statement}\n`,
    );
    expect(layerFaults(root).filter((line) => line.startsWith('src/message/planted.ts'))).toEqual([
      `src/message/planted.ts: ${fault}`,
    ]);
  });

  test('names a planted import between two folders of one row', () => {
    const root = plant('src/store/planted.ts', "import '../transport/flow.ts';\n");
    expect(layerFaults(root)).toContain('src/store/planted.ts: store must not import src/transport/flow.ts');
  });
});
