import { runService } from '@tierline/service';
import { phoneService } from './phone.module.ts';

await runService(phoneService);
