// The process that works in homes: the store over UNIX accounts (store/unix-store.ts).

import { createUnixStore, type UnixStoreSettings } from '../store/unix-store.ts';
import { serveStore } from './store-worker.ts';

/** Of the store, what travels. */
export type HomeSettings = Omit<UnixStoreSettings, 'own' | 'onFault' | 'onServe'>;

await serveStore<HomeSettings>((settings, { onFault, onServe }) =>
  createUnixStore({ ...settings, own: undefined, onFault, onServe }),
);
