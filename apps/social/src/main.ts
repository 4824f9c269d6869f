import { runService } from '@tierline/service';
import { socialService } from './social.module.ts';

await runService(socialService);
