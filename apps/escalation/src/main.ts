import { runService } from '@tierline/service';
import { escalationService } from './escalation.module.ts';

await runService(escalationService);
