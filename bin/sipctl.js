#!/usr/bin/env node
await import('../dist/sipctl.js').catch((error) => {
  if (error?.code !== 'ERR_MODULE_NOT_FOUND' || !error.message.includes('dist/sipctl.js')) throw error;
  console.error('sipctl: dist/sipctl.js is missing: run "npm run build"');
  process.exitCode = 69;
});
