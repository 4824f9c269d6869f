import { runService } from '@tierline/service';
import { ticketsService } from './tickets.module.ts';

await runService(ticketsService);
