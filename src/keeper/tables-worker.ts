// The process that works in homes for `sipctl db serve` (store/home-tables.ts).

import {
  createHomeTables,
  type HomeTablesSettings,
  type TableOperation,
  tableOperationOf,
} from '../store/home-tables.ts';
import { serveRequests } from './store-worker.ts';

await serveRequests<HomeTablesSettings, TableOperation>((settings, { onServe, onFault }) => {
  const perform = createHomeTables(settings, undefined, onFault);
  return {
    operationsOf: (json) => {
      const operation = tableOperationOf(json);
      return operation === undefined ? undefined : [operation];
    },
    async run(user, operations) {
      onServe(user);
      return operations.map((operation) => perform(user, operation));
    },
    close() {},
  };
});
