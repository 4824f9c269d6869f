import { Logger } from '@nestjs/common';
import { startFromEnvironment, stopOnSignals } from '@tierline/service';
import { allServices } from './services.ts';

/** Everything in one process, until a signal. What was begun before a crash goes on where its last commit left it. */
export async function start(): Promise<void> {
  const logger = new Logger('Tierline');
  const running = await startFromEnvironment(allServices);
  stopOnSignals(() => running.stop());
  logger.log(`answers at ${running.url}`);
  logger.log(`keeps its data under ${running.config.TIERLINE_DATA}; the administrator's token is in ${running.config.TIERLINE_DATA}/admin-token`);
}
