#!/usr/bin/env node
await import('../dist/sipacct.js').catch((error) => {
  if (error?.code !== 'ERR_MODULE_NOT_FOUND' || !error.message.includes('dist/sipacct.js')) throw error;
  console.error('sipacct: dist/sipacct.js is missing: run "npm run build"');
  process.exitCode = 69;
});
