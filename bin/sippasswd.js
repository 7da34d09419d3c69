#!/usr/bin/env node
await import('../dist/sippasswd.js').catch((error) => {
  if (error?.code !== 'ERR_MODULE_NOT_FOUND' || !error.message.includes('dist/sippasswd.js')) throw error;
  console.error('sippasswd: dist/sippasswd.js is missing: run "npm run build"');
  process.exitCode = 3;
});
