import { openTimers } from './open-timers.ts';

// A process that fires timers until it is killed: node --import tools/ts.mjs timers-process.ts <database url>
const { timers } = await openTimers(process.argv[2]!);
timers.start();
process.send!('started');
