import { runService } from '@tierline/service';
import { notifyService } from './notify.module.ts';

await runService(notifyService);
