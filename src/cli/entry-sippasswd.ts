// Where dist/sippasswd.js begins.

import { main } from './main.ts';
import { sippasswd } from './sippasswd-definition.ts';

await main(sippasswd);
