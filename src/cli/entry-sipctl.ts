// Where dist/sipctl.js begins.

import { main } from './main.ts';
import { sipctl } from './sipctl-definition.ts';

await main(sipctl);
