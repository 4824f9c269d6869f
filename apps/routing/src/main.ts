import { runService } from '@tierline/service';
import { routingService } from './routing.module.ts';

await runService(routingService);
