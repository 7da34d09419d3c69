#!/usr/bin/env -S node --min-semi-space-size=16 --max-semi-space-size=64
// Calls and registrations live for seconds: with more room for what is young, less of it is copied by the collector.
await import('../dist/sipctl.js').catch((error) => {
  if (error?.code !== 'ERR_MODULE_NOT_FOUND' || !error.message.includes('dist/sipctl.js')) throw error;
  console.error('sipctl: dist/sipctl.js is missing: run "npm run build"');
  process.exitCode = 69;
});
