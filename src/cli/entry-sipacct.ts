// Where dist/sipacct.js begins.

import { main } from './main.ts';
import { sipacct } from './sipacct-definition.ts';

await main(sipacct);
