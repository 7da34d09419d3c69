// The version of this project, as package.json has it.

import project from '../../package.json' with { type: 'json' };

export const { version } = project;
