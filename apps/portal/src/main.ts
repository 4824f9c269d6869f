import { runService } from '@tierline/service';
import { portalService } from './portal.module.ts';

await runService(portalService);
