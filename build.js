// Bundles the three programs into dist/, each command a file of its own; with --completions writes completions/ instead.

import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { build } from 'esbuild';

const programs = ['sippasswd', 'sipctl', 'sipacct'];

/** Rewrites completions/ from the definitions in src/cli/. */
async function writeCompletions() {
  const { outputFiles } = await build({
    entryPoints: ['src/cli/completion.ts'],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    plugins: [lazyImportsStay],
  });
  const module = await import(
    `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`
  );
  await mkdir('completions', { recursive: true });
  for (const { name, content } of module.completionFiles()) await writeFile(`completions/${name}`, content);
}

/** Leaves the commands' own modules out: completions need the definitions only. */
const lazyImportsStay = {
  name: 'lazy-imports-stay',
  setup({ onResolve }) {
    onResolve({ filter: /./ }, ({ kind, path }) =>
      kind === 'dynamic-import' ? { path, external: true } : undefined,
    );
  },
};

/** Writes dist/. What an earlier build left there goes last: programs that are running load their chunks from it. */
async function buildPrograms() {
  const { metafile } = await build({
    entryPoints: [
      ...programs.map((name) => ({ in: `src/cli/entry-${name}.ts`, out: name })),
      { in: 'src/server/entry-server.ts', out: 'server' },
      { in: 'src/keeper/home-worker.ts', out: 'home-worker' },
      { in: 'src/keeper/database-worker.ts', out: 'database-worker' },
      { in: 'src/keeper/tables-worker.ts', out: 'tables-worker' },
      { in: 'src/db/entry-database.ts', out: 'database-server' },
      { in: 'src/keeper/pam-worker.ts', out: 'pam-worker' },
    ],
    outdir: 'dist',
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    minifySyntax: true,
    sourcemap: 'linked',
    external: ['koffi', 'posix', 'inquirer', 'kysely', 'pg', 'mysql2'],
    logLevel: 'warning',
    metafile: true,
    // Bundled CommonJS packages call require() for what belongs to Node.
    banner: {
      js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
    },
  });
  const current = new Set(Object.keys(metafile.outputs));
  for (const entry of await readdir('dist', { recursive: true, withFileTypes: true })) {
    const path = `${entry.parentPath}/${entry.name}`;
    if (entry.isFile() && !current.has(path)) await rm(path);
  }
}

await (process.argv.includes('--completions') ? writeCompletions() : buildPrograms());
